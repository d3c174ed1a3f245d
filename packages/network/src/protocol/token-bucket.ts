/**
 * A token bucket: `perSecond` tokens a second, at most `burst` kept. Pure; time is an argument that never goes back.
 * B1  over any time of t seconds at most `burst + perSecond * t` tokens are taken, plus the debt of one taking
 * B2  what is larger than the burst may go when the bucket is full, and leaves a debt: nothing waits for ever
 * @module
 */
import { assert } from '@althing/base'

export interface Rate {
  /** Above 0. */
  readonly perSecond: number
  /** Above 0. */
  readonly burst: number
}

export class TokenBucket {
  #rate: Rate
  #tokens: number
  #filledMs: number

  /** It starts full. */
  constructor(rate: Rate, nowMs: number) {
    assert(
      rate.perSecond > 0 && rate.burst > 0,
      `a bucket of ${rate.burst} filled by ${rate.perSecond}/s is none`,
    )
    this.#rate = rate
    this.#tokens = rate.burst
    this.#filledMs = nowMs
  }

  get rate(): Rate {
    return this.#rate
  }

  /** What was taken stays taken; tokens above the new burst are lost. */
  setRate(rate: Rate, nowMs: number): void {
    this.#fill(nowMs)
    this.#rate = rate
    this.#tokens = Math.min(this.#tokens, rate.burst)
  }

  /** Below 0: a debt. */
  tokens(nowMs: number): number {
    this.#fill(nowMs)
    return this.#tokens
  }

  /** @returns the time, `nowMs` or later, at which `count` may be taken, if nobody takes any before. */
  readyAtMs(count: number, nowMs: number): number {
    this.#fill(nowMs)
    const missing = Math.min(count, this.#rate.burst) - this.#tokens
    return missing <= 0 ? nowMs : nowMs + (missing / this.#rate.perSecond) * 1000
  }

  /** Takes also what is not there: ask `readyAtMs` first. */
  take(count: number, nowMs: number): void {
    this.#fill(nowMs)
    this.#tokens -= count
  }

  #fill(nowMs: number): void {
    if (nowMs <= this.#filledMs) return
    const filled = this.#tokens + ((nowMs - this.#filledMs) * this.#rate.perSecond) / 1000
    this.#tokens = Math.min(this.#rate.burst, filled)
    this.#filledMs = nowMs
  }
}
