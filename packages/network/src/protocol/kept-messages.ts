/**
 * Gossip messages that are being judged or were accepted lately, kept for those who ask. Pure.
 * K1  memory is bounded in messages, bytes and time: the oldest go first
 * K2  what was not accepted is not kept
 * @module
 */
import type { GossipPeer } from './gossip-peers.ts'
import type { Spreading } from './kinds.ts'
import type { GossipId } from './notice.ts'

export interface GossipMessage {
  readonly id: GossipId
  readonly spreading: Spreading
  /** The number under which its origin sends; a claim. */
  readonly origin: number
  readonly body: Uint8Array
  /** Null: made here. */
  readonly from: GossipPeer | null
  readonly atMs: number
  /** When it was first announced, if that was before it came; else when it came. */
  readonly heardMs: number
  /** Peers that have it because they said so; not those that it was pushed to. */
  readonly holders: GossipPeer[]
  /** Peers that asked for it, and when it was last sent to them; null before the first. */
  sentMs: Map<GossipPeer, number> | null
  accepted: boolean
}

export interface KeptLimits {
  readonly keptMax: number
  readonly keptBytesMax: number
  readonly keptMs: number
}

const NEWEST_MAX = 128

export class KeptMessages {
  readonly #limits: KeptLimits
  readonly #byId = new Map<GossipId, GossipMessage>()
  /** Ids in the order in which they came, also of what was dropped: the order of a Map is slow to ask for its first. */
  #order: GossipId[] = []
  /** Index of the oldest that may still be here. */
  #head = 0
  #bytes = 0
  /** Of those that were accepted, the newest last. */
  #newest: GossipId[] = []

  constructor(limits: KeptLimits) {
    this.#limits = limits
  }

  get(id: GossipId): GossipMessage | undefined {
    return this.#byId.get(id)
  }

  get size(): number {
    return this.#byId.size
  }

  get bytes(): number {
    return this.#bytes
  }

  add(message: GossipMessage, nowMs: number): void {
    this.#byId.set(message.id, message)
    this.#order.push(message.id)
    this.#bytes += message.body.length
    const { keptMax, keptBytesMax } = this.#limits
    if (this.#byId.size > keptMax || this.#bytes > keptBytesMax) this.expire(nowMs)
    if (this.#order.length > 2 * this.#limits.keptMax) this.#compact()
  }

  accepted(message: GossipMessage): void {
    message.accepted = true
    this.#newest.push(message.id)
    if (this.#newest.length >= 2 * NEWEST_MAX) this.#newest = this.#newest.slice(-NEWEST_MAX)
  }

  drop(id: GossipId): void {
    const message = this.#byId.get(id)
    if (message === undefined) return
    this.#byId.delete(id)
    this.#bytes -= message.body.length
  }

  /** By time: to be called once a second. */
  expire(nowMs: number): void {
    const { keptMax, keptBytesMax, keptMs } = this.#limits
    for (; this.#head < this.#order.length; this.#head++) {
      const oldest = this.#byId.get(this.#order[this.#head]!)
      if (oldest === undefined) continue
      const fits = this.#byId.size <= keptMax && this.#bytes <= keptBytesMax
      if (fits && nowMs - oldest.atMs < keptMs) return
      this.drop(oldest.id)
    }
  }

  #compact(): void {
    this.#order = this.#order.slice(this.#head).filter((id) => this.#byId.has(id))
    this.#head = 0
  }

  /** Accepted ones that came after `sinceMs` and that the peer is not known to have; the newest first, at most `countMax`. */
  newestFor(peer: GossipPeer, sinceMs: number, countMax: number): GossipMessage[] {
    const found: GossipMessage[] = []
    for (let i = this.#newest.length - 1; i >= 0 && found.length < countMax; i--) {
      const message = this.#byId.get(this.#newest[i]!)
      if (message === undefined || message.atMs < sinceMs) break
      if (message.from !== peer && !message.holders.includes(peer)) found.push(message)
    }
    return found
  }
}
