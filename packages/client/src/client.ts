/**
 * Typed calls of one node's API.
 * What a node answers is its word; `verifyKv` and its like turn an answer into something proved.
 * @module
 */
import { bytesToHex, transactionId, utf8ToBytes } from '@althing/base'
import type { TransactionId } from '@althing/base'
import type { AuthoritiesJson, ConsensusReport, EvidenceListJson } from './consensus-types.ts'
import { bytesToBase64 } from './encoding.ts'
import { ApiError } from './error.ts'
import { GraphCalls } from './graph-calls.ts'
import { askBytes, askText, call, delay } from './http.ts'
import type { CallOptions, HttpOptions, Method } from './http.ts'
import { NetworkCalls } from './network-calls.ts'
import { SUBMIT_TRANSACTIONS_MAX } from './types.ts'
import type {
  AccountJson,
  BlockJson,
  EpochsJson,
  GenesisJson,
  HeadJson,
  Hex,
  KvJson,
  NodeInfo,
  NodePeers,
  SubmissionJson,
  SubmissionsJson,
  SubmitJson,
  TransactionJson,
} from './types.ts'

export interface ClientOptions {
  /** Of the node's API, e.g. `http://127.0.0.1:8545`. */
  readonly url: string
  /** For one attempt of one call; default 10 s. */
  readonly timeoutMs?: number
  /** Attempts after the first, on failures that can pass by themselves; default 2. */
  readonly retries?: number
  /** Secret of the node's `api.token_file`, for requests that change something. */
  readonly token?: string
  /** Default: the platform's. */
  readonly fetch?: typeof fetch
}

export interface SparqlOptions extends CallOptions {
  /** Media types, as in HTTP's Accept; default JSON results, or Turtle. */
  readonly accept?: string
  /** A final one that is still kept; default the newest. */
  readonly height?: number
  /** IRIs; without them and a FROM in the query, all graphs together. */
  readonly defaultGraphs?: readonly string[]
  readonly namedGraphs?: readonly string[]
  /** How many other nodes are to answer it too, each with a signed receipt: 1 to 8. */
  readonly check?: number
}

export interface SparqlAnswer {
  readonly text: string
  /** Of the text. */
  readonly mediaType: string
  /** Of the block whose graphs were asked. */
  readonly height: number
  /** After that block, in hexadecimal digits; null when the node does not say. */
  readonly stateRoot: Hex | null
  /** Peer ids of other nodes that gave statements. */
  readonly sources: readonly string[]
  /** For `verifyReceipt`, the node's own first; none unless the query was checked. */
  readonly receipts: readonly string[]
  /** How many other nodes gave the same answer, another one, or none; null unless the query was checked. */
  readonly check: { readonly agree: number; readonly disagree: number; readonly silent: number } | null
}

/** A key-value key: text is taken as UTF-8. */
export type KvKey = string | Uint8Array

/** A transaction in its last state: in a final block, or never to be in one. */
export type SettledTransaction = TransactionJson & { readonly status: 'final' | 'failed' | 'rejected' }

/** Of the transactions in one request, before base64: well below a node's limit for a request's body. */
const SUBMIT_BYTES = 1_048_576
const WAIT_FINAL_MS = 30_000
const POLL_MS_MIN = 25
const POLL_MS_MAX = 250

/** All methods throw `ApiError`. */
export class AlthingClient {
  readonly url: URL
  /** The node's peers. */
  readonly network: NetworkCalls
  readonly graphs: GraphCalls
  readonly #http: HttpOptions

