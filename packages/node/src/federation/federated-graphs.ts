/**
 * Queries over all graphs of the chain on a node that keeps only some of them in its index (PC-6).
 * F1  an answer is of exactly one height, also where parts of it come from others
 * F2  a statement from a peer counts only if the state of that height has it
 * F3  what could not be had is an error that names the graph: an answer in part is none
 * F2 holds since every node has the whole state. That a peer left statements out is not seen here: a checked query
 * (`?check=`) asks several nodes.
 * @module
 */
import type { Clock, Log } from '@althing/base'
import { quadLine } from '@althing/base'
import { QueryFault } from '../sparql/fault.ts'
import type { GraphState } from '../sparql/graph-state.ts'
import type { GraphIndex } from '../sparql/index.ts'
import type { QueryAnswer, QueryLimits, QueryRequest } from '../sparql/queries.ts'
import type { GraphMatches } from './graph-matches.ts'
import { queryJoined } from './joined-query.ts'
import type { Pattern } from './pattern.ts'
import { distinctPatterns } from './pattern.ts'
import type { Planner } from './planner.ts'
import type { QueryNeeds } from './query-needs.ts'

export interface FederatedAnswer extends QueryAnswer {
  /** Peers that statements came from. */
  readonly sources: readonly string[]
}

/** Peers that keep graphs, and how they are asked. */
export interface Holders {
  holdersOf(graph: string): readonly string[]
  /** @throws an error with a code: the peer cannot say. */
  ask(peer: string, graph: string, patterns: readonly Pattern[], height: number): Promise<readonly string[]>
  /** It gave a statement that is not in the state. */
  lied(peer: string, graph: string, text: string): void
}

export interface FederationLimits extends QueryLimits {
  /** Federated queries at a time. */
  readonly joinsMax: number
}

export interface FederatedGraphsPorts {
  readonly index: GraphIndex
  readonly matches: GraphMatches
  readonly planner: Planner
  readonly limits: FederationLimits
  readonly clock: Clock
  readonly log: Log
}

const HOLDERS_TRIED_MAX = 4
const RETRY_MS = 2_000
/** Statements that are looked up before other work has its turn. */
const LOOKED_UP_AT_ONCE = 500

export class FederatedGraphs {
  readonly #ports: FederatedGraphsPorts
  #holders: Holders | null = null
  #running = 0

  constructor(ports: FederatedGraphsPorts) {
    this.#ports = ports
  }

  /** Until then only what is held here can be asked. */
  attach(holders: Holders): void {
    this.#holders = holders
  }

  /** @throws {QueryFault} `GRAPH_ELSEWHERE`, and as `GraphIndex.query`. */
  async query(request: QueryRequest): Promise<FederatedAnswer> {
    const { index, limits } = this.#ports
    const { graphs } = index
    if (graphs.holdsAll) return { ...(await index.query(request)), sources: [] }
    const { needs } = await this.#ports.planner.plan(request)
    const isHere =
      needs.ofEvery === null && [...needs.patternsByGraph.keys()].every((iri) => graphs.holds(iri))
    if (isHere) return { ...(await index.query(request)), sources: [] }
    if (this.#running >= limits.joinsMax) {
      const message = `${limits.joinsMax} queries over graphs of other nodes run already`
      throw new QueryFault('QUERY_QUEUE_FULL', message, RETRY_MS)
    }
    this.#running++
    try {
      return await this.#join(request, needs)
    } finally {
      this.#running--
    }
  }

