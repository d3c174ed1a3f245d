/**
 * Peers and bans as JSON.
 * @module
 */
import type {
  BlacklistEntryJson,
  KnownPeerJson,
  NetworkHealthJson,
  PeerDetailsJson,
  ReachabilityJson,
} from '@althing/client'
import { reasonText } from '@althing/network'
import type { BlacklistEntry, NetworkHealth, PeerDetails, ReachView } from '@althing/network'

export function networkHealthJson(health: NetworkHealth): NetworkHealthJson {
  const { healthy, degraded } = health
  return {
    status: healthy + degraded === 0 ? 'isolated' : healthy >= degraded ? 'healthy' : 'degraded',
    healthy_peers: healthy,
    degraded_peers: degraded,
    disconnected_peers: health.disconnected,
    inbound_peers: health.inbound,
    outbound_peers: health.outbound,
    authority_peers: health.authorities,
    reserved_peers: health.reserved,
    bootstrap_peers: health.bootstrap,
    blacklist_entries: health.banned,
    average_latency_ms: rounded(health.averageLatencyMs),
  }
}

export function reachabilityJson(reach: ReachView): ReachabilityJson {
  return {
    reach: reach.reach,
    why: reach.why,
    confirmed_addresses: reach.confirmed,
    relays: reach.relays,
    relays_for_others: reach.isRelay,
  }
}

export function knownPeerJson(peer: PeerDetails): KnownPeerJson {
  const { session, lastEnd } = peer
  return {
    peer_id: peer.id,
    health: peer.health,
    quality: peer.quality,
    reputation: peer.reputation,
    address: peer.remoteAddress,
    addresses: peer.addresses,
    direction: peer.direction,
    node_type: peer.nodeType,
    label: peer.label,
    features: peer.features,
    reserved: peer.reserved,
    ban: peer.ban === null ? null : blacklistEntryJson(peer.ban),
    height: session?.height ?? null,
    finalized_height: session?.finalizedHeight ?? null,
    connected_at: session?.connectedAtMs ?? null,
    first_seen: peer.firstSeenMs,
    last_seen: peer.lastSeenMs,
    latency_ms: rounded(session?.latencyMs ?? null),
    messages_in: peer.messagesIn,
    messages_out: peer.messagesOut,
    bytes_in: peer.bytesIn,
    bytes_out: peer.bytesOut,
    sessions: peer.sessions,
    last_end:
      lastEnd === null ? null : { at: lastEnd.atMs, by: lastEnd.by, reason: reasonText(lastEnd.reason) },
  }
}

export function peerDetailsJson(peer: PeerDetails): PeerDetailsJson {
  const { answered, timedOut, lost, responseMs } = peer.requests
  return {
    ...knownPeerJson(peer),
    health_history: peer.healthHistory.map(({ atMs, from, to, cause }) => ({ at: atMs, from, to, cause })),
    by_kind: Object.fromEntries(
      Object.entries(peer.byKind).map(([kind, counts]) => [
        kind,
        {
          messages_in: counts.messagesIn,
          messages_out: counts.messagesOut,
          bytes_in: counts.bytesIn,
          bytes_out: counts.bytesOut,
        },
      ]),
    ),
    requests: { answered, timed_out: timedOut, lost, response_ms: rounded(responseMs) },
    offences: peer.offences,
  }
}

export function blacklistEntryJson({
  target,
  reason,
  by,
  automatic,
  sinceMs,
  untilMs,
}: BlacklistEntry): BlacklistEntryJson {
  return { target, reason, by, automatic, since: sinceMs, until: untilMs }
}

/** To hundredths. */
function rounded(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms * 100) / 100
}
