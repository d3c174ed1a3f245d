/**
 * The frame: what a session stream is made of. Pure.
 *
 *     length u32be   bytes that follow: 6 + body
 *     kind u8        1..127 the application's, 128.. the session's own
 *     flags u8       bits 0-1 lane, bit 2 more fragments follow, bits 3-4 role, bit 5 compressed, bits 6-7 zero
 *     request u32be  when the role is `message`: of gossip, the number under which its origin sends; else 0
 *     body           at most 16 KiB
 *
 * F1  a frame never carries more than `FRAGMENT_BYTES_MAX`, so that a critical frame waits for at most one of them
 * F2  the decoder never throws, and never holds more than one frame of unread bytes
 * @module
 */
import { fail } from '@althing/base'
import type { Fault } from '@althing/base'
import { LANES } from './lane.ts'
import type { Lane } from './lane.ts'

export const FRAME_HEADER_BYTES = 10
export const FRAGMENT_BYTES_MAX = 16 * 1024

/** What a frame is part of; the index is its number on the wire. */
export type Role = 'message' | 'request' | 'answer'
const ROLES: readonly Role[] = ['message', 'request', 'answer']

const LENGTH_BYTES = 4
const AFTER_LENGTH_BYTES = FRAME_HEADER_BYTES - LENGTH_BYTES
const MORE_FLAG = 0b100
const ROLE_SHIFT = 3
const COMPRESSED_FLAG = 0b10_0000
const FLAGS_UNUSED = 0b1100_0000

export interface FrameHeader {
  readonly kind: number
  readonly lane: Lane
  readonly role: Role
  /** More fragments of the same message follow in this lane. */
  readonly more: boolean
  /** The message, put together, is compressed; the same in all its fragments. Only to a peer that offers the feature. */
  readonly compressed: boolean
  readonly requestId: number
}

export interface Frame extends FrameHeader {
  /** A copy of its own: keeping it keeps nothing else alive. */
  readonly body: Uint8Array
}

/**
 * Writes one frame.
 * @param body at most `FRAGMENT_BYTES_MAX` bytes.
 * @returns the offset after it.
 */
export function writeFrame(out: Uint8Array, offset: number, header: FrameHeader, body: Uint8Array): number {
  writeU32(out, offset, AFTER_LENGTH_BYTES + body.length)
  out[offset + 4] = header.kind
  out[offset + 5] =
    LANES.indexOf(header.lane) |
    (header.more ? MORE_FLAG : 0) |
    (ROLES.indexOf(header.role) << ROLE_SHIFT) |
    (header.compressed ? COMPRESSED_FLAG : 0)
  writeU32(out, offset + 6, header.requestId)
  out.set(body, offset + FRAME_HEADER_BYTES)
  return offset + FRAME_HEADER_BYTES + body.length
}

export interface DecodedFrames {
  readonly frames: readonly Frame[]
  /** The stream cannot be read on after a fault; the frames before it are good. */
  readonly fault: Fault | null
}

/** Cuts a byte stream into frames, however the chunks fall. Each byte is copied once, to the body that it belongs to. */
export class FrameDecoder {
  readonly #header = new Uint8Array(FRAME_HEADER_BYTES)
  #headerFilled = 0
  /** The frame whose header is complete. */
  #frame: Frame | null = null
  #bodyFilled = 0
  #fault: Fault | null = null

  /** Bytes of an incomplete frame. */
  get unreadBytes(): number {
    return this.#headerFilled + this.#bodyFilled
  }

  push(chunk: Uint8Array): DecodedFrames {
    const frames: Frame[] = []
    let offset = 0
    while (offset < chunk.length && this.#fault === null) {
      offset +=
        this.#frame === null ? this.#fillHeader(chunk, offset) : this.#fillBody(this.#frame, chunk, offset)
      if (this.#frame === null || this.#bodyFilled < this.#frame.body.length) continue
      frames.push(this.#frame)
      this.#reset()
    }
    if (this.#fault !== null) this.#reset()
    return { frames, fault: this.#fault }
  }

  /** @returns how many bytes it took. */
  #fillHeader(chunk: Uint8Array, offset: number): number {
    // The length alone first: a wrong one is found without waiting for what may never come.
    const end = this.#headerFilled < LENGTH_BYTES ? LENGTH_BYTES : FRAME_HEADER_BYTES
    const part = chunk.subarray(offset, offset + end - this.#headerFilled)
    this.#header.set(part, this.#headerFilled)
    this.#headerFilled += part.length
    if (this.#headerFilled === LENGTH_BYTES) this.#fault = checkLength(readU32(this.#header, 0))
    if (this.#headerFilled === FRAME_HEADER_BYTES) {
      this.#frame = beginFrame(this.#header)
      if (this.#frame === null) this.#fault = fail('FRAME_FLAGS', `unknown flags ${this.#header[5]}`).fault
    }
    return part.length
  }

  #fillBody({ body }: Frame, chunk: Uint8Array, offset: number): number {
    const part = chunk.subarray(offset, offset + body.length - this.#bodyFilled)
    body.set(part, this.#bodyFilled)
    this.#bodyFilled += part.length
    return part.length
  }

  #reset(): void {
    this.#headerFilled = 0
    this.#frame = null
    this.#bodyFilled = 0
  }
}

function checkLength(length: number): Fault | null {
  if (length < AFTER_LENGTH_BYTES)
    return fail('FRAME_SHORT', `a frame of ${length} bytes has no header`).fault
  if (length > AFTER_LENGTH_BYTES + FRAGMENT_BYTES_MAX) {
    return fail(
      'FRAME_TOO_LARGE',
      `a frame of ${length} bytes; at most ${FRAGMENT_BYTES_MAX} of body allowed`,
    ).fault
  }
  return null
}

/** The frame of a header, its body still to fill; null when the flags are not known. */
function beginFrame(header: Uint8Array): Frame | null {
  const flags = header[5]!
  const role = ROLES[(flags >> ROLE_SHIFT) & 0b11]
  if (role === undefined || (flags & FLAGS_UNUSED) !== 0) return null
  return {
    kind: header[4]!,
    lane: LANES[flags & 0b11]!,
    role,
    more: (flags & MORE_FLAG) !== 0,
    compressed: (flags & COMPRESSED_FLAG) !== 0,
    requestId: readU32(header, 6),
    body: new Uint8Array(readU32(header, 0) - AFTER_LENGTH_BYTES),
  }
}

function readU32(bytes: Uint8Array, offset: number): number {
  return (
    ((bytes[offset]! << 24) | (bytes[offset + 1]! << 16) | (bytes[offset + 2]! << 8) | bytes[offset + 3]!) >>>
    0
  )
}

function writeU32(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 24
  bytes[offset + 1] = value >>> 16
  bytes[offset + 2] = value >>> 8
  bytes[offset + 3] = value
}
