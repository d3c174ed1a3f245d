/**
 * Time and randomness of the machine.
 * @module
 */
import { randomBytes } from 'node:crypto'
import type { Clock, Random } from '@althing/base'

export interface Scheduler {
  /** Runs `task` once, after `delayMs`. @returns how to call it off. */
  after(delayMs: number, task: () => void): () => void
}

export const systemClock: Clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() }

export const systemRandom: Random = {
  next: () => Math.random(),
  bytes: (length) => new Uint8Array(randomBytes(length)),
}

export const systemScheduler: Scheduler = {
  after(delayMs, task) {
    const timer = setTimeout(task, delayMs)
    return () => clearTimeout(timer)
  },
}
