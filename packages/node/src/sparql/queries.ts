/**
 * Answers SPARQL queries over the final graphs (PC-6).
 * Q1  a query never blocks the node: it runs in the process of its own copy, and is ended when it is over a limit
 * Q2  an ended process is replaced; meanwhile another copy answers, so the next query is served at once
 * Q3  queries known to take long leave one copy free for the others
 * Q4  every answer is of exactly one height, which it names
 * @module
 */
import { assert } from '@althing/base'
import type { Clock, Log } from '@althing/base'
import { GraphCopy } from './copy.ts'
import type { QueryEngine } from './engine.ts'
import { QueryFault } from './fault.ts'
import type { WorkerQuery } from './messages.ts'
import { Offenders } from './offenders.ts'
import { PastCopy } from './past-copy.ts'
import { withLimit } from './query-text.ts'
import type { IndexedBlock, GraphSource } from './source.ts'
import type { StoreResult } from './store-process.ts'

export interface QueryLimits {
  /** Of one query. */
  readonly timeMs: number
  /** Rows or statements of an answer. */
  readonly rowsMax: number
  /** Of an answer. */
  readonly bytesMax: number
  /** By which the process may grow while a query runs. */
  readonly memoryBytesMax: number
  /** Queries that wait. */
  readonly waitingMax: number
}

export interface QueryRequest {
  readonly query: string
  readonly mediaType: string
  readonly defaultGraphs: readonly string[] | null
  readonly namedGraphs: readonly string[] | null
  /** Without a dataset of its own a query sees all graphs together. */
  readonly unionDefault: boolean
  /** Null: the newest. */
  readonly height: number | null
  /** Whose queries are counted together, such as an address. */
  readonly client: string
}

export interface QueryAnswer {
  readonly text: string
  readonly rows: number
  readonly height: number
  /** In hexadecimal digits; null when the block is so new, or so old, that it is not at hand. */
  readonly stateRoot: string | null
}

export interface QueriesOptions {
  readonly source: GraphSource
  readonly limits: QueryLimits
  /** 1 to 8; with one there is none to take over while it is built anew. */
  readonly copies: number
  readonly clock: Clock
  readonly log: Log
  /** For tests. */
  readonly workerFile?: URL
}

const COPIES_MAX = 8
/** A query that took longer is heavy. */
const HEAVY_MS = 200
const WATCH_MS = 50
/** For a copy, before it runs. */
const WAIT_MS = 10_000
const LOADING_RETRY_MS = 1_000
const REBUILD_MS = 2_000

interface Waiting {
  readonly request: QueryRequest
  readonly heavy: boolean
  readonly answer: (result: StoreResult) => void
  readonly refuse: (fault: QueryFault) => void
}

export class Queries implements QueryEngine {
  readonly #options: QueriesOptions
  readonly #workerFile: URL
  readonly #offenders = new Offenders()
  readonly #past: PastCopy
  #copies: GraphCopy[] = []
  #waiting: Waiting[] = []
  #heavyRunning = 0
  #stopped = false

  constructor(options: QueriesOptions) {
    const { copies } = options
    assert(
      Number.isInteger(copies) && copies >= 1 && copies <= COPIES_MAX,
      `${copies} copies, not 1 to ${COPIES_MAX}`,
    )
    this.#options = options
    this.#workerFile = options.workerFile ?? new URL('./worker.ts', import.meta.url)
    this.#past = new PastCopy(options.source, this.#workerFile)
    for (let i = 0; i < copies; i++) this.#addCopy()
  }

