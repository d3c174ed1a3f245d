/**
 * The bytes in which proofs and pages tell the nodes of the trie, parents first, left before right. A key is told
 * once: a node tells only the bytes that hold bits beyond the edge that leads to it.
 * Readers are for untrusted bytes: they never throw, allocate nothing, and accept one form only of each thing.
 * @module
 */
import { HASH_BYTES } from './hash.ts'
import {
  KEY_BYTES_MAX,
  PREFIX_BITS_MAX,
  prefixSuffixEnd,
  prefixTailMask,
  suffixStart,
  type Side,
} from './trie.ts'

/** `parentBits` of the root, which hangs on no edge. */
export const ROOT_EDGE = -1

const NOTHING = new Uint8Array(0)
const ZERO_HASH = new Uint8Array(HASH_BYTES)

/** Reads from the front. After the first read that fails, `failed` stays true and every read gives zeros. */
export class TrieReader {
  failed = false
  /** The key bits told so far on the way to the current edge; anything may follow them. */
  readonly path: Uint8Array
  readonly #bytes: Uint8Array
  #offset: number

  /** @param path 512 bytes that no other reader in use has. */
  constructor(bytes: Uint8Array, offset = 0, path = new Uint8Array(KEY_BYTES_MAX)) {
    this.#bytes = bytes
    this.#offset = offset
    this.path = path
  }

  get offset(): number {
    return this.#offset
  }

  get atEnd(): boolean {
    return this.#offset === this.#bytes.length
  }

  fail(): void {
    this.failed = true
    this.#offset = this.#bytes.length
  }

  byte(): number {
    if (this.#offset < this.#bytes.length) return this.#bytes[this.#offset++]!
    this.fail()
    return 0
  }

  /** An unsigned 32-bit number, LEB128, in its shortest form. */
  varint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte()
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) {
        if ((byte === 0 && shift > 0) || value > 0xffff_ffff) this.fail()
        return this.failed ? 0 : value
      }
    }
    this.fail()
    return 0
  }

  u16(): number {
    return 256 * this.byte() + this.byte()
  }

  skip(length: number): void {
    if (length > this.#bytes.length - this.#offset) this.fail()
    else this.#offset += length
  }

  /** A copy of the next bytes. */
  copy(length: number): Uint8Array {
    const end = this.#offset + length
    if (end > this.#bytes.length) {
      this.fail()
      return NOTHING
    }
    const copy = new Uint8Array(length)
    for (let i = 0; this.#offset < end; i++) copy[i] = this.#bytes[this.#offset++]!
    return copy
  }

  /** A copy of the next 32 bytes. */
  hash(): Uint8Array {
    const hash = this.copy(HASH_BYTES)
    return this.failed ? ZERO_HASH : hash
  }

  /** Notes in `path` which edge of the node that branches at `bits` is followed. */
  followEdge(bits: number, side: Side): void {
    const index = (bits / 9) | 0
    const within = bits - 9 * index
    if (within > 0)
      this.path[index] = (this.path[index]! & (0xff00 >>> (within - 1))) | (side << (8 - within))
  }

  /** The prefix of an inner node that branches `step` (1 or more) bits further on. @returns its bits. */
  prefix(parentBits: number, side: Side, step: number): number {
    const bits = parentBits + step
    const isKeyEnd = side === 0 && parentBits >= 0 && parentBits % 9 === 0
    if (isKeyEnd || bits >= PREFIX_BITS_MAX) this.fail()
    else {
      const start = suffixStart(parentBits)
      const end = prefixSuffixEnd(parentBits, bits)
      this.#suffix(parentBits, start, end)
      if (end > start && (this.path[end - 1]! & ~prefixTailMask(bits)) !== 0) this.fail()
    }
    return this.failed ? 0 : bits
  }

  /** The key of a leaf. @returns its length, at least 1; its bytes are in `path`. */
  key(parentBits: number, side: Side): number {
    const start = suffixStart(parentBits)
    const length = start + this.varint()
    const branch = parentBits < 0 ? 8 : parentBits % 9
    // A branch within a byte means that the byte is there; one at its first bit says whether it is.
    const isLengthPossible = branch === 8 || (branch === 0 && side === 0 ? length === start : length > start)
    if (length === 0 || length > KEY_BYTES_MAX || !isLengthPossible) this.fail()
    else this.#suffix(parentBits, start, length)
    return this.failed ? 1 : length
  }

  /** Reads `path[start..end)`; the bits that the edge tells must be told the same. */
  #suffix(parentBits: number, start: number, end: number): void {
    if (end === start) return
    if (end - start > this.#bytes.length - this.#offset) {
      this.fail()
      return
    }
    const known = Math.max(0, ((parentBits + 1) % 9) - 1)
    if ((this.#bytes[this.#offset]! ^ this.path[start]!) >>> (8 - known) !== 0) this.fail()
    else for (let i = start; i < end; i++) this.path[i] = this.#bytes[this.#offset++]!
  }
}

/** Writes what `TrieReader` reads. */
export class TrieWriter {
  #bytes: Uint8Array
  #length = 0

  constructor(capacityBytes = 1024) {
    this.#bytes = new Uint8Array(capacityBytes)
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  reset(): void {
    this.#length = 0
  }

  get length(): number {
    return this.#length
  }

  /** Overwrites two bytes that were written before. */
  setU16(at: number, value: number): void {
    this.#bytes[at] = value >>> 8
    this.#bytes[at + 1] = value
  }

  byte(value: number): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = value
  }

  varint(value: number): void {
    let rest = value
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.byte((rest % 0x80) + 0x80)
    this.byte(rest)
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  prefix(parentBits: number, bits: number, key: Uint8Array): void {
    const start = suffixStart(parentBits)
    const end = prefixSuffixEnd(parentBits, bits)
    if (end === start) return
    this.#part(key, start, end)
    this.#bytes[this.#length - 1]! &= prefixTailMask(bits)
  }

  key(parentBits: number, key: Uint8Array): void {
    const start = suffixStart(parentBits)
    this.varint(key.length - start)
    this.#part(key, start, key.length)
  }

  #part(key: Uint8Array, start: number, end: number): void {
    this.#reserve(end - start)
    for (let i = start; i < end; i++) this.#bytes[this.#length++] = key[i]!
  }

  #reserve(length: number): void {
    if (this.#length + length <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + length))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
  }
}
