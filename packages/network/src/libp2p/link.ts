/**
 * One stream of one connection as a link.
 * @module
 */
import { concatBytes } from '@althing/base'
import type { Connection, Stream } from '@libp2p/interface'
import type { Link, LinkHandlers } from '../transport.ts'
import { YamuxStream } from './yamux/stream.ts'

/** `send` has no limit of its own: more than this is kept by the session instead. */
const UNSENT_BYTES_MAX = 64 * 1024

export class Libp2pLink implements Link {
  readonly remotePeer: string
  readonly remoteAddress: string
  readonly direction: 'inbound' | 'outbound'
  readonly isSession: boolean
  readonly #connection: Connection
  readonly #stream: Stream
  #handlers: LinkHandlers | null = null
  #closed = false

  constructor(connection: Connection, stream: Stream, isSession: boolean) {
    this.remotePeer = connection.remotePeer.toString()
    this.remoteAddress = connection.remoteAddr.toString()
    this.direction = connection.direction
    this.isSession = isSession
    this.#connection = connection
    this.#stream = stream
  }

  open(handlers: LinkHandlers): void {
    this.#handlers = handlers
    // Late listeners: the remote may be gone already.
    if (this.#stream.status !== 'open' || this.#connection.status !== 'open') queueMicrotask(this.#onGone)
    this.#stream.addEventListener('close', this.#onGone)
    this.#stream.addEventListener('end', this.#onGone)
    this.#connection.addEventListener('close', this.#onGone)
    this.#stream.addEventListener('drain', () => {
      // The stream itself goes on sending what it holds in a microtask queued by this event; look after that.
      queueMicrotask(() => {
        if (!this.#closed && this.isWritable) handlers.onWritable()
      })
    })
    if (this.#stream instanceof YamuxStream) this.#stream.readDirectly((part) => this.#read(part))
    this.#stream.addEventListener('message', ({ data }) => {
      for (const chunk of data instanceof Uint8Array ? [data] : data) this.#read(chunk)
    })
  }

  #read(chunk: Uint8Array): void {
    if (!this.#closed) this.#handlers?.onData(chunk)
  }

  /** `drain` is also emitted without need, and `send` says false only once: the state of the stream is what counts. */
  get isWritable(): boolean {
    if (this.#closed) return true
    return !this.#stream.writableNeedsDrain && this.#stream.writeBufferLength < UNSENT_BYTES_MAX
  }

  write(...parts: Uint8Array[]): void {
    if (this.#closed || this.#stream.writeStatus !== 'writable') return
    try {
      if (this.#stream instanceof YamuxStream) this.#stream.sendAll(parts)
      else this.#stream.send(concatBytes(...parts))
    } catch {
      this.abort()
    }
  }

  pause(): void {
    if (!this.#closed && this.#stream.readStatus === 'readable') this.#stream.pause()
  }

  resume(): void {
    if (!this.#closed && this.#stream.readStatus === 'paused') this.#stream.resume()
  }

  abort(): void {
    abortConnection(this.#connection, new Error('link aborted'))
    this.#gone()
  }

  /** A connection is of no use without its one stream. */
  readonly #onGone = (): void => {
    if (!this.#closed) this.abort()
  }

  #gone(): void {
    if (this.#closed) return
    this.#closed = true
    this.#handlers?.onClosed()
  }
}

/**
 * The muxer says goodbye first, and throws when the other side has closed already, so that the socket below stays open. Its second
 * try skips the goodbye.
 */
export function abortConnection(connection: Connection, reason: Error): void {
  try {
    connection.abort(reason)
  } catch {
    connection.abort(reason)
  }
}
