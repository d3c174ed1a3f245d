/**
 * Puts the fragments of messages together again. Pure.
 * A1  at most one message per lane is incomplete, since a sender finishes one before it starts the next of that lane
 * A2  incomplete messages of one peer hold at most `REASSEMBLY_BYTES_MAX` in all
 * A3  a message larger than its kind allows is refused with the fragment that exceeds it, not after the last one
 * @module
 */
import { concatBytes } from '@althing/base'
import type { Fault } from '@althing/base'
import type { Frame } from './frame.ts'
import type { Lane } from './lane.ts'

/** Part of the protocol: a sender starts no further fragmented message that would go beyond it. */
export const REASSEMBLY_BYTES_MAX = 16 * 1024 * 1024

interface Partial {
  readonly first: Frame
  readonly parts: Uint8Array[]
  bytes: number
}

export type Reassembled =
  | { readonly kind: 'incomplete' }
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
        : { kind: 'complete', message: frame }
    }
    if (partial !== undefined && !continues(partial.first, frame)) {
      return faulty(
        'FRAGMENT_ORDER',
        `a message of kind ${frame.kind} cuts into one of kind ${partial.first.kind}`,
      )
    }
    if (frame.more && frame.body.length === 0) return faulty('FRAGMENT_EMPTY', 'an empty fragment')
    const current = partial ?? { first: frame, parts: [], bytes: 0 }
    current.parts.push(frame.body)
    current.bytes += frame.body.length
    this.#bytes += frame.body.length
    if (current.bytes > bytesMax) return tooLarge(frame, current.bytes, bytesMax)
    if (this.#bytes > REASSEMBLY_BYTES_MAX) {
      return faulty('REASSEMBLY_FULL', `incomplete messages hold more than ${REASSEMBLY_BYTES_MAX} bytes`)
    }
    if (frame.more) {
      this.#partialByLane.set(frame.lane, current)
      return { kind: 'incomplete' }
    }
    this.#partialByLane.delete(frame.lane)
    this.#bytes -= current.bytes
    return { kind: 'complete', message: { ...frame, body: concatBytes(...current.parts) } }
  }

  clear(): void {
    this.#partialByLane.clear()
    this.#bytes = 0
  }
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
