/**
 * Letters that wait for their receipt (PC-12). Pure; of what is sent it knows the size only.
 * O1  at most `messagesMax` letters of `bytesMax` together: a further one is refused
 * O2  a letter is sent again, with growing pauses, until a receipt settles it or its time is over: one of the two always comes
 * O3  at most `underWayMax` letters to one recipient are under way, sent and not settled; others wait their turn, so that a burst does not
 *     outlast the pauses
 * O4  when the recipient, or the first peer at all, appears, what waits is sent at once
 * @module
 */

export interface OutboxLimits {
  readonly messagesMax: number
  readonly bytesMax: number
  readonly underWayMax: number
  /** The pause after the first attempt; each further one is twice as long, up to the maximum. */
  readonly retryMinMs: number
  /** A letter gets more time, as if the way took so much a second. */
  readonly bytesPerSecond: number
  readonly retryMaxMs: number
}

export const OUTBOX_LIMITS: OutboxLimits = {
  messagesMax: 1024,
  bytesMax: 32 * 1024 * 1024,
  underWayMax: 32,
  retryMinMs: 1000,
  bytesPerSecond: 256 * 1024,
  retryMaxMs: 15_000,
}

interface Waiting {
  readonly id: string
  readonly to: string
  readonly bytes: number
  readonly deadlineMs: number
  /** Made so far. */
  attempts: number
  nextMs: number
}

export type OutboxEffect =
  /** @property attempts made before, and this one. */
  | { readonly kind: 'attempt'; readonly id: string; readonly attempts: number }
  | { readonly kind: 'giveUp'; readonly id: string; readonly attempts: number }

export class Outbox {
  readonly #limits: OutboxLimits
  readonly #waitingById = new Map<string, Waiting>()
  readonly #underWayByPeer = new Map<string, number>()
  #bytes = 0

  constructor(limits: OutboxLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#waitingById.size
  }

  get bytes(): number {
    return this.#bytes
  }

  /** It is due at once. @returns false when there is no room. */
  add(letter: Pick<Waiting, 'id' | 'to' | 'bytes' | 'deadlineMs'>, nowMs: number): boolean {
    const { messagesMax, bytesMax } = this.#limits
    if (this.#waitingById.size >= messagesMax || this.#bytes + letter.bytes > bytesMax) return false
    this.#waitingById.set(letter.id, { ...letter, attempts: 0, nextMs: nowMs })
    this.#bytes += letter.bytes
    return true
  }

  /** @returns whether it waited. */
  remove(id: string): boolean {
    const waiting = this.#waitingById.get(id)
    if (waiting === undefined) return false
    this.#waitingById.delete(id)
    this.#bytes -= waiting.bytes
    if (waiting.attempts > 0) this.#countUnderWay(waiting.to, -1)
    return true
  }

  /** A session began. @param isFirst there was none before. */
  peerAppeared(peer: string, isFirst: boolean, nowMs: number): void {
    for (const waiting of this.#waitingById.values()) {
      if (isFirst || waiting.to === peer) waiting.nextMs = nowMs
    }
  }

  /** A letter may go at once, not only after its pause. */
  hurry(id: string, nowMs: number): void {
    const waiting = this.#waitingById.get(id)
    if (waiting !== undefined) waiting.nextMs = nowMs
  }

  due(nowMs: number): OutboxEffect[] {
    const effects: OutboxEffect[] = []
    for (const waiting of this.#waitingById.values()) {
      const { id, deadlineMs, attempts } = waiting
      if (nowMs >= deadlineMs) {
        this.remove(id)
        effects.push({ kind: 'giveUp', id, attempts })
      } else if (nowMs >= waiting.nextMs && this.#mayGo(waiting)) {
        if (attempts === 0) this.#countUnderWay(waiting.to, 1)
        waiting.attempts++
        effects.push({ kind: 'attempt', id, attempts: waiting.attempts })
        waiting.nextMs = nowMs + this.#pauseMs(waiting)
      }
    }
    return effects
  }

  nextDueMs(): number {
    let nextMs = Infinity
    for (const waiting of this.#waitingById.values()) {
      nextMs = Math.min(nextMs, waiting.deadlineMs, this.#mayGo(waiting) ? waiting.nextMs : Infinity)
    }
    return nextMs
  }

  #mayGo({ to, attempts }: Waiting): boolean {
    return attempts > 0 || (this.#underWayByPeer.get(to) ?? 0) < this.#limits.underWayMax
  }

  #countUnderWay(peer: string, change: 1 | -1): void {
    const count = (this.#underWayByPeer.get(peer) ?? 0) + change
    if (count === 0) this.#underWayByPeer.delete(peer)
    else this.#underWayByPeer.set(peer, count)
  }

  #pauseMs({ attempts, bytes }: Waiting): number {
    const { retryMinMs, retryMaxMs, bytesPerSecond } = this.#limits
    const firstMs = retryMinMs + (1000 * bytes) / bytesPerSecond
    return Math.min(retryMaxMs, firstMs * 2 ** (attempts - 1))
  }
}
