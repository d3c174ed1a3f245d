/**
 * The graphs of a node, ready to be asked. Copies of them are made when the first is needed: a chain without graphs, and
 * a node that nobody asks, pays nothing.
 * @module
 */
import type { GraphChange } from '@althing/ledger'
import type { FinalGraphs } from './final-graphs.ts'
import { Queries } from './queries.ts'
import type { QueriesOptions, QueryAnswer, QueryRequest } from './queries.ts'

export class GraphIndex {
  /** The final state that is indexed. */
  readonly graphs: FinalGraphs
  readonly #options: Omit<QueriesOptions, 'source'>
  #queries: Queries | null = null

  constructor(graphs: FinalGraphs, options: Omit<QueriesOptions, 'source'>) {
    this.graphs = graphs
    this.#options = options
    const newest = graphs.read(graphs.height)
    for (const piece of newest?.statements ?? []) {
      if (piece !== '') this.#start()
      break
    }
  }

  /** Block `height` is final; in the order of heights, none left out. */
  follow(height: number, changes: readonly GraphChange[]): void {
    const block = this.graphs.remember(height, changes)
    if (this.#queries === null && changes.length > 0) this.#start()
    else this.#queries?.follow(block)
  }

  /** @throws {QueryFault} */
  query(request: QueryRequest): Promise<QueryAnswer> {
    return (this.#queries ?? this.#start()).query(request)
  }

  async stop(): Promise<void> {
    await this.#queries?.stop()
  }

  #start(): Queries {
    this.#queries = new Queries({ ...this.#options, source: this.graphs })
    return this.#queries
  }
}
