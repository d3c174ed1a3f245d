/**
 * What users of the network see.
 * @module
 */
import type { BanOptions } from './bans.ts'
import type { ErrorView } from './error-log.ts'
import type { BlacklistEntry } from './protocol/blacklist.ts'
import type { Health, HealthChange } from './protocol/health.ts'
import type {
  DeliveryHandler,
  DeliveryOptions,
  DeliveryReceipt,
  DeliveryStats,
} from './delivery/delivery-types.ts'
import type { NodeType, Status } from './protocol/hello.ts'
import type { SessionEnd, Traffic } from './protocol/known-peers.ts'
import type { Lane, PerLane } from './protocol/lane.ts'
import type { LaneDepth } from './protocol/lanes.ts'
import type { KindCounts, RequestCounts } from './protocol/peer-counts.ts'
import type { Direction } from './protocol/peer-table.ts'
import type { Reason } from './protocol/reason.ts'
import type { ReachView } from './reach.ts'
import type { Deed, Offence } from './protocol/reputation.ts'
import type { LinkInMap, NodeInMap } from './protocol/topology.ts'
import type { TrafficView } from './traffic-view.ts'

/** A peer with an open session. What it says of itself is a claim; only `id` is proved. */
export interface PeerView extends Status {
  readonly id: string
  /** Where it says it can be dialled. */
  readonly addresses: readonly string[]
  /** The other end of the connection. */
  readonly remoteAddress: string
  readonly direction: Direction
  readonly nodeType: NodeType
  readonly version: number
  readonly features: readonly string[]
  readonly reserved: boolean
  /** What `admit` called it. */
  readonly label: string | null
  /** Wall clock. */
  readonly connectedAtMs: number
  /** Wall clock; when the last byte came. */
  readonly lastSeenMs: number
  /** Round trip with the time in queues; null before the first. */
  readonly latencyMs: number | null
  readonly messagesIn: number
  readonly messagesOut: number
  readonly bytesIn: number
  readonly bytesOut: number
  /** What waits to be sent. */
  readonly queues: PerLane<LaneDepth>
  readonly health: Health
  /** 0 to 100: how well the link works. */
  readonly quality: number
  /** -200 to 25; 0 for who did nothing of note. */
  readonly reputation: number
}

/** All that is known of a peer that has, or had, a session. Counts are of all its sessions together. */
export interface PeerDetails
  extends
    Traffic,
    Pick<
      PeerView,
      | 'id'
      | 'addresses'
      | 'remoteAddress'
      | 'direction'
      | 'nodeType'
      | 'features'
      | 'label'
      | 'health'
      | 'quality'
      | 'reputation'
      | 'reserved'
      | 'lastSeenMs'
    > {
  /** Null when it has none now. */
  readonly session: PeerView | null
  readonly ban: BlacklistEntry | null
  /** Wall clock. */
  readonly firstSeenMs: number
  readonly sessions: number
  /** How the last session ended; wall clock. */
  readonly lastEnd: SessionEnd | null
  /** Oldest first; wall clock. */
  readonly healthHistory: readonly HealthChange[]
  /** By the name of the kind; the session's own messages are only in the totals. */
  readonly byKind: Readonly<Record<string, KindCounts>>
  readonly requests: RequestCounts
  readonly offences: Readonly<Record<Offence, number>>
}

/** What a node says of itself in its signed record: claims, but no one else's. */
export interface RecordView {
  readonly id: string
  /** With the peer id. */
  readonly addresses: readonly string[]
  readonly nodeType: NodeType
  readonly features: readonly string[]
  /** Wall clock of its machine. */
  readonly signedAtMs: number
  /** Wall clock; when a session with it last opened or ended. Null for never. */
  readonly lastSeenMs: number | null
  /** Dials that failed since. */
  readonly failures: number
}

/** All that is given must hold (TN-2). */
export interface PeerQuery {
  readonly feature?: string
  readonly nodeType?: NodeType
  readonly label?: string
  /** Of the protocol, that the session speaks. */
  readonly version?: number
  /** An IP address or a block as `10.1.0.0/16`, where the other end of the connection is; nobody is in what is neither. */
  readonly within?: string
  /** Something came from it in so many milliseconds. */
  readonly heardWithinMs?: number
  /** Peers whose latency is not known yet are left out. */
  readonly maxLatencyMs?: number
  readonly minReputation?: number
}

/** Own links only; peers. */
export interface NetworkHealth {
  readonly healthy: number
  readonly degraded: number
  /** Known, and without a session now. */
  readonly disconnected: number
  readonly inbound: number
  readonly outbound: number
  /** That proved it. */
  readonly authorities: number
  readonly reserved: number
  /** Of those that the configuration names. */
  readonly bootstrap: number
  /** Entries of the blacklist. */
  readonly banned: number
  /** Over the peers with a session; null before the first round trip. */
  readonly averageLatencyMs: number | null
}

