/**
 * Puts the parts of frames, and the fragments of messages, together. Pure.
 * A1  at most one message per lane is incomplete, since a sender finishes one before it starts the next of that lane
 * A2  incomplete messages in fragments, of one peer, hold at most `REASSEMBLY_BYTES_MAX` in all
 * A3  a message larger than its kind allows is refused with the fragment that exceeds it, not after the last one
 * A4  a body is copied once, from the chunk that it came in
 * @module
 */
import type { Fault } from '@althing/base'
import type { Frame, FrameHeader, FramePart } from './frame.ts'
import type { Lane } from './lane.ts'

/** Part of the protocol: a sender starts no further fragmented message that would go beyond it. */
export const REASSEMBLY_BYTES_MAX = 16 * 1024 * 1024

interface Partial {
  readonly first: FrameHeader
  /** As large as what is in it, or larger. */
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

const NO_BYTES = new Uint8Array(0)
const INCOMPLETE: Reassembled = { kind: 'incomplete' }

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
  add(part: FramePart, bytesMax: number): Reassembled {
    const partial = this.#partialByLane.get(part.lane)
    if (part.isFirst) {
      const fault = beginFault(part, partial, bytesMax)
      if (fault !== null) return fault
      if (partial === undefined && !part.more && part.missing === 0) {
        return { kind: 'complete', message: messageOf(part, part.body.slice()) }
      }
    }
    const current = partial ?? begun(part)
    const bytes = current.bytes + part.body.length
    if (current.first.more && !this.#hold(part.body.length)) {
      return faulty('REASSEMBLY_FULL', `incomplete messages hold more than ${REASSEMBLY_BYTES_MAX} bytes`)
    }
    if (bytes + part.missing > current.room.length) current.room = grown(current.room, bytesMax)
    current.room.set(part.body, current.bytes)
    current.bytes = bytes
    if (part.more || part.missing > 0) {
      if (partial === undefined) this.#partialByLane.set(part.lane, current)
      return INCOMPLETE
    }
    this.#partialByLane.delete(part.lane)
    if (current.first.more) this.#bytes -= bytes
    return { kind: 'complete', message: messageOf(part, whole(current)) }
  }

  #hold(bytes: number): boolean {
    this.#bytes += bytes
    return this.#bytes <= REASSEMBLY_BYTES_MAX
  }

  clear(): void {
    this.#partialByLane.clear()
    this.#bytes = 0
  }
}

/** Of the first part of a frame. */
function beginFault(part: FramePart, partial: Partial | undefined, bytesMax: number): Reassembled | null {
  if (partial !== undefined && !continues(partial.first, part)) {
    return faulty(
      'FRAGMENT_ORDER',
      `a message of kind ${part.kind} cuts into one of kind ${partial.first.kind}`,
    )
  }
  const bytes = part.body.length + part.missing
  if (part.more && bytes === 0) return faulty('FRAGMENT_EMPTY', 'an empty fragment')
  const total = (partial?.bytes ?? 0) + bytes
  return total > bytesMax ? tooLarge(part, total, bytesMax) : null
}

/** A message in one frame gets the room that it needs; of one in fragments the size is not known. */
function begun(first: FramePart): Partial {
  const bytes = first.body.length + first.missing
  const room = new Uint8Array(first.more ? ROOM_BYTES_MIN : bytes)
  return { first: messageOf(first, NO_BYTES), room, bytes: 0 }
}

function messageOf({ kind, lane, role, more, compressed, requestId }: FrameHeader, body: Uint8Array): Frame {
  return { kind, lane, role, more, compressed, requestId, body }
}

function grown(room: Uint8Array<ArrayBuffer>, bytesMax: number): Uint8Array<ArrayBuffer> {
  return moved(room, Math.max(ROOM_BYTES_MIN, Math.min(bytesMax, room.length * ROOM_GROWTH)))
}

function whole({ room, bytes }: Partial): Uint8Array {
  return room.length - bytes > room.length * WASTE_MAX ? moved(room, bytes) : room.subarray(0, bytes)
}

/** What it was in is free at once, not only when V8 collects its heap. */
function moved(room: Uint8Array<ArrayBuffer>, bytes: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(room.buffer.transfer(bytes))
}

function continues(first: FrameHeader, next: FrameHeader): boolean {
  return (
    first.kind === next.kind &&
    first.role === next.role &&
    first.requestId === next.requestId &&
    first.compressed === next.compressed
  )
}

function tooLarge(frame: FrameHeader, bytes: number, bytesMax: number): Reassembled {
  return faulty('MESSAGE_TOO_LARGE', `${bytes} bytes of kind ${frame.kind}; at most ${bytesMax} allowed`)
}

function faulty(code: string, message: string): Reassembled {
  return { kind: 'fault', fault: { code, message } }
}
