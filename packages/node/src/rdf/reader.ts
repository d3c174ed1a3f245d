/**
 * Reads RDF that comes by the API, in a thread of its own: a document of a megabyte can take minutes and gigabytes.
 * F1  a document never blocks the node: its reading is ended when it is over its time or memory
 * F2  one at a time; a bounded number wait
 * F3  the thread is started when it is needed, and ended when it was not for a while
 * @module
 */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { RdfAnswer, RdfText } from './messages.ts'

export interface RdfReaderLimits {
  /** Of one document. */
  readonly timeMs: number
  /** By which the process may grow while one is read. */
  readonly memoryBytesMax: number
  readonly waitingMax: number
}

const LIMITS: RdfReaderLimits = { timeMs: 2_000, memoryBytesMax: 536_870_912, waitingMax: 16 }
const WATCH_MS = 20
const KEPT_IDLE_MS = 30_000
const WORKER_FILE = new URL('./worker.ts', import.meta.url)
/** Of JavaScript; the parser is in WebAssembly's memory, which is watched from outside. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 512, maxYoungGenerationSizeMb: 32 }

export class RdfReader {
  readonly #limits: RdfReaderLimits
  #worker: Worker | null = null
  /** Those who came before. */
  #turn: Promise<unknown> = Promise.resolve()
  #waiting = 0
  #stopped = false
  #idleTimer: NodeJS.Timeout | undefined

  constructor(limits: Partial<RdfReaderLimits> = {}) {
    this.#limits = { ...LIMITS, ...limits }
  }

  /** @returns null when too many wait already, or the node is stopping. */
  async read(text: RdfText): Promise<RdfAnswer | null> {
    if (this.#waiting === this.#limits.waitingMax) return null
    this.#waiting++
    const answer = this.#turn.then(() => this.#read(text))
    this.#turn = answer.catch(() => {})
    return answer.finally(() => this.#waiting--)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#release()
  }

  async #release(): Promise<void> {
    clearTimeout(this.#idleTimer)
    const worker = this.#worker
    this.#worker = null
    await worker?.terminate()
  }

  async #read(text: RdfText): Promise<RdfAnswer | null> {
    if (this.#stopped) return null
    clearTimeout(this.#idleTimer)
    this.#worker ??= await startWorker()
    const answer = await this.#ask(this.#worker, text)
    if (answer.kind === 'refused' && answer.isBroken) await this.#release()
    this.#idleTimer = setTimeout(() => void this.#release(), KEPT_IDLE_MS).unref()
    return answer
  }

  async #ask(worker: Worker, text: RdfText): Promise<RdfAnswer> {
    const { timeMs, memoryBytesMax } = this.#limits
    const { promise, resolve } = Promise.withResolvers<RdfAnswer>()
    const onEnd = (why: Error | number): void => {
      resolve(tooComplex(`reading it failed: ${why instanceof Error ? why.message : `exit code ${why}`}`))
    }
    worker.once('message', resolve).once('error', onEnd).once('exit', onEnd)
    const bytesBefore = process.memoryUsage.rss()
    const watch = setInterval(() => {
      const bytes = process.memoryUsage.rss() - bytesBefore
      if (bytes > memoryBytesMax)
        resolve(tooComplex(`reading it takes more than ${memoryBytesMax} bytes of memory`))
    }, WATCH_MS)
    const timer = setTimeout(() => resolve(tooComplex(`reading it takes more than ${timeMs} ms`)), timeMs)
    worker.postMessage(text)
    const answer = await promise
    clearTimeout(timer)
    clearInterval(watch)
    worker.off('message', resolve).off('error', onEnd).off('exit', onEnd)
    return answer
  }
}

/** Resolves when it can read: loading the parsers takes a while, which no document is charged for. */
async function startWorker(): Promise<Worker> {
  const worker = new Worker(WORKER_FILE, { resourceLimits: RESOURCE_LIMITS })
  worker.unref()
  worker.on('error', () => {}) // whoever waits for an answer is told; a thread without work has nothing to lose
  await once(worker, 'message')
  return worker
}

function tooComplex(message: string): RdfAnswer {
  const remedy = 'send less at once; deep nesting and long prefixes cost most'
  return {
    kind: 'refused',
    code: 'RDF_TOO_COMPLEX',
    message: `${message}; ${remedy}`,
    position: null,
    isBroken: true,
  }
}
