/**
 * What the HTTP API says of the whole network, as JSON (PT-11, PO-10).
 * @module
 */
import type { PeerHealth } from './network-types.ts'
import type { NodeType } from './types.ts'

/** `GET /network/topology`: every node that reports its links, this one included. */
export interface NetworkTopologyJson {
  readonly total_nodes: number
  readonly healthy_peers: number
  /** More than half of their links are degraded. */
  readonly degraded_peers: number
  /** They report, and no other node has a link with them. */
  readonly disconnected_peers: number
  /** Milliseconds of a round trip, over all links; null before the first. */
  readonly average_latency: number | null
  /** The software that most nodes run. */
  readonly network_version: string | null
  /** Whose map it is. */
  readonly peer_id: string
  readonly nodes: readonly TopologyNodeJson[]
  readonly links: readonly TopologyLinkJson[]
}

export interface TopologyNodeJson {
  readonly peer_id: string
  /** What it proved to this node to be; null when there is no link to it. */
  readonly label: string | null
  /** What it says to be; null, as the next two, when it reports nothing. */
  readonly node_type: NodeType | 'light' | null
  readonly software_version: string | null
  readonly protocol_version: number | null
  readonly health: PeerHealth
  readonly links: number
}

/** Both of its ends report it, or one of them is the asked node. */
export interface TopologyLinkJson {
  readonly a: string
  readonly b: string
  readonly latency_ms: number | null
  readonly health: 'healthy' | 'degraded'
}

/** `GET /network/propagation/{height}`. Times are milliseconds since 1970. */
export interface PropagationJson {
  readonly height: number
  /** When this node had the block, and had it as final; null: not yet. */
  readonly here_at: number | null
  readonly here_final_at: number | null
  /** The first first. Peers that had it when they connected are left out. */
  readonly peers: readonly PeerPropagationJson[]
  /** From the first that had it to the last; null when nobody has. */
  readonly spread_ms: number | null
}

export interface PeerPropagationJson {
  readonly peer_id: string
  readonly label: string | null
  readonly at: number
  readonly final_at: number | null
  /** After the first that had it. */
  readonly after_ms: number
}
