/**
 * Entries that somebody holds of a subtree of the state, and what the parts of it hash to. Keys have one length. Pure.
 * @module
 */
import {
  assert,
  compareBytes,
  divergingBit,
  equalBytes,
  innerHash,
  keyBit,
  leafHash,
  placeBelow,
  sha256,
  ZERO_HASH,
} from '@althing/base'
import type { Hash, ProvedEntry, SubtreePlace } from '@althing/base'

/** Entries `[from, to)` in key order. */
export interface Slice {
  readonly from: number
  readonly to: number
}

/** One moment's entries. Hashes are computed when they are asked for, and kept. */
export class EntrySet {
  readonly entries: readonly ProvedEntry[]
  readonly #valueHashes: (Hash | undefined)[]
  /** Of slices of at least two, by where they start and where they end. */
  readonly #hashBySlice = new Map<number, Hash>()

  /** @param entries in any order, no key twice. */
  constructor(entries: Iterable<ProvedEntry>) {
    this.entries = [...entries].sort((a, b) => compareBytes(a.key, b.key))
    this.#valueHashes = Array.from({ length: this.entries.length })
  }

  /** Of all entries; zero when there is none. */
  get hash(): Hash {
    return this.hashOf({ from: 0, to: this.entries.length })
  }

  /** Of the subtree above these entries and no others. */
  hashOf({ from, to }: Slice): Hash {
    if (from === to) return ZERO_HASH
    if (to - from === 1) return leafHash(this.entries[from]!.key, this.valueHash(from))
    const id = from * (this.entries.length + 1) + to
    const known = this.#hashBySlice.get(id)
    if (known !== undefined) return known
    const first = this.entries[from]!.key
    const bits = divergingBit(first, this.entries[to - 1]!.key)
    assert(bits !== -1, 'no key is there twice')
    const split = this.#firstFrom(from, to, ({ key }) => keyBit(key, bits) === 1)
    const hash = innerHash(first, bits, this.hashOf({ from, to: split }), this.hashOf({ from: split, to }))
    this.#hashBySlice.set(id, hash)
    return hash
  }

  valueHash(index: number): Hash {
    return (this.#valueHashes[index] ??= sha256(this.entries[index]!.value))
  }

  /** The entries of a place. */
  slice({ bits, key }: SubtreePlace): Slice {
    const order = (entry: ProvedEntry): number => {
      const { key: own } = placeBelow(entry.key, bits - 1, keyBit(entry.key, bits - 1))
      return compareBytes(own, key)
    }
    const { length } = this.entries
    const from = this.#firstFrom(0, length, (entry) => order(entry) >= 0)
    return { from, to: this.#firstFrom(from, length, (entry) => order(entry) > 0) }
  }

  /** Where the key is, as a slice of one or none. */
  find(key: Uint8Array): Slice {
    const { length } = this.entries
    const from = this.#firstFrom(0, length, (entry) => compareBytes(entry.key, key) >= 0)
    const isThere = from < length && equalBytes(this.entries[from]!.key, key)
    return { from, to: isThere ? from + 1 : from }
  }

  /** The first entry from which on `holds`; `to` when it never does. */
  #firstFrom(from: number, to: number, holds: (entry: ProvedEntry) => boolean): number {
    let [low, high] = [from, to]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (holds(this.entries[middle]!)) high = middle
      else low = middle + 1
    }
    return low
  }
}
