/**
 * The bytes a second to one peer, moved between a floor and a ceiling by what is measured (PT-2, PT-12). Pure.
 * D1  a link that took nothing for a good part of the window is the bottleneck: twice what it took is allowed, so that it can
 *     grow, and what is queued beyond waits here, where priorities hold
 * D2  a latency that rose while the limit was in use: less is allowed
 * D3  a limit that was reached while the link had room: more is allowed
 * D4  without traffic nothing is known, and nothing moves
 * @module
 */

/** What happened since the last one. */
export interface Measurement {
  readonly windowMs: number
  readonly bytes: number
  /** For so long the link took nothing. */
  readonly blockedMs: number
  /** Newest round trip; null before the first. */
  readonly latencyMs: number | null
}

export type MoveReason = 'drain' | 'latency' | 'room'

/** One move of a limit, in bytes a second. */
export interface LimitMove {
  readonly atMs: number
  readonly from: number
  readonly to: number
  /** `drain`: what the link took. `latency`: it rose. `room`: the limit was reached and the link had room. */
  readonly why: MoveReason
}

const FLOOR_PER_SECOND = 256 * 1024
const BLOCKED_SHARE = 0.25
const DRAIN_FACTOR = 2
const LATENCY_FACTOR = 4
const LATENCY_SLACK_MS = 50
const LATENCY_CUT = 0.7
const ROOM_SHARE = 0.8
const ROOM_FACTOR = 2
/** Smaller moves are noise. */
const MOVE_SHARE_MIN = 0.25

export class AdaptiveLimit {
  readonly ceiling: number
  readonly floor: number
  #perSecond: number
  #bestLatencyMs = Infinity

  /** It starts at the ceiling. */
  constructor(ceilingPerSecond: number) {
    this.ceiling = ceilingPerSecond
    this.floor = Math.min(FLOOR_PER_SECOND, ceilingPerSecond)
    this.#perSecond = ceilingPerSecond
  }

  get perSecond(): number {
    return this.#perSecond
  }

  /** @returns the move, when there was one. */
  observe(measured: Measurement, nowMs: number): LimitMove | null {
    this.#bestLatencyMs = Math.min(this.#bestLatencyMs, measured.latencyMs ?? Infinity)
    const wanted = this.#wanted(measured)
    if (wanted === null) return null
    const from = this.#perSecond
    const to = Math.min(this.ceiling, Math.max(this.floor, wanted.perSecond))
    if (Math.abs(to - from) < from * MOVE_SHARE_MIN) return null
    this.#perSecond = to
    return { atMs: nowMs, from, to, why: wanted.why }
  }

  #wanted({ windowMs, bytes, blockedMs, latencyMs }: Measurement): {
    perSecond: number
    why: MoveReason
  } | null {
    const drained = (bytes * 1000) / windowMs
    if (blockedMs >= windowMs * BLOCKED_SHARE) return { perSecond: drained * DRAIN_FACTOR, why: 'drain' }
    if (latencyMs !== null && this.#isHigh(latencyMs) && drained >= this.#perSecond / 2) {
      return { perSecond: this.#perSecond * LATENCY_CUT, why: 'latency' }
    }
    if (drained >= this.#perSecond * ROOM_SHARE)
      return { perSecond: this.#perSecond * ROOM_FACTOR, why: 'room' }
    return null
  }

  #isHigh(latencyMs: number): boolean {
    return (
      latencyMs > this.#bestLatencyMs * LATENCY_FACTOR && latencyMs > this.#bestLatencyMs + LATENCY_SLACK_MS
    )
  }
}
