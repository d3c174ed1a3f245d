/**
 * A set that remembers what was added lately, in bounded memory. Pure.
 * Two generations: when the young one is full or old enough it becomes the old one, and the old one is forgotten. So an entry is
 * remembered for at least `countMax` further entries or `ageMs`, whichever ends first, and at most twice that.
 * @module
 */
export class RecentSet {
  readonly #countMax: number
  readonly #ageMs: number
  #young = new Set<string>()
  #old = new Set<string>()
  #youngSinceMs: number

  constructor(limits: { countMax: number; ageMs: number }, nowMs: number) {
    this.#countMax = limits.countMax
    this.#ageMs = limits.ageMs
    this.#youngSinceMs = nowMs
  }

  has(key: string): boolean {
    return this.#young.has(key) || this.#old.has(key)
  }

  /** @returns false when it was there already. */
  add(key: string, nowMs: number): boolean {
    this.#rotate(nowMs)
    const { size } = this.#young
    // Not asked before it is added: on the path of each message one look less counts.
    if (this.#young.add(key).size === size) return false
    if (!this.#old.has(key)) return true
    this.#young.delete(key)
    return false
  }

  get size(): number {
    return this.#young.size + this.#old.size
  }

  #rotate(nowMs: number): void {
    if (this.#young.size < this.#countMax && nowMs - this.#youngSinceMs < this.#ageMs) return
    const forgetBoth = nowMs - this.#youngSinceMs >= 2 * this.#ageMs
    this.#old = forgetBoth ? new Set() : this.#young
    this.#young = new Set()
    this.#youngSinceMs = nowMs
  }
}
