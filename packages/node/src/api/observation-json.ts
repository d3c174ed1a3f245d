/**
 * How traffic, queues, limits and errors are told in JSON.
 * @module
 */
import type {
  KindTraffic,
  Lane,
  NetworkErrorCount,
  NetworkStats,
  PeerDetails,
  PeerView,
} from '@althing/network'
import type {
  KindTrafficJson,
  NetworkErrorJson,
  PeerTrafficJson,
  QueueDepthJson,
  QueueStatsJson,
  StepJson,
} from '@althing/client'

export function queueStatsJson(stats: NetworkStats, peers: readonly PeerView[]): QueueStatsJson {
  const { configured, bytesPerSecondByPeer, windowBytesByPeer, moves, slowed, waitingPeers } = stats.limits
  return {
    queues: depthsJson(peers.map(({ queues }) => queues)),
    peers: peers.map(({ id, queues }) => ({
      peer_id: id,
      queues: depthsJson([queues]),
      limit_bytes_per_second: bytesPerSecondByPeer[id] ?? configured.bytesPerSecond,
      window_bytes: windowBytesByPeer[id] ?? null,
    })),
    steps: Object.entries(stats.steps).map(([step, { entered, left, droppedByReason }]): StepJson => ({
      step,
      entered,
      left,
      dropped_by_reason: droppedByReason,
    })),
    dropped_by_reason: stats.droppedByReason,
    limits: {
      messages_per_second: configured.messagesPerSecond,
      burst: configured.messagesBurst,
      bytes_per_second: configured.bytesPerSecond,
      priority_multipliers: configured.laneMultipliers,
      node_multiplier: configured.nodeMultiplier,
      adaptive: configured.adaptiveLimits,
      waiting_peers: waitingPeers,
      slowed,
      moves: moves.map(({ atMs, peer, from, to, why }) => ({ at: atMs, peer_id: peer, from, to, why })),
    },
  }
}

export function trafficJson({ kind, lane, messages, bytes }: KindTraffic): KindTrafficJson {
  return { kind, lane, messages, bytes }
}

export function peerTrafficJson(peer: PeerDetails): PeerTrafficJson {
  return {
    peer_id: peer.id,
    connected: peer.session !== null,
    messages_in: peer.messagesIn,
    messages_out: peer.messagesOut,
    bytes_in: peer.bytesIn,
    bytes_out: peer.bytesOut,
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
  }
}

export function errorJson({
  type,
  code,
  peer,
  count,
  lastAtMs,
  example,
}: NetworkErrorCount): NetworkErrorJson {
  return { type, code, peer_id: peer, count, last_at: lastAtMs, example }
}

function depthsJson(queues: readonly PeerView['queues'][]): QueueStatsJson['queues'] {
  const depth = (lane: Lane): QueueDepthJson => ({
    messages: queues.reduce((sum, of) => sum + of[lane].messages, 0),
    bytes: queues.reduce((sum, of) => sum + of[lane].bytes, 0),
  })
  return { critical: depth('critical'), high: depth('high'), normal: depth('normal'), low: depth('low') }
}
