/**
 * The node's chain as the network's second way in takes it (VC-1, decision 013).
 * @module
 */
import { FINAL_HEADER_BYTES_MAX, TRANSACTION_BYTES_MAX } from '@althing/base'
import type { Epoch, Verify } from '@althing/base'
import type { BlockExecutor, FinalBlock, Mempool } from '@althing/chain'
import type { StateVersion } from '@althing/ledger'
import type { BlockInfo, ChainParts, EnhancedNetworkConfig } from '@althing/network'
import type { ChainStore } from '../store/types.ts'
import type { TransactionIntake } from '../transactions/intake.ts'
import type { VerifiedTransactions } from '../transactions/verified.ts'
import { finalBlockStore } from './block-store.ts'
import type { FinalFeed } from './final-feed.ts'
import { ChainJudgement } from './judgement.ts'
import { finalTransactions, poolPart } from './transaction-parts.ts'
import { infoOf } from './travelling-block.ts'

export { FEED_PEER, FinalFeed } from './final-feed.ts'

export interface NodeChain {
  readonly store: ChainStore
  readonly mempool: Mempool
  readonly intake: TransactionIntake<StateVersion>
  readonly executor: BlockExecutor<StateVersion>
  readonly verified: VerifiedTransactions
  readonly verify: Verify
  readonly feed: FinalFeed
  /** Of the block that comes next. */
  readonly epoch: () => Epoch
  readonly headHeight: () => number
}

export interface NodeChainParts extends ChainParts {
  readonly consensus: ChainJudgement
}

export function chainParts(chain: NodeChain): NodeChainParts {
  const { store, mempool, intake, feed } = chain
  const consensus = new ChainJudgement(chain)
  return {
    consensus,
    blockStore: finalBlockStore(store, feed),
    txStore: finalTransactions(store),
    mempool: poolPart(mempool, intake, consensus),
  }
}

export function infosOf(blocks: readonly FinalBlock[]): BlockInfo[] {
  return blocks.map(({ block, hash }) => infoOf(block.header, hash))
}

type ChainOptions = Pick<
  EnhancedNetworkConfig,
  'blockBytesMax' | 'rangeBytesMax' | 'transactionBytesMax' | 'headPatienceMs'
>

const RANGE_BYTES_MIN = 4_194_304
/** A block that others call final is here a moment later, unless this node is behind. */
const HEAD_PATIENCE_MS = 500

/** @param chainBlockBytesMax of a block, by genesis. */
export function chainOptions(chainBlockBytesMax: number): ChainOptions {
  const blockBytesMax = chainBlockBytesMax + FINAL_HEADER_BYTES_MAX
  return {
    blockBytesMax,
    rangeBytesMax: Math.max(RANGE_BYTES_MIN, blockBytesMax),
    transactionBytesMax: TRANSACTION_BYTES_MAX,
    headPatienceMs: HEAD_PATIENCE_MS,
  }
}
