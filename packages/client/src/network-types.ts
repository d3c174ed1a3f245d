/**
 * What the HTTP API says of the network, as JSON. As everywhere: snake_case, times in milliseconds.
 * @module
 */
import type { NodeType } from './types.ts'

export type PeerHealth = 'healthy' | 'degraded' | 'disconnected'

/** `GET /network/health`: of this node's own links. */
export interface NetworkHealthJson {
  /** `isolated`: no peer has a session. `degraded`: most of those that have one are. */
  readonly status: 'healthy' | 'degraded' | 'isolated'
  readonly healthy_peers: number
  readonly degraded_peers: number
  /** Known, and without a session now. */
  readonly disconnected_peers: number
  readonly inbound_peers: number
  readonly outbound_peers: number
  /** That proved it. */
  readonly authority_peers: number
  readonly reserved_peers: number
  /** Of those that the node's configuration names. */
  readonly bootstrap_peers: number
  readonly blacklist_entries: number
  /** Null before the first answer of any. */
  readonly average_latency_ms: number | null
}

/** A peer that has, or had, a session. Counts are of all its sessions since the node started. */
export interface KnownPeerJson {
  readonly peer_id: string
  readonly health: PeerHealth
  /** 0 to 100: how well the link works; 0 without a session. */
  readonly quality: number
  /** -200 to 25; 0 for a peer that did nothing of note. */
  readonly reputation: number
  /** Multiaddr of the connection's other end. */
  readonly address: string
  /** Where it says it can be dialled. */
  readonly addresses: readonly string[]
  readonly direction: 'inbound' | 'outbound'
  readonly node_type: NodeType | 'light'
  readonly label: string | null
  readonly features: readonly string[]
  readonly reserved: boolean
  /** The entry that keeps it out; null when none does. */
  readonly ban: BlacklistEntryJson | null
  readonly height: number | null
  readonly finalized_height: number | null
  /** Milliseconds since 1970, as the others. */
  readonly connected_at: number | null
  readonly first_seen: number
  readonly last_seen: number
  /** Round trip; null without a session, or before the first answer. */
  readonly latency_ms: number | null
  readonly messages_in: number
  readonly messages_out: number
  readonly bytes_in: number
  readonly bytes_out: number
  readonly sessions: number
  /** Why the last session ended; null when none has. */
  readonly last_end: { readonly at: number; readonly by: 'local' | 'remote'; readonly reason: string } | null
}

/** `GET /network/peer/{peer_id}` */
export interface PeerDetailsJson extends KnownPeerJson {
  readonly health_history: readonly {
    readonly at: number
    readonly from: PeerHealth
    readonly to: PeerHealth
    readonly cause: string
  }[]
  /** By kind of message; bytes of bodies, without framing. */
  readonly by_kind: Readonly<
    Record<
      string,
      {
        readonly messages_in: number
        readonly messages_out: number
        readonly bytes_in: number
        readonly bytes_out: number
      }
    >
  >
  /** This node's requests to it. */
  readonly requests: {
    readonly answered: number
    readonly timed_out: number
    readonly lost: number
    readonly response_ms: number | null
  }
  readonly offences: Readonly<Record<string, number>>
}

/** `GET /network/peers`: known peers, those that are gone too; the query narrows it down. */
export interface KnownPeersJson {
  readonly peer_count: number
  readonly peers: readonly KnownPeerJson[]
}

/** All that is given must hold; all but `connected` are of peers with a session only. */
export interface PeerQueryJson {
  readonly connected?: boolean
  readonly feature?: string
  readonly node_type?: string
  readonly label?: string
  readonly max_latency_ms?: number
  readonly min_reputation?: number
}

/** `POST /network/blacklist` */
export interface BanJson {
  /** A peer id, an IP address, or a block as `10.1.0.0/16`. */
  readonly target: string
  readonly reason?: string
  /** Who decided. */
  readonly by?: string
  /** Without it, for good. */
  readonly duration_ms?: number
}

export interface BlacklistEntryJson {
  readonly target: string
  readonly reason: string
  readonly by: string
  /** For what the peer did, and not by an operator. */
  readonly automatic: boolean
  readonly since: number
  /** Null: for good. */
  readonly until: number | null
}

/** `GET /network/blacklist`: in force, the oldest first. */
export interface BlacklistJson {
  readonly entries: readonly BlacklistEntryJson[]
}
