import type { Clock } from '@althing/base'
import type { Scheduler } from './system.ts'

/** One timer for many deadlines: it rings no later than the earliest that was named. */
export class Alarm {
  readonly #clock: Clock
  readonly #scheduler: Scheduler
  readonly #ring: () => void
  #atMs = Infinity
  #cancel: (() => void) | null = null

  constructor(clock: Clock, scheduler: Scheduler, ring: () => void) {
    this.#clock = clock
    this.#scheduler = scheduler
    this.#ring = ring
  }

  by(atMs: number): void {
    if (atMs >= this.#atMs) return
    this.cancel()
    this.#atMs = atMs
    // A timer has whole milliseconds: rounded up, so that the deadline has passed when it rings.
    const delayMs = Math.max(1, Math.ceil(atMs - this.#clock.monotonicMs()))
    this.#cancel = this.#scheduler.after(delayMs, () => {
      this.#cancel = null
      this.#atMs = Infinity
      this.#ring()
    })
  }

  cancel(): void {
    this.#cancel?.()
    this.#cancel = null
    this.#atMs = Infinity
  }
}
