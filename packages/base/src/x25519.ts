/**
 * Key agreement (RFC 7748): only what is needed to know one's own public key.
 * @module
 */
import { x25519 } from '@noble/curves/ed25519.js'

/** @param secretKey 32 secret bytes. */
export function x25519PublicKey(secretKey: Uint8Array): Uint8Array {
  return x25519.getPublicKey(secretKey)
}
