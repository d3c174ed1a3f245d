/**
 * A query over statements that were brought together: they are loaded into a store of their own, in a thread that ends
 * with the query, under the limits of every query.
 * @module
 */
import type { QueriesOptions, QueryAnswer, QueryRequest } from '../sparql/queries.ts'
import { Queries } from '../sparql/queries.ts'
import type { GraphSource } from '../sparql/source.ts'

const PIECE_LINES = 1_000

export interface JoinedStatements {
  readonly height: number
  readonly stateRoot: string | null
  /** IRIs of all graphs that there are at that height. */
  readonly names: readonly string[]
  /** Lines of N-Quads, without line feeds. */
  readonly lines: readonly string[]
}

/** @throws {QueryFault} as every query. */
export async function queryJoined(
  request: QueryRequest,
  { height, stateRoot, names, lines }: JoinedStatements,
  options: Pick<QueriesOptions, 'limits' | 'clock' | 'log'>,
): Promise<QueryAnswer> {
  const source: GraphSource = {
    height,
    isSame: (one, other) => one === other,
    stateRoot: () => stateRoot,
    read: () => ({ height, names, statements: piecesOf(lines), blocks: [] }),
  }
  const queries = new Queries({ ...options, copies: 1, source })
  try {
    return await queries.query({ ...request, height })
  } finally {
    await queries.stop()
  }
}

function* piecesOf(lines: readonly string[]): Generator<string> {
  for (let from = 0; from < lines.length; from += PIECE_LINES) {
    yield `${lines.slice(from, from + PIECE_LINES).join('\n')}\n`
  }
}
