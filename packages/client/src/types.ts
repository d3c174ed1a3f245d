/**
 * What the HTTP API says, as JSON. Names are snake_case; times end in their unit.
 * Hashes, ids, keys of accounts and authorities: lower-case hexadecimal. Bytes (blocks, proofs, values): base64.
 * Counters are numbers, amounts of money decimal strings (decision 001).
 * @module
 */

export type Hex = string
export type Base64 = string
/** An amount of money: a decimal u64. */
export type AmountText = string

/** Around every answer. Exactly one of `data` and `error` is not null. */
export type Envelope<T> =
  | { readonly success: true; readonly data: T; readonly error: null }
  | { readonly success: false; readonly data: null; readonly error: ErrorJson }

export interface ErrorJson {
  /** Stable, upper-case: for programs. */
  readonly code: string
  /** A sentence: what was wrong, and what to do where that is known. */
  readonly message: string
  readonly details: Readonly<Record<string, unknown>> | null
}

export type NodeType = 'authority' | 'full'

/** `GET /api/v1/node/info` */
export interface NodeInfo {
  readonly name: string
  readonly software_version: string
  readonly protocol_versions: { readonly min: number; readonly max: number }
  readonly network_id: string
  readonly genesis_hash: Hex
  readonly node_type: NodeType
  readonly peer_id: string
  /** Multiaddrs that others can dial. */
  readonly addresses: readonly string[]
  readonly reachability: ReachabilityJson
  /** Which authority this node is; null on a full node. */
  readonly authority: { readonly index: number; readonly public_key: Hex } | null
  /** Of the best notarized block; may still be replaced. */
  readonly head_height: number
  readonly finalized_height: number
  readonly finalized_hash: Hex
  /** Of the finalized block. */
  readonly state_root: Hex
  /** The lowest block that this node can serve. */
  readonly lowest_height: number
  /** A peer says that it is further, and this node is fetching what it has. */
  readonly syncing: boolean
  readonly peer_count: number
  readonly mempool: { readonly count: number; readonly bytes: number }
  /** In final blocks, since genesis. */
  readonly transactions_total: number
  readonly consensus: ConsensusJson
  /** Why the next block is not final yet, in words. */
  readonly waiting: string
  /** The SPARQL server outside the node that holds its graphs; null: they are in the node. */
  readonly external_graphs: ExternalGraphsJson | null
  /** From acceptance by this node to finality, over the latest transactions; null before the first. */
  readonly finality_latency_ms: { readonly p50: number; readonly p99: number } | null
  /** Final transactions per second, over the last seconds. */
  readonly transactions_per_second: number
  readonly uptime_ms: number
}

/** How far the SPARQL server outside the node is that holds its graphs. */
export interface ExternalGraphsJson {
  /** `away`: it cannot be reached or does not take what it is told; the node tries again. `filling`: it gets all statements. */
  readonly state: 'starting' | 'filling' | 'following' | 'in_step' | 'away'
  /** Of the block whose graphs it holds; null when that is not known. */
  readonly height: number | null
  /** Why it is away. */
  readonly problem: string | null
}

/** Whether others can dial the node, as those say who tried. */
export interface ReachabilityJson {
  readonly reach: 'unknown' | 'public' | 'private'
  /** In words. */
  readonly why: string
  /** Multiaddrs at which others came through. */
  readonly confirmed_addresses: readonly string[]
  /** Peer ids of those over whom others reach it. */
  readonly relays: readonly string[]
  /** It relays for others. */
  readonly relays_for_others: boolean
}

export interface ConsensusJson {
  readonly epoch: number
  readonly view: number
  /** Index of the authority that proposes in this view. */
  readonly leader: number
  /** Nothing to do: blocks wait for a transaction or for the idle interval. */
  readonly idle: boolean
  /** Why this node stopped for good; null while it runs. */
  readonly halted: string | null
  /** Why this node signs no votes; null when it does. */
  readonly observer: string | null
  readonly quorum_weight: number
  readonly authorities: readonly AuthorityJson[]
}

export interface AuthorityJson {
  readonly index: number
  readonly public_key: Hex
  readonly weight: number
  /** Since this node last heard it; null when never. */
  readonly silent_ms: number | null
  /** What this node has seen it vote in the current view. */
  readonly voted_notarize: boolean
  readonly voted_nullify: boolean
  readonly voted_finalize: boolean
}

/** `GET /api/v1/node/peers` */
export interface NodePeers {
  readonly peer_count: number
  readonly peers: readonly PeerJson[]
}

export interface PeerJson {
  readonly peer_id: string
  /** Multiaddr of the connection's other end. */
  readonly address: string
  readonly direction: 'inbound' | 'outbound'
  readonly node_type: NodeType
  /** What the peer calls itself; not proved. */
  readonly label: string
  readonly height: number
  readonly finalized_height: number
  /** Milliseconds since 1970. */
  readonly last_seen: number
  /** Round trip; null before the first answer. */
  readonly latency_ms: number | null
  readonly messages_in: number
  readonly messages_out: number
  readonly bytes_in: number
  readonly bytes_out: number
}

