/**
 * A SPARQL 1.1 server over HTTP, as its client sees it (SPARQL 1.1 Protocol, sections 2.1 and 2.2).
 * @module
 */

export interface EndpointOptions {
  readonly queryUrl: string
  readonly updateUrl: string
  /** Sent as `Authorization: Bearer`; read for each request, so that it can change. */
  readonly token: () => Promise<string | null>
}

export interface EndpointQuery {
  readonly query: string
  readonly mediaType: string
  /** IRIs; null: as the query or the server says. */
  readonly defaultGraphs: readonly string[] | null
  readonly namedGraphs: readonly string[] | null
  readonly timeMs: number
  readonly bytesMax: number
}

/**
 * `away`: no answer, or one that can pass (5xx, 429); `refused`: the server does not take this; `time`, `bytes`: over that
 * limit; `stopped`: nobody waits any more.
 */
export class EndpointError extends Error {
  override readonly name = 'EndpointError'
  readonly kind: 'away' | 'refused' | 'time' | 'bytes' | 'stopped'

  constructor(kind: EndpointError['kind'], message: string) {
    super(message)
    this.kind = kind
  }
}

/** Of what a server says about an error. */
const REASON_CHARACTERS_MAX = 300
/** Of what a server says about an update that it did. */
const DONE_BYTES_MAX = 1_048_576
const FORM = 'application/x-www-form-urlencoded'

export class SparqlEndpoint {
  readonly #options: EndpointOptions
  readonly #stop = new AbortController()

  constructor(options: EndpointOptions) {
    this.#options = options
  }

  /** @throws {EndpointError} */
  query({ query, mediaType, defaultGraphs, namedGraphs, timeMs, bytesMax }: EndpointQuery): Promise<string> {
    const form = new URLSearchParams({ query })
    for (const graph of defaultGraphs ?? []) form.append('default-graph-uri', graph)
    for (const graph of namedGraphs ?? []) form.append('named-graph-uri', graph)
    return this.#post(this.#options.queryUrl, FORM, String(form), mediaType, timeMs, bytesMax)
  }

  /** Done when it resolves; after a failure it may have been done or not. @throws {EndpointError} */
  async update(update: string, timeMs: number): Promise<void> {
    const { updateUrl } = this.#options
    await this.#post(updateUrl, 'application/sparql-update', update, '*/*', timeMs, DONE_BYTES_MAX)
  }

  /** All that is under way fails. */
  stop(): void {
    this.#stop.abort()
  }

  async #post(
    url: string,
    type: string,
    body: string,
    accept: string,
    timeMs: number,
    bytesMax: number,
  ): Promise<string> {
    const timeout = AbortSignal.timeout(timeMs)
    try {
      const token = await this.#options.token()
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': `${type}; charset=utf-8`,
          accept,
          ...(token !== null && { authorization: `Bearer ${token}` }),
        },
        body,
        redirect: 'error',
        signal: AbortSignal.any([timeout, this.#stop.signal]),
      })
      if (response.ok) return await readText(response, bytesMax)
      const reason = (await response.text().catch(() => '')).trim()
      const canPass = response.status >= 500 || response.status === 429
      const message = `${new URL(url).origin} answers ${response.status}: ${reason.slice(0, REASON_CHARACTERS_MAX)}`
      throw new EndpointError(canPass ? 'away' : 'refused', message)
    } catch (error) {
      if (error instanceof EndpointError) throw error
      if (this.#stop.signal.aborted) throw new EndpointError('stopped', 'the node is stopping')
      if (timeout.aborted) throw new EndpointError('time', `no answer within ${timeMs} ms`)
      throw new EndpointError('away', `${new URL(url).origin} cannot be reached: ${causeOf(error)}`)
    }
  }
}

async function readText(response: Response, bytesMax: number): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for await (const piece of response.body ?? []) {
    bytes += piece.length
    if (bytes > bytesMax) throw new EndpointError('bytes', `more than ${bytesMax} bytes`)
    text += decoder.decode(piece, { stream: true })
  }
  return text + decoder.decode()
}

/** `fetch` hides why in its cause. */
function causeOf(error: unknown): string {
  const { cause, message } = error as Error
  if (!(cause instanceof Error)) return message
  return cause.message === '' ? ((cause as NodeJS.ErrnoException).code ?? message) : cause.message
}
