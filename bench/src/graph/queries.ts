/**
 * Point queries: by HTTP beside Oxigraph in the process that asks, and while another client's query never ends.
 * @module
 */
import { Agent, request } from 'node:http'
import type { Store } from 'oxigraph'
import { kvPut, Sender } from '@althing/client'
import type { Signer } from '@althing/client'
import type { StatementGroup } from '@althing/client/rdf'
import type { BenchNetwork } from '../network.ts'
import { spreadOf } from '../percentiles.ts'
import type { Spread } from '../percentiles.ts'

export interface PointReport {
  readonly httpMs: Spread
  readonly inProcessMs: Spread
}

export interface HeavyReport {
  readonly idle: Window
  readonly busy: Window
  /** Expensive queries that were ended by the node while the others were asked. */
  readonly ended: number
}

export interface Window {
  readonly queryMs: Spread
  /** Of transactions sent one by one meanwhile. */
  readonly finalityMs: Spread
}

const POINTS = 2_000
/** The rows of three patterns that share nothing: none is left out by an index. */
const EXPENSIVE = 'SELECT (COUNT(*) AS ?n) { ?a ?p ?b . ?c ?q ?d . ?e ?r ?f }'
const JSON_RESULTS = 'application/sparql-results+json'
/** Another client than the one of the cheap queries: a node counts what a client's queries cost. */
const EXPENSIVE_FROM = '127.0.0.2'
const CHEAP_FROM = '127.0.0.1'

/** What is said of so many things, each by a query of its own. */
export function pointQueries(groups: readonly StatementGroup[]): string[] {
  const step = Math.max(1, Math.floor(groups.length / POINTS))
  return groups
    .filter((_, i) => i % step === 0)
    .map(([first]) => {
      const { graph, statement } = first!
      return `SELECT ?p ?o { GRAPH <${graph}> { ${statement.slice(0, statement.indexOf(' '))} ?p ?o } }`
    })
}

export async function measurePoints(
  queries: readonly string[],
  store: Store,
  url: string,
): Promise<PointReport> {
  const http = new HttpQueries(url, CHEAP_FROM)
  const inProcess: number[] = []
  const byHttp: number[] = []
  // Once for both, before it counts.
  for (const isCounted of [false, true]) {
    for (const query of queries) {
      const startMs = performance.now()
      const expected = store.query(query, { results_format: JSON_RESULTS }) as string
      const middleMs = performance.now()
      const text = await http.ask(query)
      if (isCounted) {
        inProcess.push(middleMs - startMs)
        byHttp.push(performance.now() - middleMs)
      }
      if (text.length !== expected.length)
        throw new Error(`another answer than Oxigraph's: ${query}\n${text}`)
    }
  }
  http.close()
  return { httpMs: spreadOf(byHttp), inProcessMs: spreadOf(inProcess) }
}

/** @param seconds of each of two windows. */
export async function measureBesideExpensive(
  queries: readonly string[],
  network: BenchNetwork,
  signer: Signer,
  seconds: number,
): Promise<HeavyReport> {
  const sender = await Sender.open(network.nodes[0]!.client, signer, network.trusted)
  const { url } = network.nodes[0]!
  const idle = await measureWindow(queries, url, sender, seconds)
  const stop = new AbortController()
  const expensive = keepAsking(url, stop.signal)
  const busy = await measureWindow(queries, url, sender, seconds)
  stop.abort()
  return { idle, busy, ended: await expensive }
}

async function measureWindow(
  queries: readonly string[],
  url: string,
  sender: Sender,
  seconds: number,
): Promise<Window> {
  const endMs = performance.now() + seconds * 1000
  const http = new HttpQueries(url, CHEAP_FROM)
  const ask = async (): Promise<number[]> => {
    const samples: number[] = []
    for (let i = 0; performance.now() < endMs; i++) {
      samples.push(await timed(() => http.ask(queries[i % queries.length]!)))
    }
    return samples
  }
  const write = async (): Promise<number[]> => {
    const samples: number[] = []
    while (performance.now() < endMs) {
      const key = new TextEncoder().encode(`beside/${sender.account[0]}/${performance.now()}`)
      samples.push(await timed(() => sender.send([kvPut({ key, value: key })])))
    }
    return samples
  }
  const [queryMs, finalityMs] = await Promise.all([ask(), write()])
  http.close()
  return { queryMs: spreadOf(queryMs), finalityMs: spreadOf(finalityMs) }
}

/** @returns how many were ended by the node; one that refuses to begin is asked again. */
async function keepAsking(url: string, signal: AbortSignal): Promise<number> {
  const http = new HttpQueries(url, EXPENSIVE_FROM, signal)
  let ended = 0
  for (let turn = 0; !signal.aborted; turn++) {
    // Another text each time: the node remembers what took long.
    await http.ask(`${EXPENSIVE} # ${turn}`).catch((error: Error) => {
      if (error.message.includes('QUERY_TIMEOUT')) ended++
    })
  }
  http.close()
  return ended
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now()
  await work()
  return performance.now() - startMs
}

/** One connection that stays. */
class HttpQueries {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 })
  readonly #url: URL
  readonly #from: string
  readonly #signal: AbortSignal | undefined

  constructor(url: string, from: string, signal?: AbortSignal) {
    this.#url = new URL('sparql', url)
    this.#from = from
    this.#signal = signal
  }

  ask(query: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const sent = request(
        this.#url,
        {
          method: 'POST',
          agent: this.#agent,
          localAddress: this.#from,
          headers: { 'content-type': 'application/sparql-query', accept: JSON_RESULTS },
          ...(this.#signal !== undefined && { signal: this.#signal }),
        },
        (response) => {
          let text = ''
          response.setEncoding('utf8')
          response.on('data', (piece: string) => (text += piece))
          response.once('end', () =>
            response.statusCode === 200 ? resolve(text) : reject(new Error(`a query failed: ${text}`)),
          )
        },
      )
      sent.once('error', reject)
      sent.end(query)
    })
  }

  close(): void {
    this.#agent.destroy()
  }
}
