/**
 * What the chain's cores ask of the ledger and of the store. All calls are synchronous and deterministic.
 * @module
 */
import type { Block, BlockHash, Certificate, Hash, Header, Result, Transaction } from '@althing/base'

/** The part of a header that is known before its block is executed. */
export type HeaderDraft = Omit<Header, 'txRoot' | 'stateRoot' | 'nextSet'>

/** Executes and builds blocks; keeps the result of each unfinalized block under its hash. */
export interface Executor {
  /**
   * Executes `block` on the state of its parent, which was executed before or is final, and compares the roots.
   * Every fault is one that the block hash itself commits to.
   */
  execute(block: Block, hash: BlockHash): Result<void>
  /** A block on `parent`, executed already. @param empty take no transactions. */
  build(parent: BlockHash, draft: HeaderDraft, empty: boolean): { block: Block; hash: BlockHash }
  /** Whether a block on `parent` would carry at least one transaction now. */
  hasExecutable(parent: BlockHash): boolean
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

/** How a ledger's state is handed around: immutable, cheap to keep, shared with the states before it. */
export interface LedgerContext {
  readonly height: number
  readonly timestamp: number
}

/** What became of a transaction in a block: applied, or paid for and refused. */
export interface Receipt {
  readonly ok: boolean
  /** Code and message of the operation that failed; absent when ok. */
  readonly fault?: { readonly code: string; readonly message: string }
}

export interface AccountView {
  readonly nonce: number
  readonly balance: bigint
}

/** The application under the chain. @typeParam State an immutable state. */
export interface Ledger<State> {
  root(state: State): Hash
  account(state: State, id: Uint8Array): AccountView
  /**
   * Applies one transaction whose signature has been checked.
   * @returns a fault when no block may carry it here (nonce, fee, expiry, form); else the receipt. Operations take
   * effect all together or, when one fails, not at all; the fee and the nonce are taken either way.
   */
  apply(state: LedgerBatch, transaction: Transaction, context: LedgerContext): Result<Receipt>
  /** Opens a batch of changes on `state`. */
  begin(state: State): LedgerBatch
  /** The state after the batch. */
  end(batch: LedgerBatch): State
}

/** Changes being gathered for one block; opaque to the chain. */
export interface LedgerBatch {
  readonly kind: 'ledgerBatch'
}
