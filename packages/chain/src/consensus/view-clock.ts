/**
 * The timers of the present view (R3, R8, R14). Pure: it says when, the core says what.
 * @module
 */
import { deadlineMs, proposeAtMs } from './timers.ts'
import type { ViewStart } from './timers.ts'
import type { ConsensusConfig, Now } from './types.ts'

export const NEVER = Number.POSITIVE_INFINITY

export class ViewClock {
  readonly #config: ConsensusConfig
  /** f, counted in authorities. */
  readonly #faultyMax: number
  #start: ViewStart = { parentTimestampMs: 0, failures: 0, idle: false }
  #role: 'leader' | 'voter' | 'follower' = 'follower'
  #deadlineMs = NEVER
  #proposeAtMs = NEVER
  #earlyUntilMs = NEVER

  constructor(config: ConsensusConfig, faultyMax: number) {
    this.#config = config
    this.#faultyMax = faultyMax
  }

  /** Whether the view waits for something to do (R14). It is called idle, never stuck. */
  get isIdle(): boolean {
    return this.#start.idle
  }

  /** @param role a follower signs no votes, so it needs no timers. */
  enter(now: Now, start: ViewStart, role: 'leader' | 'voter' | 'follower'): void {
    this.#start = start
    this.#role = role
    this.#deadlineMs = NEVER
    this.#proposeAtMs = NEVER
    this.#earlyUntilMs = NEVER
    this.#arm(now)
  }

  /** R14: once a view, and the deadline only comes nearer. @returns false when the view was not idle. */
  endIdle(now: Now): boolean {
    if (!this.#start.idle) return false
    this.#start = { ...this.#start, idle: false }
    this.#arm(now)
    return true
  }

  /** The view is to be given up at once (R4 on a faulty proposal, R8 on a silent leader). */
  expireNow(now: Now): void {
    if (this.#role !== 'follower') this.#deadlineMs = Math.min(this.#deadlineMs, now.monotonicMs)
  }

  /** True once, when the view is to be given up. */
  takeExpiry(now: Now): boolean {
    if (now.monotonicMs < this.#deadlineMs) return false
    this.#deadlineMs = NEVER
    return true
  }

  mayPropose(now: Now): boolean {
    return now.monotonicMs >= this.#proposeAtMs
  }

  proposed(): void {
    this.#proposeAtMs = NEVER
  }

  /** The proposal can be voted on from this moment on; `NEVER` when it is not too early. */
  waitForProposal(untilMs: number): void {
    this.#earlyUntilMs = untilMs
  }

  get timersMs(): readonly number[] {
    return [this.#deadlineMs, this.#proposeAtMs, this.#earlyUntilMs]
  }

  #arm(now: Now): void {
    if (this.#role === 'follower') return
    this.#deadlineMs = Math.min(this.#deadlineMs, deadlineMs(this.#config, now, this.#start, this.#faultyMax))
    if (this.#role === 'leader') this.#proposeAtMs = proposeAtMs(this.#config, now, this.#start)
  }
}
