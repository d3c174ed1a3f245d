/**
 * The header that each frame of Yamux begins with.
 * @see https://github.com/hashicorp/yamux/blob/master/spec.md
 * @module
 */
export const HEADER_BYTES = 12
const VERSION = 0

export const TYPE = { data: 0, windowUpdate: 1, ping: 2, goAway: 3 } as const
export const FLAG = { syn: 1, ack: 2, fin: 4, rst: 8 } as const
export const GO_AWAY = { normal: 0, protocolError: 1 } as const

export interface Header {
  readonly type: number
  readonly flags: number
  /** 0: of the connection. */
  readonly streamId: number
  /** Of data: the bytes that follow. Else a window's growth, a ping's number, a reason. */
  readonly length: number
}

/** What a remote sent that Yamux does not know or allow: the connection cannot go on. */
export class YamuxFault extends Error {
  override readonly name = 'YamuxFault'
}

export function encodeHeader({ type, flags, streamId, length }: Header): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES)
  bytes[1] = type
  bytes[2] = flags >>> 8
  bytes[3] = flags
  writeU32(bytes, 4, streamId)
  writeU32(bytes, 8, length)
  return bytes
}

/** @throws {YamuxFault} */
export function decodeHeader(bytes: Uint8Array): Header {
  if (bytes[0] !== VERSION) throw new YamuxFault(`version ${bytes[0]}`)
  return {
    type: bytes[1]!,
    flags: (bytes[2]! << 8) | bytes[3]!,
    streamId: readU32(bytes, 4),
    length: readU32(bytes, 8),
  }
}

function readU32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
}

function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}
