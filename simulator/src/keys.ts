/**
 * Signatures that cost one SHA-256: a stand-in for Ed25519 inside a simulation. Anyone could forge them; the
 * simulated characters sign with their own keys only.
 * @module
 */
import { concatBytes, equalBytes, hashOf, portableSigner } from '@althing/base'
import type { Signer, Verify } from '@althing/base'

function tag(publicKey: Uint8Array, message: Uint8Array): Uint8Array {
  const half = hashOf(publicKey, message)
  return concatBytes(half, half)
}

const publicKeys: Uint8Array[] = []

/** The same key for the same index in every run; its public key is a real one, as cores may check its form. */
export function simulatedSigner(index: number): Signer {
  const publicKey = (publicKeys[index] ??= portableSigner(new Uint8Array(32).fill(index + 1)).publicKey)
  return { publicKey, sign: (message) => tag(publicKey, message) }
}

export const verifySimulated: Verify = (publicKey, message, signature) =>
  equalBytes(signature, tag(publicKey, message))
