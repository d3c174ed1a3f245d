/**
 * Puts the fragments of messages together again. Pure.
 * A1  at most one message per lane is incomplete, since a sender finishes one before it starts the next of that lane
 * A2  incomplete messages of one peer hold at most `REASSEMBLY_BYTES_MAX` in all
 * A3  a message larger than its kind allows is refused with the fragment that exceeds it, not after the last one
 * @module
 */
import type { Fault } from '@althing/base'
import type { Frame } from './frame.ts'
import type { Lane } from './lane.ts'

/** Part of the protocol: a sender starts no further fragmented message that would go beyond it. */
export const REASSEMBLY_BYTES_MAX = 16 * 1024 * 1024

interface Partial {
  readonly first: Frame
  /** Larger than what is in it. */
  room: Uint8Array<ArrayBuffer>
  bytes: number
}

const ROOM_BYTES_MIN = 64 * 1024
/** Memory that is not written to costs little: growing fast saves copies. */
const ROOM_GROWTH = 4
/** Of the room of a whole message; with more it is moved to one that fits. */
const WASTE_MAX = 0.25

export type Reassembled =
  | { readonly kind: 'incomplete' }
  /** Its body is a copy of its own: keeping it keeps nothing else alive. */
  | { readonly kind: 'complete'; readonly message: Frame }
  | { readonly kind: 'fault'; readonly fault: Fault }

export class Reassembler {
  readonly #partialByLane = new Map<Lane, Partial>()
  #bytes = 0

  get heldBytes(): number {
    return this.#bytes
  }

  /** Lanes with an incomplete message. */
  get lanes(): Iterable<Lane> {
    return this.#partialByLane.keys()
  }

  isPartial(lane: Lane): boolean {
    return this.#partialByLane.has(lane)
  }

  /** @param bytesMax how large a message of this frame's kind may be. */
  add(frame: Frame, bytesMax: number): Reassembled {
    const partial = this.#partialByLane.get(frame.lane)
    if (partial === undefined && !frame.more) {
      return frame.body.length > bytesMax
        ? tooLarge(frame, frame.body.length, bytesMax)
        : { kind: 'complete', message: { ...frame, body: frame.body.slice() } }
    }
    if (partial !== undefined && !continues(partial.first, frame)) {
      return faulty(
        'FRAGMENT_ORDER',
        `a message of kind ${frame.kind} cuts into one of kind ${partial.first.kind}`,
      )
    }
    if (frame.more && frame.body.length === 0) return faulty('FRAGMENT_EMPTY', 'an empty fragment')
    const current = partial ?? { first: frame, room: new Uint8Array(ROOM_BYTES_MIN), bytes: 0 }
    const bytes = current.bytes + frame.body.length
    if (bytes > bytesMax) return tooLarge(frame, bytes, bytesMax)
    this.#bytes += frame.body.length
    if (this.#bytes > REASSEMBLY_BYTES_MAX) {
      return faulty('REASSEMBLY_FULL', `incomplete messages hold more than ${REASSEMBLY_BYTES_MAX} bytes`)
    }
    if (bytes > current.room.length) current.room = grown(current.room, bytesMax)
    current.room.set(frame.body, current.bytes)
    current.bytes = bytes
    if (frame.more) {
      this.#partialByLane.set(frame.lane, current)
      return { kind: 'incomplete' }
    }
    this.#partialByLane.delete(frame.lane)
    this.#bytes -= bytes
    return { kind: 'complete', message: { ...frame, body: whole(current) } }
  }

  clear(): void {
    this.#partialByLane.clear()
    this.#bytes = 0
  }
}

function grown(room: Uint8Array, bytesMax: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.max(ROOM_BYTES_MIN, Math.min(bytesMax, room.length * ROOM_GROWTH)))
  larger.set(room)
  return larger
}

function whole({ room, bytes }: Partial): Uint8Array {
  return room.length - bytes > room.length * WASTE_MAX ? room.slice(0, bytes) : room.subarray(0, bytes)
}

function continues(first: Frame, next: Frame): boolean {
  return (
    first.kind === next.kind &&
    first.role === next.role &&
    first.requestId === next.requestId &&
    first.compressed === next.compressed
  )
}

function tooLarge(frame: Frame, bytes: number, bytesMax: number): Reassembled {
  return faulty('MESSAGE_TOO_LARGE', `${bytes} bytes of kind ${frame.kind}; at most ${bytesMax} allowed`)
}

function faulty(code: string, message: string): Reassembled {
  return { kind: 'fault', fault: { code, message } }
}
