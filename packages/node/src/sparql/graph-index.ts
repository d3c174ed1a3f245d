/**
 * The graphs of a node, ready to be asked: in a server outside the node where one is given, else in copies. Copies are made
 * with the first statement or the first query: a chain without graphs pays nothing.
 * @module
 */
import type { GraphChange } from '@althing/ledger'
import type { QueryEngine } from './engine.ts'
import type { ExternalStore } from './external/external-store.ts'
import type { FinalGraphs } from './final-graphs.ts'
import { Queries } from './queries.ts'
import type { QueriesOptions, QueryAnswer, QueryRequest } from './queries.ts'

export class GraphIndex {
  /** The final state that is indexed. */
  readonly graphs: FinalGraphs
  readonly #options: Omit<QueriesOptions, 'source'>
  /** The server outside; null: there is none. */
  readonly external: ExternalStore | null
  #engine: QueryEngine | null

  constructor(
    graphs: FinalGraphs,
    options: Omit<QueriesOptions, 'source'>,
    external: ExternalStore | null = null,
  ) {
    this.graphs = graphs
    this.#options = options
    this.external = external
    this.#engine = external
    if (external !== null) return
    const newest = graphs.read(graphs.height)
    for (const piece of newest?.statements ?? []) {
      if (piece !== '') this.#start()
      break
    }
  }

  /** Block `height` is final; in the order of heights, none left out. */
  follow(height: number, changes: readonly GraphChange[]): void {
    const block = this.graphs.remember(height, changes)
    if (this.#engine === null && changes.length > 0) this.#start()
    else this.#engine?.follow(block)
  }

  /** @throws {QueryFault} */
  query(request: QueryRequest): Promise<QueryAnswer> {
    return (this.#engine ?? this.#start()).query(request)
  }

  async stop(): Promise<void> {
    await this.#engine?.stop()
  }

  #start(): QueryEngine {
    this.#engine = new Queries({ ...this.#options, source: this.graphs })
    return this.#engine
  }
}
