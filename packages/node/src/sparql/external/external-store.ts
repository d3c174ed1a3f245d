/**
 * The graphs in a SPARQL 1.1 server outside the node (PC-6), for when one machine is outgrown. The node is the only one that
 * writes to it.
 * E3  the store is always at the height that it says (update-text.ts); whatever the node forgets, it reads there
 * E4  a store that is away, or slow, holds nobody up: the node goes on, and what the store lacks is read from the chain
 *     when it is back, several blocks at a time
 * E5  a store of another chain, one that is ahead, that was lost while it was filled, or that lacks blocks which are no longer
 *     remembered, is emptied and filled from the state, in pieces
 * E6  a store that holds what the node did not put there is never emptied
 * E7  a query is answered between two heights, so that its answer is of exactly one
 * E8  an update is of a size that servers can read: what is more is sent in parts, again from the first if one fails
 * @module
 */
import type { Log } from '@althing/base'
import type { ExternalGraphsJson } from '@althing/client'
import { QueryFault } from '../fault.ts'
import type { QueryEngine } from '../engine.ts'
import type { QueryAnswer, QueryLimits, QueryRequest } from '../queries.ts'
import { withLimit } from '../query-text.ts'
import { countRows } from '../rows.ts'
import type { GraphReading, GraphSource, IndexedBlock } from '../source.ts'
import { EndpointError } from './endpoint.ts'
import type { SparqlEndpoint } from './endpoint.ts'
import { ReadWriteTurns } from './turns.ts'
import {
  blockUpdate,
  filledUpdate,
  fillUpdate,
  joinBlocks,
  leaveUpdate,
  piecesOf,
  POSITION_QUERY,
  readPosition,
  SOMETHING_QUERY,
  startUpdate,
} from './update-text.ts'
import type { StorePosition } from './update-text.ts'

export interface ExternalSource extends GraphSource {
  /** IRIs of the graphs that have statements after block `height`. */
  names(height: number): readonly string[]
  /** What the blocks after `from`, up to `to`, changed in what `read` gives; null when it is not remembered. */
  heldChanges(from: number, to: number): readonly IndexedBlock[] | null
}

export interface ExternalStoreOptions {
  readonly source: ExternalSource
  readonly endpoint: SparqlEndpoint
  /** Of the chain, in hexadecimal digits. */
  readonly genesis: string
  readonly limits: QueryLimits
  readonly log: Log
}

/** Of one update: Virtuoso, for one, reads no more than some 5,000 lines. */
const UPDATE_LINES_MAX = 1_000
const UPDATE_CHARACTERS_MAX = 131_072
/** Of blocks that are joined. */
const JOINED_CHARACTERS_MAX = 1_048_576
const UPDATE_MS = 120_000
const POSITION_MS = 30_000
const POSITION_BYTES_MAX = 65_536
const RETRY_MS_MIN = 250
const RETRY_MS_MAX = 30_000
/** For a store that is away, in an answer. */
const ASK_AGAIN_MS = 2_000
const QUERIES_MAX = 64
const JSON_RESULTS = 'application/sparql-results+json'

export class ExternalStore implements QueryEngine {
  readonly #options: ExternalStoreOptions
  readonly #turns = new ReadWriteTurns()
  readonly #running: Promise<void>
  #state: ExternalGraphsJson['state'] = 'starting'
  #problem: string | null = null
  /** Of the store; null when it is not known, or has none. */
  #height: number | null = null
  /** Of the newest final block. */
  #target: number
  /** Of what is sent in parts, and may be there in part. */
  #unfinished: IndexedBlock | null = null
  #names: { readonly height: number; readonly names: readonly string[] } | null = null
  #queries = 0
  #isStopped = false
  #wake: () => void = () => {}

  constructor(options: ExternalStoreOptions) {
    this.#options = options
    this.#target = options.source.height
    this.#running = this.#run()
  }

