import { concatBytes, bytesToHex } from './bytes.ts'
import { sha256 } from '#sha256'

export { sha256 }

/** 32 bytes. */
export type Hash = Uint8Array
/** 64 lower-case hexadecimal digits: a hash as a map key and as people see it. */
export type HashHex = string

export const HASH_BYTES = 32
export const ZERO_HASH: Hash = new Uint8Array(HASH_BYTES)

/** SHA-256 of the parts, one after the other. */
export function hashOf(...parts: readonly Uint8Array[]): Hash {
  return sha256(concatBytes(...parts))
}

export function isZeroHash(hash: Hash): boolean {
  for (let i = 0; i < hash.length; i++) if (hash[i] !== 0) return false
  return true
}

export function hashToHex(hash: Hash): HashHex {
  return bytesToHex(hash)
}
