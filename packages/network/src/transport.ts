/**
 * What a transport gives: ordered byte streams to authenticated peers, one per connection. How they are encrypted, and who the
 * remote is, is its business; what is said on them is the session's.
 * @module
 */
import type { Log } from '@althing/base'

export interface TransportSetup {
  /** 32-byte Ed25519 seed. */
  readonly identity: Uint8Array
  /** Preferred; it names the network's genesis. */
  readonly sessionProtocol: string
  /** Tried when the other side does not know our session protocol, so that both can say why they part. */
  readonly helloProtocol: string
  readonly listen: readonly string[]
  /** For connections that were not authenticated, or not used, in time. */
  readonly handshakeTimeoutMs: number
  /** Silence after which a connection may be given up. */
  readonly idleTimeoutMs: number
  readonly log: Log
  /** A peer dialled us. */
  readonly onInbound: (link: Link) => void
}

export interface LinkHandlers {
  onData(chunk: Uint8Array): void
  /** The link takes bytes again. It may be called when it never stopped. */
  onWritable(): void
  /** Once, and nothing after it; also when the link was gone before it was opened. */
  onClosed(): void
}

export interface Link {
  readonly remotePeer: string
  /** A multiaddr, for people. */
  readonly remoteAddress: string
  readonly direction: 'inbound' | 'outbound'
  /** Both sides know the session protocol; else it is a hello link, on which no session can open. */
  readonly isSession: boolean
  /** Starts delivery. Call it once. */
  open(handlers: LinkHandlers): void
  /** False: keep the bytes until `onWritable`. Closed links take, and lose, everything. */
  readonly isWritable: boolean
  /** Never throws. */
  write(bytes: Uint8Array): void
  /** Stops delivery; the remote is slowed down and nothing is lost. */
  pause(): void
  resume(): void
  /** Closes now. What was written last may be lost: who wants it read waits for the other side to close. */
  abort(): void
}

export interface Transport {
  readonly peerId: string
  /** @throws {NetworkError} `LISTEN_FAILED` naming the address. */
  start(): Promise<void>
  /** Where it can be dialled, without the peer id. */
  addresses(): string[]
  /** @throws {NetworkError} `DIAL_FAILED`. */
  dial(address: string, signal: AbortSignal): Promise<Link>
  /** Closes all links and listeners. */
  stop(): Promise<void>
}

export type CreateTransport = (setup: TransportSetup) => Promise<Transport>
