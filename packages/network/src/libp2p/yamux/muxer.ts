/**
 * Yamux, in place of `@libp2p/yamux` and the same on the wire. It hands on each byte as it comes instead of keeping a frame until it is
 * whole, and, where the connection lends its buffer, without a copy; a window update goes out for half a window instead of for each frame.
 * It sends no pings: sessions have their own.
 * @see https://github.com/hashicorp/yamux/blob/master/spec.md
 * @see docs/decisions/006-tls-on-the-socket.md
 * @module
 */
import { MuxerClosedError, serviceCapabilities, TooManyOutboundProtocolStreamsError } from '@libp2p/interface'
import type { MessageStream, StreamMuxerFactory } from '@libp2p/interface'
import { AbstractStreamMuxer } from '@libp2p/utils'
import { readLent } from '../lent-reads.ts'
import { decodeHeader, encodeHeader, FLAG, GO_AWAY, HEADER_BYTES, TYPE, YamuxFault } from './header.ts'
import type { Header } from './header.ts'
import { YamuxStream } from './stream.ts'
import type { ByteList } from './stream.ts'

const PROTOCOL = '/yamux/1.0.0'
/** So much is copied into one array: each would become a record of TLS, and a call of the system, of its own. */
const JOINED_BYTES_MAX = 16 * 1024

export interface YamuxOptions {
  /** Each way. */
  readonly streamsMax: number
  /** What a stream may have unread. */
  readonly windowBytesMax: number
}

/** For `streamMuxers` of a libp2p node. */
export function yamux(options: YamuxOptions): () => StreamMuxerFactory {
  const capabilities: string[] = ['@libp2p/stream-multiplexing']
  return () => ({
    protocol: PROTOCOL,
    [serviceCapabilities]: capabilities,
    createStreamMuxer: (connection) => new YamuxMuxer(connection, options),
  })
}

export class YamuxMuxer extends AbstractStreamMuxer<YamuxStream> {
  readonly #options: YamuxOptions
  readonly #isClient: boolean
  #nextStreamId: number
  #isEnding = false
  readonly #header = new Uint8Array(HEADER_BYTES)
  #headerFilled = 0
  /** Of the data frame that is being read. */
  #missing = 0
  #flags = 0
  #stream: YamuxStream | undefined

  constructor(connection: MessageStream, options: YamuxOptions) {
    super(connection, { protocol: PROTOCOL, name: 'yamux' })
    this.#options = options
    this.#isClient = connection.direction === 'outbound'
    this.#nextStreamId = this.#isClient ? 1 : 2
    readLent(connection, (chunk) => this.#readOrAbort(chunk))
  }

  // Streams

  onCreateStream(): YamuxStream {
    if (this.#isEnding) throw new MuxerClosedError('the connection ends')
    if (this.#count('outbound') >= this.#options.streamsMax) throw new TooManyOutboundProtocolStreamsError()
    const stream = this.#newStream(this.#nextStreamId, 'outbound')
    this.#nextStreamId += 2
    // The stream must be known here before the remote can answer.
    queueMicrotask(() => stream.open())
    return stream
  }

  #newStream(streamId: number, direction: 'inbound' | 'outbound'): YamuxStream {
    return new YamuxStream({
      id: `${streamId}`,
      streamId,
      direction,
      windowBytesMax: this.#options.windowBytesMax,
      maxReadBufferLength: this.#options.windowBytesMax,
      log: this.log.newScope(`${direction}:${streamId}`),
      sendFrame: (header, body) => this.#sendFrame(header, body),
    })
  }

  #count(direction: 'inbound' | 'outbound'): number {
    let count = 0
    for (const stream of this.streams) if (stream.direction === direction) count++
    return count
  }

  // Receiving

  onData(data: Uint8Array | ByteList): void {
    for (const chunk of data instanceof Uint8Array ? [data] : data) this.#read(chunk)
  }

  #readOrAbort(chunk: Uint8Array): void {
    try {
      this.#read(chunk)
    } catch (error) {
      const reason = error instanceof Error ? error : new Error(String(error))
      this.abort(reason)
      this.maConn.abort(reason)
    }
  }

