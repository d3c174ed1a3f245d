/**
 * The copy for queries at past heights: one at a time, made when it is asked for, ended when nobody asks any more.
 * @module
 */
import { GraphCopy } from './copy.ts'
import { QueryFault } from './fault.ts'
import type { GraphSource } from './source.ts'

const KEPT_IDLE_MS = 60_000
const RETRY_MS = 2_000
/** Each may take as long as the building of a copy. */
const WAITING_MAX = 16

export class PastCopy {
  readonly #source: GraphSource
  readonly #workerFile: URL
  #held: { readonly height: number; readonly copy: GraphCopy } | null = null
  /** Those who came before; one after the other. */
  #turn: Promise<unknown> = Promise.resolve()
  #waiting = 0
  #stopped = false
  #idleTimer: NodeJS.Timeout | undefined

  constructor(source: GraphSource, workerFile: URL) {
    this.#source = source
    this.#workerFile = workerFile
  }

  /**
   * @param patienceMs for the copy to be built; it is built on after that.
   * @throws {QueryFault} `HEIGHT_NOT_KEPT`, `GRAPH_LOADING`, `QUERY_QUEUE_FULL`.
   */
  async use<Result>(
    height: number,
    patienceMs: number,
    run: (copy: GraphCopy) => Promise<Result>,
  ): Promise<Result> {
    if (this.#waiting === WAITING_MAX) {
      const message = `${WAITING_MAX} queries at past heights wait already`
      throw new QueryFault('QUERY_QUEUE_FULL', message, RETRY_MS)
    }
    this.#waiting++
    const result = this.#turn.then(() => this.#use(height, patienceMs, run))
    this.#turn = result.catch(() => {})
    return result.finally(() => this.#waiting--)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#release()
  }

  async #release(): Promise<void> {
    clearTimeout(this.#idleTimer)
    const held = this.#held
    this.#held = null
    await held?.copy.end('no longer needed')
  }

  async #use<Result>(
    height: number,
    patienceMs: number,
    run: (copy: GraphCopy) => Promise<Result>,
  ): Promise<Result> {
    if (this.#stopped) throw new QueryFault('GRAPH_LOADING', 'the node is stopping', RETRY_MS)
    clearTimeout(this.#idleTimer)
    try {
      const copy = this.#copyAt(height)
      await within(patienceMs, copy.built)
      if (copy.state === 'loading') {
        const message = `the graphs of height ${height} are being read; try again`
        throw new QueryFault('GRAPH_LOADING', message, RETRY_MS)
      }
      return await run(copy)
    } finally {
      this.#idleTimer = setTimeout(() => void this.#release(), KEPT_IDLE_MS).unref()
    }
  }

  #copyAt(height: number): GraphCopy {
    const state = this.#held?.copy.state ?? 'lost'
    if (this.#held?.height === height && state !== 'lost') return this.#held.copy
    if (this.#held !== null && state === 'loading') {
      // Else two who ask for different heights would each end the other's copy before it is built.
      const message = `the graphs of height ${this.#held.height} are being read for another query; try again`
      throw new QueryFault('GRAPH_LOADING', message, RETRY_MS)
    }
    void this.#held?.copy.end('another height is asked for')
    this.#held = null
    if (this.#source.read(height) === null) {
      const message = `the state of height ${height} is not kept here; the newest is ${this.#source.height}`
      throw new QueryFault('HEIGHT_NOT_KEPT', message)
    }
    const copy = new GraphCopy(this.#workerFile, this.#source, height)
    this.#held = { height, copy }
    return copy
  }
}

async function within(ms: number, done: Promise<void>): Promise<void> {
  let timer
  const patience = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)))
  await Promise.race([done, patience])
  clearTimeout(timer)
}
