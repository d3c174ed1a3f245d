/**
 * A stream of a Yamux connection.
 * Y1  what the remote may send is told in steps of half a window, not after each frame
 * Y2  the window doubles while half of it goes within `GROWING_MS`
 * Y3  who reads directly gets bytes that are theirs for the call only; everybody else gets copies
 * @module
 */
import type { AbortOptions } from '@libp2p/interface'
import { AbstractStream } from '@libp2p/utils'
import type { AbstractStreamInit, SendResult } from '@libp2p/utils'
import { FLAG, TYPE, YamuxFault } from './header.ts'
import type { Header } from './header.ts'

/** A list of byte arrays, as libp2p passes them on. */
export type ByteList = Parameters<AbstractStream['sendData']>[0]

/** What both sides begin with: Yamux says so. */
const FIRST_WINDOW_BYTES = 256 * 1024
const GROWING_MS = 1000
/** Of data; a larger one would keep other streams waiting. */
const FRAME_BYTES_MAX = 64 * 1024

export interface YamuxStreamInit extends AbstractStreamInit {
  readonly streamId: number
  readonly windowBytesMax: number
  /** @returns whether the connection takes more. */
  readonly sendFrame: (header: Header, body?: ByteList) => boolean
}

export class YamuxStream extends AbstractStream {
  readonly streamId: number
  readonly #sendFrame: YamuxStreamInit['sendFrame']
  readonly #windowBytesMax: number
  /** What goes with the next frame: that the stream is new, or known. */
  #flags: number
  #sendBytes = FIRST_WINDOW_BYTES
  #windowBytes = FIRST_WINDOW_BYTES
  /** What is left of the window. */
  #receiveBytes = FIRST_WINDOW_BYTES
  #grantedMs = Date.now()
  #reader: ((part: Uint8Array) => void) | null = null

  constructor(init: YamuxStreamInit) {
    super(init)
    this.streamId = init.streamId
    this.#sendFrame = init.sendFrame
    this.#windowBytesMax = init.windowBytesMax
    this.#flags = init.direction === 'outbound' ? FLAG.syn : FLAG.ack
  }

  /** From here on bytes go to the reader, and to 'message' listeners only what came before, or while the stream was paused. */
  readDirectly(reader: (part: Uint8Array) => void): void {
    this.#reader = reader
  }

  /** All in one go. @returns whether more may be sent now. */
  sendAll(parts: readonly Uint8Array[]): boolean {
    for (const part of parts) this.writeBuffer.append(part)
    return this.processSendQueue()
  }

  /** Tells the remote of the stream. */
  open(): void {
    this.#control(this.#takeFlags())
  }

  sendData(data: ByteList): SendResult {
    let sentBytes = 0
    let canSendMore = true
    while (data.byteLength > 0 && canSendMore) {
      const length = Math.min(data.byteLength, this.#sendBytes, FRAME_BYTES_MAX)
      if (length === 0) return { sentBytes, canSendMore: false }
      const isAll = length === data.byteLength
      const body = isAll ? data : data.sublist(0, length)
      const header = { type: TYPE.data, flags: this.#takeFlags(), streamId: this.streamId, length }
      canSendMore = this.#sendFrame(header, body)
      this.#sendBytes -= length
      sentBytes += length
      if (isAll) break
      data.consume(length)
    }
    return { sentBytes, canSendMore }
  }

  sendReset(): void {
    this.#control(FLAG.rst)
  }

  async sendCloseWrite(): Promise<void> {
    this.#control(this.#takeFlags() | FLAG.fin)
  }

  /** Yamux has no such frame. */
  async sendCloseRead(options?: AbortOptions): Promise<void> {
    options?.signal?.throwIfAborted()
  }

  /** The remote is told of no more room: it stops when the window is used up. */
  sendPause(): void {}

  sendResume(): void {
    this.#grant()
  }

  // What the muxer calls

  /** @throws {YamuxFault} when it is more than there is room for. */
  expect(bytes: number): void {
    if (bytes > this.#receiveBytes)
      throw new YamuxFault(`${bytes} bytes; there is room for ${this.#receiveBytes}`)
    this.#receiveBytes -= bytes
  }

  /** @param part is somebody else's after the call. */
  receive(part: Uint8Array): void {
    if (this.#reader !== null && this.readStatus === 'readable' && this.readBuffer.byteLength === 0) {
      callReader(this.#reader, part)
    } else {
      this.onData(part.slice())
    }
    this.#grant()
  }

  grown(bytes: number): void {
    this.#sendBytes += bytes
    if (this.writeBuffer.byteLength > 0) this.safeDispatchEvent('drain')
  }

  flagged(flags: number): void {
    if ((flags & FLAG.fin) !== 0) this.onRemoteCloseWrite()
    if ((flags & FLAG.rst) !== 0) this.onRemoteReset()
  }

  #takeFlags(): number {
    const flags = this.#flags
    this.#flags = 0
    return flags
  }

  #grant(): void {
    const used = this.#windowBytes - this.#receiveBytes
    if (this.readStatus !== 'readable' || (used * 2 < this.#windowBytes && this.#flags === 0)) return
    const nowMs = Date.now()
    if (nowMs - this.#grantedMs < GROWING_MS && used * 2 >= this.#windowBytes) {
      this.#windowBytes = Math.min(this.#windowBytes * 2, this.#windowBytesMax)
    }
    this.#grantedMs = nowMs
    const growth = this.#windowBytes - this.#receiveBytes
    this.#receiveBytes = this.#windowBytes
    this.#control(this.#takeFlags(), growth)
  }

  #control(flags: number, growth = 0): void {
    this.#sendFrame({ type: TYPE.windowUpdate, flags, streamId: this.streamId, length: growth })
  }
}

/** What a reader throws is a bug of its own, not a fault of the remote. */
function callReader(reader: (part: Uint8Array) => void, part: Uint8Array): void {
  try {
    reader(part)
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}
