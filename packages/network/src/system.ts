/**
 * Time and randomness of the machine.
 * @module
 */
import type { Clock, Random } from '@althing/base'

export interface Scheduler {
  /** Runs `task` once, after `delayMs`. @returns how to call it off. */
  after(delayMs: number, task: () => void): () => void
}

export const systemClock: Clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() }

export const systemRandom: Random = {
  next: () => Math.random(),
  /** @param length at most 65,536. */
  bytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
}

export const systemScheduler: Scheduler = {
  after(delayMs, task) {
    const timer = setTimeout(task, delayMs)
    return () => clearTimeout(timer)
  },
}
