/**
 * What the chain's cores ask of the ledger and of the store. All calls are synchronous and deterministic.
 * @module
 */
import type {
  AuthoritySet,
  Block,
  BlockHash,
  Certificate,
  Fault,
  Hash,
  Header,
  Result,
  Transaction,
} from '@althing/base'

/** The part of a header that is known before its block is executed; the version is what `blockVersion` says. */
export type HeaderDraft = Omit<Header, 'txRoot' | 'stateRoot' | 'nextSet'>

/** An authority that lost its vote log said so on the chain (R12). */
export interface RejoinRecord {
  readonly nonce: Uint8Array
  /** Of the block that carried it. */
  readonly height: number
}

/** Executes and builds blocks; keeps the result of each unfinalized block under its hash. */
export interface Executor {
  /**
   * Executes `block` on the state of its parent, which was executed before or is final, and compares the roots and
   * the next authority set.
   * Every fault is one that the block hash itself commits to.
   */
  execute(block: Block, hash: BlockHash): Result<void>
  /** A block on `parent`, executed already. @param empty take no transactions. */
  build(parent: BlockHash, draft: HeaderDraft, empty: boolean): { block: Block; hash: BlockHash }
  /** Whether a block on `parent` would carry at least one transaction now. */
  hasExecutable(parent: BlockHash): boolean
  /**
   * The version that the chain state asks of a block on `parent`. One above BLOCK_VERSION means that this release
   * can neither build nor judge it.
   */
  blockVersion(parent: BlockHash): number
  /**
   * The newest rejoin (R12) of an authority's key on the chain up to `at`, which is executed and not below the newest
   * final block: its nonce, and the height of the block that carried it. Null when there is none.
   */
  lastRejoin(at: BlockHash, key: Uint8Array): RejoinRecord | null
  /** Drops the results of blocks that can no longer become final. */
  drop(hashes: readonly BlockHash[]): void
}

export interface FinalBlock {
  readonly block: Block
  readonly hash: BlockHash
}

/** Read access to final, durable blocks. */
export interface FinalBlocks {
  /** Height of the last durable final block; 0 when there is only the genesis block. */
  readonly height: number
  byHeight(height: number): FinalBlock | undefined
  byHash(hash: BlockHash): FinalBlock | undefined
  /**
   * The finalization stored for exactly this height. Not every block has a direct one: it is also final by a later
   * block's.
   */
  finalizationAt(height: number): Certificate | undefined
}

/** Where a block stands: what its transactions may depend on besides the state. */
export interface LedgerContext {
  readonly height: number
  /** Milliseconds since 1970, by the proposer's clock. */
  readonly timestamp: number
  readonly epoch: number
  /** Of the header: the view in which the block was first proposed. */
  readonly view: number
  /** Index in the epoch's authority set. */
  readonly proposer: number
  readonly parent: BlockHash
  /** Of the parent's header; 0 for the first block of an epoch. The leaders of the views between missed their turns. */
  readonly parentView: number
}

/** What became of a transaction in a block: applied, or paid for and refused. */
export interface Receipt {
  readonly ok: boolean
  /** Why the operations had no effect; absent when ok. */
  readonly fault?: Fault
}

export interface AccountView {
  /** The nonce of the account's next transaction. */
  readonly nonce: number
  readonly balance: bigint
}

/** The application under the chain. @typeParam State an immutable state, cheap to keep: it shares with those before it. */
export interface Ledger<State> {
  root(state: State): Hash
  /** An account that is not in the state has nonce 0 and balance 0. */
  account(state: State, id: Uint8Array): AccountView
  /**
   * Whether a block at `height` on `state` could carry this transaction, leaving aside that earlier ones of its sender
   * may be missing still. Signatures are not looked at.
   */
  check(state: State, transaction: Transaction, height: number): Result<void>
  /**
   * Whether the chain takes this transaction without the fee that others pay, since it is what keeps the chain going
   * (votes, signs of life). Asked of transactions that `check` lets pass.
   */
  isFree(state: State, transaction: Transaction): boolean
  /** The version of a block at `height` on `state`. */
  blockVersion(state: State, height: number): number
  /** See `Executor.lastRejoin`. */
  lastRejoin(state: State, key: Uint8Array): RejoinRecord | null
  /** Starts the changes of one block on `state`. */
  begin(state: State, context: LedgerContext): LedgerBatch<State>
}

/** The changes of one block, being gathered. */
export interface LedgerBatch<State> {
  /** As the transactions applied so far leave it. */
  account(id: Uint8Array): AccountView
  /**
   * Applies one transaction whose signature has been checked.
   * @returns a fault, and no change, when no block may carry it here (network, nonce, fee, expiry, form); else the
   * receipt. Operations take effect all together or, when one fails, not at all; the fee and the nonce are taken either
   * way.
   */
  apply(transaction: Transaction): Result<Receipt>
  /** The state with all changes. The batch is over then. */
  end(): BlockEnd<State>
}

/** What a block leaves behind. */
export interface BlockEnd<State> {
  readonly state: State
  /** Not null: the block ends its epoch, and this is the set of the next one (R11). */
  readonly nextSet: AuthoritySet | null
}
