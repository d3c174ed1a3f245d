/**
 * Blocks that fit on one another, for stores: what is in them means nothing to a store.
 * @module
 */
import {
  BLOCK_VERSION,
  FINALIZE,
  headerHash,
  transactionsRoot,
  transactionId,
  utf8ToBytes,
} from '@althing/base'
import type { Certificate, Hash } from '@althing/base'
import type { Receipt } from '@althing/chain'
import type { StateCommit } from '@althing/ledger'
import type { CommitBatch, CommittedBlock } from '../store/types.ts'

const filled = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)

export const fixtureGenesisHash: Hash = filled(7)

export interface FixtureBlockOptions {
  readonly height: number
  readonly transactions?: readonly string[]
  readonly receipts?: readonly Receipt[]
  /** Not zero: the block ends its epoch. */
  readonly nextSet?: Hash
}

export function fixtureBlock({
  height,
  transactions = [],
  receipts,
  nextSet = filled(0),
}: FixtureBlockOptions): CommittedBlock {
  const encoded = transactions.map(utf8ToBytes)
  const header = {
    version: BLOCK_VERSION,
    epoch: 1,
    height,
    parent: filled(height % 251),
    view: height,
    proposer: 0,
    timestamp: 1_700_000_000_000 + height,
    txRoot: transactionsRoot(encoded.map(transactionId)),
    stateRoot: filled((height + 1) % 251),
    nextSet,
  }
  const block = { header, transactions: encoded, nextSet: [] }
  return { block, hash: headerHash(header), receipts: receipts ?? encoded.map(() => ({ ok: true })) }
}

export function fixtureFinalization({ block, hash }: CommittedBlock): Certificate {
  return {
    kind: FINALIZE,
    epoch: 1,
    view: block.header.view,
    hash,
    bitmap: Uint8Array.of(1),
    signatures: [new Uint8Array(64).fill(9)],
  }
}

export function fixtureTree(nextId: number, changes: Partial<StateCommit> = {}): StateCommit {
  return {
    rootPage: 0,
    root: filled(0),
    pages: [],
    values: [],
    stalePages: [],
    staleValues: [],
    nextId,
    ...changes,
  }
}

/** A commit of these heights, the last of them finalized directly. */
export function fixtureBatch(heights: readonly number[], tree: StateCommit): CommitBatch {
  const blocks = heights.map((height) =>
    fixtureBlock({ height, transactions: [`transaction of block ${height}`] }),
  )
  const last = blocks.at(-1)!
  return { blocks, finalization: last.block.header.height === 0 ? null : fixtureFinalization(last), tree }
}

/**
 * The commit of one block after which page `id` alone is the state, and the page before it is stale.
 * Page ids and heights go together, so that a store shows by itself whether it is whole.
 */
export function fixtureStep(height: number): CommitBatch {
  const id = height + 1
  return fixtureBatch(
    [height],
    fixtureTree(id + 1, {
      rootPage: id,
      root: filled(id % 251),
      pages: [[id, utf8ToBytes(`page ${id}`)]],
      stalePages: height === 0 ? [] : [id - 1],
    }),
  )
}