  async #join(request: QueryRequest, needs: QueryNeeds): Promise<FederatedAnswer> {
    const { graphs } = this.#ports.index
    const height = request.height ?? graphs.height
    if (!needs.isUnderstood) await this.#refuseMalformed(request, height)
    const state = graphs.stateOf(height)
    if (state === null) {
      const message = `the state of height ${height} is not kept here; the newest is ${graphs.height}`
      throw new QueryFault('HEIGHT_NOT_KEPT', message)
    }
    const names = state.graphs()
    const wanted = wantedOf(needs, names)
    const lines: string[] = []
    const sources = new Set<string>()
    const budget = new Budget(this.#ports.limits)
    const gather = async ([graph, patterns]: readonly [string, readonly Pattern[]]): Promise<void> => {
      const { texts, source } = await this.#matches(graph, patterns, height, state, request.client)
      budget.spend(graph, texts)
      for (const text of texts) lines.push(quadLine(text, `<${graph}>`))
      if (source !== null) sources.add(source)
    }
    await Promise.all(wanted.map(gather))
    const joined = { height, stateRoot: graphs.stateRoot(height), names, lines }
    const answer = await queryJoined(request, joined, this.#ports)
    return { ...answer, sources: [...sources] }
  }

  /** Before anything is fetched for a query that only Oxigraph understands, if anyone does. */
  async #refuseMalformed(request: QueryRequest, height: number): Promise<void> {
    await queryJoined(request, { height, stateRoot: null, names: [], lines: [] }, this.#ports)
  }

  async #matches(
    graph: string,
    patterns: readonly Pattern[],
    height: number,
    state: GraphState,
    client: string,
  ): Promise<{ readonly texts: readonly string[]; readonly source: string | null }> {
    const { index, matches } = this.#ports
    if (index.graphs.holds(graph)) {
      return { ...(await matches.of(graph, patterns, height, client)), source: null }
    }
    const holders = this.#holders?.holdersOf(graph).slice(0, HOLDERS_TRIED_MAX) ?? []
    const reasons: string[] = []
    for (const peer of holders) {
      const texts = await this.#tryPeer(peer, graph, patterns, height, state)
      if (typeof texts !== 'string') return { texts, source: peer }
      reasons.push(`${peer}: ${texts}`)
    }
    const why = reasons.length === 0 ? 'no peer that keeps it is connected' : reasons.join('; ')
    throw new QueryFault(
      'GRAPH_ELSEWHERE',
      `<${graph}> is kept by other nodes, and could not be had: ${why}`,
      RETRY_MS,
    )
  }

  /** @returns the statements, or why there are none. */
  async #tryPeer(
    peer: string,
    graph: string,
    patterns: readonly Pattern[],
    height: number,
    state: GraphState,
  ): Promise<readonly string[] | string> {
    let texts
    try {
      texts = await this.#holders!.ask(peer, graph, patterns, height)
    } catch (error) {
      const { message } = error as Error
      this.#ports.log.debug('a holder of a graph did not answer', { peer, graph, error: message })
      return message
    }
    const made = await this.#firstMadeUp(graph, texts, state)
    if (made === null) return texts
    this.#holders!.lied(peer, graph, made)
    return `it gave a statement that is not in the state: ${made.slice(0, 200)}`
  }

  /** F2. */
  async #firstMadeUp(graph: string, texts: readonly string[], state: GraphState): Promise<string | null> {
    for (const [index, text] of texts.entries()) {
      if (index % LOOKED_UP_AT_ONCE === LOOKED_UP_AT_ONCE - 1) await new Promise(setImmediate)
      if (!state.has(graph, text)) return text
    }
    return null
  }
}

/** What is wanted of each graph that there is. */
function wantedOf(
  { ofEvery, patternsByGraph }: QueryNeeds,
  names: readonly string[],
): (readonly [string, readonly Pattern[]])[] {
  return names
    .map(
      (name) => [name, distinctPatterns([...(ofEvery ?? []), ...(patternsByGraph.get(name) ?? [])])] as const,
    )
    .filter(([, patterns]) => patterns.length > 0)
}

/** Of the statements that are brought together. */
class Budget {
  readonly #limits: QueryLimits
  #statements = 0
  #characters = 0

  constructor(limits: QueryLimits) {
    this.#limits = limits
  }

  spend(graph: string, texts: readonly string[]): void {
    const { rowsMax, bytesMax } = this.#limits
    this.#statements += texts.length
    for (const text of texts) this.#characters += text.length
    if (this.#statements <= rowsMax && this.#characters <= bytesMax) return
    const isMany = this.#statements > rowsMax
    const found = isMany ? `${this.#statements} statements` : `${this.#characters} characters`
    const message = `${found} of graphs up to <${graph}> would have to be brought together; at most ${isMany ? rowsMax : bytesMax}: name predicates, subjects or graphs in the query`
    throw new QueryFault(isMany ? 'QUERY_TOO_MANY_ROWS' : 'QUERY_TOO_LARGE', message)
  }
}
