/**
 * What is counted of one peer (VC-4): of a session while it lasts, and of all sessions together. Pure.
 * @module
 */

export interface KindCounts {
  readonly messagesIn: number
  readonly messagesOut: number
  /** Of bodies, without framing. */
  readonly bytesIn: number
  readonly bytesOut: number
}

export interface RequestCounts {
  /** Our requests that were answered, be it with an error. */
  readonly answered: number
  readonly timedOut: number
  /** The session ended first. */
  readonly lost: number
  /** From request to answer, averaged over about the last ten; null before the first. */
  readonly responseMs: number | null
}

const RESPONSE_WEIGHT = 0.1

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

export class PeerCounts {
  readonly #byKind = new Map<string, Mutable<KindCounts>>()
  readonly #requests: Mutable<RequestCounts> = { answered: 0, timedOut: 0, lost: 0, responseMs: null }

  get requests(): RequestCounts {
    return { ...this.#requests }
  }

  /** By the name of the kind; the session's own messages are not among them. */
  get byKind(): Record<string, KindCounts> {
    return Object.fromEntries([...this.#byKind].map(([kind, counts]) => [kind, { ...counts }]))
  }

  sent(kind: string, bytes: number): void {
    const counts = this.#of(kind)
    counts.messagesOut++
    counts.bytesOut += bytes
  }

  received(kind: string, bytes: number): void {
    const counts = this.#of(kind)
    counts.messagesIn++
    counts.bytesIn += bytes
  }

  answered(afterMs: number): void {
    this.#requests.answered++
    this.#requests.responseMs =
      this.#requests.responseMs === null
        ? afterMs
        : this.#requests.responseMs + RESPONSE_WEIGHT * (afterMs - this.#requests.responseMs)
  }

  timedOut(): void {
    this.#requests.timedOut++
  }

  lost(): void {
    this.#requests.lost++
  }

  /** Adds what was counted later. */
  add(later: PeerCounts): void {
    for (const [kind, counts] of later.#byKind) {
      const own = this.#of(kind)
      own.messagesIn += counts.messagesIn
      own.messagesOut += counts.messagesOut
      own.bytesIn += counts.bytesIn
      own.bytesOut += counts.bytesOut
    }
    this.#requests.answered += later.#requests.answered
    this.#requests.timedOut += later.#requests.timedOut
    this.#requests.lost += later.#requests.lost
    this.#requests.responseMs = later.#requests.responseMs ?? this.#requests.responseMs
  }

  #of(kind: string): Mutable<KindCounts> {
    let counts = this.#byKind.get(kind)
    if (counts === undefined) {
      counts = { messagesIn: 0, messagesOut: 0, bytesIn: 0, bytesOut: 0 }
      this.#byKind.set(kind, counts)
    }
    return counts
  }
}
