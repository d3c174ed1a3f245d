/**
 * State proofs: whatever the bytes, a verifier of one root accepts nothing but the truth about it.
 * @module
 */
import assert from 'node:assert/strict'
import { bytesToHex, hexToBytes, utf8ToBytes } from '../src/bytes.ts'
import { sha256 } from '../src/hash.ts'
import { verifyKey, verifyRange } from '../src/proof.ts'
import { leafHash } from '../src/trie.ts'

/** A state of one entry: a is v. */
const [key, value] = [utf8ToBytes('a'), utf8ToBytes('v')]
const root = leafHash(key, sha256(value))
const present = hexToBytes('0100' + '00' + '0161' + '0176')!
const absent = hexToBytes('0100' + '00' + '0161' + bytesToHex(sha256(value)))!

export const targets = {
  proof: {
    seeds: () => [present, absent],
    run(bytes: Uint8Array): void {
      const ofKey = verifyKey(root, key, bytes)
      if (ofKey.ok) assert.deepEqual(ofKey.value.value, value)
      const ofOther = verifyKey(root, utf8ToBytes('b'), bytes)
      if (ofOther.ok) assert.equal(ofOther.value.value, null)
      const all = verifyRange(root, new Uint8Array(0), null, bytes)
      if (all.ok) assert.deepEqual(all.value.entries, [{ key, value }])
    },
  },
}
