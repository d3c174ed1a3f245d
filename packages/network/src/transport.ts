/**
 * What a transport gives: ordered byte streams to authenticated peers, one per connection. How they are encrypted, and who the
 * remote is, is its business; what is said on them is the session's.
 * @module
 */
import type { Log } from '@althing/base'
import type { NatOptions } from './nat-options.ts'

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
  /** Without, nothing is done about NATs. */
  readonly nat?: NatOptions
  /** Asked before anything is spent on a connection; without one, everyone may connect. */
  readonly gate?: Gate
  /** A peer was found by the transport itself, with where it can be dialled. */
  readonly onFound?: (peer: string, addresses: readonly string[]) => void
  /** A peer dialled us. */
  readonly onInbound: (link: Link) => void
}

/** Whose connections are made and taken at all. */
export interface Gate {
  /** @param address multiaddr of the other end, as far as it is known yet. */
  admitsAddress(address: string, direction: 'inbound' | 'outbound'): boolean
  /** Asked as soon as the other end has proved who it is, and before it is dialled. */
  admitsPeer(peer: string): boolean
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
  /** One after the other. They may be read until they have left: do not change them. Never throws. */
  write(...parts: Uint8Array[]): void
  /** Stops delivery; the remote is slowed down and nothing is lost. */
  pause(): void
  resume(): void
  /** Closes now. What was written last may be lost: who wants it read waits for the other side to close. */
  abort(): void
}

/** What nodes that cannot be dialled need, and those that help them (PT-8). */
export interface NatTransport {
  /**
   * Asks a peer to which there is a direct connection for a place, over which others reach this node.
   * @returns how long it lasts, in milliseconds.
   * @throws {NetworkError} `PEER_UNREACHABLE`, `DIAL_FAILED`.
   */
  reserve(relay: string, signal: AbortSignal): Promise<number>
  /** Links that come over these relays are taken, and over no others. */
  acceptOver(relays: readonly string[]): void
  /** Where this node can be dialled besides where it listens: told first in `addresses`. */
  announce(addresses: readonly string[]): void
  /** Who may have a place here; nobody by default. */
  relayFor(relaysFor: (peer: string) => boolean): void
  /**
   * Keeps the router forwarding the ports of these addresses until the transport stops. Call it once.
   * @param onChanged gets the multiaddrs at the router that lead here now; all of them.
   */
  forwardPorts(listening: readonly string[], onChanged: (addresses: readonly string[]) => void): void
  /** Whether the peer answers at the address. Nothing is said on the connection. */
  probe(address: string, peer: string, signal: AbortSignal): Promise<boolean>
  /** Null when the transport knows no way through; known once it has started. */
  readonly punching: HolePunching | null
}

/** A way through two NATs, where the transport knows one (PT-8). Sources are addresses as `/ip4/11.0.0.2/udp/4001/quic-v1`. */
export interface HolePunching {
  /**
   * Connects, so that the peer there sees where dials of this node come from.
   * @returns how to end it.
   * @throws {NetworkError} `DIAL_FAILED`.
   */
  showSource(address: string, signal: AbortSignal): Promise<() => void>
  /** Where a peer dials this node from; null when no such connection comes up within seconds. */
  sourceOf(peer: string): Promise<string | null>
  /**
   * Opens the way for a dial from there, for some seconds.
   * @returns the port at which it is awaited.
   * @throws {NetworkError} `LISTEN_FAILED`.
   */
  listenFor(source: string): Promise<number>
}

export interface Transport {
  readonly peerId: string
  /** Without, there are no NATs, or nothing is to be done about them. */
  readonly nat?: NatTransport | undefined
  /** @throws {NetworkError} `LISTEN_FAILED` naming the address. */
  start(): Promise<void>
  /** Where it can be dialled, without the peer id. */
  addresses(): string[]
  /** @throws {NetworkError} `DIAL_FAILED`. */
  dial(address: string, signal: AbortSignal): Promise<Link>
  /** Where others say that the peer can be dialled; empty when nobody knows. Absent when there is nobody to ask. Never throws. */
  locate?(peer: string, signal: AbortSignal): Promise<readonly string[]>
  /** Closes all links and listeners. */
  stop(): Promise<void>
}

export type CreateTransport = (setup: TransportSetup) => Promise<Transport>
