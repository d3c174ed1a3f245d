/**
 * The copy for queries at past heights: one at a time, made when it is asked for, ended when nobody asks any more.
 * @module
 */
import { GraphCopy } from './copy.ts'
import { QueryFault } from './fault.ts'
import type { GraphSource } from './source.ts'

const KEPT_IDLE_MS = 60_000
const RETRY_MS = 2_000

export class PastCopy {
  readonly #source: GraphSource
  readonly #workerFile: URL
  #held: { readonly height: number; readonly copy: GraphCopy } | null = null
  /** Those who came before; one after the other. */
  #turn: Promise<unknown> = Promise.resolve()
  #idleTimer: NodeJS.Timeout | undefined

  constructor(source: GraphSource, workerFile: URL) {
    this.#source = source
    this.#workerFile = workerFile
  }

  /**
   * @param patienceMs for the copy to be built; it is built on after that.
   * @throws {QueryFault} `HEIGHT_NOT_KEPT`, `GRAPH_LOADING`.
   */
  use<Result>(
    height: number,
    patienceMs: number,
    run: (copy: GraphCopy) => Promise<Result>,
  ): Promise<Result> {
    const result = this.#turn.then(() => this.#use(height, patienceMs, run))
    this.#turn = result.catch(() => {})
    return result
  }

  async stop(): Promise<void> {
    clearTimeout(this.#idleTimer)
    await this.#held?.copy.end('no longer needed')
    this.#held = null
  }

  async #use<Result>(
    height: number,
    patienceMs: number,
    run: (copy: GraphCopy) => Promise<Result>,
  ): Promise<Result> {
    clearTimeout(this.#idleTimer)
    const copy = this.#copyAt(height)
    let timer
    const patience = new Promise<void>((resolve) => (timer = setTimeout(resolve, patienceMs)))
    await Promise.race([copy.built, patience])
    clearTimeout(timer)
    this.#idleTimer = setTimeout(() => void this.stop(), KEPT_IDLE_MS).unref()
    if (copy.state === 'loading') {
      throw new QueryFault(
        'GRAPH_LOADING',
        `the graphs of height ${height} are being read; try again`,
        RETRY_MS,
      )
    }
    return run(copy)
  }

  #copyAt(height: number): GraphCopy {
    if (this.#held?.height === height && this.#held.copy.state !== 'lost') return this.#held.copy
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
