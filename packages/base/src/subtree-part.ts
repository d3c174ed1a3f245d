/**
 * The upper part of a subtree of the state: how two that hold alike entries find out in what they differ, from the root
 * down, at a cost that follows the difference. Runs in browsers.
 *
 * A place is where a subtree hangs: the first `bits` bits of a key, at least one of them. The bytes of a part are its
 * nodes, parents first, left before right, each what `TrieReader` reads:
 *   0   leaf    key suffix, sha256(value)
 *   1   leaf    key suffix, value (varint length, bytes)
 *   2   closed  hash of a node that is not told
 *   3+  inner   (2 + step to its branching bit) prefix suffix, left node, right node
 * Keys below a place have one length, as those of the statements of a graph have.
 * A part is told whole or not at all: it hashes to what its place is known to hash to.
 * @module
 */
import { equalBytes } from './bytes.ts'
import { sha256, type Hash } from './hash.ts'
import { fail, ok, type Result } from './result.ts'
import { TrieReader, TrieWriter } from './trie-stream.ts'
import {
  innerHash,
  keyBit,
  leafHash,
  prefixByteLength,
  PREFIX_BITS_MAX,
  prefixTailMask,
  type Side,
} from './trie.ts'

export const PART_LEAF = 0
export const PART_LEAF_VALUE = 1
export const PART_CLOSED = 2

/** All keys that start with the first `bits` bits of `key`; see `trie.ts` for the bits of a key. */
export interface SubtreePlace {
  readonly bits: number
  /** The bytes that these bits cover, the others of the last byte being 0. */
  readonly key: Uint8Array
}

export interface SubtreePart {
  /** Those that are told, in key order. */
  readonly leaves: readonly {
    readonly key: Uint8Array
    readonly valueHash: Hash
    readonly value: Uint8Array | null
  }[]
  /** Subtrees that are not told, in key order. Whatever is in neither list is not in the subtree. */
  readonly closed: readonly { readonly place: SubtreePlace; readonly hash: Hash }[]
}

/** All keys that start with `prefix`, of at least one byte. */
export function placeOfPrefix(prefix: Uint8Array): SubtreePlace {
  return { bits: 9 * prefix.length, key: prefix }
}

/** Where the subtree on one side of a branching bit hangs. @param key any below, or the bytes of its common bits. */
export function placeBelow(key: Uint8Array, branch: number, side: Side): SubtreePlace {
  const bits = branch + 1
  const bytes = new Uint8Array(prefixByteLength(bits))
  bytes.set(key.subarray(0, bytes.length))
  const within = branch % 9
  if (within > 0) {
    const last = bytes.length - 1
    bytes[last] = (bytes[last]! & ~(1 << (8 - within))) | (side << (8 - within))
  }
  if (bytes.length > 0) bytes[bytes.length - 1]! &= prefixTailMask(bits)
  return { bits, key: bytes }
}

/**
 * What a part says. Never throws, whatever the bytes.
 * Faults: `PROOF_MALFORMED`; `PROOF_MISMATCH` when it does not hash to `hash`.
 */
export function readSubtreePart(
  { bits, key }: SubtreePlace,
  hash: Hash,
  bytes: Uint8Array,
): Result<SubtreePart> {
  if (bits < 1 || bits > PREFIX_BITS_MAX) return fail('PROOF_MALFORMED', `a place of ${bits} bits`)
  const reader = new TrieReader(bytes)
  reader.path.set(key)
  const part = new PartReader(reader)
  const found = part.node(bits - 1, keyBit(key, bits - 1))
  const isTold = part.closed.every(({ place }) => place.bits > bits)
  if (reader.failed || !reader.atEnd || !isTold)
    return fail('PROOF_MALFORMED', 'the part does not have the form of one')
  if (!equalBytes(found, hash)) return fail('PROOF_MISMATCH', 'the part belongs to another subtree')
  return ok(part)
}

