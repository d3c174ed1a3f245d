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
 * F2  the decoder never throws, and holds no bytes but those of an incomplete header: bodies are handed on in the parts in which they come
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

/** A whole message, or a whole frame. */
export interface Frame extends FrameHeader {
  readonly body: Uint8Array
}

/** What a chunk has of one frame: all of it, or less when the frame goes over several chunks. */
export interface FramePart extends Frame {
  /** In the chunk that it came in: who keeps it copies it. Empty only when the body of the frame is. */
  readonly body: Uint8Array
  /** The first of its frame. */
  readonly isFirst: boolean
  /** Bytes of the frame's body that are still to come. */
  readonly missing: number
}

/**
 * Writes one frame.
 * @param body at most `FRAGMENT_BYTES_MAX` bytes.
 * @returns the offset after it.
 */
export function writeFrame(out: Uint8Array, offset: number, header: FrameHeader, body: Uint8Array): number {
  const bodyOffset = writeHeader(out, offset, header, body.length)
  out.set(body, bodyOffset)
  return bodyOffset + body.length
}

/** Writes the header of a frame whose body follows. @returns the offset after it. */
export function writeHeader(out: Uint8Array, offset: number, header: FrameHeader, bodyBytes: number): number {
  writeU32(out, offset, AFTER_LENGTH_BYTES + bodyBytes)
  out[offset + 4] = header.kind
  out[offset + 5] =
    LANES.indexOf(header.lane) |
    (header.more ? MORE_FLAG : 0) |
    (ROLES.indexOf(header.role) << ROLE_SHIFT) |
    (header.compressed ? COMPRESSED_FLAG : 0)
  writeU32(out, offset + 6, header.requestId)
  return offset + FRAME_HEADER_BYTES
}

export interface DecodedFrames {
  readonly parts: readonly FramePart[]
  /** The stream cannot be read on after a fault; what came before it is good. */
  readonly fault: Fault | null
}

/** Cuts a byte stream into frames, however the chunks fall. No body is copied. */
export class FrameDecoder {
  readonly #header = new Uint8Array(FRAME_HEADER_BYTES)
  #headerFilled = 0
  /** Of the frame whose body is read. */
  #parsed: FrameHeader | null = null
  #isFirst = true
  /** Of the body of that frame. */
  #missing = 0
  #fault: Fault | null = null

  /** Bytes that were taken and not handed on. */
  get unreadBytes(): number {
    return this.#headerFilled
  }

  push(chunk: Uint8Array): DecodedFrames {
    const parts: FramePart[] = []
    let offset = 0
    while (this.#fault === null) {
      if (this.#parsed === null) {
        offset += this.#fillHeader(chunk, offset)
        if (this.#parsed === null) break
      }
      const bytes = Math.min(this.#missing, chunk.length - offset)
      if (bytes === 0 && this.#missing > 0) break
      const body = chunk.subarray(offset, offset + bytes)
      offset += bytes
      this.#missing -= bytes
      parts.push(partOf(this.#parsed, body, this.#isFirst, this.#missing))
      this.#isFirst = false
      if (this.#missing === 0) this.#parsed = null
    }
    if (this.#fault !== null) this.#headerFilled = 0
    return { parts, fault: this.#fault }
  }

  /** @returns how many bytes it took: all that there are, while the header is incomplete. */
  #fillHeader(chunk: Uint8Array, offset: number): number {
    const bytes = Math.min(FRAME_HEADER_BYTES - this.#headerFilled, chunk.length - offset)
    for (let i = 0; i < bytes; i++) this.#header[this.#headerFilled + i] = chunk[offset + i]!
    this.#headerFilled += bytes
    // A wrong length is found without waiting for what may never come.
    if (this.#headerFilled >= LENGTH_BYTES) this.#fault = checkLength(readU32(this.#header, 0))
    if (this.#fault === null && this.#headerFilled === FRAME_HEADER_BYTES) this.#begin()
    return bytes
  }

  #begin(): void {
    this.#parsed = readHeader(this.#header)
    if (this.#parsed === null) this.#fault = fail('FRAME_FLAGS', `unknown flags ${this.#header[5]}`).fault
    this.#missing = readU32(this.#header, 0) - AFTER_LENGTH_BYTES
    this.#isFirst = true
    this.#headerFilled = 0
  }
}

function partOf(header: FrameHeader, body: Uint8Array, isFirst: boolean, missing: number): FramePart {
  const { kind, lane, role, more, compressed, requestId } = header
  return { kind, lane, role, more, compressed, requestId, body, isFirst, missing }
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

/** @returns null when the flags are not known. */
function readHeader(header: Uint8Array): FrameHeader | null {
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
