import { bytesToHex, hashOf, RecentMap } from '@althing/base'
import type { Verify } from '@althing/base'

/**
 * Remembers the signatures that held, by everything that was verified (P12): key, message and signature. Those that did
 * not hold are checked again each time, so that nobody can fill the memory with them.
 * @param kept how many are remembered, at most.
 */
export function rememberingVerify(verify: Verify, kept = 16_384): Verify {
  const held = new RecentMap<string, true>(kept)
  return (publicKey, message, signature) => {
    const key = bytesToHex(hashOf(publicKey, signature, message))
    if (held.has(key)) return true
    if (!verify(publicKey, message, signature)) return false
    held.set(key, true)
    return true
  }
}
