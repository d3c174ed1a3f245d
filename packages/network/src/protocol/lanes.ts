/**
 * The outgoing queue of one peer: four lanes, bounded in messages and bytes. Pure.
 * L1  critical goes first, up to `CRITICAL_BYTES_PER_PIECE` of a piece while others wait
 * L2  the other lanes share by weight (deficit round robin, Shreedhar and Varghese 1995): none starves
 * L3  a full lane drops its oldest gossip for new gossip, since the newest is the most useful and others relay it too;
 *     of anything else it refuses the new message, so that the producer knows
 * L4  a message that waited longer than its time to live is dropped; one whose first fragment left is always finished
 * L5  within a lane, order is kept
 * L6  a lane whose budget of messages is used up waits, and keeps no other from sending; where the bytes that lanes share are used up,
 *     the lane whose turn it is waits with its turn
 * @module
 */
import { assert } from '@althing/base'
import { FRAGMENT_BYTES_MAX, FRAME_HEADER_BYTES } from './frame.ts'
import type { Role } from './frame.ts'
import { LANES, perLane } from './lane.ts'
import type { Lane, PerLane } from './lane.ts'
import { Piece } from './piece.ts'
import { REASSEMBLY_BYTES_MAX } from './reassembly.ts'
import type { StepCounts } from './steps.ts'

/** The most that is handed to the link in one write. */
export const PIECE_BYTES_MAX = 64 * 1024
const CRITICAL_BYTES_PER_PIECE = 48 * 1024
/** What a lane may send in one round; the ratio 4:2:1 is PT-2's multipliers without the strict lane. */
const ROUND_BYTES = { high: 16 * 1024, normal: 8 * 1024, low: 4 * 1024 }
const SHARING: readonly (keyof typeof ROUND_BYTES)[] = ['high', 'normal', 'low']

export interface LaneLimits {
  readonly messagesMax: number
  readonly bytesMax: number
}

export interface Outgoing {
  readonly kind: number
  readonly lane: Lane
  readonly role: Role
  readonly requestId: number
  /** As it is sent. */
  readonly body: Uint8Array
  readonly compressed: boolean
  /** Of the body before it was compressed. */
  readonly plainBytes: number
  /** May be dropped for a newer one. */
  readonly gossip: boolean
  readonly expiresAtMs: number
}

type DropReason = 'queue full' | 'expired' | 'replaced by newer gossip' | 'closed'

/** What `Lanes` asks before a frame leaves, and tells after. */
export interface Outflow {
  readonly steps: StepCounts
  /** @returns from when the lane may begin a message; `nowMs` when it may now. */
  messageReadyAtMs(lane: Lane, nowMs: number): number
  /**
   * The lanes but the critical one share this.
   * @param messages 1 for a message's first frame, else 0.
   * @returns from when the frame may leave; `nowMs` when it may now, Infinity when the peer has to read first.
   */
  bytesReadyAtMs(lane: Lane, messages: number, bytes: number, nowMs: number): number
  take(lane: Lane, messages: number, bytes: number, nowMs: number): void
  /** The last frame of a message left. */
  sent(kind: number, lane: Lane, bytes: number): void
}

export interface LaneDepth {
  readonly messages: number
  readonly bytes: number
}

interface LaneState {
  readonly name: Lane
  readonly limits: LaneLimits
  queue: Outgoing[]
  /** Index of the first message still to send. */
  head: number
  /** Bytes of the first message that were sent already. */
  sentBytes: number
  bytes: number
  /** What is left of the round's allowance. */
  allowance: number
}

export class Lanes {
  readonly #lanes: PerLane<LaneState>
  readonly #outflow: Outflow
  /** Whose round it is, and whether it got its allowance. */
  #turn = 0
  #granted = false
  /** Sizes of the messages of which a fragment was sent and the last one was not. */
  #startedBytes = 0
  #readyAtMs = Infinity

