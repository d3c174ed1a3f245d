/**
 * How well the link to a peer works (PT-3): from silence, latency and failures. Pure.
 * L1  without a session a peer is `disconnected`
 * L2  with one it is `degraded` when it is silent for more than half of the time after which it is given up, when a round trip takes
 *     longer than `latencyMs`, or when more than `failureShare` of the latest requests had no answer; else `healthy`
 * L3  a degraded link is healthy again only at half of the latter two limits, so that it does not flap
 * L4  changes are kept, the latest `historyMax`
 * @module
 */

export const HEALTH = {
  latencyMs: 1000,
  /** Four failures in a row are more. */
  failureShare: 0.3,
  /** Of one more answer or failure in the share. */
  failureWeight: 0.1,
  /** A round trip so long halves the quality. */
  halfQualityLatencyMs: 500,
  historyMax: 32,
} as const

export type Health = 'healthy' | 'degraded' | 'disconnected'

export interface HealthChange {
  readonly atMs: number
  readonly from: Health
  readonly to: Health
  /** A few words for people. */
  readonly cause: string
}

/** What is seen of a session now. */
export interface LinkSight {
  /** Since the last byte came. */
  readonly silentMs: number
  /** Null before the first answered ping. */
  readonly latencyMs: number | null
}

export interface HealthLimits {
  /** Silence after which a peer is given up. */
  readonly peerTimeoutMs: number
}

export class PeerHealth {
  readonly #limits: HealthLimits
  readonly #history: HealthChange[] = []
  #state: Health = 'disconnected'
  #failureShare = 0

  constructor(limits: HealthLimits) {
    this.#limits = limits
  }

  get state(): Health {
    return this.#state
  }

  /** Oldest first. */
  get history(): readonly HealthChange[] {
    return this.#history
  }

  connected(nowMs: number): HealthChange | null {
    return this.#become('healthy', 'connected', nowMs)
  }

  disconnected(cause: string, nowMs: number): HealthChange | null {
    return this.#become('disconnected', cause, nowMs)
  }

  /** A request was answered, also by an error. */
  answered(): void {
    this.#failureShare *= 1 - HEALTH.failureWeight
  }

  /** One was not, in its time. */
  failed(): void {
    this.#failureShare += HEALTH.failureWeight * (1 - this.#failureShare)
  }

  /** @returns the change, if there is one. */
  assess(sight: LinkSight, nowMs: number): HealthChange | null {
    if (this.#state === 'disconnected') return null
    const ailment = this.#ailment(sight)
    return this.#become(ailment === null ? 'healthy' : 'degraded', ailment ?? 'works again', nowMs)
  }

  /** 0 (no session, or none that works) to 100. */
  quality({ silentMs, latencyMs }: LinkSight): number {
    if (this.#state === 'disconnected') return 0
    const promptness = 1 / (1 + (latencyMs ?? 0) / HEALTH.halfQualityLatencyMs)
    const presence = Math.min(1, Math.max(0, 2 - (2 * silentMs) / this.#limits.peerTimeoutMs))
    return Math.round(100 * (1 - this.#failureShare) * promptness * presence)
  }

  #ailment({ silentMs, latencyMs }: LinkSight): string | null {
    const slack = this.#state === 'degraded' ? 0.5 : 1
    if (silentMs > this.#limits.peerTimeoutMs / 2) return `silent for ${Math.round(silentMs)} ms`
    if (latencyMs !== null && latencyMs > HEALTH.latencyMs * slack) {
      return `a round trip takes ${Math.round(latencyMs)} ms`
    }
    if (this.#failureShare > HEALTH.failureShare * slack) {
      return `${Math.round(100 * this.#failureShare)} % of the latest requests had no answer`
    }
    return null
  }

  #become(to: Health, cause: string, nowMs: number): HealthChange | null {
    if (to === this.#state) return null
    const change = { atMs: nowMs, from: this.#state, to, cause }
    this.#state = to
    this.#history.push(change)
    if (this.#history.length > HEALTH.historyMax) this.#history.shift()
    return change
  }
}
