/**
 * Requests in flight on one session, both ways. Pure.
 * Q1  every request that was sent settles exactly once: answer, refusal, timeout, cancellation or end of the session
 * Q2  an answer is matched by its id, never by its kind; one that comes too late is ignored
 * Q3  the requests that a peer may have open here are bounded
 * @module
 */
export interface AskedRequest {
  readonly kindId: number
  readonly deadlineMs: number
}

export class Requests {
  readonly #askedById = new Map<number, AskedRequest>()
  readonly #receivedKindById = new Map<number, number>()
  #lastId = 0
  /** No open request is due before. */
  #earliestMs = Infinity

  get askedCount(): number {
    return this.#askedById.size
  }

  get receivedCount(): number {
    return this.#receivedKindById.size
  }

  /** @returns an id that no open request has, 1 to 2^32 − 1. */
  ask(request: AskedRequest): number {
    do this.#lastId = this.#lastId === 0xffff_ffff ? 1 : this.#lastId + 1
    while (this.#askedById.has(this.#lastId))
    this.#askedById.set(this.#lastId, request)
    this.#earliestMs = Math.min(this.#earliestMs, request.deadlineMs)
    return this.#lastId
  }

  asked(id: number): AskedRequest | undefined {
    return this.#askedById.get(id)
  }

  /** @returns false when it was settled before. */
  settle(id: number): boolean {
    return this.#askedById.delete(id)
  }

  overdue(nowMs: number): number[] {
    if (nowMs < this.#earliestMs) return []
    const ids: number[] = []
    this.#earliestMs = Infinity
    for (const [id, { deadlineMs }] of this.#askedById) {
      if (deadlineMs <= nowMs) ids.push(id)
      else this.#earliestMs = Math.min(this.#earliestMs, deadlineMs)
    }
    return ids
  }

  /** No later than the next deadline; Infinity when none can be open. */
  get nextDeadlineMs(): number {
    return this.#earliestMs
  }

  /** The peer asks. @returns false when the id is in use. */
  receive(id: number, kindId: number): boolean {
    if (this.#receivedKindById.has(id)) return false
    this.#receivedKindById.set(id, kindId)
    return true
  }

  /** We answered, or the peer cancelled. @returns the kind asked for; undefined when it was closed before. */
  close(id: number): number | undefined {
    const kindId = this.#receivedKindById.get(id)
    this.#receivedKindById.delete(id)
    return kindId
  }

  /** The session ended. @returns what was still open. */
  clear(): { asked: number[]; received: number[] } {
    const open = { asked: [...this.#askedById.keys()], received: [...this.#receivedKindById.keys()] }
    this.#askedById.clear()
    this.#receivedKindById.clear()
    this.#earliestMs = Infinity
    return open
  }
}
