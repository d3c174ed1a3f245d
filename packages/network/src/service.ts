/**
 * Parts of the network that talk to their like on the peers, with message kinds of their own. The shell carries their messages and
 * wakes them; it knows nothing else of them.
 * @module
 */
import type { CheckedConfig } from './config.ts'
import type { Message, NetworkEvent, PeerView } from './network-types.ts'
import type { KindSpec } from './protocol/kinds.ts'
import type { Records } from './records.ts'
import type { Transport } from './transport.ts'

/** What there is of a service before the network runs. */
export interface ServiceSpec<S extends Service = Service> {
  /** Offered in the hello. A peer that does not offer it is none of `ServiceHost.peers`, and is sent none of the kinds. */
  readonly feature: string
  /** Ids 160 to 223, no two services the same; names start with the feature. */
  readonly kinds: Readonly<Record<string, KindSpec>>
  create(host: ServiceHost): S
}

export interface Service {
  /** A session with a peer that offers the feature. */
  peerOpened?(peer: PeerView): void
  /** Its session goes on over another link: a direct one in place of a relayed one. */
  peerMoved?(peer: PeerView): void
  peerClosed?(peer: string): void
  received?(message: Message): void
  /** What it throws is answered as an error, with its `code` if it has one. */
  answer?(message: Message, signal: AbortSignal): Uint8Array | Promise<Uint8Array>
  /** @returns when to be called again, by the monotonic clock; `Infinity` when only `wakeBy` says. */
  tick?(nowMs: number): number
  stop?(): void
}

/** What a service can do. */
export interface ServiceHost {
  readonly peerId: string
  readonly config: CheckedConfig
  readonly transport: Transport
  /** What is known of all peers, connected or not. */
  readonly records: Records
  /** Where this node can be dialled, without its id. */
  addresses(): readonly string[]
  /** The neighbour with which the shortest way to a peer begins; null when the map of the network has none. */
  nextHop(peer: string): string | null
  /** Those that offer the feature. */
  peers(): readonly PeerView[]
  /** Nothing waits in the low lane to the peer: what can be renewed is sent then only, so that no peer gets a backlog. */
  keepsUp(peer: string): boolean
  /** @returns false when it was dropped, and counted as such. */
  send(peer: string, kind: string, body: Uint8Array): boolean
  /** @throws {NetworkError} as `Network.request`. */
  request(peer: string, kind: string, body: Uint8Array, timeoutMs: number): Promise<Uint8Array>
  /** @throws {NetworkError} as `Network.connect`. */
  connect(address: string): Promise<string>
  /** For what no honest node does. */
  penalise(peer: string, reason: string): void
  emit(event: NetworkEvent): void
  /** `tick` is called no later. */
  wakeBy(atMs: number): void
}