  /** Resolves when the first copy answers. */
  async ready(): Promise<void> {
    await Promise.race(this.#copies.map(({ built }) => built))
  }

  /** Blocks in the order of their heights, none left out. */
  follow(block: IndexedBlock): void {
    for (const copy of this.#copies) copy.apply(block)
  }

  /** @throws {QueryFault} */
  async query(request: QueryRequest): Promise<QueryAnswer> {
    const throttled = this.#throttleOf(request.client)
    if (throttled !== null) throw throttled
    return this.#answerOf(request, await this.#resultOf(request))
  }

  #throttleOf(client: string): QueryFault | null {
    const waitMs = this.#offenders.waitMs(client, this.#nowMs())
    if (waitMs === 0) return null
    const message = `queries from here were ended ${WORDS_ENDED}; wait ${Math.ceil(waitMs / 1_000)} s`
    return new QueryFault('QUERY_THROTTLED', message, waitMs)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    const reason = 'the node is stopping'
    for (const { refuse } of this.#waiting.splice(0)) {
      refuse(new QueryFault('GRAPH_LOADING', reason, LOADING_RETRY_MS))
    }
    await Promise.all([...this.#copies.map((copy) => copy.end(reason)), this.#past.stop()])
  }

  /** A copy of the newest height answers for an earlier one too, as long as nothing changed since. */
  async #resultOf(request: QueryRequest): Promise<StoreResult> {
    const { height } = request
    const { source } = this.#options
    if (height === null) return this.#enqueue(request)
    if (source.isSame(height, source.height)) {
      const result = await this.#enqueue(request)
      if (result.kind !== 'result') return result
      if (source.isSame(height, result.height)) return { ...result, height }
    }
    return this.#queryPast(request, height)
  }

  #addCopy(): void {
    const { source, log } = this.#options
    const copy = new GraphCopy(this.#workerFile, source, source.height)
    this.#copies.push(copy)
    void copy.built.then(() => this.#dispatch())
    let built = false
    void copy.built.then(() => (built = copy.state !== 'lost'))
    void copy.lost.then((reason) => {
      this.#copies = this.#copies.filter((each) => each !== copy)
      if (this.#stopped) return
      log.warn('a copy of the graphs is built anew', { reason })
      // One that could not even be built would fail again at once.
      setTimeout(() => this.#stopped || this.#addCopy(), built ? 0 : REBUILD_MS).unref()
    })
  }

  #enqueue(request: QueryRequest): Promise<StoreResult> {
    const { waitingMax } = this.#options.limits
    if (this.#waiting.length >= waitingMax) {
      throw new QueryFault('QUERY_QUEUE_FULL', `${waitingMax} queries wait already`, LOADING_RETRY_MS)
    }
    const own = this.#waiting.filter(({ request: { client } }) => client === request.client).length
    if (own >= Math.ceil(waitingMax / 2)) {
      throw new QueryFault('QUERY_QUEUE_FULL', `${own} queries from here wait already`, LOADING_RETRY_MS)
    }
    const { promise, resolve, reject } = Promise.withResolvers<StoreResult>()
    const heavy = this.#offenders.isHeavy(request.query)
    const waiting: Waiting = { request, heavy, answer: resolve, refuse: reject }
    this.#waiting.push(waiting)
    const timer = setTimeout(() => this.#giveUp(waiting), WAIT_MS)
    this.#dispatch()
    return promise.finally(() => clearTimeout(timer))
  }

  /** One that has waited too long for a copy; those that run are ended by `#run`. */
  #giveUp(waiting: Waiting): void {
    if (!this.#waiting.includes(waiting)) return
    this.#waiting = this.#waiting.filter((each) => each !== waiting)
    const isLoading = this.#copies.every(({ state }) => state === 'loading')
    const fault = isLoading
      ? new QueryFault(
          'GRAPH_LOADING',
          'the graphs are being read from the state; try again',
          LOADING_RETRY_MS,
        )
      : new QueryFault(
          'QUERY_TIMEOUT',
          `other queries kept all copies busy for ${WAIT_MS} ms; try again later`,
          LOADING_RETRY_MS,
        )
    waiting.refuse(fault)
  }

  #dispatch(): void {
    const heavyMax = Math.max(1, this.#copies.length - 1)
    while (true) {
      const copy = this.#copies.find(({ state }) => state === 'idle')
      const index = this.#waiting.findIndex(({ heavy }) => !heavy || this.#heavyRunning < heavyMax)
      if (copy === undefined || index === -1) return
      const waiting = this.#waiting.splice(index, 1)[0]!
      const throttled = this.#throttleOf(waiting.request.client)
      if (throttled === null) void this.#runOn(copy, waiting)
      else waiting.refuse(throttled)
    }
  }

  async #runOn(copy: GraphCopy, { request, heavy, answer }: Waiting): Promise<void> {
    if (heavy) this.#heavyRunning++
    const result = await this.#run(copy, request)
    if (heavy) this.#heavyRunning--
    answer(result)
    this.#dispatch()
  }

  async #queryPast(request: QueryRequest, height: number): Promise<StoreResult> {
    const { timeMs } = this.#options.limits
    return this.#past.use(height, timeMs, (copy) => this.#run(copy, request))
  }

  /** Runs until it is done or over its time or memory; then the process is ended. */
  async #run(copy: GraphCopy, request: QueryRequest): Promise<StoreResult> {
    const { timeMs, memoryBytesMax } = this.#options.limits
    // What the copy does before is not the query's time.
    let startMs = Number.POSITIVE_INFINITY
    const before = copy.memoryBytes()
    const look = async (): Promise<void> => {
      if (this.#nowMs() - startMs > timeMs) return copy.end(OVER_TIME)
      const [bytesBefore, bytes] = await Promise.all([before, copy.memoryBytes()])
      // Without an answer meanwhile it is the same query still.
      const isOver = bytesBefore !== null && bytes !== null && bytes - bytesBefore > memoryBytesMax
      if (isOver && isRunning) await copy.end(OVER_MEMORY)
    }
    let isRunning = true
    const watch = setInterval(() => void look(), WATCH_MS)
    const result = await copy.query(this.#workerQuery(request), () => (startMs = this.#nowMs()))
    isRunning = false
    clearInterval(watch)
    if (this.#nowMs() - startMs > HEAVY_MS) this.#offenders.noteHeavy(request.query)
    else this.#offenders.noteLight(request.query)
    return result
  }

  #workerQuery({ query, ...rest }: QueryRequest): WorkerQuery {
    const { rowsMax, bytesMax } = this.#options.limits
    const { mediaType, defaultGraphs, namedGraphs, unionDefault } = rest
    return {
      query: withLimit(query, rowsMax + 1),
      mediaType,
      defaultGraphs,
      namedGraphs,
      unionDefault,
      rowsMax,
      bytesMax,
    }
  }

  #answerOf({ client }: QueryRequest, result: StoreResult): QueryAnswer {
    if (result.kind === 'result') {
      const { text, rows, height } = result
      return { text, rows, height, stateRoot: this.#options.source.stateRoot(height) }
    }
    const { timeMs, rowsMax, bytesMax, memoryBytesMax } = this.#options.limits
    if (result.kind === 'ended') {
      if (result.reason === OVER_TIME) {
        this.#offenders.noteEnded(client, this.#nowMs())
        throw new QueryFault('QUERY_TIMEOUT', `the query was ended after ${timeMs} ms; ask for less`)
      }
      if (result.reason === OVER_MEMORY || result.reason.includes('memory')) {
        this.#offenders.noteEnded(client, this.#nowMs())
        const message = `the query needed more than ${memoryBytesMax} bytes of memory; ask for less`
        throw new QueryFault('QUERY_OUT_OF_MEMORY', message)
      }
      throw new QueryFault(
        'GRAPH_LOADING',
        `the copy that answered ended: ${result.reason}`,
        LOADING_RETRY_MS,
      )
    }
    const { failure } = result
    switch (failure.reason) {
      case 'syntax':
        throw new QueryFault('SPARQL_SYNTAX', syntaxMessage(failure.message))
      case 'broken':
        this.#offenders.noteEnded(client, this.#nowMs())
        throw new QueryFault('QUERY_TOO_COMPLEX', TOO_COMPLEX)
      case 'evaluation':
        throw new QueryFault('SPARQL_FAILED', failure.message)
      case 'rows':
        throw new QueryFault('QUERY_TOO_MANY_ROWS', `more than ${rowsMax} rows; ask for less, or with LIMIT`)
      case 'bytes':
        throw new QueryFault(
          'QUERY_TOO_LARGE',
          `an answer of ${failure.bytes} bytes; at most ${bytesMax}: ask for less, or with LIMIT`,
        )
    }
  }

  #nowMs(): number {
    return this.#options.clock.monotonicMs()
  }
}

/** Where, and what Oxigraph expected there; without the alphabets that it counts up. */
function syntaxMessage(message: string): string {
  const [where = '', expected = ''] = message.split(': expected ')
  if (expected.includes('Prefix not found')) return `${where}: a prefix that is not declared before this`
  const words = expected
    .replace(/^one of /, '')
    .split(', ')
    .filter((word) => !word.startsWith('['))
  const shown = words.slice(0, EXPECTED_SHOWN_MAX).join(', ')
  return `${where}: expected ${words.length === 1 ? '' : 'one of '}${shown}${words.length > EXPECTED_SHOWN_MAX ? ', …' : ''}`
}

const EXPECTED_SHOWN_MAX = 12
const WORDS_ENDED = 'for being over a limit several times within a minute'
const TOO_COMPLEX = 'the query is too long or too deeply nested to be evaluated; split it'
const OVER_TIME = 'over the time of a query'
const OVER_MEMORY = 'over the memory of a query'
