/**
 * What is done about one peer that sends more than it may (PT-2), mildest first. Pure.
 * F1  over a limit: it is read no further until the debt is paid, which slows an honest sender and loses nothing
 * F2  messages are dropped, counted by lane, beyond a whole burst of debt, and while the peer has been over its limits of messages
 *     without a break for `PATIENCE_MS`; answers and the session's own messages never are
 * F3  drops of more than a tenth of what the normal lane may have in a second are a fault, charged once a second
 * F4  a peer that is slow, silent, or reads slowly touches none of this, nor does one that sends many bytes: that is only slowed
 * F5  the node's budget slows those who take more than their share of it, and nobody else
 * @module
 */
import { LANES, perLane } from './lane.ts'
import type { Lane, PerLane } from './lane.ts'
import { TokenBucket } from './token-bucket.ts'
import type { Rate } from './token-bucket.ts'
import { byteRate, inboundLimits, messageRate } from './traffic-limits.ts'
import type { TrafficLimits } from './traffic-limits.ts'

/** Longer than an honest peer needs to send what it had queued, at half the rate that is read. */
const PATIENCE_MS = 10_000
const FAULT_WINDOW_MS = 1000
const FAULT_SHARE = 0.1
/** A bucket so full was not in use: the peer made a break. */
const BREAK_SHARE = 0.1

/** The bytes that the node reads from all its peers. */
export class NodeInbound {
  readonly limits: TrafficLimits
  readonly bytes: TokenBucket
  #peerCount = 0

  constructor(limits: TrafficLimits, nowMs: number) {
    this.limits = inboundLimits(limits)
    this.bytes = new TokenBucket(byteRate(this.limits.bytesPerSecond * limits.nodeMultiplier), nowMs)
  }

  join(): void {
    this.#peerCount++
  }

  leave(): void {
    this.#peerCount--
  }

  get share(): Rate {
    return byteRate(this.bytes.rate.perSecond / Math.max(1, this.#peerCount))
  }
}

export class InboundLimit {
  readonly #node: NodeInbound
  readonly #messages: PerLane<TokenBucket>
  readonly #bytes: TokenBucket
  /** This peer's share of the node's bytes. */
  readonly #share: TokenBucket
  #overSinceMs: number | null = null
  #windowStartMs = -Infinity
  #windowDropped = 0
  #charged = false
  #slowedCount = 0

  /** Critical bytes have no budget of their own here: reading stops for a whole link. */
  constructor(node: NodeInbound, nowMs: number) {
    this.#node = node
    node.join()
    this.#messages = perLane((lane) => new TokenBucket(messageRate(node.limits, lane), nowMs))
    this.#bytes = new TokenBucket(byteRate(node.limits.bytesPerSecond), nowMs)
    this.#share = new TokenBucket(node.share, nowMs)
  }

  /** How often reading stopped. */
  get slowedCount(): number {
    return this.#slowedCount
  }

  /** Bytes came, or were unpacked from what came. */
  read(bytes: number, nowMs: number): void {
    if (this.#overSinceMs !== null && this.#madeABreak(nowMs)) this.#overSinceMs = null
    this.#bytes.take(bytes, nowMs)
    this.#share.take(bytes, nowMs)
    this.#node.bytes.take(bytes, nowMs)
  }

  /** A message came. @returns whether it is to be processed; always true for one that may not be dropped. */
  admits(lane: Lane, droppable: boolean, nowMs: number): boolean {
    const bucket = this.#messages[lane]
    const isImpatient = this.#overSinceMs !== null && nowMs - this.#overSinceMs >= PATIENCE_MS
    if (droppable && bucket.tokens(nowMs) <= (isImpatient ? 0 : -bucket.rate.burst)) {
      this.#dropped(nowMs)
      return false
    }
    bucket.take(1, nowMs)
    return true
  }

  /** Call it after each read. @returns from when to read on; `nowMs` when nothing is owed. */
  readOnAtMs(nowMs: number): number {
    let messagesMs = nowMs
    for (const lane of LANES) messagesMs = Math.max(messagesMs, this.#messages[lane].readyAtMs(0, nowMs))
    if (messagesMs > nowMs) this.#overSinceMs ??= nowMs
    const atMs = Math.max(messagesMs, this.#bytes.readyAtMs(0, nowMs), this.#nodeReadyAtMs(nowMs))
    if (atMs > nowMs) this.#slowedCount++
    return atMs
  }

  /** @returns true once a second while the flood goes on: charge it as a fault. */
  isFault(nowMs: number): boolean {
    if (this.#charged || nowMs - this.#windowStartMs >= FAULT_WINDOW_MS) return false
    this.#charged = this.#windowDropped > this.#messages.normal.rate.perSecond * FAULT_SHARE
    return this.#charged
  }

  /** The peer is gone. */
  close(): void {
    this.#node.leave()
  }

  #nodeReadyAtMs(nowMs: number): number {
    const { share } = this.#node
    if (share.perSecond !== this.#share.rate.perSecond) this.#share.setRate(share, nowMs)
    return Math.min(this.#share.readyAtMs(0, nowMs), this.#node.bytes.readyAtMs(0, nowMs))
  }

  #madeABreak(nowMs: number): boolean {
    return LANES.every((lane) => {
      const bucket = this.#messages[lane]
      return bucket.tokens(nowMs) >= bucket.rate.burst * BREAK_SHARE
    })
  }

  #dropped(nowMs: number): void {
    if (nowMs - this.#windowStartMs >= FAULT_WINDOW_MS) {
      this.#windowStartMs = nowMs
      this.#windowDropped = 0
      this.#charged = false
    }
    this.#windowDropped++
  }
}
