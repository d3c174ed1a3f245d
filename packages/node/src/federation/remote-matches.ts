/**
 * The statements of graphs that other nodes keep, for one query: from one holder of a graph, or from another one when
 * that one is silent, cannot say, or lies.
 * @module
 */
import type { Clock, Log } from '@althing/base'
import { QueryFault } from '../sparql/fault.ts'
import type { GraphState } from '../sparql/graph-state.ts'
import type { Pattern } from './pattern.ts'

/** Peers that keep graphs, and how they are asked. */
export interface Holders {
  holdersOf(graph: string): readonly string[]
  /** @throws an error, with the code of the peer as `remoteCode` if there is one. */
  ask(
    peer: string,
    graph: string,
    patterns: readonly Pattern[],
    height: number,
    timeoutMs: number,
  ): Promise<readonly string[]>
  /** It gave a statement that is not in the state. */
  lied(peer: string, graph: string, text: string): void
}

export interface RemoteMatchesOptions {
  readonly holders: Holders
  readonly height: number
  /** Of that height. */
  readonly state: GraphState
  /** By the monotonic clock. */
  readonly deadlineMs: number
  readonly clock: Clock
  readonly log: Log
}

const HOLDERS_TRIED_MAX = 4
const RETRY_MS = 2_000
/** Statements that are looked up before other work has its turn. */
const LOOKED_UP_AT_ONCE = 500
/** Whoever else is asked says the same. */
const FINAL_CODES = ['QUERY_TOO_MANY_ROWS', 'QUERY_TOO_LARGE', 'QUERY_OUT_OF_MEMORY'] as const

export class RemoteMatches {
  readonly #options: RemoteMatchesOptions

  constructor(options: RemoteMatchesOptions) {
    this.#options = options
  }

  /** @throws {QueryFault} `GRAPH_ELSEWHERE`; `QUERY_TOO_MANY_ROWS` and its like when the holder says so. */
  async of(
    graph: string,
    patterns: readonly Pattern[],
  ): Promise<{ readonly texts: readonly string[]; readonly source: string }> {
    const { holders, clock, deadlineMs } = this.#options
    const reasons: string[] = []
    for (const peer of holders.holdersOf(graph).slice(0, HOLDERS_TRIED_MAX)) {
      const leftMs = deadlineMs - clock.monotonicMs()
      if (leftMs <= 0) {
        reasons.push('the time of the query is over')
        break
      }
      // Half of what is left, so that there is time for another one.
      const texts = await this.#tryPeer(peer, graph, patterns, leftMs / 2)
      if (typeof texts !== 'string') return { texts, source: peer }
      reasons.push(`${peer}: ${texts}`)
    }
    const why = reasons.length === 0 ? 'no peer that keeps it is connected' : reasons.join('; ')
    const message = `<${graph}> is kept by other nodes, and could not be had: ${why}`
    throw new QueryFault('GRAPH_ELSEWHERE', message, RETRY_MS)
  }

  /** @returns the statements, or why there are none. */
  async #tryPeer(
    peer: string,
    graph: string,
    patterns: readonly Pattern[],
    timeoutMs: number,
  ): Promise<readonly string[] | string> {
    const { holders, height, log } = this.#options
    let texts
    try {
      texts = await holders.ask(peer, graph, patterns, height, timeoutMs)
    } catch (error) {
      const { message, remoteCode } = error as Error & { readonly remoteCode?: string | null }
      const code = FINAL_CODES.find((each) => each === remoteCode)
      if (code !== undefined) {
        throw new QueryFault(
          code,
          `of <${graph}>, which other nodes keep: ${message}; name predicates or subjects`,
        )
      }
      log.debug('a holder of a graph did not answer', { peer, graph, error: message })
      return message
    }
    const made = await this.#firstMadeUp(graph, texts)
    if (made === null) return texts
    holders.lied(peer, graph, made)
    return `it gave a statement that is not in the state: ${made.slice(0, 200)}`
  }

  async #firstMadeUp(graph: string, texts: readonly string[]): Promise<string | null> {
    for (const [index, text] of texts.entries()) {
      if (index % LOOKED_UP_AT_ONCE === LOOKED_UP_AT_ONCE - 1) await new Promise(setImmediate)
      if (!this.#options.state.has(graph, text)) return text
    }
    return null
  }
}
