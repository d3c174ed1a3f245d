/**
 * What the HTTP API asks of the node behind it. Reads answer at once, from final, durable data.
 * @module
 */
import type {
  Block,
  BlockHash,
  Certificate,
  Evidence,
  Genesis,
  Header,
  Result,
  TransactionId,
} from '@althing/base'
import type { ConsensusReport, NodeInfo, PeerJson } from '@althing/client'
import type { Receipt } from '@althing/chain'
import type { AuthorityState } from '@althing/ledger'
import type { GraphFeed } from '../graph-changes/graph-feed.ts'
import type { Observed } from '../observation/index.ts'
import type { BlockPropagation } from '../propagation.ts'
import type { EpochSource } from './epoch-routes.ts'
import type { ServedGraphs } from '../served-graphs.ts'
import type { MappedNetwork } from './network-map-routes.ts'
import type { AdministeredNetwork } from './network-routes.ts'
import type { HoldersBackend } from './graph-holder-routes.ts'
import type { SparqlBackend } from './sparql-routes.ts'
import type { TraceBackend } from './trace-routes.ts'

export interface ServedBlock {
  readonly block: Block
  readonly hash: BlockHash
  /** Of exactly this block; absent when a later one's makes it final. */
  readonly finalization: Certificate | undefined
}

export interface ServedAccount {
  readonly nonce: number
  /** After those that wait in the pool. */
  readonly pendingNonce: number
  readonly balance: bigint
}

/** What is known of a transaction; undefined for one that was never seen, or is forgotten. */
export type ServedTransaction =
  | { readonly kind: 'pending' }
  | { readonly kind: 'rejected'; readonly fault: { readonly code: string; readonly message: string } }
  | {
      readonly kind: 'final'
      readonly height: number
      readonly blockHash: BlockHash
      readonly index: number
      readonly receipt: Receipt
    }

/** A key's entry in the state of a final block; a key without an entry has neither value nor owner. */
export interface ServedKv {
  readonly entry: { readonly value: Uint8Array; readonly owner: Uint8Array } | undefined
  readonly height: number
  /** Present when it was asked for. */
  readonly proof?: ServedProof
}

/** Of presence or absence, at the latest block that has a finalization of its own, or block 0. */
export interface ServedProof {
  readonly header: Header
  /** Absent for block 0. */
  readonly certificate: Certificate | undefined
  /** As `@althing/client` verifies it. */
  readonly state: Uint8Array
}

export interface ApiBackend {
  readonly network: AdministeredNetwork & MappedNetwork
  readonly propagation: Pick<BlockPropagation, 'at'>
  readonly observation: Observed
  readonly epochs: EpochSource
  readonly graphs: SparqlBackend & HoldersBackend
  readonly servedGraphs: ServedGraphs
  readonly graphFeed: GraphFeed
  readonly traces: TraceBackend
  info(): NodeInfo
  /** As the latest final state says. */
  authorities(): { readonly state: AuthorityState; readonly height: number }
  /** Proofs of double signatures that this node knows of. */
  evidence(): readonly Evidence[]
  /** What the next block waits for. */
  consensus(): ConsensusReport
  peers(): readonly PeerJson[]
  genesis(): {
    readonly genesis: Genesis
    readonly networkId: string
    readonly header: Header
    readonly hash: BlockHash
  }
  block(at: number | BlockHash | 'latest'): ServedBlock | undefined
  /** One that nobody has used has zeros. @param id 32 bytes. */
  account(id: Uint8Array): ServedAccount
  transaction(id: TransactionId): ServedTransaction | undefined
  /**
   * Takes encoded transactions in: decodes them, checks signatures, adds them to the pool.
   * @returns one result each, in the order given; what is accepted is pending.
   */
  submit(encoded: readonly Uint8Array[]): Promise<readonly Result<unknown>[]>
  /** @param key 1 to 512 bytes. */
  kv(key: Uint8Array, options: { readonly proof: boolean }): ServedKv
}
