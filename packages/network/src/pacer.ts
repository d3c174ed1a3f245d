/**
 * Lets small gossip to a peer wait for more of its kind, when something left for that peer just before: a write costs as much as a hundred
 * messages in it. What is alone leaves at once, and anything but gossip takes what waits along.
 * @module
 */
import type { Clock } from '@althing/base'
import { Alarm } from './alarm.ts'
import type { Scheduler } from './system.ts'

/** Between two writes that nothing hurries: how much later a message may be at each hop, when there are many. */
const PACE_MS = 8
/** A larger message does not gain by waiting. */
const PACED_BYTES_MAX = 4096

export interface Paced {
  /** When it was written to last. */
  readonly pumpedMs: number
  pump(): void
}

/** Of all links of a node, so that one timer serves all. */
export class Pacer {
  readonly #waiting = new Set<Paced>()
  readonly #clock: Clock
  readonly #alarm: Alarm

  constructor(clock: Clock, scheduler: Scheduler) {
    this.#clock = clock
    this.#alarm = new Alarm(clock, scheduler, () => this.#pumpAll())
  }

  /** A message of gossip was queued. @returns false when it should leave now. */
  holds(link: Paced, bytes: number): boolean {
    const dueMs = link.pumpedMs + PACE_MS
    if (bytes > PACED_BYTES_MAX || this.#clock.monotonicMs() >= dueMs) return false
    this.#waiting.add(link)
    this.#alarm.by(dueMs)
    return true
  }

  stop(): void {
    this.#alarm.cancel()
  }

  /** Those too that could wait a little longer: they are spared a timer of their own. */
  #pumpAll(): void {
    const links = [...this.#waiting]
    this.#waiting.clear()
    for (const link of links) link.pump()
  }
}
