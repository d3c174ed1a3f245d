import type { NodeParts } from '../node.ts'
import type { BlockPropagation } from '../propagation.ts'
import type { ChainStore } from '../store/types.ts'

/** What of a chain is watched. */
export interface ChainFigures {
  readonly headHeight: number
  readonly finalizedHeight: number
  /** Final, since block 0. */
  readonly transactionsTotal: number
  /** From this node's first sight of a transaction to its finality; null before the first. */
  readonly finalityMs: { readonly p50: number; readonly p99: number } | null
  /** Of the latest block that all peers have: from the first that had it to the last; null before there is one. */
  readonly propagationMs: number | null
  readonly pool: { readonly count: number; readonly bytes: number }
}

/** Of a node, as they are now. */
export function chainFigures(
  { core, mempool, statistics }: Pick<NodeParts, 'core' | 'mempool' | 'statistics'>,
  store: ChainStore,
  propagation: BlockPropagation,
): ChainFigures {
  return {
    headHeight: core.head.block.header.height,
    finalizedHeight: store.height,
    transactionsTotal: store.transactionCount,
    finalityMs: statistics.latencyMs(),
    propagationMs: propagation.latestSpreadMs,
    pool: { count: mempool.count, bytes: mempool.bytes },
  }
}
