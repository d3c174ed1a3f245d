/**
 * What a node, and each of its peers, sends and reads: limits and counts in one place. Pure.
 * @module
 */
import { AdaptiveLimit } from './adaptive-limit.ts'
import type { LimitMove } from './adaptive-limit.ts'
import { InboundLimit, NodeInbound } from './inbound-limit.ts'
import { LANES } from './lane.ts'
import type { Lane } from './lane.ts'
import { NodeBudget, PeerBudget } from './send-budget.ts'
import { StepCounts } from './steps.ts'
import type { TrafficLimits } from './traffic-limits.ts'
import type { SendWindow } from './window.ts'

const MOVES_KEPT = 32
/** How long is measured before a limit moves. */
const MEASURE_MS = 1000

/** Messages of one kind and lane in one direction, since the start. */
export interface KindCount {
  /** On the wire. */
  readonly kind: number
  readonly lane: Lane
  messages: number
  /** Of bodies, as their users see them; frames and compression not counted. */
  bytes: number
}

/** @property peer whose limit moved. */
export type PeerMove = LimitMove & { readonly peer: string }

export class NodeTraffic<Peer> {
  readonly limits: TrafficLimits
  readonly steps = new StepCounts()
  readonly budget: NodeBudget<Peer>
  readonly inbound: NodeInbound
  /** By kind and lane. */
  readonly #sent = new Map<number, KindCount>()
  readonly #received = new Map<number, KindCount>()
  readonly #moves: PeerMove[] = []
  /** On the wire, of all peers since the start. */
  bytesSent = 0
  bytesReceived = 0

  constructor(limits: TrafficLimits, nowMs: number) {
    this.limits = limits
    this.budget = new NodeBudget(limits, nowMs)
    this.inbound = new NodeInbound(limits, nowMs)
  }

  sent(kind: number, lane: Lane, bytes: number): void {
    count(this.#sent, kind, lane, bytes)
  }

  received(kind: number, lane: Lane, bytes: number): void {
    count(this.#received, kind, lane, bytes)
  }

  get sentByKind(): readonly Readonly<KindCount>[] {
    return [...this.#sent.values()]
  }

  get receivedByKind(): readonly Readonly<KindCount>[] {
    return [...this.#received.values()]
  }

  moved(move: PeerMove): void {
    this.#moves.push(move)
    if (this.#moves.length > MOVES_KEPT) this.#moves.shift()
  }

  /** The last 32 moves of limits, oldest first. */
  get moves(): readonly PeerMove[] {
    return [...this.#moves]
  }
}

export class PeerTraffic<Peer = unknown> {
  readonly steps: StepCounts
  readonly inbound: InboundLimit
  /** Null unless the peer credits what it reads. */
  window: SendWindow | null = null
  readonly #node: NodeTraffic<Peer>
  readonly #peerId: string
  readonly #budget: PeerBudget<Peer>
  readonly #adaptive: AdaptiveLimit
  #measuredSinceMs: number
  #measuredBytes = 0
  #measuredBlockedMs = 0
  #blockedSinceMs: number | null = null

  /** @param peer what `NodeBudget.nextTurn` names it. */
  constructor(peer: Peer, peerId: string, node: NodeTraffic<Peer>, nowMs: number) {
    this.steps = node.steps
    this.inbound = new InboundLimit(node.inbound, nowMs)
    this.#node = node
    this.#peerId = peerId
    this.#budget = new PeerBudget(peer, node.limits, node.budget, nowMs)
    this.#adaptive = new AdaptiveLimit(node.limits.bytesPerSecond)
    this.#measuredSinceMs = nowMs
  }

  /** Of all lanes but the critical one. */
  get bytesPerSecond(): number {
    return this.#adaptive.perSecond
  }

  /** @returns from when the lane may begin a message. */
  messageReadyAtMs(lane: Lane, nowMs: number): number {
    return this.#budget.messageReadyAtMs(lane, nowMs)
  }

  /**
   * @param messages 1 for the first frame of a message, 0 for the others.
   * @returns from when a frame may leave; Infinity when the peer has to read first.
   */
  bytesReadyAtMs(lane: Lane, messages: number, bytes: number, nowMs: number): number {
    if (lane !== 'critical' && this.window?.admits(bytes) === false) return Infinity
    return this.#budget.bytesReadyAtMs(lane, messages, bytes, nowMs)
  }

  /** A frame leaves. */
  take(lane: Lane, messages: number, bytes: number, nowMs: number): void {
    this.#budget.take(lane, messages, bytes, nowMs)
    if (lane !== 'critical') this.window?.sent(bytes, nowMs)
    this.#measuredBytes += bytes
    this.#node.bytesSent += bytes
  }

  /** Bytes came. */
  read(bytes: number, nowMs: number): void {
    this.#node.bytesReceived += bytes
    this.inbound.read(bytes, nowMs)
  }

  sent(kind: number, lane: Lane, bytes: number): void {
    this.#node.sent(kind, lane, bytes)
  }

  received(kind: number, lane: Lane, bytes: number): void {
    this.#node.received(kind, lane, bytes)
  }

  /** @param writable whether the link, and the window, take bytes now. The limit moves here, when enough was measured: an idle peer needs no timer. */
  measure(writable: boolean, latencyMs: number | null, nowMs: number): void {
    if (this.#blockedSinceMs !== null) this.#measuredBlockedMs += nowMs - this.#blockedSinceMs
    this.#blockedSinceMs = writable ? null : nowMs
    const windowMs = nowMs - this.#measuredSinceMs
    if (windowMs < MEASURE_MS) return
    const measured = { windowMs, bytes: this.#measuredBytes, blockedMs: this.#measuredBlockedMs, latencyMs }
    this.#measuredSinceMs = nowMs
    this.#measuredBytes = 0
    this.#measuredBlockedMs = 0
    if (!this.#node.limits.adaptiveLimits) return
    const move = this.#adaptive.observe(measured, nowMs)
    if (move === null) return
    this.#budget.setBytesPerSecond(move.to, nowMs)
    this.#node.moved({ ...move, peer: this.#peerId })
  }

  /** The session is over. */
  close(): void {
    this.#budget.close()
    this.inbound.close()
  }
}

function count(counts: Map<number, KindCount>, kind: number, lane: Lane, bytes: number): void {
  const key = kind * LANES.length + LANES.indexOf(lane)
  let counted = counts.get(key)
  if (counted === undefined) counts.set(key, (counted = { kind, lane, messages: 0, bytes: 0 }))
  counted.messages++
  counted.bytes += bytes
}