  constructor(limits: PerLane<LaneLimits>, outflow: Outflow) {
    this.#outflow = outflow
    this.#lanes = perLane((lane) => ({
      name: lane,
      limits: limits[lane],
      queue: [],
      head: 0,
      sentBytes: 0,
      bytes: 0,
      allowance: 0,
    }))
  }

  /** @returns false when the lane is full. */
  push(message: Outgoing): boolean {
    const lane = this.#lanes[message.lane]
    while (!hasRoom(lane, message.body.length)) {
      if (!message.gossip || !this.#dropOldestGossip(lane)) {
        this.#drop(lane, 'queue full')
        return false
      }
    }
    lane.queue.push(message)
    lane.bytes += message.body.length
    this.#outflow.steps.enter('queue', message.lane)
    return true
  }

  /** The next frames to write, at most `PIECE_BYTES_MAX`, in parts that follow each other; null when nothing may leave now. */
  pull(nowMs: number): Uint8Array[] | null {
    const piece = new Piece()
    this.#readyAtMs = Infinity
    this.#fillCritical(piece, nowMs, CRITICAL_BYTES_PER_PIECE)
    this.#fillSharing(piece, nowMs)
    this.#fillCritical(piece, nowMs, PIECE_BYTES_MAX)
    return piece.length === 0 ? null : piece.parts()
  }

  depth(lane: Lane): LaneDepth {
    const state = this.#lanes[lane]
    return { messages: state.queue.length - state.head, bytes: state.bytes }
  }

  /** Nothing waits, not even a part of a message. */
  get isIdle(): boolean {
    return LANES.every((lane) => isEmpty(this.#lanes[lane]))
  }

  /** A producer may go on: less than half of the lane is used. */
  isReady(lane: Lane): boolean {
    const { messages, bytes } = this.depth(lane)
    const { limits } = this.#lanes[lane]
    return messages * 2 < limits.messagesMax && bytes * 2 < limits.bytesMax
  }

  /** When what the last `pull` had to leave may go; Infinity when it left nothing for want of budget. */
  get readyAtMs(): number {
    return this.#readyAtMs
  }

  /** Forgets everything that waits; the remote must discard the fragments that it has. */
  clear(): void {
    for (const name of LANES) {
      const lane = this.#lanes[name]
      const started = lane.sentBytes > 0 ? 1 : 0
      this.#outflow.steps.drop('bandwidth', name, 'closed', started)
      this.#outflow.steps.drop('queue', name, 'closed', lane.queue.length - lane.head - started)
      Object.assign(lane, { queue: [], head: 0, sentBytes: 0, bytes: 0, allowance: 0 })
    }
    this.#startedBytes = 0
    this.#readyAtMs = Infinity
  }

  #fillCritical(piece: Piece, nowMs: number, pieceBytesMax: number): void {
    const lane = this.#lanes.critical
    for (;;) {
      const frameBytes = this.#frameBytes(lane, nowMs)
      if (frameBytes === 0 || piece.length + frameBytes > pieceBytesMax) return
      if (!this.#hasMessageBudget(lane, nowMs) || !this.#hasBytes(lane, frameBytes, nowMs)) return
      this.#take(lane, piece, nowMs)
    }
  }

  #fillSharing(piece: Piece, nowMs: number): void {
    let idleLanes = 0
    while (idleLanes < SHARING.length) {
      const name = SHARING[this.#turn]!
      const lane = this.#lanes[name]
      const frameBytes = this.#frameBytes(lane, nowMs)
      if (frameBytes === 0 || !this.#hasMessageBudget(lane, nowMs)) {
        lane.allowance = 0
        idleLanes++
        this.#nextTurn()
        continue
      }
      idleLanes = 0
      if (!this.#granted) {
        lane.allowance += ROUND_BYTES[name]
        this.#granted = true
      }
      if (frameBytes > lane.allowance) {
        this.#nextTurn()
        continue
      }
      if (piece.length + frameBytes > PIECE_BYTES_MAX || !this.#hasBytes(lane, frameBytes, nowMs)) return
      lane.allowance -= frameBytes
      this.#take(lane, piece, nowMs)
    }
  }

  #nextTurn(): void {
    this.#turn = (this.#turn + 1) % SHARING.length
    this.#granted = false
  }

  /** Size of the lane's next frame with its header; 0 when it has none that may go now. */
  #frameBytes(lane: LaneState, nowMs: number): number {
    if (lane.sentBytes === 0) this.#dropExpired(lane, nowMs)
    const message = lane.queue[lane.head]
    if (message === undefined) return 0
    const { length } = message.body
    const starts = lane.sentBytes === 0 && length > FRAGMENT_BYTES_MAX
    if (starts && this.#startedBytes + length > REASSEMBLY_BYTES_MAX) return 0
    return FRAME_HEADER_BYTES + Math.min(FRAGMENT_BYTES_MAX, length - lane.sentBytes)
  }

  #hasMessageBudget({ name, sentBytes }: LaneState, nowMs: number): boolean {
    return sentBytes > 0 || this.#isDue(this.#outflow.messageReadyAtMs(name, nowMs), nowMs)
  }

  #hasBytes({ name, sentBytes }: LaneState, frameBytes: number, nowMs: number): boolean {
    const messages = sentBytes === 0 ? 1 : 0
    return this.#isDue(this.#outflow.bytesReadyAtMs(name, messages, frameBytes, nowMs), nowMs)
  }

  #isDue(atMs: number, nowMs: number): boolean {
    if (atMs <= nowMs) return true
    this.#readyAtMs = Math.min(this.#readyAtMs, atMs)
    return false
  }

  #take(lane: LaneState, piece: Piece, nowMs: number): void {
    const message = lane.queue[lane.head]
    assert(message !== undefined, 'a lane with a next frame has a message')
    const end = Math.min(lane.sentBytes + FRAGMENT_BYTES_MAX, message.body.length)
    const more = end < message.body.length
    const isFirst = lane.sentBytes === 0
    const { kind, role, requestId, compressed, body } = message
    const part = isFirst && !more ? body : body.subarray(lane.sentBytes, end)
    piece.add({ kind, lane: lane.name, role, more, compressed, requestId }, part)
    this.#outflow.take(lane.name, isFirst ? 1 : 0, FRAME_HEADER_BYTES + end - lane.sentBytes, nowMs)
    this.#countSteps(message, isFirst, !more)
    if (more && lane.sentBytes === 0) this.#startedBytes += message.body.length
    if (!more && lane.sentBytes > 0) this.#startedBytes -= message.body.length
    if (more) lane.sentBytes = end
    else advance(lane)
  }

  #dropExpired(lane: LaneState, nowMs: number): void {
    for (;;) {
      const message = lane.queue[lane.head]
      if (message === undefined || message.expiresAtMs > nowMs) return
      advance(lane)
      this.#drop(lane, 'expired')
    }
  }

  #dropOldestGossip(lane: LaneState): boolean {
    const first = lane.sentBytes === 0 ? lane.head : lane.head + 1
    const index = lane.queue.findIndex((message, at) => at >= first && message.gossip)
    if (index === -1) return false
    lane.bytes -= lane.queue[index]!.body.length
    lane.queue.splice(index, 1)
    this.#drop(lane, 'replaced by newer gossip')
    return true
  }

  #countSteps({ kind, lane, plainBytes }: Outgoing, isFirst: boolean, isLast: boolean): void {
    const { steps } = this.#outflow
    if (isFirst) {
      steps.leave('queue', lane)
      steps.pass('rateCheck', lane)
      steps.enter('bandwidth', lane)
    }
    if (!isLast) return
    steps.leave('bandwidth', lane)
    steps.pass('transmission', lane)
    this.#outflow.sent(kind, lane, plainBytes)
  }

  #drop({ name }: LaneState, reason: DropReason): void {
    this.#outflow.steps.drop('queue', name, reason)
  }
}

function isEmpty(lane: LaneState): boolean {
  return lane.head === lane.queue.length
}

function hasRoom({ queue, head, bytes, limits }: LaneState, bodyBytes: number): boolean {
  return queue.length - head < limits.messagesMax && bytes + bodyBytes <= limits.bytesMax
}

const COMPACT_AFTER = 256

function advance(lane: LaneState): void {
  lane.bytes -= lane.queue[lane.head]!.body.length
  lane.sentBytes = 0
  lane.head++
  if (isEmpty(lane)) {
    lane.queue = []
    lane.head = 0
  } else if (lane.head >= COMPACT_AFTER && lane.head * 2 >= lane.queue.length) {
    lane.queue = lane.queue.slice(lane.head)
    lane.head = 0
  }
}
