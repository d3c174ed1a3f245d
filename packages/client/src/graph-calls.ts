/**
 * The calls that read the graphs (PC-5, PC-6). What a node answers is its word; `verifyGraph`, `verifyStatementsOf` and
 * `verifyStatementOf` turn an answer into something proved.
 * @module
 */
import { ApiError } from './error.ts'
import type {
  GraphChangesJson,
  GraphDetailsJson,
  GraphHoldersJson,
  GraphsJson,
  StatementProofJson,
  StatementsJson,
} from './graph-types.ts'
import type { CallOptions, Method } from './http.ts'
import type { EntityJson, TraceJson } from './trace-types.ts'

type Call = <T>(method: Method, path: string, body?: unknown, options?: CallOptions) => Promise<T>

export interface StatementsQuery {
  /** As canonical N-Quads writes it, `<iri>`; default all subjects. */
  readonly subject?: string
  /** `next` of the answer before. */
  readonly after?: string
  /** 1 to 1,000; default 100. */
  readonly limit?: number
  /** Default true. */
  readonly proof?: boolean
}

/** All methods throw `ApiError`. */
export class GraphCalls {
  readonly #call: Call

  constructor(call: Call) {
    this.#call = call
  }

  list(
    query: { readonly after?: string; readonly limit?: number } = {},
    options?: CallOptions,
  ): Promise<GraphsJson> {
    return this.#call('GET', `api/v1/graphs?${parameters(query)}`, undefined, options)
  }

  /** @throws {ApiError} `GRAPH_UNKNOWN`. */
  get(graph: string, options?: CallOptions): Promise<GraphDetailsJson> {
    return this.#call('GET', path(graph), undefined, options)
  }

  /** @returns null when there is no such graph. */
  async find(graph: string, options?: CallOptions): Promise<GraphDetailsJson | null> {
    try {
      return await this.get(graph, options)
    } catch (error) {
      if (error instanceof ApiError && error.code === 'GRAPH_UNKNOWN') return null
      throw error
    }
  }

  /** Which graphs the node and its peers keep for queries. */
  holders(options?: CallOptions): Promise<GraphHoldersJson> {
    return this.#call('GET', 'api/v1/graph-holders', undefined, options)
  }

  /** A piece of the statements of a graph, in the order of their keys. */
  statements(graph: string, query: StatementsQuery = {}, options?: CallOptions): Promise<StatementsJson> {
    return this.#call('GET', `${path(graph)}/statements?${parameters(query)}`, undefined, options)
  }

  /** @param statement canonical N-Quads without graph and full stop. */
  statement(graph: string, statement: string, options?: CallOptions): Promise<StatementProofJson> {
    return this.#call('GET', `${path(graph)}/statement?${parameters({ statement })}`, undefined, options)
  }

  /**
   * What the blocks after `from` changed.
   * @param query `subject`, `predicate`: IRIs. `wait`: for so many seconds, at most 25, until something fits; the client's
   * `timeoutMs` has to be longer.
   * @throws {ApiError} `CHANGES_NOT_KEPT`: read the statements, and go on from their height.
   */
  changes(
    graph: string,
    query: {
      readonly from: number
      readonly subject?: string
      readonly predicate?: string
      readonly wait?: number
    },
    options?: CallOptions,
  ): Promise<GraphChangesJson> {
    return this.#call('GET', `${path(graph)}/changes?${parameters(query)}`, undefined, options)
  }

  /** Where a thing comes from (`back`), or what became of it (`forth`). @param depth 1 to 128; default 32. */
  trace(
    iri: string,
    query: { readonly direction?: 'back' | 'forth'; readonly depth?: number } = {},
    options?: CallOptions,
  ): Promise<TraceJson> {
    return this.#call(
      'GET',
      `api/v1/trace/${encodeURIComponent(iri)}?${parameters(query)}`,
      undefined,
      options,
    )
  }

  /** What is said of a thing under any of its IRIs. */
  entity(iri: string, options?: CallOptions): Promise<EntityJson> {
    return this.#call('GET', `api/v1/entities/${encodeURIComponent(iri)}`, undefined, options)
  }
}

function path(graph: string): string {
  return `api/v1/graphs/${encodeURIComponent(graph)}`
}

function parameters(query: object): URLSearchParams {
  const given = Object.entries(query).filter(([, value]) => value !== undefined)
  return new URLSearchParams(given.map(([name, value]) => [name, String(value)]))
}
