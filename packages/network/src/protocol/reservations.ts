/**
 * Which relays hold a place for this node, and which to ask next (PT-8). Pure.
 * V1  while relays are wanted, places are held at `relaysMax` of those that offer one
 * V2  a place that is lost (the relay went, refused, or the time ran out) is announced no longer, and the next relay is asked at once
 * V3  each place is confirmed every `confirmIntervalMs`, or at half its time when that is earlier: a relay that forgot it makes it
 *     anew, so that none is lost silently
 * V4  one question to a relay at a time, answered within `answerTimeoutMs`; who refused is asked again after a back-off that doubles
 * V5  when relays are not wanted any more, no place is announced; those held run out by themselves
 * @module
 */
export interface ReservationLimits {
  readonly relaysMax: number
  readonly confirmIntervalMs: number
  readonly answerTimeoutMs: number
  readonly retryMinMs: number
  readonly retryMaxMs: number
}

export type ReservationInput =
  | { readonly kind: 'wantChanged'; readonly isWanted: boolean }
  /** There is a direct session with a peer that relays for others. */
  | { readonly kind: 'relayOffered'; readonly relay: string }
  /** It offers no longer, or the session with it ended. */
  | { readonly kind: 'relayGone'; readonly relay: string }
  | { readonly kind: 'placeGranted'; readonly relay: string; readonly lifeMs: number }
  | { readonly kind: 'placeRefused'; readonly relay: string }
  | { readonly kind: 'timeElapsed' }

export type ReservationEffect =
  | { readonly kind: 'ask'; readonly relay: string }
  /** Those whose addresses lead to this node now; all of them. */
  | { readonly kind: 'announce'; readonly relays: readonly string[] }

interface Relay {
  readonly id: string
  /** When the place ends; -Infinity without one. */
  heldUntilMs: number
  /** While a question is open: until when it may take. */
  answerDueMs: number | null
  /** Not asked before. */
  nextAskMs: number
  failures: number
}

export class Reservations {
  readonly #limits: ReservationLimits
  /** In the order in which they were offered. */
  readonly #relayById = new Map<string, Relay>()
  #isWanted = false
  #announced = ''

  constructor(limits: ReservationLimits) {
    this.#limits = limits
  }

  handle(input: ReservationInput, nowMs: number): readonly ReservationEffect[] {
    this.#take(input, nowMs)
    for (const relay of this.#relayById.values()) {
      if (relay.answerDueMs !== null && relay.answerDueMs <= nowMs) this.#refused(relay, nowMs)
    }
    return [...this.#announce(nowMs), ...this.#ask(nowMs)]
  }

  #take(input: ReservationInput, nowMs: number): void {
    switch (input.kind) {
      case 'wantChanged':
        this.#isWanted = input.isWanted
        return
      case 'relayOffered':
        if (!this.#relayById.has(input.relay)) this.#relayById.set(input.relay, newRelay(input.relay))
        return
      case 'relayGone':
        this.#relayById.delete(input.relay)
        return
      case 'placeGranted': {
        const relay = this.#asked(input.relay)
        if (relay === undefined) return
        relay.failures = 0
        relay.answerDueMs = null
        relay.heldUntilMs = nowMs + input.lifeMs
        relay.nextAskMs = nowMs + Math.min(this.#limits.confirmIntervalMs, input.lifeMs / 2)
        return
      }
      case 'placeRefused': {
        const relay = this.#asked(input.relay)
        if (relay !== undefined) this.#refused(relay, nowMs)
        return
      }
      case 'timeElapsed':
    }
  }

  /** An answer to a question that is not open any more says nothing. */
  #asked(id: string): Relay | undefined {
    const relay = this.#relayById.get(id)
    return relay?.answerDueMs === null ? undefined : relay
  }

  #refused(relay: Relay, nowMs: number): void {
    const { retryMinMs, retryMaxMs } = this.#limits
    relay.heldUntilMs = -Infinity
    relay.answerDueMs = null
    relay.nextAskMs = nowMs + Math.min(retryMaxMs, retryMinMs * 2 ** Math.min(relay.failures, 30))
    relay.failures++
  }

  #announce(nowMs: number): readonly ReservationEffect[] {
    const relays = this.#isWanted ? this.held(nowMs) : []
    const text = relays.join(' ')
    if (text === this.#announced) return []
    this.#announced = text
    return [{ kind: 'announce', relays }]
  }

  /** Held ones are confirmed first; then, while there are too few, those that failed least. */
  #ask(nowMs: number): ReservationEffect[] {
    if (!this.#isWanted) return []
    const relays = [...this.#relayById.values()].sort((a, b) => a.failures - b.failures)
    const isHeld = ({ heldUntilMs }: Relay) => heldUntilMs > nowMs
    let free = this.#limits.relaysMax
    for (const relay of relays) if (isHeld(relay) || relay.answerDueMs !== null) free--
    const effects: ReservationEffect[] = []
    for (const relay of relays) {
      if (relay.answerDueMs !== null || relay.nextAskMs > nowMs) continue
      if (!isHeld(relay) && free-- <= 0) continue
      relay.answerDueMs = nowMs + this.#limits.answerTimeoutMs
      effects.push({ kind: 'ask', relay: relay.id })
    }
    return effects
  }

  /** The relays that hold a place now. */
  held(nowMs: number): readonly string[] {
    return [...this.#relayById.values()].filter(({ heldUntilMs }) => heldUntilMs > nowMs).map(({ id }) => id)
  }

  /** When `timeElapsed` is next worth telling; Infinity for never. */
  nextDueMs(nowMs: number): number {
    let next = Infinity
    if (!this.#isWanted) return next
    for (const { heldUntilMs, answerDueMs, nextAskMs } of this.#relayById.values()) {
      for (const atMs of [heldUntilMs, answerDueMs ?? nextAskMs])
        if (atMs > nowMs) next = Math.min(next, atMs)
    }
    return next
  }
}

function newRelay(id: string): Relay {
  return { id, heldUntilMs: -Infinity, answerDueMs: null, nextAskMs: -Infinity, failures: 0 }
}
