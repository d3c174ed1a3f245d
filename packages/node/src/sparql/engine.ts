/**
 * What answers the queries of a node: copies in processes (`Queries`), or a server outside (`ExternalStore`).
 * @module
 */
import type { QueryAnswer, QueryRequest } from './queries.ts'
import type { IndexedBlock } from './source.ts'

export interface QueryEngine {
  /** Blocks in the order of their heights, none left out. */
  follow(block: IndexedBlock): void
  /** @throws {QueryFault} */
  query(request: QueryRequest): Promise<QueryAnswer>
  stop(): Promise<void>
}
