/**
 * From frames to messages: put together, unpacked, held against the size of their kind and the rate of their lane, each step
 * counted (PT-10). Pure.
 * @module
 */
import type { Codec } from './compression.ts'
import { controlBytesMax } from './control.ts'
import type { Frame, FramePart } from './frame.ts'
import type { Kind, KindTable } from './kinds.ts'
import { Reassembler } from './reassembly.ts'
import type { StepCounts } from './steps.ts'
import type { PeerTraffic } from './traffic.ts'

export type Taken =
  | { readonly kind: 'nothing' }
  /** @property of null for the session's own kinds. */
  | { readonly kind: 'message'; readonly of: Kind | null; readonly message: Frame }
  /** Dropped, the peer being over its limit. */
  | { readonly kind: 'tooMany'; readonly message: Frame }
  | { readonly kind: 'fault'; readonly message: string }

const NOTHING: Taken = { kind: 'nothing' }

export class Intake {
  readonly #kinds: KindTable
  readonly #codec: Codec
  readonly #traffic: PeerTraffic
  readonly #steps: StepCounts
  readonly #reassembler = new Reassembler()
  /** Whether compression was agreed on. */
  mayUnpack = false

  constructor(kinds: KindTable, codec: Codec, traffic: PeerTraffic) {
    this.#kinds = kinds
    this.#codec = codec
    this.#traffic = traffic
    this.#steps = traffic.steps
  }

  /**
   * Of a whole message `judged` must be told what became of it.
   * @param mayDrop false during the handshake; answers to us, and the session's own messages, are taken in any case.
   */
  take(frame: FramePart, mayDrop: boolean, nowMs: number): Taken {
    const { lane } = frame
    const kind = this.#kinds.byId.get(frame.kind) ?? null
    const bytesMax = kind?.maxBytes ?? controlBytesMax(frame.kind)
    if (!this.#reassembler.isPartial(lane)) this.#steps.enter('reception', lane)
    if (bytesMax === null) return this.#unreadable(frame, `unknown kind ${frame.kind}`)
    const whole = this.#reassembler.add(frame, bytesMax)
    if (whole.kind === 'incomplete') return NOTHING
    if (whole.kind === 'fault') {
      return this.#unreadable(frame, `${whole.fault.code}: ${whole.fault.message}`)
    }
    this.#steps.leave('reception', lane)
    this.#steps.enter('validation', lane)
    const message = whole.message.compressed ? this.#unpacked(whole.message, bytesMax, nowMs) : whole.message
    if (message === null) {
      this.#steps.drop('validation', lane, 'fault')
      return { kind: 'fault', message: `a message of kind ${frame.kind} cannot be decompressed` }
    }
    const droppable = mayDrop && kind !== null && message.role !== 'answer'
    if (!this.#traffic.inbound.admits(lane, droppable, nowMs)) {
      this.#steps.drop('validation', lane, 'rate limit')
      return { kind: 'tooMany', message }
    }
    this.#traffic.received(message.kind, lane, message.body.length)
    return { kind: 'message', of: kind, message }
  }

  /** @param isGood false: it was a fault. What goes to a handler is counted as processed there. */
  judged({ of, message: { lane, role } }: Extract<Taken, { kind: 'message' }>, isGood: boolean): void {
    if (!isGood) return this.#steps.drop('validation', lane, 'fault')
    this.#steps.leave('validation', lane)
    if (of === null || role === 'answer') this.#steps.pass('processing', lane)
  }

  /** The session is over: what is incomplete stays so. */
  clear(): void {
    for (const lane of this.#reassembler.lanes) this.#steps.drop('reception', lane, 'closed')
    this.#reassembler.clear()
  }

  /** A bomb is none: no more than the kind allows is unpacked, and it counts as read (PT-13). */
  #unpacked(message: Frame, bytesMax: number, nowMs: number): Frame | null {
    if (!this.mayUnpack) return null
    const body = this.#codec.decompress(message.body, bytesMax)
    if (body === null) return null
    this.#traffic.inbound.read(Math.max(0, body.length - message.body.length), nowMs)
    return { ...message, body, compressed: false }
  }

  /** What is incomplete is counted by `clear`. */
  #unreadable({ lane }: Frame, message: string): Taken {
    if (!this.#reassembler.isPartial(lane)) this.#steps.drop('reception', lane, 'fault')
    return { kind: 'fault', message }
  }
}
