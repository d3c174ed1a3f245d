/**
 * Why a query has no answer. Nothing of these harms the node: the worst is a process that is ended and replaced.
 * - `SPARQL_SYNTAX`: the query is malformed; where, is in the message;
 * - `SPARQL_FAILED`: it cannot be evaluated;
 * - `QUERY_TIMEOUT`, `QUERY_TOO_MANY_ROWS`, `QUERY_TOO_LARGE`, `QUERY_OUT_OF_MEMORY`: it was over that limit;
 * - `QUERY_TOO_COMPLEX`: it is so long, or so deeply nested, that evaluating it breaks the copy;
 * - `QUERY_NOT_CHECKABLE`: other nodes may answer it differently without being wrong;
 * - `QUERY_THROTTLED`: this client's queries were over limits too often lately;
 * - `QUERY_QUEUE_FULL`: too many queries wait already;
 * - `HEIGHT_NOT_KEPT`: the state of that height is not known here (any more);
 * - `GRAPH_ELSEWHERE`: a graph is kept by other nodes only, and none of them gave it;
 * - `GRAPH_LOADING`: the copies for queries are being built.
 */
export class QueryFault extends Error {
  override readonly name = 'QueryFault'
  readonly code: QueryFaultCode
  /** After which it makes sense to ask again; null when asking again changes nothing. */
  readonly retryAfterMs: number | null

  constructor(code: QueryFaultCode, message: string, retryAfterMs: number | null = null) {
    super(message)
    this.code = code
    this.retryAfterMs = retryAfterMs
  }
}

export type QueryFaultCode =
  | 'SPARQL_SYNTAX'
  | 'SPARQL_FAILED'
  | 'QUERY_TIMEOUT'
  | 'QUERY_TOO_MANY_ROWS'
  | 'QUERY_TOO_LARGE'
  | 'QUERY_OUT_OF_MEMORY'
  | 'QUERY_TOO_COMPLEX'
  | 'QUERY_NOT_CHECKABLE'
  | 'QUERY_THROTTLED'
  | 'QUERY_QUEUE_FULL'
  | 'HEIGHT_NOT_KEPT'
  | 'GRAPH_ELSEWHERE'
  | 'GRAPH_LOADING'
