/**
 * Proofs about the state: exactly these entries lie in this range of keys, under this root. The presence and the
 * absence of one key are the statement about the range that holds only that key. Runs in browsers.
 *
 * Bytes: version (1), 0x00, or 0x01 and the last covered key (varint length, bytes) when the proof stops before the
 * end of the asked range; then nothing for the empty state, else the root node. A node that can hold keys of the range:
 *   leaf   0x00, key suffix (varint length, bytes), then in the range: value (varint length, bytes), else: sha256(value)
 *   inner  varint step (1 or more) to its branching bit, prefix suffix, left node, right node
 * A node that cannot is its hash. Which one it is follows from the range, so one statement has one proof.
 *
 * P1  sound: every node that can hold a key of the range is opened, and its hash commits to its place
 * P2  bounded: work and memory follow the length of the proof; each opened inner node hashes at most 600 bytes
 * @module
 */
import { compareBytes, equalBytes } from './bytes.ts'
import { sha256, ZERO_HASH, type Hash } from './hash.ts'
import { fail, ok, type Result } from './result.ts'
import { ROOT_EDGE, TrieReader } from './trie-stream.ts'
import { innerHash, isEdgeOutside, isKey, leafHash, successor, type KeyRange, type Side } from './trie.ts'

export const PROOF_VERSION = 1

export type ProofFault = {
  /** Malformed: not a proof about this range. Mismatch: a proof, but not under this root. Range: the question is wrong. */
  readonly code: 'PROOF_MALFORMED' | 'PROOF_MISMATCH' | 'PROOF_RANGE'
  readonly message: string
}

export interface ProvedEntry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

export interface ProvedRange {
  /** All entries from `start` to before `next`, or to before the end that was asked, in key order. */
  readonly entries: readonly ProvedEntry[]
  /** Where the next range starts; null when this one is complete. */
  readonly next: Uint8Array | null
}

/**
 * What `proof` says about the keys from `start` to before `end` (null: to the last key) of the state with this root.
 * Never throws, whatever the bytes.
 */
export function verifyRange(
  root: Hash,
  start: Uint8Array,
  end: Uint8Array | null,
  proof: Uint8Array,
): Result<ProvedRange, ProofFault> {
  if (end !== null && compareBytes(start, end) >= 0) return fail('PROOF_RANGE', 'the range holds no key')
  const reader = new TrieReader(proof)
  if (reader.byte() !== PROOF_VERSION) return fail('PROOF_MALFORMED', 'unknown proof version')
  const last = readLastKey(reader)
  const next = last === null ? null : successor(last)
  const isNextOutside =
    next !== null && (compareBytes(next, start) <= 0 || (end !== null && compareBytes(next, end) > 0))
  if (reader.failed || isNextOutside)
    return fail('PROOF_MALFORMED', 'the last covered key is not in the range')

  const entries: ProvedEntry[] = []
  const hash = reader.atEnd ? ZERO_HASH : readNodes(reader, { start, end: next ?? end }, entries)
  if (reader.failed || !reader.atEnd)
    return fail('PROOF_MALFORMED', 'the proof does not have the form of one')
  if (!equalBytes(hash, root)) return fail('PROOF_MISMATCH', 'the proof belongs to another state root')
  if (last !== null && !isLastEntry(last, entries)) {
    return fail('PROOF_MALFORMED', 'the last covered key is not the last entry')
  }
  return ok({ entries, next })
}

/** The value that `proof` shows for one key; null when it shows that the key is absent. Never throws. */
export function verifyKey(
  root: Hash,
  key: Uint8Array,
  proof: Uint8Array,
): Result<{ readonly value: Uint8Array | null }, ProofFault> {
  if (!isKey(key)) return fail('PROOF_RANGE', `a key has 1 to 512 bytes, not ${key.length}`)
  const proved = verifyRange(root, key, successor(key), proof)
  if (!proved.ok) return proved
  return ok({ value: proved.value.entries[0]?.value ?? null })
}

function readLastKey(reader: TrieReader): Uint8Array | null {
  const flag = reader.byte()
  if (flag === 0) return null
  const last = reader.copy(reader.varint())
  if (flag !== 1 || !isKey(last)) reader.fail()
  return last
}

function isLastEntry(key: Uint8Array, entries: readonly ProvedEntry[]): boolean {
  const entry = entries.at(-1)
  return entry !== undefined && equalBytes(entry.key, key)
}

/** An inner node on the way to the current edge. */
interface OpenNode {
  readonly bits: number
  left: Hash | null
}

/** Reads the root node and all below it, adds the entries of the range, and gives the hash of the root. */
function readNodes(reader: TrieReader, range: KeyRange, entries: ProvedEntry[]): Hash {
  const open: OpenNode[] = []
  let parentBits = ROOT_EDGE
  let side: Side = 0
  while (!reader.failed) {
    let hash: Hash
    if (parentBits !== ROOT_EDGE && isEdgeOutside(reader.path, parentBits, side, range)) hash = reader.hash()
    else {
      const step = reader.varint()
      if (step === 0) hash = readLeaf(reader, parentBits, side, range, entries)
      else {
        parentBits = reader.prefix(parentBits, side, step)
        open.push({ bits: parentBits, left: null })
        side = 0
        reader.followEdge(parentBits, side)
        continue
      }
    }

    let parent = open.at(-1)
    while (parent !== undefined && parent.left !== null) {
      hash = innerHash(reader.path, parent.bits, parent.left, hash)
      open.pop()
      parent = open.at(-1)
    }
    if (parent === undefined) return hash
    parent.left = hash
    parentBits = parent.bits
    side = 1
    reader.followEdge(parentBits, side)
  }
  return ZERO_HASH
}

function readLeaf(
  reader: TrieReader,
  parentBits: number,
  side: Side,
  range: KeyRange,
  entries: ProvedEntry[],
): Hash {
  const key = reader.path.slice(0, reader.key(parentBits, side))
  const isInRange =
    compareBytes(key, range.start) >= 0 && (range.end === null || compareBytes(key, range.end) < 0)
  if (!isInRange) return leafHash(key, reader.hash())
  const value = reader.copy(reader.varint())
  if (!reader.failed) entries.push({ key, value })
  return leafHash(key, sha256(value))
}
