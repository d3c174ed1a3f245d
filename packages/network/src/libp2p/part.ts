/**
 * What a part of the adapter adds to a libp2p node: transports, services, discovery, a protector of connections.
 * @module
 */
import type { Libp2p } from '@libp2p/interface'
import type { Libp2pInit, ServiceFactoryMap } from 'libp2p'
import type { NatTransport, TransportSetup } from '../transport.ts'

/** What the user chose of libp2p; all of it is off by default. */
export interface Libp2pOptions {
  /** Multiaddrs to be told to others in place of those listened on, as behind a port that a router forwards. */
  readonly announce?: readonly string[]
  /** 32 secret bytes that all nodes of a private network share. Others cannot connect at all. */
  readonly privateNetworkKey?: Uint8Array
  /** Finds peers by a distributed hash table, and is part of it. */
  readonly dht?: boolean
  /** Finds peers on the local network, and answers those who look for some. */
  readonly mdns?: boolean
}

export interface Libp2pPart extends Pick<
  Libp2pInit,
  'transports' | 'peerDiscovery' | 'connectionProtector' | 'connectionGater'
> {
  readonly services?: ServiceFactoryMap
  /** Multiaddrs to listen on besides those of the user. */
  readonly listen?: readonly string[]
  /** Protocols, by the start of their name, for whose sake a connection without a session is kept. */
  readonly protocols?: readonly string[]
  readonly nat?: NatTransport
  locate?(node: Libp2p, peer: string, signal: AbortSignal): Promise<readonly string[]>
  /** Where the node can be dialled besides where it listens. */
  addresses?(node: Libp2p): readonly string[]
  /** Runs before the node starts; listeners to its events are added here. */
  attach?(node: Libp2p): void
  /** Ends what `attach` began; the node is still running. */
  stop?(): void | Promise<void>
}

/** @returns null when nothing asks for the part. */
export type MakePart = (setup: TransportSetup, options: Libp2pOptions) => Promise<Libp2pPart | null>
