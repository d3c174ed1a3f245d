/**
 * What users of the network see.
 * @module
 */
import type { NodeType, Status } from './protocol/hello.ts'
import type { Lane, PerLane } from './protocol/lane.ts'
import type { LaneDepth } from './protocol/lanes.ts'
import type { Direction } from './protocol/peer-table.ts'
import type { Reason } from './protocol/reason.ts'

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
  /** In the current window. */
  readonly faults: number
}

/** All since the start. */
export interface NetworkStats {
  readonly openSessions: number
  readonly droppedByReason: Readonly<Record<string, number>>
  readonly endedByReason: Readonly<Record<string, number>>
  readonly refusedByReason: Readonly<Record<string, number>>
  readonly gossip: Readonly<Record<'published' | 'accepted' | 'ignored' | 'rejected' | 'duplicate', number>>
  readonly faults: number
}

export type NetworkEvent =
  | { readonly kind: 'peerConnected'; readonly peer: PeerView }
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
  | { readonly kind: 'peerFault'; readonly peer: string; readonly reason: string }
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

export interface Network {
  readonly peerId: string
  /** Multiaddrs with the peer id, ready to be another node's bootstrap. */
  addresses(): string[]
  peers(): readonly PeerView[]
  stats(): NetworkStats

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

  /** Tells the peers, at most every `statusIntervalMs`. */
  setStatus(status: Status): void
  /**
   * Dials once, and keeps the peer among the known ones.
   * @returns its peer id, when the session is open.
   * @throws {NetworkError} `ADDRESS_INVALID`, `DIAL_FAILED`, `HANDSHAKE_REFUSED`, `STOPPED`.
   */
  connect(address: string): Promise<string>
  /** Ends the session with a reason; the peer may come back. No effect when there is none. */
  disconnect(peer: string, message: string): void
  /** The peer did what no honest node does. Enough faults in a window send it away for a cool-down. */
  penalise(peer: string, reason: string): void
  /** @returns how to stop listening. */
  subscribe(listener: (event: NetworkEvent) => void): () => void
  /** Says goodbye to all peers and frees everything. Safe to call twice. */
  stop(): Promise<void>
}
