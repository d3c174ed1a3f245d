/**
 * How entries differ from a subtree of the state, found from its root down (PC-5). Pure: what to ask, and what an
 * answer means. Each answer is checked against a hash that is known already, from the root on, so nothing that was not
 * proved is taken; and what hashes alike is not asked for.
 * @module
 */
import {
  bytesToHex,
  equalBytes,
  isZeroHash,
  leafHash,
  ok,
  PART_PLACES_MAX,
  placeOfPrefix,
  readSubtreePart,
} from '@althing/base'
import type { Hash, PartQuestion, ProvedEntry, Result, SubtreePart, SubtreePlace } from '@althing/base'
import type { EntrySet, Slice } from './entry-set.ts'

/** Of the first question: then all differences are likely below different nodes. */
const FIRST_LEVELS = 6
/** More levels in one answer tell more nodes that are alike; fewer need more questions. */
const NEXT_LEVELS = 2

interface Open {
  readonly place: SubtreePlace
  readonly hash: Hash
}

export class Difference {
  readonly #held: EntrySet
  /** Parts that differ, to be told level by level. */
  #differing: Open[] = []
  /** Parts of which nothing is held: to be told whole. */
  #missing: Open[] = []
  #asked: { readonly open: readonly Open[]; readonly isWhole: boolean } | null = null
  #levels = FIRST_LEVELS
  readonly #inserted: ProvedEntry[] = []
  readonly #deleted = new Set<string>()

  /** @param root of all entries whose keys start with `prefix`; proved. */
  constructor(held: EntrySet, prefix: Uint8Array, root: Hash) {
    this.#held = held
    if (isZeroHash(root)) this.#delete({ from: 0, to: held.entries.length })
    else this.#compare({ place: placeOfPrefix(prefix), hash: root })
  }

  /** What to ask now; null when all differences are known. */
  next(): PartQuestion | null {
    const isWhole = this.#differing.length === 0
    const queue = isWhole ? this.#missing : this.#differing
    if (queue.length === 0) return null
    const open = queue.slice(0, PART_PLACES_MAX)
    this.#asked = { open, isWhole }
    return { places: open.map(({ place }) => place), levels: this.#levels, isWhole }
  }

  /**
   * Takes parts for the first places of the last question; those that have none are asked for again. Faults: those of
   * `readSubtreePart`; then nothing of the answer was taken.
   */
  take(answers: readonly Uint8Array[]): Result<void> {
    const { open, isWhole } = this.#asked!
    const parts: SubtreePart[] = []
    for (const [index, bytes] of answers.slice(0, open.length).entries()) {
      const { place, hash } = open[index]!
      const part = readSubtreePart(place, hash, bytes)
      if (!part.ok) return part
      parts.push(part.value)
    }
    if (isWhole) this.#missing = this.#missing.slice(parts.length)
    else this.#differing = this.#differing.slice(parts.length)
    this.#levels = NEXT_LEVELS
    for (const [index, part] of parts.entries()) this.#takePart(open[index]!.place, part)
    return ok(undefined)
  }

  /** What is held, with the differences made good: its hash is the root when all are known. */
  *entries(): Generator<ProvedEntry> {
    for (const entry of this.#held.entries) if (!this.#deleted.has(bytesToHex(entry.key))) yield entry
    yield* this.#inserted
  }

  get counts(): { readonly inserted: number; readonly deleted: number } {
    return { inserted: this.#inserted.length, deleted: this.#deleted.size }
  }

  #takePart(place: SubtreePlace, { leaves, closed }: SubtreePart): void {
    const told: Slice[] = []
    for (const { key, valueHash, value } of leaves) {
      const slice = this.#held.find(key)
      told.push(slice)
      const isHeld = slice.from < slice.to
      if (isHeld && equalBytes(this.#held.valueHash(slice.from), valueHash)) continue
      if (value === null) {
        this.#missing.push({ place: placeOfPrefix(key), hash: leafHash(key, valueHash) })
        if (isHeld) this.#delete(slice)
      } else {
        if (isHeld) this.#delete(slice)
        this.#inserted.push({ key, value })
      }
    }
    for (const open of closed) {
      told.push(this.#held.slice(open.place))
      this.#compare(open)
    }
    // Whatever is held of the place and was not told is not there.
    const { from, to } = this.#held.slice(place)
    let at = from
    for (const slice of told.sort((a, b) => a.from - b.from || a.to - b.to)) {
      this.#delete({ from: at, to: slice.from })
      at = Math.max(at, slice.to)
    }
    this.#delete({ from: at, to })
  }

  #compare(open: Open): void {
    const slice = this.#held.slice(open.place)
    if (slice.from === slice.to) this.#missing.push(open)
    else if (!equalBytes(this.#held.hashOf(slice), open.hash)) this.#differing.push(open)
  }

  #delete({ from, to }: Slice): void {
    for (let index = from; index < to; index++) this.#deleted.add(bytesToHex(this.#held.entries[index]!.key))
  }
}
