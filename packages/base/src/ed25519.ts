/**
 * The chain's Ed25519 rule (P22; "Signatures" in the consensus rules).
 * A key is acceptable when it is a canonical encoding of a point that is not of small order. It is checked wherever
 * a key enters: authorities and accounts.
 * Full nodes verify with one native verifier. `verifyPortable` is for the light client only: it
 * accepts everything the native verifier accepts.
 * @module
 */
import { ed25519 } from '@noble/curves/ed25519.js'

export const PUBLIC_KEY_BYTES = 32
export const SIGNATURE_BYTES = 64
export const SEED_BYTES = 32

/** True when `signature` of `message` holds under `publicKey`. Never throws on hostile input. */
export type Verify = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean

export interface Signer {
  readonly publicKey: Uint8Array
  sign(message: Uint8Array): Uint8Array
}

/** Signs for an authority. One outside this process may refuse, or be out of reach. */
export interface VoteSigner {
  readonly publicKey: Uint8Array
  /** @returns null when it does not sign this, or not now. */
  sign(message: Uint8Array): Uint8Array | null
  /** Why it cannot be reached now; null when it can. Absent: it is in this process. */
  readonly unavailableBecause?: string | null
}

/** Canonical, on the curve, and not of small order. */
export function isAcceptableKey(publicKey: Uint8Array): boolean {
  if (publicKey.length !== PUBLIC_KEY_BYTES) return false
  try {
    return !ed25519.Point.fromBytes(publicKey).isSmallOrder()
  } catch {
    return false
  }
}

/**
 * Whether an account may have this id: an acceptable key, or the id of a multi-signature account, which is a hash and
 * usually no point at all. What is a point, but one that no key should be, is refused.
 */
export function isAcceptableAccount(id: Uint8Array): boolean {
  if (id.length !== PUBLIC_KEY_BYTES) return false
  try {
    ed25519.Point.fromBytes(id, true)
  } catch {
    return true
  }
  return isAcceptableKey(id)
}

export const verifyPortable: Verify = (publicKey, message, signature) => {
  if (signature.length !== SIGNATURE_BYTES || !isAcceptableKey(publicKey)) return false
  try {
    return ed25519.verify(signature, message, publicKey, { zip215: false })
  } catch {
    return false
  }
}

/** A signer in plain JavaScript, for clients and tests. @param seed 32 secret bytes (RFC 8032, section 5.1.5). */
export function portableSigner(seed: Uint8Array): Signer {
  const publicKey = ed25519.getPublicKey(seed)
  return { publicKey, sign: (message) => ed25519.sign(message, seed) }
}
