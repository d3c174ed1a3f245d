/**
 * The X25519 key to which messages for a node are sealed (PT-7). It comes from the node key, so that there is one secret to keep,
 * and by a hash, so that what is done with the one key says nothing of the other. Pure.
 * @module
 */
import { hashOf, utf8ToBytes, x25519PublicKey } from '@althing/base'

const DOMAIN = utf8ToBytes('althing/seal-key/1\0')

export interface SealKeyPair {
  /** 32 bytes each. */
  readonly secretKey: Uint8Array
  readonly publicKey: Uint8Array
}

/** @param identity the 32-byte seed of the node key. */
export function sealKeyPairOf(identity: Uint8Array): SealKeyPair {
  const secretKey = hashOf(DOMAIN, identity)
  return { secretKey, publicKey: x25519PublicKey(secretKey) }
}
