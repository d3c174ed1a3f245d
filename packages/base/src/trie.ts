/**
 * The state trie as a set of hashes: how keys become bit strings, and what each node commits to.
 *
 * A key of 1 to 512 bytes is read as groups of nine bits: a 1 and the eight bits of the byte, for each byte; then one
 * 0 bit ends it. No key is a prefix of another in that form, and the order of the bit strings is the bytewise order.
 *
 * H1  leaf   sha256(0x00 ‖ u16 key length ‖ key ‖ sha256(value))
 * H2  inner  sha256(0x01 ‖ u16 prefix bits ‖ prefix ‖ left ‖ right): the first `prefix bits` bits are common to all keys
 *     below, the next one is 0 on the left and 1 on the right. The prefix is written as the bytes of the key that it
 *     covers, the bits that it does not cover being 0. It starts at the root, so that a node says where it belongs.
 * H3  empty  32 zero bytes
 *
 * The root depends on the set of entries and on nothing else.
 * @module
 */
import { sha256, HASH_BYTES, type Hash } from './hash.ts'

export const KEY_BYTES_MAX = 512
/** One past the deepest bit at which two keys can part. */
export const PREFIX_BITS_MAX = 9 * KEY_BYTES_MAX

export type Side = 0 | 1

/** The keys from `start` to before `end`; without an end when that is null. */
export interface KeyRange {
  readonly start: Uint8Array
  readonly end: Uint8Array | null
}

export function isKey(key: Uint8Array): boolean {
  return key.length >= 1 && key.length <= KEY_BYTES_MAX
}

/** The bit of the key's bit string; 0 past its end. */
export function keyBit(key: Uint8Array, bit: number): Side {
  const index = (bit / 9) | 0
  if (index >= key.length) return 0
  const within = bit - 9 * index
  return within === 0 ? 1 : (((key[index]! >>> (8 - within)) & 1) as Side)
}

/** The first bit in which the two keys differ; -1 when they are equal. */
export function divergingBit(a: Uint8Array, b: Uint8Array): number {
  const shorter = Math.min(a.length, b.length)
  for (let i = 0; i < shorter; i++) {
    const difference = a[i]! ^ b[i]!
    if (difference !== 0) return 9 * i + Math.clz32(difference) - 23
  }
  return a.length === b.length ? -1 : 9 * shorter
}

/** The number of key bytes that a prefix of so many bits covers, the last one perhaps in part. */
export function prefixByteLength(bits: number): number {
  return ((bits + 7) / 9) | 0
}

/** Selects, in the last of the bytes that a prefix covers, the bits that it covers. */
export function prefixTailMask(bits: number): number {
  const within = bits % 9
  return within <= 1 ? 0xff : (0xff00 >>> (within - 1)) & 0xff
}

/** The first key byte of which a node below an edge that branches at `parentBits` can still tell us bits. */
export function suffixStart(parentBits: number): number {
  return ((parentBits + 1) / 9) | 0
}

/** One past the last key byte that a node with `bits` adds to what its parent's edge already tells. */
export function prefixSuffixEnd(parentBits: number, bits: number): number {
  return bits === parentBits + 1 ? suffixStart(parentBits) : prefixByteLength(bits)
}

/** The smallest key that comes after `key`; as a bound it may be one byte longer than a key. */
export function successor(key: Uint8Array): Uint8Array {
  const next = new Uint8Array(key.length + 1)
  next.set(key)
  return next
}

/**
 * Orders a prefix (the first `bits` bits of `key`, none of them the end of it) and a bound.
 * @returns 0 when the bound starts with that prefix.
 */
function comparePrefix(key: Uint8Array, bits: number, bound: Uint8Array): number {
  const whole = (bits / 9) | 0
  for (let i = 0; i < whole; i++) {
    if (i >= bound.length) return 1
    const difference = key[i]! - bound[i]!
    if (difference !== 0) return difference
  }
  const rest = bits - 9 * whole
  if (rest === 0) return 0
  if (whole >= bound.length) return 1
  return rest === 1 ? 0 : (key[whole]! >>> (9 - rest)) - (bound[whole]! >>> (9 - rest))
}

/**
 * Whether no key of the range can lie beyond an edge: below the first `bits` bits of `key` followed by `side`.
 * Prover and verifier both decide by this rule what a proof leaves out, so a statement has one proof only.
 */
export function isEdgeOutside(key: Uint8Array, bits: number, side: Side, range: KeyRange): boolean {
  const { start, end } = range
  const toStart = comparePrefix(key, bits, start)
  if (toStart < 0 || (toStart === 0 && side < keyBit(start, bits))) return true
  if (end === null) return false
  const toEnd = comparePrefix(key, bits, end)
  if (toEnd !== 0) return toEnd > 0
  const endSide = keyBit(end, bits)
  if (side !== endSide) return side > endSide
  return isFirstBeyond(end, bits)
}

/** Whether `key` is the smallest of all that share its first `bits + 1` bits. */
function isFirstBeyond(key: Uint8Array, bits: number): boolean {
  const index = (bits / 9) | 0
  if (index >= key.length) return true
  return key.length === index + 1 && (key[index]! & (0xff >>> (bits - 9 * index))) === 0
}

const scratch = new Uint8Array(3 + KEY_BYTES_MAX + 2 * HASH_BYTES)

/** H1. */
export function leafHash(key: Uint8Array, valueHash: Hash): Hash {
  scratch[0] = 0
  scratch[1] = key.length >>> 8
  scratch[2] = key.length
  scratch.set(key, 3)
  scratch.set(valueHash, 3 + key.length)
  return sha256(scratch.subarray(0, 3 + key.length + HASH_BYTES))
}

/** H2. @param key any key below the node, or its first `prefixByteLength(bits)` bytes. */
export function innerHash(key: Uint8Array, bits: number, left: Hash, right: Hash): Hash {
  const length = prefixByteLength(bits)
  scratch[0] = 1
  scratch[1] = bits >>> 8
  scratch[2] = bits
  for (let i = 0; i < length; i++) scratch[3 + i] = key[i]!
  if (length > 0) scratch[2 + length]! &= prefixTailMask(bits)
  scratch.set(left, 3 + length)
  scratch.set(right, 3 + length + HASH_BYTES)
  return sha256(scratch.subarray(0, 3 + length + 2 * HASH_BYTES))
}
