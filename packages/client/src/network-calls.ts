/**
 * The calls that show and administer a node's peers (PC-13).
 * @module
 */
import type { CallOptions, Method } from './http.ts'
import type { NetworkTopologyJson, PropagationJson } from './network-map-types.ts'
import type {
  BanJson,
  BlacklistEntryJson,
  BlacklistJson,
  KnownPeersJson,
  NetworkHealthJson,
  PeerDetailsJson,
  PeerQueryJson,
} from './network-types.ts'
import type {
  HistoryJson,
  HistoryQueryJson,
  NetworkErrorsJson,
  QueueStatsJson,
  TrafficJson,
} from './observation-types.ts'

type Call = <T>(method: Method, path: string, body?: unknown, options?: CallOptions) => Promise<T>

/** Changing calls need the node's token where it has one. All methods throw `ApiError`. */
export class NetworkCalls {
  readonly #call: Call

  constructor(call: Call) {
    this.#call = call
  }

  health(options?: CallOptions): Promise<NetworkHealthJson> {
    return this.#call('GET', 'network/health', undefined, options)
  }

  peers(query: PeerQueryJson = {}, options?: CallOptions): Promise<KnownPeersJson> {
    const given = Object.entries(query).filter(([, value]) => value !== undefined)
    const parameters = new URLSearchParams(given.map(([name, value]) => [name, String(value)]))
    return this.#call('GET', `network/peers?${parameters}`, undefined, options)
  }

  topology(options?: CallOptions): Promise<NetworkTopologyJson> {
    return this.#call('GET', 'network/topology', undefined, options)
  }

  /** Of the latest 256 blocks. @throws {ApiError} `BLOCK_NOT_FOUND`. */
  propagation(height: number, options?: CallOptions): Promise<PropagationJson> {
    return this.#call('GET', `network/propagation/${height}`, undefined, options)
  }

  queueStats(options?: CallOptions): Promise<QueueStatsJson> {
    return this.#call('GET', 'network/queue/stats', undefined, options)
  }

  traffic(options?: CallOptions): Promise<TrafficJson> {
    return this.#call('GET', 'network/traffic', undefined, options)
  }

  errors(options?: CallOptions): Promise<NetworkErrorsJson> {
    return this.#call('GET', 'network/errors', undefined, options)
  }

  history(query: HistoryQueryJson = {}, options?: CallOptions): Promise<HistoryJson> {
    return this.#call('GET', `network/history?${new URLSearchParams({ ...query })}`, undefined, options)
  }

  /** @throws {ApiError} `PEER_UNKNOWN`. */
  peer(peerId: string, options?: CallOptions): Promise<PeerDetailsJson> {
    return this.#call('GET', `network/peer/${encodeURIComponent(peerId)}`, undefined, options)
  }

  /** Resolves when the session is open. @param address multiaddr or host:port. */
  connect(address: string, options?: CallOptions): Promise<{ readonly peer_id: string }> {
    return this.#call('POST', 'network/peers', { address }, options)
  }

  /** The peer may come back. @throws {ApiError} `PEER_UNKNOWN` when it has no session. */
  disconnect(peerId: string, options?: CallOptions): Promise<{ readonly peer_id: string }> {
    return this.#call('DELETE', `network/peers/${encodeURIComponent(peerId)}`, undefined, options)
  }

  /** Until the node stops; `network.reserved` of its configuration lasts. */
  reserve(peerId: string, options?: CallOptions): Promise<{ readonly peer_id: string }> {
    return this.#call('PUT', `network/peers/${encodeURIComponent(peerId)}/reservation`, undefined, options)
  }

  release(peerId: string, options?: CallOptions): Promise<{ readonly peer_id: string }> {
    return this.#call('DELETE', `network/peers/${encodeURIComponent(peerId)}/reservation`, undefined, options)
  }

  blacklist(options?: CallOptions): Promise<BlacklistJson> {
    return this.#call('GET', 'network/blacklist', undefined, options)
  }

  /** Durable when it resolves. */
  ban(ban: BanJson, options?: CallOptions): Promise<BlacklistEntryJson> {
    return this.#call('POST', 'network/blacklist', ban, options)
  }

  /** @param target as it was banned. @throws {ApiError} `BLACKLIST_ENTRY_UNKNOWN`. */
  unban(target: string, options?: CallOptions): Promise<BlacklistEntryJson> {
    return this.#call('DELETE', `network/blacklist/${encodeURIComponent(target)}`, undefined, options)
  }
}
