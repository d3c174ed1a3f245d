/**
 * A call of the API failed.
 * Codes of the node's answer come as the node gave them; the client's own are:
 * - `API_UNREACHABLE`: no connection, or it broke before the whole answer was there;
 * - `API_TIMEOUT`: no answer in time;
 * - `API_MALFORMED`: something answered, but not an Althing node;
 * - `NOT_FINAL_IN_TIME`: a transaction was still pending when the wait ended; it may become final later.
 */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly code: string
  readonly details: Readonly<Record<string, unknown>> | null
  /** HTTP status; 0 when there was no answer. */
  readonly status: number

  constructor(
    code: string,
    message: string,
    options: { details?: Readonly<Record<string, unknown>> | null; status?: number; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.details = options.details ?? null
    this.status = options.status ?? 0
  }
}
