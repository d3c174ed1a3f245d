/**
 * Answers of the API: the envelope around each, and what is wrong with a request.
 * @module
 */
import type { Fault } from '@althing/base'
import type { Envelope } from '@althing/client'
import type { QueryFault, QueryFaultCode } from '../sparql/fault.ts'

export type ApiFaultCode =
  | 'ADDRESS_INVALID'
  | 'BLACKLIST_ENTRY_UNKNOWN'
  | 'BLACKLIST_FULL'
  | 'BLACKLIST_TARGET_INVALID'
  | 'BLOCK_NOT_FOUND'
  | 'BODY_MALFORMED'
  | 'BODY_TOO_LARGE'
  | 'BUSY'
  | 'CHANGES_NOT_KEPT'
  | 'DIAL_FAILED'
  | 'GRAPH_UNKNOWN'
  | 'HANDSHAKE_REFUSED'
  | 'INTERNAL'
  | 'MEDIA_TYPE_UNKNOWN'
  | 'NOT_ACCEPTABLE'
  | 'PARAMETER_INVALID'
  | 'PEER_BANNED'
  | 'PEER_UNKNOWN'
  | 'RDF_REFUSED'
  | 'REQUEST_MALFORMED'
  | 'ROUTE_UNKNOWN'
  | 'SPARQL_SERVICE_REFUSED'
  | 'SPARQL_UPDATE_REFUSED'
  | 'TOKEN_REQUIRED'

export type Details = Readonly<Record<string, unknown>>

/** Ends a request with an error that its sender is told. */
export class ApiFault extends Error {
  override readonly name = 'ApiFault'
  readonly code: string
  /** Of HTTP. */
  readonly status: number
  readonly details: Details | null

  constructor(code: ApiFaultCode, message: string, details: Details | null = null) {
    super(message)
    this.code = code
    this.status = statusByCode[code]
    this.details = details
  }
}

const statusByCode: Readonly<Record<ApiFaultCode, number>> = {
  ADDRESS_INVALID: 400,
  BLACKLIST_ENTRY_UNKNOWN: 404,
  BLACKLIST_FULL: 409,
  BLACKLIST_TARGET_INVALID: 400,
  BLOCK_NOT_FOUND: 404,
  BODY_MALFORMED: 400,
  BODY_TOO_LARGE: 413,
  BUSY: 503,
  CHANGES_NOT_KEPT: 410,
  DIAL_FAILED: 502,
  GRAPH_UNKNOWN: 404,
  HANDSHAKE_REFUSED: 502,
  INTERNAL: 500,
  MEDIA_TYPE_UNKNOWN: 415,
  NOT_ACCEPTABLE: 406,
  PARAMETER_INVALID: 400,
  PEER_BANNED: 409,
  PEER_UNKNOWN: 404,
  RDF_REFUSED: 422,
  REQUEST_MALFORMED: 400,
  ROUTE_UNKNOWN: 404,
  SPARQL_SERVICE_REFUSED: 400,
  SPARQL_UPDATE_REFUSED: 400,
  TOKEN_REQUIRED: 401,
}

/** Why the chain refuses a transaction, as an HTTP status; 422 when the code says nothing else. */
export function statusOfRefusal({ code }: Fault): number {
  if (code === 'MALFORMED') return 400
  if (code === 'TOO_LARGE') return 413
  if (code === 'DUPLICATE') return 409
  return code === 'MEMPOOL_FULL' ? 503 : 422
}

const statusByQueryFault: Readonly<Record<QueryFaultCode, number>> = {
  GRAPH_ELSEWHERE: 503,
  GRAPH_LOADING: 503,
  HEIGHT_NOT_KEPT: 404,
  QUERY_NOT_CHECKABLE: 422,
  QUERY_OUT_OF_MEMORY: 422,
  QUERY_QUEUE_FULL: 503,
  QUERY_THROTTLED: 429,
  QUERY_TIMEOUT: 504,
  QUERY_TOO_COMPLEX: 422,
  QUERY_TOO_LARGE: 422,
  QUERY_TOO_MANY_ROWS: 422,
  SPARQL_FAILED: 422,
  SPARQL_SYNTAX: 400,
}

/** Why a query has no answer, as an HTTP status. */
export function statusOfQuery({ code }: QueryFault): number {
  return statusByQueryFault[code]
}

export function success<Data>(data: Data): Envelope<Data> {
  return { success: true, data, error: null }
}

export function failure({ code, message }: Fault, details: Details | null = null): Envelope<never> {
  return { success: false, data: null, error: { code, message, details } }
}
