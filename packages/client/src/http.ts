/**
 * One JSON call with a timeout, and its repetition where that is safe.
 * @module
 */
import { ApiError } from './error.ts'
import type { Envelope } from './types.ts'

export interface HttpOptions {
  /** For one attempt. */
  readonly timeoutMs: number
  /** Attempts after the first. */
  readonly retries: number
  readonly fetch: typeof fetch
  /** Sent with requests that change something; null: none. */
  readonly token: string | null
}

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

export interface Request {
  readonly method: Method
  readonly url: URL
  /** As JSON; undefined for none. */
  readonly body: unknown
}

export interface CallOptions {
  /** Gives the call up; it then throws the signal's reason. */
  readonly signal?: AbortSignal
}

const RETRY_DELAY_MS = 100

/** The node is there but cannot take it now; the same call may succeed later. */
const STATUS_BUSY = 503

/**
 * Every call of the API may be repeated: reading changes nothing, a transaction sent twice is in the chain once, and what is done to
 * a peer is done when it was done before.
 * Only failures that can pass by themselves are met by another attempt: no connection, no answer in time, a busy node.
 * @throws {ApiError}
 */
export async function call<T>(request: Request, http: HttpOptions, options: CallOptions): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await callOnce<T>(request, http, options)
    } catch (error) {
      if (!(error instanceof ApiError) || !isPassing(error) || attempt >= http.retries) throw error
    }
    await delay(RETRY_DELAY_MS * 2 ** attempt, options.signal)
  }
}

async function callOnce<T>(request: Request, http: HttpOptions, options: CallOptions): Promise<T> {
  const { method, url, body } = request
  const init: RequestInit = {
    method,
    headers: {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(method !== 'GET' && http.token !== null && { authorization: `Bearer ${http.token}` }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  }
  const { status, text } = await exchange(url, init, http, options)
  return unwrap(parseEnvelope<T>(url, text, status), status)
}

export interface TextAnswer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/** One question whose answer is bytes, once. @throws {ApiError} */
export async function askBytes(url: URL, http: HttpOptions, options: CallOptions): Promise<Uint8Array> {
  const { status, bytes } = await exchangeBytes(url, { method: 'GET' }, http, options)
  if (status >= 400) unwrap(parseEnvelope<never>(url, new TextDecoder().decode(bytes), status), status)
  return bytes
}

/** One question of any kind, once. @returns an answer that is no error. @throws {ApiError} */
export async function askText(
  url: URL,
  init: RequestInit,
  http: HttpOptions,
  options: CallOptions,
): Promise<TextAnswer> {
  const answer = await exchange(url, init, http, options)
  if (answer.status >= 400) unwrap(parseEnvelope<never>(url, answer.text, answer.status), answer.status)
  return answer
}

async function exchange(
  url: URL,
  init: RequestInit,
  http: HttpOptions,
  options: CallOptions,
): Promise<TextAnswer> {
  const { status, headers, bytes } = await exchangeBytes(url, init, http, options)
  return { status, headers, text: new TextDecoder().decode(bytes) }
}

async function exchangeBytes(
  url: URL,
  init: RequestInit,
  http: HttpOptions,
  { signal }: CallOptions,
): Promise<Omit<TextAnswer, 'text'> & { readonly bytes: Uint8Array }> {
  const timeout = AbortSignal.timeout(http.timeoutMs)
  const either = signal === undefined ? timeout : AbortSignal.any([signal, timeout])
  try {
    const response = await http.fetch(url, { ...init, signal: either })
    const bytes = new Uint8Array(await response.arrayBuffer())
    return { status: response.status, headers: response.headers, bytes }
  } catch (cause) {
    signal?.throwIfAborted()
    if (timeout.aborted) {
      throw new ApiError('API_TIMEOUT', `${url.origin} did not answer within ${http.timeoutMs} ms`, { cause })
    }
    throw new ApiError('API_UNREACHABLE', `no connection to ${url.origin}${causeText(cause)}`, { cause })
  }
}

function parseEnvelope<T>(url: URL, text: string, status: number): Envelope<T> {
  let envelope: unknown
  try {
    envelope = JSON.parse(text)
  } catch {
    envelope = null
  }
  if (typeof envelope === 'object' && envelope !== null && 'success' in envelope && 'data' in envelope) {
    return envelope as Envelope<T>
  }
  throw new ApiError(
    'API_MALFORMED',
    `${url.origin} answers, but not as an Althing node does (HTTP ${status})`,
    { status },
  )
}

function unwrap<T>(envelope: Envelope<T>, status: number): T {
  if (envelope.success) return envelope.data
  const { code, message, details } = envelope.error
  throw new ApiError(code, message, { details, status })
}

function isPassing(error: ApiError): boolean {
  return error.code === 'API_UNREACHABLE' || error.code === 'API_TIMEOUT' || error.status === STATUS_BUSY
}

/** Node's fetch says only "fetch failed" and keeps the reason in the cause of the cause. */
function causeText(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : ''
  return code === '' ? '' : ` (${code})`
}

/** Resolves after `ms`; rejects with the signal's reason when that comes first. */
export function delay(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const onAbort = (): void => {
      clearTimeout(timer)
      reject(signal?.reason as Error)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