  #read(chunk: Uint8Array): void {
    let at = 0
    while (at < chunk.length || (this.#missing === 0 && this.#headerFilled === HEADER_BYTES)) {
      if (this.#missing === 0) {
        at += this.#readHeader(chunk, at)
        continue
      }
      const part = chunk.subarray(at, at + this.#missing)
      at += part.length
      this.#missing -= part.length
      this.#stream?.receive(part)
      if (this.#missing === 0) this.#stream?.flagged(this.#flags)
    }
  }

  /** @returns how many bytes it took. */
  #readHeader(chunk: Uint8Array, offset: number): number {
    const bytes = Math.min(HEADER_BYTES - this.#headerFilled, chunk.length - offset)
    for (let i = 0; i < bytes; i++) this.#header[this.#headerFilled + i] = chunk[offset + i]!
    this.#headerFilled += bytes
    if (this.#headerFilled === HEADER_BYTES) {
      this.#headerFilled = 0
      this.#receive(decodeHeader(this.#header))
    }
    return bytes
  }

  #receive({ type, flags, streamId, length }: Header): void {
    if (streamId === 0) return this.#receiveControl(type, flags, length)
    if (type !== TYPE.data && type !== TYPE.windowUpdate) throw new YamuxFault(`type ${type} on a stream`)
    if ((flags & FLAG.syn) !== 0) this.#remoteStream(streamId)
    const stream = this.streams.find((one) => one.streamId === streamId)
    if (type === TYPE.windowUpdate) {
      stream?.grown(length)
      stream?.flagged(flags)
      return
    }
    stream?.expect(length)
    this.#stream = stream
    this.#flags = flags
    this.#missing = length
    if (length === 0) stream?.flagged(flags)
  }

  #receiveControl(type: number, flags: number, value: number): void {
    if (type === TYPE.ping) {
      if (flags === FLAG.syn) this.#sendFrame({ type, flags: FLAG.ack, streamId: 0, length: value })
      else throw new YamuxFault('a pong that was not asked for')
    } else if (type === TYPE.goAway) {
      this.#isEnding = true
      if (value === GO_AWAY.normal) this.onTransportClosed()
      else this.abort(new Error(`the remote ended the connection with reason ${value}`))
    } else {
      throw new YamuxFault(`type ${type} without a stream`)
    }
  }

  #remoteStream(streamId: number): void {
    if ((streamId % 2 === 1) === this.#isClient) throw new YamuxFault(`stream ${streamId} is ours to open`)
    if (this.streams.some((one) => one.streamId === streamId)) return
    if (this.#isEnding || this.#count('inbound') >= this.#options.streamsMax) {
      this.#sendFrame({ type: TYPE.windowUpdate, flags: FLAG.rst, streamId, length: 0 })
      return
    }
    this.onRemoteStream(this.#newStream(streamId, 'inbound'))
  }

  // Sending

  #sendFrame(header: Header, body?: ByteList): boolean {
    const encoded = encodeHeader(header)
    if (body === undefined) return this.send(encoded)
    body.prepend(encoded)
    return this.send(body.byteLength <= JOINED_BYTES_MAX ? body.subarray() : body)
  }

  // Ending

  override async close(options?: { signal?: AbortSignal }): Promise<void> {
    if (this.status !== 'open') return
    await super.close(options)
    this.#goAway(GO_AWAY.normal)
  }

  override abort(error: Error): void {
    if (this.status !== 'open') return
    super.abort(error)
    this.#goAway(error instanceof YamuxFault ? GO_AWAY.protocolError : GO_AWAY.normal)
  }

  #goAway(reason: number): void {
    this.#isEnding = true
    this.#sendFrame({ type: TYPE.goAway, flags: 0, streamId: 0, length: reason })
  }
}
