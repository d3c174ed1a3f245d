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
import { RemoteMatches } from './remote-matches.ts'
import type { Holders } from './remote-matches.ts'

export interface FederatedAnswer extends QueryAnswer {
  /** Peers that statements came from. */
  readonly sources: readonly string[]
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

const GRAPHS_AT_ONCE = 8
const RETRY_MS = 2_000
/** From the state, in one go. */
const SUBJECTS_READ_MAX = 64
const STATEMENTS_READ_MAX = 2_000
const NOBODY: Holders = { holdersOf: () => [], ask: async () => [], lied: () => {} }

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
    const remote = this.#remoteMatches(height, state)
    const gather = async ([graph, patterns]: readonly [string, readonly Pattern[]]): Promise<void> => {
      const { texts, source } = graphs.holds(graph)
        ? { ...(await this.#ports.matches.of(graph, patterns, height, request.client)), source: null }
        : (fromState(graph, patterns, state) ?? (await remote.of(graph, patterns)))
      budget.spend(graph, texts)
      for (const text of texts) lines.push(quadLine(text, `<${graph}>`))
      if (source !== null) sources.add(source)
    }
    await eachAtOnce(GRAPHS_AT_ONCE, wanted, gather)
    const joined = { height, stateRoot: graphs.stateRoot(height), names, lines }
    const answer = await queryJoined(request, joined, this.#ports)
    return { ...answer, sources: [...sources] }
  }

  #remoteMatches(height: number, state: GraphState): RemoteMatches {
    const { limits, clock, log } = this.#ports
    const holders = this.#holders ?? NOBODY
    return new RemoteMatches({
      holders,
      height,
      state,
      deadlineMs: clock.monotonicMs() + limits.timeMs,
      clock,
      log,
    })
  }

  /** Before anything is fetched for a query that only Oxigraph understands, if anyone does. */
  async #refuseMalformed(request: QueryRequest, height: number): Promise<void> {
    await queryJoined(request, { height, stateRoot: null, names: [], lines: [] }, this.#ports)
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

/**
 * What is asked of few subjects is in the state, which is whole: nobody has to be asked, or believed.
 * @returns null when that is not so, or would take long.
 */
function fromState(
  graph: string,
  patterns: readonly Pattern[],
  state: GraphState,
): { readonly texts: readonly string[]; readonly source: null } | null {
  const subjects = new Set(patterns.map(({ subject }) => subject))
  if (subjects.size > SUBJECTS_READ_MAX) return null
  const texts: string[] = []
  for (const subject of subjects) {
    const about = subject === null ? null : state.about(graph, subject, STATEMENTS_READ_MAX - texts.length)
    if (about === null) return null
    texts.push(...about)
  }
  return { texts, source: null }
}

/** At most so many at a time; the first failure is that of all. */
async function eachAtOnce<T>(
  count: number,
  items: readonly T[],
  run: (item: T) => Promise<void>,
): Promise<void> {
  const left = items.values()
  const worker = async (): Promise<void> => {
    for (const item of left) await run(item)
  }
  await Promise.all(Array.from({ length: count }, worker))
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
