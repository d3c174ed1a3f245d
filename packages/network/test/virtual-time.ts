/**
 * A world in which a test decides what time it is.
 * @module
 */
import { setImmediate } from 'node:timers/promises'
import type { Clock, Random } from '@althing/base'
import type { Scheduler } from '../src/index.ts'

/** Time that moves only when told to, and as far as it is told. */
export class VirtualTime implements Clock, Scheduler {
  #nowMs = 0
  #tasks: { atMs: number; run: () => void }[] = []

  wallMs(): number {
    return this.#nowMs
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  after(delayMs: number, run: () => void): () => void {
    const task = { atMs: this.#nowMs + delayMs, run }
    this.#tasks.push(task)
    return () => (this.#tasks = this.#tasks.filter((other) => other !== task))
  }

  async pass(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms
    for (;;) {
      await setImmediate()
      const next = this.#tasks.reduce((a, b) => (b.atMs < a.atMs ? b : a), { atMs: Infinity, run: () => {} })
      if (next.atMs > endMs) break
      this.#tasks = this.#tasks.filter((task) => task !== next)
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      next.run()
    }
    this.#nowMs = endMs
  }
}

/** A linear congruential generator (Numerical Recipes): the same numbers in every run. */
export function seeded(seed: number): Random {
  let state = seed
  const next = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32
  return { next, bytes: (length) => Uint8Array.from({ length }, () => next() * 256) }
}
