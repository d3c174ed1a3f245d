/**
 * Simulated time: one heap of (time, sequence, action). Nothing happens between two entries, and entries of the same
 * time happen in the order in which they were added.
 * @module
 */

interface Entry {
  readonly atMs: number
  readonly sequence: number
  readonly action: () => void
}

const before = (a: Entry, b: Entry): boolean =>
  a.atMs < b.atMs || (a.atMs === b.atMs && a.sequence < b.sequence)

export class Agenda {
  readonly #heap: Entry[] = []
  #sequence = 0
  #nowMs = 0
  #done = 0

  get nowMs(): number {
    return this.#nowMs
  }

  /** Entries carried out so far. */
  get done(): number {
    return this.#done
  }

  /** @param delayMs not negative. */
  after(delayMs: number, action: () => void): void {
    this.at(this.#nowMs + delayMs, action)
  }

  /** A time in the past counts as now. */
  at(atMs: number, action: () => void): void {
    const entry = { atMs: Math.max(atMs, this.#nowMs), sequence: this.#sequence++, action }
    const heap = this.#heap
    let i = heap.length
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (!before(entry, heap[parent]!)) break
      heap[i] = heap[parent]!
      i = parent
    }
    heap[i] = entry
  }

  /**
   * Carries out entries in order until `done` says so, or the next entry is later than `untilMs`; time then stands
   * at `untilMs`.
   */
  run(untilMs: number, done: () => boolean = () => false): void {
    while (!done()) {
      const next = this.#heap[0]
      if (next === undefined || next.atMs > untilMs) {
        this.#nowMs = untilMs
        return
      }
      this.#removeFirst()
      this.#nowMs = next.atMs
      this.#done++
      next.action()
    }
  }

  #removeFirst(): void {
    const heap = this.#heap
    const last = heap.pop()!
    if (heap.length === 0) return
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++
      if (!before(heap[child]!, last)) break
      heap[i] = heap[child]!
      i = child
    }
    heap[i] = last
  }
}
