/**
 * The effects of one step, in order. What is appended to the vote log stands before what is sent because of it (R2).
 * @module
 */
import type { ConsensusEvent, ConsensusMessage, Effect, PeerRef } from './types.ts'
import type { LogTail } from './log-tail.ts'
import type { VoteLogRecord } from './vote-log.ts'

export class Outbox {
  readonly #log: LogTail | null
  #effects: Effect[] = []

  /** @param log null on a node without a signer, which has no vote log. */
  constructor(log: LogTail | null) {
    this.#log = log
  }

  append(record: VoteLogRecord): void {
    if (this.#log !== null) this.#effects.push(...this.#log.append(record))
  }

  /** What the log holds up to this view is in the block store (P16). */
  forgetLog(durableFloor: number): void {
    if (this.#log !== null) this.#effects.push(...this.#log.forget(durableFloor))
  }

  broadcast(message: ConsensusMessage): void {
    this.#effects.push({ kind: 'broadcast', message })
  }

  send(to: PeerRef, message: ConsensusMessage): void {
    this.#effects.push({ kind: 'send', to, message })
  }

  charge(peer: PeerRef, reason: string): void {
    this.#effects.push({ kind: 'charge', peer, reason })
  }

  event(event: ConsensusEvent): void {
    this.#effects.push({ kind: 'event', event })
  }

  commit(order: Omit<Extract<Effect, { kind: 'commit' }>, 'kind'>): void {
    this.#effects.push({ kind: 'commit', ...order })
  }

  /** Everything since the last call. */
  take(): readonly Effect[] {
    const effects = this.#effects
    this.#effects = []
    return effects
  }
}