class PartReader implements SubtreePart {
  readonly leaves: { key: Uint8Array; valueHash: Hash; value: Uint8Array | null }[] = []
  readonly closed: { place: SubtreePlace; hash: Hash }[] = []
  readonly #reader: TrieReader

  constructor(reader: TrieReader) {
    this.#reader = reader
  }

  /** The bits of a key only grow on the way down, so this goes no deeper than a key has bits. */
  node(parentBits: number, side: Side): Hash {
    const reader = this.#reader
    const head = reader.varint()
    if (head === PART_CLOSED) {
      const hash = reader.hash()
      if (!reader.failed) this.closed.push({ place: placeBelow(reader.path, parentBits, side), hash })
      return hash
    }
    if (head === PART_LEAF || head === PART_LEAF_VALUE) {
      const key = reader.path.slice(0, reader.key(parentBits, side))
      const value = head === PART_LEAF ? null : reader.copy(reader.varint())
      const valueHash = value === null ? reader.hash() : sha256(value)
      if (!reader.failed) this.leaves.push({ key, valueHash, value })
      return leafHash(key, valueHash)
    }
    const bits = reader.prefix(parentBits, side, head - PART_CLOSED)
    if (reader.failed) return reader.hash()
    reader.followEdge(bits, 0)
    const left = this.node(bits, 0)
    if (reader.failed) return left
    reader.followEdge(bits, 1)
    const right = this.node(bits, 1)
    return innerHash(reader.path, bits, left, right)
  }
}

/** Of places below one prefix, asked for together. */
export interface PartQuestion {
  readonly places: readonly SubtreePlace[]
  /** Inner nodes above each other that are told; what is below them is closed. */
  readonly levels: number
  /** Whether all levels are told, with the values: nothing of these subtrees is known to who asks. */
  readonly isWhole: boolean
}

/** So many fit into an address. */
export const PART_PLACES_MAX = 128
export const PART_LEVELS_MAX = 8

/** Bytes: levels (0: whole), then of each place its bits and the bytes of its key after the prefix. */
export function encodePartQuestion(
  { places, levels, isWhole }: PartQuestion,
  prefix: Uint8Array,
): Uint8Array {
  const writer = new TrieWriter()
  writer.byte(isWhole ? 0 : levels)
  for (const { bits, key } of places) {
    writer.varint(bits)
    writer.bytes(key.subarray(prefix.length, prefixByteLength(bits)))
  }
  return writer.finish()
}

/** Faults: `MALFORMED`. */
export function decodePartQuestion(bytes: Uint8Array, prefix: Uint8Array): Result<PartQuestion> {
  const reader = new TrieReader(bytes)
  const levels = reader.byte()
  const places: SubtreePlace[] = []
  while (!reader.atEnd && places.length < PART_PLACES_MAX) {
    const bits = reader.varint()
    const length = prefixByteLength(bits)
    if (bits < 9 * prefix.length || bits > PREFIX_BITS_MAX) reader.fail()
    else {
      const key = new Uint8Array(length)
      key.set(prefix)
      key.set(reader.copy(length - prefix.length), prefix.length)
      places.push({ bits, key })
    }
  }
  if (reader.failed || !reader.atEnd || levels > PART_LEVELS_MAX || places.length === 0) {
    return fail('MALFORMED', 'not a question for parts of a subtree')
  }
  return ok({ places, levels, isWhole: levels === 0 })
}

/** Each with its length. */
export function encodeParts(parts: readonly Uint8Array[]): Uint8Array {
  const writer = new TrieWriter()
  for (const part of parts) {
    writer.varint(part.length)
    writer.bytes(part)
  }
  return writer.finish()
}

/** Faults: `PROOF_MALFORMED`. */
export function decodeParts(bytes: Uint8Array): Result<readonly Uint8Array[]> {
  const reader = new TrieReader(bytes)
  const parts: Uint8Array[] = []
  while (!reader.atEnd) parts.push(reader.copy(reader.varint()))
  return reader.failed ? fail('PROOF_MALFORMED', 'not a list of parts') : ok(parts)
}