  get status(): ExternalGraphsJson {
    return { state: this.#state, height: this.#height, problem: this.#problem }
  }

  follow({ height }: IndexedBlock): void {
    this.#target = height
    this.#wake()
  }

  /** @throws {QueryFault} */
  async query(request: QueryRequest): Promise<QueryAnswer> {
    if (this.#queries >= QUERIES_MAX) {
      throw new QueryFault('QUERY_QUEUE_FULL', `${QUERIES_MAX} queries run already`, ASK_AGAIN_MS)
    }
    this.#queries++
    try {
      return await this.#turns.read(() => this.#ask(request))
    } finally {
      this.#queries--
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#options.endpoint.stop()
    this.#wake()
    await this.#running
  }

  async #ask(request: QueryRequest): Promise<QueryAnswer> {
    const { endpoint, limits, source } = this.#options
    const { query, mediaType, unionDefault } = request
    const height = this.#height
    if (height === null) {
      const message = this.#problem ?? 'the external store is being filled'
      throw new QueryFault('GRAPH_LOADING', message, ASK_AGAIN_MS)
    }
    if (request.height !== null && request.height !== height) {
      const message = `the external store of this node has height ${height} only, not ${request.height}`
      throw new QueryFault('HEIGHT_NOT_KEPT', message)
    }
    // All graphs are named: what a server takes for its default graph is its own affair.
    const all = unionDefault ? this.#namesAt(height) : null
    const asked = {
      query: withLimit(query, limits.rowsMax + 1),
      mediaType,
      defaultGraphs: all ?? request.defaultGraphs,
      namedGraphs: all ?? request.namedGraphs,
      timeMs: limits.timeMs,
      bytesMax: limits.bytesMax,
    }
    const text = await endpoint.query(asked).catch((error: unknown) => {
      throw queryFault(error, limits)
    })
    const rows = countRows(text, mediaType)
    if (rows > limits.rowsMax) {
      const message = `more than ${limits.rowsMax} rows; ask for less, or with LIMIT`
      throw new QueryFault('QUERY_TOO_MANY_ROWS', message)
    }
    return { text, rows, height, stateRoot: source.stateRoot(height) }
  }

  async #run(): Promise<void> {
    let retryMs = RETRY_MS_MIN
    while (!this.#isStopped) {
      try {
        const isInStep = await this.#step()
        retryMs = RETRY_MS_MIN
        if (this.#problem !== null) this.#options.log.info('the external store of the graphs is back')
        this.#problem = null
        if (isInStep) await this.#sleep(null)
      } catch (error) {
        if (this.#isStopped) return
        this.#failed(error)
        await this.#sleep(retryMs)
        retryMs = Math.min(RETRY_MS_MAX, retryMs * 2)
      }
    }
  }

  /** One thing that brings the store nearer. @returns whether it has all there is. */
  async #step(): Promise<boolean> {
    const { source } = this.#options
    if (this.#height === null) return this.#begin()
    if (this.#height === this.#target) {
      this.#state = 'in_step'
      return true
    }
    const blocks = this.#height < this.#target ? source.heldChanges(this.#height, this.#target) : null
    if (blocks === null) {
      await this.#fill()
      return false
    }
    if (this.#problem === null) this.#state = 'following'
    const from = this.#height
    const block = joinBlocks(batchOf(blocks))
    await this.#turns.write(() => (isSmall(block) ? this.#move(from, block) : this.#moveInParts(from, block)))
    return false
  }

  /** What the store says it is. */
  async #begin(): Promise<boolean> {
    const position = await this.#position()
    const height = position?.genesis === this.#options.genesis ? position.height : null
    if (height !== null && height <= this.#target) {
      this.#unfinished = null
      this.#height = height
      return false
    }
    const unfinished = this.#unfinished
    if (unfinished !== null && height === null && position?.genesis === this.#options.genesis) {
      await this.#turns.write(() => this.#sendParts(unfinished))
      return false
    }
    if (position === null && (await this.#holdsSomething())) {
      throw new EndpointError(
        'refused',
        'the external store holds statements that are not of this node: give it one of its own, or empty that one',
      )
    }
    await this.#fill()
    return false
  }

  /** E5 */
  async #fill(): Promise<void> {
    const { source, genesis, log } = this.#options
    this.#height = null
    this.#unfinished = null
    this.#state = 'filling'
    const reading = source.read(this.#target)
    if (reading === null)
      throw new EndpointError('away', `the state of height ${this.#target} is not at hand`)
    log.info('the external store of the graphs is filled from the state', { height: reading.height })
    await this.#turns.write(() => this.#update(startUpdate(genesis)))
    for (const lines of linesOf(reading)) await this.#sendLines(lines, 'INSERT')
    await this.#update(filledUpdate(reading.height))
    this.#height = reading.height
  }

  /** The height is forgotten first: after a failure nobody knows whether the update was done. */
  async #move(from: number, block: IndexedBlock): Promise<void> {
    this.#height = null
    await this.#update(blockUpdate(from, block))
    this.#height = block.height
  }

  async #moveInParts(from: number, block: IndexedBlock): Promise<void> {
    this.#height = null
    this.#unfinished = block
    await this.#update(leaveUpdate(from))
    await this.#sendParts(block)
  }

  /** Of a store that is being filled. The same parts twice are the same as once. */
  async #sendParts(block: IndexedBlock): Promise<void> {
    await this.#sendLines(block.deleted, 'DELETE')
    await this.#sendLines(block.inserted, 'INSERT')
    await this.#update(filledUpdate(block.height))
    this.#unfinished = null
    this.#height = block.height
  }

