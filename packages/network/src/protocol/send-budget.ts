/**
 * What may leave now: per peer and for the node, in messages and bytes (PT-2). Pure.
 * M1  a lane has its own messages a second, the base times the lane's multiplier; an empty bucket delays and drops nothing
 * M2  the critical lane has its own byte budget, as large as that of all others together: nothing else can starve it
 * M3  peers that wait for the node's budget take turns of `TURN_BYTES` or `TURN_MESSAGES`, so that each gets as much as another
 * @module
 */
import { FRAGMENT_BYTES_MAX, FRAME_HEADER_BYTES } from './frame.ts'
import { perLane } from './lane.ts'
import type { Lane, PerLane } from './lane.ts'
import { TokenBucket } from './token-bucket.ts'
import type { Rate } from './token-bucket.ts'
import { byteRate, messageRate } from './traffic-limits.ts'
import type { TrafficLimits } from './traffic-limits.ts'

const TURN_BYTES = FRAGMENT_BYTES_MAX + FRAME_HEADER_BYTES
const TURN_MESSAGES = 16

interface Turn<Peer> {
  readonly peer: Peer
  messages: number
  bytes: number
}

/** A budget of the node that its peers share in turns (M3). */
class SharedBudget<Peer> {
  readonly #messages: TokenBucket
  readonly #bytes: TokenBucket
  /** In the order in which they get their turns. */
  readonly #waiting = new Set<Peer>()
  #turn: Turn<Peer> | null = null

  constructor(messages: Rate, bytes: Rate, nowMs: number) {
    this.#messages = new TokenBucket(messages, nowMs)
    this.#bytes = new TokenBucket(bytes, nowMs)
  }

  /** A peer that has to wait is remembered: `nextTurn` names it. */
  readyAtMs(peer: Peer, messages: number, bytes: number, nowMs: number): number {
    const turn = this.#turn?.peer === peer ? this.#turn : null
    const mayAsk = turn === null ? this.#waiting.size === 0 : turn.messages >= messages && turn.bytes > 0
    const readyMs = this.#tokensAtMs(messages, bytes, nowMs)
    if (mayAsk && readyMs <= nowMs) return nowMs
    this.#waiting.add(peer)
    return Math.max(readyMs, nowMs + 1)
  }

  take(peer: Peer, messages: number, bytes: number, nowMs: number): void {
    this.#messages.take(messages, nowMs)
    this.#bytes.take(bytes, nowMs)
    if (this.#turn?.peer !== peer) return
    this.#turn.messages -= messages
    this.#turn.bytes -= bytes
  }

  /** @returns who may send now; null when nobody waits or the budget is used up. Let it send before the next call. */
  nextTurn(nowMs: number): Peer | null {
    this.#turn = null
    if (this.#waiting.size === 0 || this.#tokensAtMs(1, TURN_BYTES, nowMs) > nowMs) return null
    const [peer] = this.#waiting
    this.#waiting.delete(peer!)
    this.#turn = { peer: peer!, messages: TURN_MESSAGES, bytes: TURN_BYTES }
    return peer!
  }

  get waitingCount(): number {
    return this.#waiting.size
  }

  /** The peer is gone. */
  remove(peer: Peer): void {
    this.#waiting.delete(peer)
  }

  #tokensAtMs(messages: number, bytes: number, nowMs: number): number {
    return Math.max(this.#messages.readyAtMs(messages, nowMs), this.#bytes.readyAtMs(bytes, nowMs))
  }
}

/** What the node may send: the critical lane and all others, apart (M2). */
export class NodeBudget<Peer> {
  readonly #critical: SharedBudget<Peer>
  readonly #others: SharedBudget<Peer>

  constructor(limits: TrafficLimits, nowMs: number) {
    const bytes = byteRate(limits.bytesPerSecond * limits.nodeMultiplier)
    const { high, normal, low } = limits.laneMultipliers
    const shared = { ...limits, laneMultipliers: { ...limits.laneMultipliers, high: high + normal + low } }
    this.#critical = new SharedBudget(messageRate(limits, 'critical', limits.nodeMultiplier), bytes, nowMs)
    this.#others = new SharedBudget(messageRate(shared, 'high', limits.nodeMultiplier), bytes, nowMs)
  }

  readyAtMs(peer: Peer, lane: Lane, messages: number, bytes: number, nowMs: number): number {
    return this.#of(lane).readyAtMs(peer, messages, bytes, nowMs)
  }

  take(peer: Peer, lane: Lane, messages: number, bytes: number, nowMs: number): void {
    this.#of(lane).take(peer, messages, bytes, nowMs)
  }

  /** @returns who may send now, of those who had to wait. */
  nextTurn(nowMs: number): Peer | null {
    return this.#critical.nextTurn(nowMs) ?? this.#others.nextTurn(nowMs)
  }

  get waitingCount(): number {
    return this.#critical.waitingCount + this.#others.waitingCount
  }

  remove(peer: Peer): void {
    this.#critical.remove(peer)
    this.#others.remove(peer)
  }

  #of(lane: Lane): SharedBudget<Peer> {
    return lane === 'critical' ? this.#critical : this.#others
  }
}

/** What may be sent to one peer. */
export class PeerBudget<Peer> {
  readonly #peer: Peer
  readonly #node: NodeBudget<Peer>
  readonly #messages: PerLane<TokenBucket>
  readonly #criticalBytes: TokenBucket
  readonly #otherBytes: TokenBucket

  constructor(peer: Peer, limits: TrafficLimits, node: NodeBudget<Peer>, nowMs: number) {
    this.#peer = peer
    this.#node = node
    this.#messages = perLane((lane) => new TokenBucket(messageRate(limits, lane), nowMs))
    this.#criticalBytes = new TokenBucket(byteRate(limits.bytesPerSecond), nowMs)
    this.#otherBytes = new TokenBucket(byteRate(limits.bytesPerSecond), nowMs)
  }

  /** @returns from when the lane may begin a message. */
  messageReadyAtMs(lane: Lane, nowMs: number): number {
    return this.#messages[lane].readyAtMs(1, nowMs)
  }

  /** @param messages 1 for the first frame of a message, 0 for the others. @returns from when there are bytes for a frame. */
  bytesReadyAtMs(lane: Lane, messages: number, bytes: number, nowMs: number): number {
    const ownMs = this.#bytesOf(lane).readyAtMs(bytes, nowMs)
    // Who may not send anyway does not wait for the node: a turn would be wasted on it.
    return ownMs > nowMs ? ownMs : this.#node.readyAtMs(this.#peer, lane, messages, bytes, nowMs)
  }

  take(lane: Lane, messages: number, bytes: number, nowMs: number): void {
    this.#messages[lane].take(messages, nowMs)
    this.#bytesOf(lane).take(bytes, nowMs)
    this.#node.take(this.#peer, lane, messages, bytes, nowMs)
  }

  /** Of all lanes but the critical one. */
  setBytesPerSecond(bytesPerSecond: number, nowMs: number): void {
    this.#otherBytes.setRate(byteRate(bytesPerSecond), nowMs)
  }

  /** The peer is gone. */
  close(): void {
    this.#node.remove(this.#peer)
  }

  #bytesOf(lane: Lane): TokenBucket {
    return lane === 'critical' ? this.#criticalBytes : this.#otherBytes
  }
}
