/**
 * The effects of one step, in order. What is appended to a vote log stands before what is sent because of it (R2).
 * @module
 */
import { assert } from '@althing/base'
import type { ConsensusEvent, ConsensusMessage, Effect, PeerRef } from './types.ts'
import type { LogTail } from './log-tail.ts'
import type { RejoinMarker, VoteLogRecord, VotePosition } from './vote-log.ts'

export class Outbox {
  readonly #logs: readonly LogTail[]
  #effects: Effect[] = []
  /** The log of the key that is in the present authority set; −1 when none is. */
  #present = -1

  /** @param logs one for each key; none on a full node. */
  constructor(logs: readonly LogTail[]) {
    this.#logs = logs
  }

  /** From now on records go to this log. @param log −1: none of the node's keys votes in this epoch. */
  select(log: number): void {
    this.#present = log
  }

  /** R12: set while the present key must sign no votes. */
  get rejoin(): RejoinMarker | null {
    return this.#logs[this.#present]?.rejoin ?? null
  }

  append(record: VoteLogRecord): void {
    const log = this.#logs[this.#present]
    if (log !== undefined) this.#effects.push(...log.append(record))
  }

  /** What no key may ever forget. */
  appendToAll(record: VoteLogRecord): void {
    for (const log of this.#logs) this.#effects.push(...log.append(record))
  }

  /** R12: the marker of the present key goes, on entering this epoch. */
  rejoined(epoch: number): void {
    const log = this.#logs[this.#present]
    assert(log !== undefined, 'a marker belongs to a vote log')
    this.#effects.push(...log.rejoined(epoch))
  }

  /** What the logs hold up to this position is in the block store (P16). */
  forgetLog(durable: VotePosition): void {
    for (const log of this.#logs) this.#effects.push(...log.forget(durable))
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

  /** R12: asks for the transaction that ends the abstention. */
  submitRejoin(key: Uint8Array, nonce: Uint8Array): void {
    this.#effects.push({ kind: 'submitRejoin', key, nonce })
  }

  /** Everything since the last call. */
  take(): readonly Effect[] {
    const effects = this.#effects
    this.#effects = []
    return effects
  }
}
