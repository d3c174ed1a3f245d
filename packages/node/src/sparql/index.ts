/**
 * The graphs of a node for SPARQL, put together.
 * @module
 */
import { bytesToHex, headerOfEncoded } from '@althing/base'
import type { Clock, Hash, Log } from '@althing/base'
import type { StateTree } from '@althing/ledger'
import type { NodeConfig } from '../config/index.ts'
import { readToken } from '../keys/token.ts'
import type { ChainStore } from '../store/types.ts'
import { SparqlEndpoint } from './external/endpoint.ts'
import { ExternalStore } from './external/external-store.ts'
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
  genesis: Hash,
  clock: Clock,
  log: Log,
): GraphIndex {
  const headerAt = (height: number) => {
    const encoded = store.encodedBlock(height)
    return encoded === undefined ? null : headerOfEncoded(encoded)
  }
  const hold = graph.hold.length === 0 ? null : new Set(graph.hold)
  const graphs = new FinalGraphs(store, tree, headerAt, node.versionsKept, hold)
  const limits = queryLimits(graph)
  const endpoint = externalEndpoint(graph)
  const external =
    endpoint && new ExternalStore({ source: graphs, endpoint, genesis: bytesToHex(genesis), limits, log })
  return new GraphIndex(graphs, { limits, copies: graph.queryCopies, clock, log }, external)
}

/** @returns null when the graphs are in the node itself. */
function externalEndpoint({
  externalQuery: queryUrl,
  externalUpdate: updateUrl,
  externalTokenFile: tokenFile,
}: NodeConfig['graph']): SparqlEndpoint | null {
  if (queryUrl === null || updateUrl === null) return null
  const token = async (): Promise<string | null> =>
    tokenFile === null ? null : readToken('graph.external_token_file', tokenFile)
  return new SparqlEndpoint({ queryUrl, updateUrl, token })
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
