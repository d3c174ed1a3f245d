/**
 * The frame: what a session stream is made of. Pure.
 *
 *     length u32be   bytes that follow: 6 + body
 *     kind u8        1..127 the application's, 128.. the session's own
 *     flags u8       bits 0-1 lane, bit 2 more fragments follow, bits 3-4 role, bits 5-7 zero
 *     request u32be  0 when the role is `message`
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
const FLAGS_UNUSED = 0b1110_0000

export interface FrameHeader {
  readonly kind: number
  readonly lane: Lane
  readonly role: Role
  /** More fragments of the same message follow in this lane. */
  readonly more: boolean
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
    LANES.indexOf(header.lane) | (header.more ? MORE_FLAG : 0) | (ROLES.indexOf(header.role) << ROLE_SHIFT)
  writeU32(out, offset + 6, header.requestId)
  out.set(body, offset + FRAME_HEADER_BYTES)
  return offset + FRAME_HEADER_BYTES + body.length
}

export interface DecodedFrames {
  readonly frames: readonly Frame[]
  /** The stream cannot be read on after a fault; the frames before it are good. */
  readonly fault: Fault | null
}

/** Cuts a byte stream into frames, however the chunks fall. */
export class FrameDecoder {
  #unread: Uint8Array = new Uint8Array(0)
  #fault: Fault | null = null

  /** Bytes of an incomplete frame. */
  get unreadBytes(): number {
    return this.#unread.length
  }

  push(chunk: Uint8Array): DecodedFrames {
    if (this.#fault !== null) return { frames: [], fault: this.#fault }
    const bytes = this.#unread.length === 0 ? chunk : join(this.#unread, chunk)
    const frames: Frame[] = []
    let offset = 0
    while (bytes.length - offset >= LENGTH_BYTES) {
      const length = readU32(bytes, offset)
      this.#fault = checkLength(length)
      if (this.#fault !== null || bytes.length - offset - LENGTH_BYTES < length) break
      const frame = readFrame(bytes, offset, length)
      if (frame === null) {
        this.#fault = fail('FRAME_FLAGS', `unknown flags ${bytes[offset + 5]}`).fault
        break
      }
      frames.push(frame)
      offset += LENGTH_BYTES + length
    }
    this.#unread = this.#fault === null ? bytes.slice(offset) : new Uint8Array(0)
    return { frames, fault: this.#fault }
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

function readFrame(bytes: Uint8Array, offset: number, length: number): Frame | null {
  const flags = bytes[offset + 5]!
  const role = ROLES[(flags >> ROLE_SHIFT) & 0b11]
  if (role === undefined || (flags & FLAGS_UNUSED) !== 0) return null
  return {
    kind: bytes[offset + 4]!,
    lane: LANES[flags & 0b11]!,
    role,
    more: (flags & MORE_FLAG) !== 0,
    requestId: readU32(bytes, offset + 6),
    body: bytes.slice(offset + FRAME_HEADER_BYTES, offset + LENGTH_BYTES + length),
  }
}

function join(first: Uint8Array, second: Uint8Array): Uint8Array {
  const all = new Uint8Array(first.length + second.length)
  all.set(first)
  all.set(second, first.length)
  return all
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
