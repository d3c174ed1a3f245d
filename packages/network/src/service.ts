/**
 * Parts of the network that talk to their like on the peers, with message kinds of their own. The shell carries their messages and
 * wakes them; it knows nothing else of them.
 * @module
 */
import type { CheckedConfig } from './config.ts'
import type { Message, NetworkEvent, PeerView } from './network-types.ts'
import type { KindSpec } from './protocol/kinds.ts'

/** What there is of a service before the network runs. */
export interface ServiceSpec {
  /** Offered in the hello. A peer that does not offer it is none of `ServiceHost.peers`, and is sent none of the kinds. */
  readonly feature: string
  /** Ids 160 to 223, no two services the same; names start with the feature. */
  readonly kinds: Readonly<Record<string, KindSpec>>
  create(host: ServiceHost): Service
}

export interface Service {
  /** A session with a peer that offers the feature. */
  peerOpened?(peer: PeerView): void
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
  /** Those that offer the feature. */
  peers(): readonly PeerView[]
  /** @returns false when it was dropped, and counted as such. */
  send(peer: string, kind: string, body: Uint8Array): boolean
  /** @throws {NetworkError} as `Network.request`. */
  request(peer: string, kind: string, body: Uint8Array, timeoutMs: number): Promise<Uint8Array>
  /** For what no honest node does. */
  penalise(peer: string, reason: string): void
  emit(event: NetworkEvent): void
  /** `tick` is called no later. */
  wakeBy(atMs: number): void
}