/** All since the start. */
export interface NetworkStats extends TrafficView, ErrorView {
  readonly openSessions: number
  /** In all steps of `steps` together. */
  readonly droppedByReason: Readonly<Record<string, number>>
  readonly endedByReason: Readonly<Record<string, number>>
  readonly refusedByReason: Readonly<Record<string, number>>
  readonly gossip: GossipStats
  /** Offences of peers. */
  readonly faults: number
}

export interface GossipStats {
  readonly published: number
  readonly accepted: number
  readonly ignored: number
  readonly rejected: number
  /** Further copies of what had come before. */
  readonly duplicate: number
  /** Asked for after an announcement, and not sent in time. */
  readonly withheld: number
  /** Now: messages that are kept for peers who ask, and their bytes. */
  readonly kept: number
  readonly keptBytes: number
  /** Now: announced, and not here yet. */
  readonly missing: number
}

export type NetworkEvent =
  | { readonly kind: 'peerConnected'; readonly peer: PeerView }
  /** Its session goes on over a direct link, in place of a relayed one. */
  | { readonly kind: 'peerMoved'; readonly peer: PeerView }
  | { readonly kind: 'reachChanged'; readonly reach: ReachView }
  | {
      readonly kind: 'peerDisconnected'
      readonly peer: string
      readonly by: 'local' | 'remote'
      readonly reason: Reason
    }
  /** A handshake failed. `side` says who refused. */
  | {
      readonly kind: 'peerRefused'
      readonly peer: string
      readonly side: 'local' | 'remote'
      readonly reason: Reason
    }
  /** The peer announced another height: a claim. */
  | { readonly kind: 'peerStatus'; readonly peer: string; readonly status: Status }
  | {
      readonly kind: 'peerFault'
      readonly peer: string
      readonly offence: Offence
      readonly reason: string
    }
  | {
      readonly kind: 'peerHealth'
      readonly peer: string
      readonly from: Health
      readonly to: Health
      readonly cause: string
    }
  | { readonly kind: 'peerBanned' | 'peerUnbanned'; readonly entry: BlacklistEntry }
  | { readonly kind: 'dialFailed'; readonly addresses: readonly string[]; readonly message: string }

export interface Message {
  /** The peer that it came from: for gossip the relay, not the author. */
  readonly from: string
  readonly kind: string
  readonly body: Uint8Array
}

/** `ignore`: not relayed, nobody is blamed. `reject`: the sender is charged a fault, since it should have judged it itself. */
export type Verdict = 'accept' | 'ignore' | 'reject'

export type SendResult = 'queued' | 'dropped: no session' | 'dropped: queue full' | 'dropped: too large'

export interface RequestOptions {
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
  /** The lane of the request; the answer comes in the lane of its kind. */
  readonly lane?: Lane
}

export interface NetworkDelivery {
  /**
   * Over a link, or over other nodes where there is none; sent again until the recipient acknowledges or the deadline is over, and given
   * to its application once. The order of messages is not kept. What waits is lost when this process ends.
   * @throws {NetworkError} `DELIVERY_TIMEOUT` (it may have arrived all the same), `DELIVERY_REFUSED` with `remoteCode`, `QUEUE_FULL`,
   *   `PEER_UNREACHABLE` for what is no other node's id, `MESSAGE_TOO_LARGE`, `REQUEST_CANCELLED`, `STOPPED`.
   */
  send(peer: string, kind: string, body: Uint8Array, options?: DeliveryOptions): Promise<DeliveryReceipt>
  /** Takes messages of a kind that were sent so; `handle` of the network does not get them. */
  handle(kind: string, handler: DeliveryHandler): void
  stats(): DeliveryStats
}

/** The network as this node knows it, itself included (PT-11). */
export interface NetworkTopology {
  readonly totalNodes: number
  readonly healthyPeers: number
  readonly degradedPeers: number
  /** They report, and nobody has a link with them. */
  readonly disconnectedPeers: number
  /** Over all links; null before the first round trip. */
  readonly averageLatencyMs: number | null
  /** The software that most nodes run; null before the first report. */
  readonly networkVersion: string | null
  readonly nodes: readonly NodeInMap[]
  /** Those that both ends report, and this node's own. */
  readonly links: readonly LinkInMap[]
}

