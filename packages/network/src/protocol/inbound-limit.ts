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
import { allLanesRate, byteRate, inboundLimits, messageRate } from './traffic-limits.ts'
import type { TrafficLimits } from './traffic-limits.ts'

/** Longer than an honest peer needs to send what it had queued, at half the rate that is read. */
const PATIENCE_MS = 10_000
const FAULT_WINDOW_MS = 1000
const FAULT_SHARE = 0.1
/** A bucket so full was not in use: the peer made a break. */
const BREAK_SHARE = 0.1

/** What the node reads from all its peers together. */
export class NodeInbound {
  /** Of one peer. */
  readonly limits: TrafficLimits
  readonly messages: TokenBucket
  readonly bytes: TokenBucket
  peerCount = 0

  constructor(limits: TrafficLimits, nowMs: number) {
    this.limits = inboundLimits(limits)
    this.messages = new TokenBucket(allLanesRate(this.limits, limits.nodeMultiplier), nowMs)
    this.bytes = new TokenBucket(byteRate(this.limits.bytesPerSecond * limits.nodeMultiplier), nowMs)
  }
}

/** A peer's part of a budget of the node: it owes only when the whole budget and its equal share of it are used up (F5). */
class Share {
  readonly #whole: TokenBucket
  readonly #own: TokenBucket
  #among = 1

  constructor(whole: TokenBucket, nowMs: number) {
    this.#whole = whole
    this.#own = new TokenBucket(whole.rate, nowMs)
  }

  take(count: number, nowMs: number): void {
    this.#whole.take(count, nowMs)
    this.#own.take(count, nowMs)
  }

  readyAtMs(among: number, nowMs: number): number {
    if (among !== this.#among) {
      const { perSecond, burst } = this.#whole.rate
      this.#own.setRate({ perSecond: perSecond / among, burst: burst / among }, nowMs)
      this.#among = among
    }
    return Math.min(this.#own.readyAtMs(0, nowMs), this.#whole.readyAtMs(0, nowMs))
  }
}

export class InboundLimit {
  readonly #node: NodeInbound
  readonly #messages: PerLane<TokenBucket>
  readonly #bytes: TokenBucket
  readonly #messageShare: Share
  readonly #byteShare: Share
  #overSinceMs: number | null = null
  #windowStartMs = -Infinity
  #windowDropped = 0
  #charged = false
  #slowedCount = 0

  /** Critical bytes have no budget of their own here: reading stops for a whole link. */
  constructor(node: NodeInbound, nowMs: number) {
    this.#node = node
    node.peerCount++
    this.#messages = perLane((lane) => new TokenBucket(messageRate(node.limits, lane), nowMs))
    this.#bytes = new TokenBucket(byteRate(node.limits.bytesPerSecond), nowMs)
    this.#messageShare = new Share(node.messages, nowMs)
    this.#byteShare = new Share(node.bytes, nowMs)
  }

  /** How often reading stopped. */
  get slowedCount(): number {
    return this.#slowedCount
  }

  /** Bytes came, or were unpacked from what came. */
  read(bytes: number, nowMs: number): void {
    if (this.#overSinceMs !== null && this.#madeABreak(nowMs)) this.#overSinceMs = null
    this.#bytes.take(bytes, nowMs)
    this.#byteShare.take(bytes, nowMs)
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
    this.#messageShare.take(1, nowMs)
    return true
  }

  /** Call it after each read. @returns from when to read on; `nowMs` when nothing is owed. */
  readOnAtMs(nowMs: number): number {
    let messagesMs = nowMs
    for (const lane of LANES) messagesMs = Math.max(messagesMs, this.#messages[lane].readyAtMs(0, nowMs))
    if (messagesMs > nowMs) this.#overSinceMs ??= nowMs
    const { peerCount } = this.#node
    const atMs = Math.max(
      messagesMs,
      this.#bytes.readyAtMs(0, nowMs),
      this.#messageShare.readyAtMs(peerCount, nowMs),
      this.#byteShare.readyAtMs(peerCount, nowMs),
    )
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
    this.#node.peerCount--
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
