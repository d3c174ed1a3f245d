/**
 * Proofs about a part of the state as a whole: the hash over all entries whose keys start with a prefix. Two nodes that
 * agree on it hold the same there, and one that differs finds out without sending an entry. Runs in browsers.
 *
 * Bytes: version (1), then nothing for the empty state, else the nodes from the root down to the first one that does not
 * branch within the prefix. Each is what `TrieReader` reads: step and suffix of an inner node, or 0x00 and the key of a
 * leaf. After an inner node that branches within the prefix stands the hash of its other child; after the last node the
 * hashes of both children, or the hash of the leaf's value.
 * @module
 */
import { equalBytes } from './bytes.ts'
import { ZERO_HASH, type Hash } from './hash.ts'
import type { ProofFault } from './proof.ts'
import { fail, ok, type Result } from './result.ts'
import { ROOT_EDGE, TrieReader } from './trie-stream.ts'
import { innerHash, isKey, keyBit, leafHash, type Side } from './trie.ts'

export const SUBTREE_PROOF_VERSION = 1

/** Whether all keys that share these first bits (those of `path`) start with the prefix, some may, or none does. */
export function placeOf(path: Uint8Array, bits: number, prefix: Uint8Array): 'within' | 'around' | 'beside' {
  const whole = Math.floor(bits / 9)
  for (let i = 0; i < Math.min(whole, prefix.length); i++) if (path[i] !== prefix[i]) return 'beside'
  if (whole >= prefix.length) return 'within'
  const told = bits - 9 * whole - 1
  const isSame = told <= 0 || (path[whole]! ^ prefix[whole]!) >>> (8 - told) === 0
  return isSame ? 'around' : 'beside'
}

/**
 * The hash over all entries whose keys start with `prefix`, in the state with this root; zero when there is none.
 * Never throws, whatever the bytes.
 * @param prefix 1 to 512 bytes.
 */
export function verifySubtree(
  root: Hash,
  prefix: Uint8Array,
  proof: Uint8Array,
): Result<{ readonly hash: Hash }, ProofFault> {
  if (!isKey(prefix)) return fail('PROOF_RANGE', `a prefix has 1 to 512 bytes, not ${prefix.length}`)
  const reader = new TrieReader(proof)
  if (reader.byte() !== SUBTREE_PROOF_VERSION) return fail('PROOF_MALFORMED', 'unknown proof version')
  const read = reader.atEnd ? { hash: ZERO_HASH, rootHash: ZERO_HASH } : readPath(reader, prefix)
  if (reader.failed || !reader.atEnd)
    return fail('PROOF_MALFORMED', 'the proof does not have the form of one')
  if (!equalBytes(read.rootHash, root))
    return fail('PROOF_MISMATCH', 'the proof belongs to another state root')
  return ok({ hash: read.hash })
}

function readPath(reader: TrieReader, prefix: Uint8Array): { readonly hash: Hash; readonly rootHash: Hash } {
  const above: { readonly bits: number; readonly side: Side; readonly other: Hash }[] = []
  let parentBits = ROOT_EDGE
  let side: Side = 0
  let last: Hash | null = null
  let isWithin = false
  while (last === null && !reader.failed) {
    const step = reader.varint()
    if (step === 0) {
      const key = reader.path.slice(0, reader.key(parentBits, side))
      isWithin = key.length >= prefix.length && equalBytes(key.subarray(0, prefix.length), prefix)
      last = leafHash(key, reader.hash())
      continue
    }
    parentBits = reader.prefix(parentBits, side, step)
    const place = placeOf(reader.path, parentBits, prefix)
    if (place === 'around') {
      side = keyBit(prefix, parentBits)
      above.push({ bits: parentBits, side, other: reader.hash() })
      reader.followEdge(parentBits, side)
    } else {
      isWithin = place === 'within'
      const left = reader.hash()
      last = innerHash(reader.path, parentBits, left, reader.hash())
    }
  }
  let rootHash = last ?? ZERO_HASH
  for (const { bits, side: on, other } of above.reverse()) {
    rootHash =
      on === 0 ? innerHash(reader.path, bits, rootHash, other) : innerHash(reader.path, bits, other, rootHash)
  }
  return { hash: isWithin && last !== null ? last : ZERO_HASH, rootHash }
}