/** `GET /api/v1/genesis` */
export interface GenesisJson {
  readonly network_id: string
  readonly genesis_hash: Hex
  /** SSZ `Genesis`. */
  readonly genesis: Base64
  /** SSZ `Header` of block 0; its hash is the genesis hash. */
  readonly header: Base64
}

/** `GET /api/v1/epochs/{from}`: how one epoch led to the next. */
export interface EpochsJson {
  /** The node's present epoch. */
  readonly epoch: number
  /** SSZ `EpochLink` of epoch `from` and those after it, in order, as many as fit: fewer than asked for is normal. */
  readonly links: readonly Base64[]
}

/**
 * `GET /api/v1/head`: the newest final block, and those above it that are executed here but not final yet. A notarized
 * block can only be undone by a nullification of its view, a proposed one by any other.
 */
export interface HeadJson {
  /** The notarized block of the highest view; the final one when there is none. */
  readonly head: Hex
  /** In height order, the final one first; several of a height while they compete. */
  readonly blocks: readonly {
    readonly height: number
    readonly hash: Hex
    readonly parent: Hex
    readonly view: number
    readonly label: 'proposed' | 'notarized' | 'final'
  }[]
}

/** `GET /api/v1/blocks/{height|hash|latest}`: a final block. */
export interface BlockJson {
  readonly height: number
  readonly hash: Hex
  readonly version: number
  readonly epoch: number
  readonly parent: Hex
  readonly view: number
  readonly proposer: number
  /** Milliseconds since 1970, by the proposer's clock. */
  readonly timestamp: number
  readonly tx_root: Hex
  readonly state_root: Hex
  /** Null while the authority set stays. */
  readonly next_set: Hex | null
  /** Ids, in the order of execution. */
  readonly transactions: readonly Hex[]
  /** SSZ `Certificate` that finalizes exactly this block; null when a later block's finalizes it too. */
  readonly finalization: Base64 | null
  /** SSZ `Block`. */
  readonly block: Base64
}

/** `GET /api/v1/accounts/{account}`; an account that nobody has used exists with zeros. */
export interface AccountJson {
  readonly account: Hex
  /** Of the next transaction, by the finalized state. */
  readonly nonce: number
  /** Of the next transaction, after those that wait in this node's pool. */
  readonly pending_nonce: number
  readonly balance: AmountText
}

/**
 * `failed`: in a final block, fee and nonce taken, but its operations had no effect.
 * `rejected`: will not be in a block (invalid, replaced, expired).
 * `unknown`: this node has never seen it, or has forgotten it.
 */
export type TransactionStatus = 'pending' | 'final' | 'failed' | 'rejected' | 'unknown'

/** `GET /api/v1/transactions/{id}` */
export interface TransactionJson {
  readonly id: Hex
  readonly status: TransactionStatus
  /** Of the final block that has it; null otherwise. */
  readonly height: number | null
  readonly block_hash: Hex | null
  /** Position in the block. */
  readonly index: number | null
  /** Why it failed or was rejected. */
  readonly fault: { readonly code: string; readonly message: string } | null
}

/** Most transactions in one `POST /api/v1/transactions`. */
export const SUBMIT_TRANSACTIONS_MAX = 256

/**
 * `POST /api/v1/transactions`: one (`{ transaction }`, answered by `TransactionJson`, or by an error when it is
 * refused), or many (`{ transactions }`, answered by `SubmissionsJson`). SSZ `Transaction`, base64.
 */
export type SubmitJson = { readonly transaction: Base64 } | { readonly transactions: readonly Base64[] }

/** One result per transaction, in the order sent; each was taken or refused by itself. */
export interface SubmissionsJson {
  readonly results: readonly SubmissionJson[]
}

export interface SubmissionJson {
  readonly id: Hex
  readonly accepted: boolean
  /** Why it was refused; null when accepted. */
  readonly error: ErrorJson | null
}

/**
 * `GET /api/v1/kv/{key}`: `key` is percent-encoded UTF-8, or hexadecimal with `?encoding=hex`.
 * The proof is there unless `?proof=false`. A key that nobody holds is an answer (`exists: false`), not an error.
 */
export interface KvJson {
  /** As it was asked for. */
  readonly key: string
  readonly exists: boolean
  /** Null when it does not exist. */
  readonly value: Base64 | null
  /** Account that owns the key; null when it does not exist. */
  readonly owner: Hex | null
  /** Of the finalized block whose state this is. */
  readonly height: number
  /** Null with `?proof=false`. */
  readonly proof: StateProofJson | null
}

/** Enough to check the answer knowing only the genesis hash and the authorities. */
export interface StateProofJson {
  /** SSZ `Header` of the block at `height`. */
  readonly header: Base64
  /** SSZ `Certificate` that finalizes that block; null for block 0, which the genesis hash commits to. */
  readonly certificate: Base64 | null
  /** Proof in the state tree, from what was asked for to the header's state root. */
  readonly state: Base64
}