  async #sendLines(lines: string, kind: 'INSERT' | 'DELETE'): Promise<void> {
    for (const piece of piecesOf(lines, UPDATE_LINES_MAX, UPDATE_CHARACTERS_MAX))
      await this.#update(fillUpdate(piece, kind))
  }

  #update(update: string): Promise<void> {
    return this.#options.endpoint.update(update, UPDATE_MS)
  }

  async #position(): Promise<StorePosition | null> {
    const { results } = (await this.#json(POSITION_QUERY)) as {
      results: { bindings: readonly Record<'name' | 'value', { readonly value: string }>[] }
    }
    return readPosition(results.bindings.map(({ name, value }) => ({ name: name.value, value: value.value })))
  }

  async #holdsSomething(): Promise<boolean> {
    return ((await this.#json(SOMETHING_QUERY)) as { boolean: boolean }).boolean
  }

  async #json(query: string): Promise<unknown> {
    const limits = { timeMs: POSITION_MS, bytesMax: POSITION_BYTES_MAX }
    const asked = { query, mediaType: JSON_RESULTS, defaultGraphs: null, namedGraphs: null, ...limits }
    return JSON.parse(await this.#options.endpoint.query(asked))
  }

  #namesAt(height: number): readonly string[] {
    if (this.#names?.height !== height) this.#names = { height, names: this.#options.source.names(height) }
    return this.#names.names
  }

  #failed(error: unknown): void {
    const problem = error instanceof Error ? error.message : String(error)
    if (this.#problem === null) this.#options.log.warn('the external store of the graphs', { problem })
    this.#problem = problem
    this.#height = null
    this.#state = 'away'
  }

  /** Until something new is final, or `ms` have passed. */
  #sleep(ms: number | null): Promise<void> {
    if (this.#isStopped) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = ms === null ? undefined : setTimeout(resolve, ms)
      // A store that is away is not asked more often because blocks come.
      this.#wake = () => {
        if (ms !== null && !this.#isStopped) return
        clearTimeout(timer)
        resolve()
      }
      if (ms === null && this.#height !== this.#target) resolve()
    })
  }
}

function* linesOf({ statements, height }: GraphReading): Generator<string> {
  try {
    yield* statements
  } catch (error) {
    if (error instanceof EndpointError) throw error
    // The state is no longer kept: blocks came faster than the store took it.
    throw new EndpointError(
      'away',
      `the state of height ${height} is gone before it was read: ${String(error)}`,
    )
  }
}

/** The first blocks, as many as are joined. */
function batchOf(blocks: readonly IndexedBlock[]): readonly IndexedBlock[] {
  let characters = 0
  const end = blocks.findIndex(({ deleted, inserted }) => {
    characters += deleted.length + inserted.length
    return characters > JOINED_CHARACTERS_MAX
  })
  return end === -1 ? blocks : blocks.slice(0, Math.max(1, end))
}

/** Whether it goes in one update. */
function isSmall({ deleted, inserted }: IndexedBlock): boolean {
  if (deleted.length + inserted.length > UPDATE_CHARACTERS_MAX) return false
  return [...piecesOf(deleted + inserted, UPDATE_LINES_MAX, UPDATE_CHARACTERS_MAX)].length <= 1
}

function queryFault(error: unknown, { timeMs, bytesMax }: QueryLimits): QueryFault {
  if (!(error instanceof EndpointError)) throw error
  switch (error.kind) {
    case 'time':
      return new QueryFault('QUERY_TIMEOUT', `the query was given up after ${timeMs} ms; ask for less`)
    case 'bytes':
      return new QueryFault(
        'QUERY_TOO_LARGE',
        `an answer of more than ${bytesMax} bytes; ask for less, or with LIMIT`,
      )
    case 'refused':
      return new QueryFault('SPARQL_FAILED', error.message)
    case 'away':
    case 'stopped':
      return new QueryFault('GRAPH_LOADING', error.message, ASK_AGAIN_MS)
  }
}
