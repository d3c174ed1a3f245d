import { bytesToHex, hashOf } from '@althing/base'
import type { Verify } from '@althing/base'

/**
 * Remembers the signatures that held, by everything that was verified (P12): key, message and signature. Those that did
 * not hold are checked again each time, so that nobody can fill the memory with them.
 * @param kept how many are remembered.
 */
export function rememberingVerify(verify: Verify, kept = 8_192): Verify {
  const held = new Set<string>()
  return (publicKey, message, signature) => {
    const key = bytesToHex(hashOf(publicKey, signature, message))
    if (held.has(key)) return true
    if (!verify(publicKey, message, signature)) return false
    held.add(key)
    if (held.size > kept) held.delete(held.keys().next().value!)
    return true
  }
}