export interface Network {
  readonly peerId: string
  /** Multiaddrs with the peer id, ready to be another node's bootstrap. */
  addresses(): string[]
  peers(): readonly PeerView[]
  /** A peer that has, or had, a session; undefined when it is not known, or forgotten. */
  peer(id: string): PeerDetails | undefined
  /** Those too that are gone, the last of them last. */
  knownPeers(): readonly PeerDetails[]
  /** Peers with a session that the query fits, the best link first. */
  findPeers(query: PeerQuery): readonly PeerView[]
  health(): NetworkHealth
  /** Whether others can dial this node, why that is thought, and over whom they reach it. */
  reachability(): ReachView
  stats(): NetworkStats

  /** Everyone that this node has heard of, connected or not, in this run or an earlier one (PC-2). */
  records(): readonly RecordView[]

  /** Never blocks, and never throws for a peer that is gone. Queued is not delivered. */
  send(peer: string, kind: string, body: Uint8Array): SendResult
  /** Resolves when the peer's lane is less than half full, or the peer is gone. */
  sendReady(peer: string, lane: Lane): Promise<void>
  /** @returns to how many peers it was queued. */
  broadcast(
    kind: string,
    body: Uint8Array,
    options?: { except?: string; only?: (peer: PeerView) => boolean },
  ): number
  /** Gossip: to everyone, relayed by everyone. It is not handed to this node's own handler. */
  publish(kind: string, body: Uint8Array): void
  /**
   * @throws {NetworkError} `PEER_UNREACHABLE`, `PEER_GONE`, `REQUEST_TIMEOUT`, `QUEUE_FULL` (try again or elsewhere);
   *   `REQUEST_REFUSED` with the peer's code, `REQUEST_CANCELLED`, `MESSAGE_TOO_LARGE`, `STOPPED`.
   */
  request(peer: string, kind: string, body: Uint8Array, options?: RequestOptions): Promise<Uint8Array>

  handle(kind: string, handler: (message: Message) => void): void
  /** A copy is judged once; the verdict decides whether it is relayed. */
  handleGossip(kind: string, handler: (message: Message) => Verdict | Promise<Verdict>): void
  /** What the handler throws is answered as an error, with its `code` if it has one. The signal tells that nobody waits any more. */
  handleRequest(
    kind: string,
    handler: (message: Message, signal: AbortSignal) => Uint8Array | Promise<Uint8Array>,
  ): void

  /** Messages to any node of the network, linked or not: acknowledged, once only, sealed (PT-7, PC-12). */
  readonly delivery: NetworkDelivery
  /** The whole network, as this node knows it (PT-11). */
  topology(): NetworkTopology
  /** Tells the peers, at most every `statusIntervalMs`. */
  setStatus(status: Status): void
  /**
   * Dials once, and keeps the peer among the known ones.
   * @param address multiaddr or host:port; or a peer's id, where its record or the DHT says where it is.
   * @returns its peer id, when the session is open.
   * @throws {NetworkError} `ADDRESS_INVALID`, `PEER_UNREACHABLE` when nobody knows where it is, `DIAL_FAILED`, `HANDSHAKE_REFUSED`, `STOPPED`.
   */
  connect(address: string): Promise<string>
  /** Ends the session with a reason; the peer may come back. No effect when there is none. */
  disconnect(peer: string, message: string): void
  /**
   * The peer did what no honest node does: its reputation falls by what the README's table says, and with it at last the peer. Never
   * for what is only slow, silent or gone.
   * @param detail for people: in the log, and in what the peer is told.
   */
  penalise(peer: string, offence: Offence, detail: string): void
  /** The peer was of use. Gossip that was accepted is counted by itself. */
  reward(peer: string, deed: Deed): void
  /**
   * Ends the sessions that it is about, and keeps new ones out. In force at once; resolves when it is in the store.
   * @param target a peer id, an IP address, or a block as `10.1.0.0/16` (at least 8 bits, 16 for IPv6).
   * @throws {NetworkError} `BLACKLIST_TARGET_INVALID`, `BLACKLIST_FULL`; and what the store throws.
   */
  ban(target: string, options?: BanOptions): Promise<BlacklistEntry>
  /** A peer that was banned by its id begins with a clean slate. @returns the entry that ended; null when there was none. */
  unban(target: string): Promise<BlacklistEntry | null>
  /** In force now, the oldest first. */
  blacklist(): readonly BlacklistEntry[]
  /** From now on the peer needs no slot and is redialled at least every `reservedRedialMs`; until the network stops. */
  reserve(peer: string): void
  /** @returns whether it was reserved by the configuration or `reserve`. */
  release(peer: string): boolean
  /** @returns how to stop listening. */
  subscribe(listener: (event: NetworkEvent) => void): () => void
  /** Says goodbye to all peers and frees everything. Safe to call twice. */
  stop(): Promise<void>
}