  constructor(options: ClientOptions) {
    this.url = new URL(options.url)
    this.#http = {
      timeoutMs: options.timeoutMs ?? 10_000,
      retries: options.retries ?? 2,
      // A platform's fetch refuses to run with another `this`.
      fetch: options.fetch ?? ((input, init) => fetch(input, init)),
      token: options.token ?? null,
    }
    this.network = new NetworkCalls((method, path, body, callOptions) =>
      this.#request(method, path, body, callOptions),
    )
    this.graphs = new GraphCalls((method, path, body, callOptions) =>
      this.#request(method, path, body, callOptions),
    )
  }

  info(options?: CallOptions): Promise<NodeInfo> {
    return this.#call('api/v1/node/info', undefined, options)
  }

  /** What the next block waits for. */
  consensus(options?: CallOptions): Promise<ConsensusReport> {
    return this.#call('api/v1/consensus', undefined, options)
  }

  /** Who the authorities are, what is proposed, and when the set may change. */
  authorities(options?: CallOptions): Promise<AuthoritiesJson> {
    return this.#call('api/v1/authorities', undefined, options)
  }

  /** Proofs of double signatures that the node knows of. */
  evidence(options?: CallOptions): Promise<EvidenceListJson> {
    return this.#call('api/v1/evidence', undefined, options)
  }

  peers(options?: CallOptions): Promise<NodePeers> {
    return this.#call('api/v1/node/peers', undefined, options)
  }

  genesis(options?: CallOptions): Promise<GenesisJson> {
    return this.#call('api/v1/genesis', undefined, options)
  }

  /** What is final, and what is on the way to it. */
  head(options?: CallOptions): Promise<HeadJson> {
    return this.#call('api/v1/head', undefined, options)
  }

  /** What ended epoch `from` and those after it. */
  epochs(from: number, options?: CallOptions): Promise<EpochsJson> {
    return this.#call(`api/v1/epochs/${from}`, undefined, options)
  }

  /** A final block, by height or hash. @throws {ApiError} `BLOCK_NOT_FOUND`. */
  block(at: number | Hex | 'latest', options?: CallOptions): Promise<BlockJson> {
    return this.#call(`api/v1/blocks/${at}`, undefined, options)
  }

  account(account: Uint8Array, options?: CallOptions): Promise<AccountJson> {
    return this.#call(`api/v1/accounts/${bytesToHex(account)}`, undefined, options)
  }

  transaction(id: TransactionId, options?: CallOptions): Promise<TransactionJson> {
    return this.#call(`api/v1/transactions/${bytesToHex(id)}`, undefined, options)
  }

  /** @param options.proof default true; without it the answer is smaller and cannot be verified. */
  kv(key: KvKey, options: CallOptions & { readonly proof?: boolean } = {}): Promise<KvJson> {
    const query = new URLSearchParams()
    let path
    if (typeof key === 'string' && !isPathStep(key)) path = encodeURIComponent(key)
    else {
      path = bytesToHex(typeof key === 'string' ? utf8ToBytes(key) : key)
      query.set('encoding', 'hex')
    }
    if (options.proof === false) query.set('proof', 'false')
    return this.#call(`api/v1/kv/${path}?${query}`, undefined, options)
  }

  /**
   * Asks in SPARQL, over the final graphs. The answer is the node's word.
   * @throws {ApiError} with the codes of `/sparql`.
   */
  async query(query: string, options: SparqlOptions = {}): Promise<SparqlAnswer> {
    const parameters = new URLSearchParams({ query })
    if (options.height !== undefined) parameters.set('height', String(options.height))
    if (options.check !== undefined) parameters.set('check', String(options.check))
    for (const graph of options.defaultGraphs ?? []) parameters.append('default-graph-uri', graph)
    for (const graph of options.namedGraphs ?? []) parameters.append('named-graph-uri', graph)
    const init = {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        ...(options.accept !== undefined && { accept: options.accept }),
      },
      body: String(parameters),
    }
    const { text, headers } = await askText(new URL('sparql', this.url), init, this.#http, options)
    return {
      text,
      mediaType: headers.get('content-type')?.split(';')[0] ?? '',
      height: Number(headers.get('x-althing-height')),
      stateRoot: headers.get('x-althing-state-root'),
      sources: listOf(headers.get('x-althing-sources')),
      receipts: listOf(headers.get('x-althing-receipt')),
      check: checkOf(headers.get('x-althing-check')),
    }
  }

  /**
   * Parts of the tree of a graph, for `decodeParts`; `synchroniseGraph` asks for those that it needs.
   * @param question of `encodePartQuestion`.
   * @throws {ApiError} `HEIGHT_NOT_KEPT`.
   */
  graphParts(
    graph: string,
    height: number,
    question: Uint8Array,
    options: CallOptions = {},
  ): Promise<Uint8Array> {
    const parameters = new URLSearchParams({ height: String(height), question: bytesToBase64(question) })
    const path = `api/v1/graphs/${encodeURIComponent(graph)}/parts?${parameters}`
    return askBytes(new URL(path, this.url), this.#http, options)
  }

  /** Hands in an encoded, signed transaction. Sending it again is harmless. */
  async submit(transaction: Uint8Array, options?: CallOptions): Promise<TransactionJson> {
    const body: SubmitJson = { transaction: bytesToBase64(transaction) }
    try {
      return await this.#call<TransactionJson>('api/v1/transactions', body, options)
    } catch (error) {
      if (error instanceof ApiError && error.code === 'DUPLICATE') {
        return this.transaction(transactionId(transaction), options)
      }
      throw error
    }
  }

  /**
   * Hands in many, in requests that a node takes, one after the other.
   * @returns one result per transaction, in the same order; a refused one does not stop the others. One that the node
   * has already is refused with `DUPLICATE`.
   */
  async submitMany(transactions: readonly Uint8Array[], options?: CallOptions): Promise<SubmissionJson[]> {
    const results: SubmissionJson[] = []
    for (const part of requestsOf(transactions)) {
      const body: SubmitJson = { transactions: part.map(bytesToBase64) }
      results.push(...(await this.#call<SubmissionsJson>('api/v1/transactions', body, options)).results)
    }
    return results
  }

  /**
   * Asks until the transaction is settled.
   * @param options.timeoutMs default 30 s.
   * @throws {ApiError} `NOT_FINAL_IN_TIME`; `TRANSACTION_NOT_FOUND` when this node does not know it.
   */
  async waitForFinal(
    id: TransactionId,
    options: CallOptions & { readonly timeoutMs?: number } = {},
  ): Promise<SettledTransaction> {
    const { timeoutMs = WAIT_FINAL_MS } = options
    const startMs = performance.now()
    for (let pollMs = POLL_MS_MIN; ; pollMs = Math.min(POLL_MS_MAX, pollMs * 1.5)) {
      const transaction = await this.transaction(id, options)
      if (isSettled(transaction)) return transaction
      if (transaction.status === 'unknown') {
        throw new ApiError(
          'TRANSACTION_NOT_FOUND',
          `${this.url.origin} does not know transaction ${transaction.id}`,
        )
      }
      if (performance.now() - startMs > timeoutMs) {
        const message = `transaction ${transaction.id} is not final after ${timeoutMs} ms; it may still become final`
        throw new ApiError('NOT_FINAL_IN_TIME', message)
      }
      await delay(pollMs, options.signal)
    }
  }

  #call<T>(path: string, body: unknown, options?: CallOptions): Promise<T> {
    return this.#request(body === undefined ? 'GET' : 'POST', path, body, options)
  }

  #request<T>(method: Method, path: string, body: unknown, options: CallOptions = {}): Promise<T> {
    return call({ method, url: new URL(path, this.url), body }, this.#http, options)
  }
}

function listOf(header: string | null): string[] {
  return header === null || header === '' ? [] : header.split(',').map((each) => each.trim())
}

function checkOf(header: string | null): SparqlAnswer['check'] {
  if (header === null) return null
  const counts = new Map(listOf(header).map((each) => each.split('=') as [string, string]))
  const count = (name: string): number => Number(counts.get(name) ?? 0)
  return { agree: count('agree'), disagree: count('disagree'), silent: count('silent') }
}

function requestsOf(transactions: readonly Uint8Array[]): Uint8Array[][] {
  const requests: Uint8Array[][] = []
  let bytes = 0
  for (const transaction of transactions) {
    const request = requests.at(-1)
    const hasRoom = request !== undefined && request.length < SUBMIT_TRANSACTIONS_MAX
    if (hasRoom && bytes + transaction.length <= SUBMIT_BYTES) {
      request.push(transaction)
      bytes += transaction.length
    } else {
      requests.push([transaction])
      bytes = transaction.length
    }
  }
  return requests
}

/** URLs take these, even percent-encoded, for steps between folders. */
function isPathStep(key: string): boolean {
  return key === '.' || key === '..'
}

function isSettled(transaction: TransactionJson): transaction is SettledTransaction {
  return (
    transaction.status === 'final' || transaction.status === 'failed' || transaction.status === 'rejected'
  )
}
