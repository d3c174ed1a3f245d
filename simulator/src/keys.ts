/**
 * Signatures that cost next to nothing: a stand-in for Ed25519 inside a simulation. Anyone could forge them; the
 * simulated characters sign with their own keys only.
 * @module
 */
import { bytesToHex, portableSigner, SIGNATURE_BYTES } from '@althing/base'
import type { HashHex, Signer, Verify } from '@althing/base'

const FNV_PRIME = 0x01000193
const FNV_OFFSET = 0x811c9dc5

/** FNV-1a over the parts; another start gives another word. */
function word(start: number, publicKey: Uint8Array, message: Uint8Array): number {
  let hash = start
  for (let i = 0; i < publicKey.length; i++) hash = Math.imul(hash ^ publicKey[i]!, FNV_PRIME)
  for (let i = 0; i < message.length; i++) hash = Math.imul(hash ^ message[i]!, FNV_PRIME)
  return hash >>> 0
}

function sign(publicKey: Uint8Array, message: Uint8Array): Uint8Array {
  const signature = new Uint8Array(SIGNATURE_BYTES)
  const words = new DataView(signature.buffer)
  words.setUint32(0, word(FNV_OFFSET, publicKey, message))
  words.setUint32(4, word(~FNV_OFFSET, publicKey, message))
  return signature
}

const publicKeys: Uint8Array[] = []

/** The same key for the same index in every run; its public key is a real one, as cores may check its form. */
export function simulatedSigner(index: number): Signer {
  const publicKey = (publicKeys[index] ??= portableSigner(new Uint8Array(32).fill(index + 1)).publicKey)
  return { publicKey, sign: (message) => sign(publicKey, message) }
}

/** By which the judge knows the key of an index. */
export function simulatedKey(index: number): HashHex {
  return bytesToHex(simulatedSigner(index).publicKey)
}

export const verifySimulated: Verify = (publicKey, message, signature) => {
  const words = new DataView(signature.buffer, signature.byteOffset, SIGNATURE_BYTES)
  return (
    words.getUint32(0) === word(FNV_OFFSET, publicKey, message) &&
    words.getUint32(4) === word(~FNV_OFFSET, publicKey, message)
  )
}
