/**
 * Letters that came, each given to the application once (PC-12, PT-7). Pure; times are those of the wall clock.
 * I1  a letter counts from `skewMs` before it was sent to `skewMs` after it expires, and no longer than `windowMs`: outside of that it
 *     is stale
 * I2  inside of that its id is remembered, so that a copy, however it came, is never given to the application again
 * I3  memory is bounded for each sender and for all together; a letter that finds none is left alone, unanswered: nothing is forgotten
 *     early to make room
 * @module
 */
import type { DeliveryOutcome, Letter } from './delivery-wire.ts'

export interface InboxLimits {
  readonly perSenderMax: number
  readonly totalMax: number
  /** From sending to expiring. */
  readonly windowMs: number
  /** By which clocks may differ. */
  readonly skewMs: number
}

/** With the usual deadline of 30 s a sender has room for 200 letters a second, without end; all together take 20 MB at the most. */
export const INBOX_LIMITS: InboxLimits = {
  perSenderMax: 32_768,
  totalMax: 131_072,
  windowMs: 600_000,
  skewMs: 120_000,
}

interface Remembered {
  readonly forgetMs: number
  /** Null while the application works on it. */
  outcome: DeliveryOutcome | null
}

export type Arrival =
  /** Give it to the application, and tell `finished`. */
  | { readonly kind: 'new' }
  | { readonly kind: 'copy'; readonly outcome: DeliveryOutcome | null }
  | { readonly kind: 'stale' }
  | { readonly kind: 'noRoom' }

export class Inbox {
  readonly #limits: InboxLimits
  readonly #rememberedBySender = new Map<string, Map<string, Remembered>>()
  #total = 0
  #sweepMs = -Infinity

  constructor(limits: InboxLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#total
  }

  arrived({ from, id, sentMs, expiresMs }: Omit<Letter, 'body'>, nowMs: number): Arrival {
    const { perSenderMax, totalMax, windowMs, skewMs } = this.#limits
    const known = this.#rememberedBySender.get(from)?.get(id)
    if (known !== undefined && nowMs < known.forgetMs) return { kind: 'copy', outcome: known.outcome }
    const isOver = nowMs > expiresMs + skewMs || expiresMs - sentMs > windowMs
    if (isOver || sentMs > nowMs + skewMs) return { kind: 'stale' }
    this.#sweep(nowMs)
    const remembered = this.#rememberedBySender.get(from) ?? new Map<string, Remembered>()
    if (remembered.size >= perSenderMax || this.#total >= totalMax) return { kind: 'noRoom' }
    this.#rememberedBySender.set(from, remembered)
    remembered.set(id, { forgetMs: expiresMs + skewMs + 1, outcome: null })
    this.#total++
    return { kind: 'new' }
  }

  finished({ from, id }: Pick<Letter, 'from' | 'id'>, outcome: DeliveryOutcome): void {
    const remembered = this.#rememberedBySender.get(from)?.get(id)
    if (remembered !== undefined) remembered.outcome = outcome
  }

  /** Forgets what would be stale anyway; at most once a second, since it looks at everything. */
  #sweep(nowMs: number): void {
    if (Math.abs(nowMs - this.#sweepMs) < 1000) return
    this.#sweepMs = nowMs
    for (const [sender, remembered] of this.#rememberedBySender) {
      for (const [id, { forgetMs }] of remembered) {
        if (nowMs < forgetMs) continue
        remembered.delete(id)
        this.#total--
      }
      if (remembered.size === 0) this.#rememberedBySender.delete(sender)
    }
  }
}
