/**
 * The four parts of a user's own chain, as the network needs them. Blocks and transactions are opaque; only the chain knows what is in
 * them. Each has an exported compliance suite in `@althing/network/testing`.
 *
 * A method may be synchronous or not. What it throws is a failure of this node (a full disk, a bug), never a fault of a peer: what a peer
 * did wrong is a value.
 * @module
 */
import type { Result } from '@althing/base'
import type { Block, BlockRef } from '../protocol/chain-messages.ts'

export type Awaitable<T> = T | Promise<T>

/** What a header says. */
export interface BlockInfo extends BlockRef {
  readonly parentId: string
}

export type Judgement =
  | { readonly verdict: 'valid' }
  /** `invalid`: no honest node sends it. `notNow`: nobody is to blame; it may be taken later. */
  | { readonly verdict: 'invalid' | 'notNow'; readonly reason: string }

/** One best chain in place of another; both leave the same block. */
export interface BranchChange {
  /** No longer on the best chain, from the old tip downwards. */
  readonly removed: readonly BlockInfo[]
  /** Now on it, upwards; the last is the tip. */
  readonly added: readonly BlockInfo[]
}

/** Judges what comes, and says which of the stored blocks is the tip of the best chain. Proof of work, of authority, of anything. */
export interface Consensus {
  /**
   * What the header says of itself; nothing else is looked at. Called with whatever a peer sends.
   * Deterministic: the id is the same on all nodes, and another one for any other block. Bytes that differ from node to node, as the
   * signatures that were collected for a block, may be part of the header and not of the id.
   */
  readHeader(header: Uint8Array): Result<BlockInfo>
  /** As `readHeader`: the transaction's id, of 1 to 128 bytes of UTF-8. */
  transactionId(bytes: Uint8Array): Result<string>
  /**
   * What the header alone proves on its stored parent: height, work or turn, signature. It stands before the transactions are fetched,
   * so it is what keeps invented blocks cheap.
   */
  judgeHeader(info: BlockInfo, header: Uint8Array): Awaitable<Judgement>
  /** The rest, for a block whose header was judged valid: that the transactions are those of the header, and valid on the parent. */
  judgeBlock(info: BlockInfo, block: Block): Awaitable<Judgement>
  /** For the mempool, on the tip of the best chain; those that came together. @returns one judgement each, in order. */
  judgeTransactions(transactions: readonly Transaction[]): Awaitable<readonly Judgement[]>
  /**
   * The block is stored, its parent was before. Called once more for the same block when it threw, or a store after it. After a restart
   * it is not called for what is in the store already. A chain that moves its tip by itself, as one with finality does, answers with the
   * tip that it has, and says later what became of the block: `EnhancedNetwork.advanced`.
   * @returns the tip of the best chain now; the same as before where this block changes nothing.
   */
  blockStored(info: BlockInfo, block: Block): Awaitable<BlockInfo>
  tip(): BlockInfo
  /** Up to here no other branch is ever followed; 0 where nothing is final. */
  finalizedHeight(): number
  /** Of the highest block that is here, where not all of them are stored at once; that of the tip by default. Told to the peers. */
  headHeight?(): number
  /**
   * Fast sync: makes this block, which is the trusted checkpoint, the base of the chain in place of the genesis, with whatever state that
   * takes. Anything but `valid` and the chain begins at its genesis. Only needed with `checkpoint`.
   */
  beginAt?(info: BlockInfo, block: Block): Awaitable<Judgement>
}

/** All blocks that were judged valid, of every branch; the genesis from the start. */
export interface BlockStore {
  has(id: string): Awaitable<boolean>
  get(id: string): Awaitable<Block | null>
  /**
   * The block survives a crash once this is done; or neither it does nor anything that was put on top of it. Its parent is stored. The
   * same block twice is no error.
   */
  put(info: BlockInfo, block: Block): Awaitable<void>
  /** Of the best chain; null above its tip and below `lowestHeight`. */
  idAt(height: number): Awaitable<string | null>
  /** In one step, whatever happens meanwhile. */
  switchTo(change: BranchChange): Awaitable<void>
  /** From here on all blocks of the best chain are kept; 0 when the genesis is. */
  lowestHeight(): Awaitable<number>
  /** Fast sync: the best chain is this block. Only needed with `checkpoint`. */
  beginAt?(info: BlockInfo, block: Block): Awaitable<void>
}

export interface Transaction {
  readonly id: string
  readonly bytes: Uint8Array
}

/** The transactions of the best chain. */
export interface TransactionStore {
  has(id: string): Awaitable<boolean>
  get(id: string): Awaitable<Uint8Array | null>
  /** The block came onto the best chain. */
  add(block: BlockInfo, transactions: readonly Transaction[]): Awaitable<void>
  /** It left the best chain. As `add`, it may come twice. */
  remove(block: BlockInfo, transactions: readonly Transaction[]): Awaitable<void>
}

/** Transactions that wait for a block, in memory. Bounded: it may forget and refuse what it likes. */
export interface Mempool {
  has(id: string): boolean
  get(id: string): Uint8Array | null
  /** Of a transaction judged valid. @returns false when it is not kept. */
  add(id: string, bytes: Uint8Array): boolean
  /** In a block now. */
  remove(id: string): void
  ids(): Iterable<string>
}
