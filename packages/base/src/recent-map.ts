/**
 * A map that remembers what was set lately, in bounded memory. Pure.
 * Two generations: when the young one is full it becomes the old one, and the old one is forgotten at once. A plain Map
 * whose oldest entry is deleted for each new one costs tens of microseconds each time: it steps over what was deleted.
 * @module
 */
import { assert } from './assert.ts'

export class RecentMap<Key, Value> {
  readonly #weightMax: number
  #young = new Map<Key, Value>()
  #old = new Map<Key, Value>()
  #youngWeight = 0

  /** @param weightMax at least half of it, and at most all of it, is remembered. */
  constructor(weightMax: number) {
    assert(weightMax >= 2, `a memory of ${weightMax} is too small`)
    this.#weightMax = weightMax
  }

  has(key: Key): boolean {
    return this.#young.has(key) || this.#old.has(key)
  }

  get(key: Key): Value | undefined {
    return this.#young.get(key) ?? this.#old.get(key)
  }

  /** @param weight in the unit of `weightMax`. */
  set(key: Key, value: Value, weight = 1): void {
    if (!this.#young.has(key)) this.#youngWeight += weight
    this.#young.set(key, value)
    if (this.#youngWeight * 2 < this.#weightMax) return
    this.#old = this.#young
    this.#young = new Map()
    this.#youngWeight = 0
  }
}
