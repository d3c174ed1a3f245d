/**
 * The graphs of a node for SPARQL, put together.
 * @module
 */
import { headerOfEncoded } from '@althing/base'
import type { Clock, Log } from '@althing/base'
import type { StateTree } from '@althing/ledger'
import type { NodeConfig } from '../config/index.ts'
import type { ChainStore } from '../store/types.ts'
import { FinalGraphs } from './final-graphs.ts'
import { GraphIndex } from './graph-index.ts'
import type { QueryLimits } from './queries.ts'

export type { GraphIndex } from './graph-index.ts'

/** Queries that wait for a copy. */
const WAITING_MAX = 256

export function openGraphs(
  { graph, node }: NodeConfig,
  store: ChainStore,
  tree: StateTree,
  clock: Clock,
  log: Log,
): GraphIndex {
  const headerAt = (height: number) => {
    const encoded = store.encodedBlock(height)
    return encoded === undefined ? null : headerOfEncoded(encoded)
  }
  const hold = graph.hold.length === 0 ? null : new Set(graph.hold)
  const graphs = new FinalGraphs(store, tree, headerAt, node.versionsKept, hold)
  return new GraphIndex(graphs, { limits: queryLimits(graph), copies: graph.queryCopies, clock, log })
}

export function queryLimits(graph: NodeConfig['graph']): QueryLimits {
  return {
    timeMs: graph.queryTimeoutMs,
    rowsMax: graph.queryRows,
    bytesMax: graph.queryAnswerSizeBytes,
    memoryBytesMax: graph.queryMemoryBytes,
    waitingMax: WAITING_MAX,
  }
}
