/**
 * The port of the chain's storage: final blocks, their receipts, and the versions of the state tree.
 * S1  a commit takes effect as a whole or not at all, also when the process is killed or the power fails
 * S2  when `commit` resolves, everything in it is on disk; before that nothing of it can be read
 * S3  a version of the state can be read as long as `stateAt` answers for its height
 * @module
 */
import type { BlockHash, Certificate, Hash } from '@althing/base'
import type { FinalBlock, FinalBlocks, Receipt } from '@althing/chain'
import type { StateCommit, StateReference, TreeStore } from '@althing/ledger'

/** Of the layout on disk. A store of another version is refused, never guessed at. */
export const STORE_VERSION = 1

/** A version of the state tree that can be read. */
export interface StoredState extends StateReference {
  /** Of the block after which the state was this. */
  readonly height: number
}

export interface CommittedBlock extends FinalBlock {
  /** One per transaction of the block, in its order. */
  readonly receipts: readonly Receipt[]
}

export interface CommitBatch {
  /** At least one, in height order, the first on top of the store's last. A new store begins with block 0. */
  readonly blocks: readonly CommittedBlock[]
  /**
   * What made them final; null for block 0, and for blocks that are final by a later one that is still to come. It is
   * kept when it is of one of these blocks.
   */
  readonly finalization: Certificate | null
  /** The state after the last block, as a change to the state of the commit before. */
  readonly tree: StateCommit
}

export interface StoredTransaction {
  readonly height: number
  /** Position in the block. */
  readonly index: number
  readonly receipt: Receipt
}

export interface ChainStore extends FinalBlocks, TreeStore {
  /** Height of the last durable final block; −1 in a new store, before block 0 is committed. */
  readonly height: number
  /** The lowest block that can be read. */
  readonly lowestHeight: number
  /** In final blocks, since genesis. */
  readonly transactionCount: number
  /** The id that the state tree's next page or value takes. */
  readonly nextId: number
  /** SSZ `Block`, as it was committed. */
  encodedBlock(height: number): Uint8Array | undefined
  heightOf(hash: BlockHash): number | undefined
  transaction(id: Hash): StoredTransaction | undefined
  /** Of exactly this height: only the last block of a commit has a version, for as long as it is kept. */
  stateAt(height: number): StoredState | undefined
  /** After the last block; undefined in a new store. */
  latestState(): StoredState | undefined
  /**
   * The latest version that a proof can be made on: its block has a finalization of its own, or is block 0, to which
   * the genesis hash commits.
   */
  provableState(): StoredState | undefined
  /** Bytes that the caller may keep and must not change. */
  readPage(id: number): Uint8Array | undefined
  readValue(id: number): Uint8Array | undefined
  /**
   * One at a time: the caller awaits it before the next (asserted).
   * @throws {StoreError} `STORE_FULL`, `STORE_CORRUPT`; nothing of the batch was kept.
   */
  commit(batch: CommitBatch): Promise<void>
  /** Waits for a commit that is under way. May be called twice. */
  close(): Promise<void>
}

/** Which chain a store is of. */
export interface ChainIdentity {
  readonly networkId: string
  readonly genesisHash: Hash
}

export interface StoreOptions extends ChainIdentity {
  /** How many heights back versions of the state can be read. At least 1. */
  readonly versionsKept: number
}

export const VERSIONS_KEPT_DEFAULT = 256
