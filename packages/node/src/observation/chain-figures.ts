import type { NodeParts } from '../node.ts'
import type { ChainStore } from '../store/types.ts'

/** What of a chain is watched. */
export interface ChainFigures {
  readonly headHeight: number
  readonly finalizedHeight: number
  /** Final, since block 0. */
  readonly transactionsTotal: number
  /** From this node's first sight of a transaction to its finality; null before the first. */
  readonly finalityMs: { readonly p50: number; readonly p99: number } | null
  readonly pool: { readonly count: number; readonly bytes: number }
}

/** Of a node, as they are now. */
export function chainFigures(
  { core, mempool, statistics }: Pick<NodeParts, 'core' | 'mempool' | 'statistics'>,
  store: ChainStore,
): ChainFigures {
  return {
    headHeight: core.head.block.header.height,
    finalizedHeight: store.height,
    transactionsTotal: store.transactionCount,
    finalityMs: statistics.latencyMs(),
    pool: { count: mempool.count, bytes: mempool.bytes },
  }
}
