/**
 * One end of a link in memory.
 * @module
 */
import { assert, concatBytes } from '@althing/base'
import type { Link, LinkHandlers } from '../transport.ts'
import type { MemoryWorld } from './network.ts'

/** What a link holds, like a socket's buffers. */
const UNREAD_BYTES_MAX = 256 * 1024

export class MemoryLink implements Link {
  readonly localPeer: string
  readonly remotePeer: string
  readonly direction: 'inbound' | 'outbound'
  readonly isSession: boolean
  readonly remoteAddress: string
  readonly #world: MemoryWorld
  #other: MemoryLink | null = null
  #handlers: LinkHandlers | null = null
  /** Arrived, in order, and not yet read. */
  readonly #unread: Uint8Array[] = []
  /** Written to the other end and not yet read there, bytes on the way included. */
  #unreadThere = 0
  #wasFull = false
  #paused = false
  #closed = false

  constructor(
    world: MemoryWorld,
    localPeer: string,
    remotePeer: string,
    direction: 'inbound' | 'outbound',
    isSession: boolean,
    remoteAddress: string,
  ) {
    this.#world = world
    this.localPeer = localPeer
    this.remotePeer = remotePeer
    this.direction = direction
    this.isSession = isSession
    this.remoteAddress = remoteAddress
  }

  join(other: MemoryLink): void {
    this.#other = other
    other.#other = this
  }

  open(handlers: LinkHandlers): void {
    // The other side may be gone already.
    if (this.#closed) return queueMicrotask(() => handlers.onClosed())
    this.#handlers = handlers
    queueMicrotask(() => this.deliver())
  }

  get isWritable(): boolean {
    if (this.#closed) return true
    this.#wasFull = this.#unreadThere >= UNREAD_BYTES_MAX
    return !this.#wasFull
  }

  write(...parts: Uint8Array[]): void {
    if (this.#closed) return
    if (this.#world.losesWrite()) return this.abort()
    const bytes = concatBytes(...parts)
    this.#unreadThere += bytes.length
    this.#world.scheduler.after(this.#world.latencyMs(this.localPeer, this.remotePeer), () =>
      this.#other?.arrive(bytes),
    )
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    queueMicrotask(() => this.deliver())
  }

  abort(): void {
    this.#gone()
    if (this.#other !== null) this.#other.#gone()
  }

  arrive(bytes: Uint8Array): void {
    this.#unread.push(bytes)
    this.deliver()
  }

  /** Hands over what arrived, if it may be. */
  deliver(): void {
    for (;;) {
      if (this.#closed || this.#paused || this.#handlers === null) return
      if (!this.#world.isReading(this.localPeer) || !this.#world.reaches(this.remotePeer, this.localPeer))
        return
      const chunk = this.#unread.shift()
      if (chunk === undefined) return
      this.#other?.wasRead(chunk.length)
      this.#handlers.onData(chunk)
    }
  }

  wasRead(bytes: number): void {
    this.#unreadThere -= bytes
    assert(this.#unreadThere >= 0, 'no more is read than was written')
    if (!this.#wasFull || this.#unreadThere >= UNREAD_BYTES_MAX) return
    this.#wasFull = false
    queueMicrotask(() => {
      if (!this.#closed) this.#handlers?.onWritable()
    })
  }

  #gone(): void {
    if (this.#closed) return
    this.#closed = true
    this.#world.remove(this)
    this.#handlers?.onClosed()
  }
}
