/**
 * Reads RDF that comes by the API, in a process of its own: a document of a megabyte can take minutes and gigabytes.
 * F1  a document never blocks the node: its reading is ended when it is over its time or memory
 * F2  one at a time; a bounded number wait
 * F3  the process is started when it is needed, and ended when it was not for a while
 * @module
 */
import { Child } from '../child/child.ts'
import type { RdfAnswer, RdfText } from './messages.ts'

export interface RdfReaderLimits {
  /** Of one document. */
  readonly timeMs: number
  /** By which the process that reads may grow for one. */
  readonly memoryBytesMax: number
  readonly waitingMax: number
}

const LIMITS: RdfReaderLimits = { timeMs: 2_000, memoryBytesMax: 536_870_912, waitingMax: 16 }
const WATCH_MS = 20
const KEPT_IDLE_MS = 30_000
const WORKER_FILE = new URL('./worker.ts', import.meta.url)
/** Of JavaScript; the parser is in WebAssembly's memory, which is watched from outside. */
const HEAP_MB = 512

export class RdfReader {
  readonly #limits: RdfReaderLimits
  #reading: ReadingProcess | null = null
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
    const reading = this.#reading
    this.#reading = null
    await reading?.end()
  }

  async #read(text: RdfText): Promise<RdfAnswer | null> {
    if (this.#stopped) return null
    clearTimeout(this.#idleTimer)
    this.#reading ??= new ReadingProcess()
    const answer = await this.#ask(this.#reading, text)
    if (answer.kind === 'refused' && answer.isBroken) await this.#release()
    this.#idleTimer = setTimeout(() => void this.#release(), KEPT_IDLE_MS).unref()
    return answer
  }

  async #ask(reading: ReadingProcess, text: RdfText): Promise<RdfAnswer> {
    const { timeMs, memoryBytesMax } = this.#limits
    // Loading the parsers takes a while, which no document is charged for.
    if (!(await reading.ready)) return tooComplex(`reading it failed: ${await reading.ended}`)
    const { promise, resolve } = Promise.withResolvers<RdfAnswer>()
    const before = reading.memoryBytes()
    const look = async (): Promise<void> => {
      const [bytesBefore, bytes] = await Promise.all([before, reading.memoryBytes()])
      if (bytesBefore !== null && bytes !== null && bytes - bytesBefore > memoryBytesMax)
        resolve(tooComplex(`reading it takes more than ${memoryBytesMax} bytes of memory`))
    }
    const watch = setInterval(() => void look(), WATCH_MS)
    const timer = setTimeout(() => resolve(tooComplex(`reading it takes more than ${timeMs} ms`)), timeMs)
    void reading.ended.then((why) => resolve(tooComplex(`reading it failed: ${why}`)))
    reading.read(text, resolve)
    const answer = await promise
    clearTimeout(timer)
    clearInterval(watch)
    return answer
  }
}

/** A process that reads one document after the other. */
class ReadingProcess {
  readonly #child: Child<RdfText | 'are you there', RdfAnswer | 'yes'>
  /** False when it ended before. */
  readonly ready: Promise<boolean>
  #onAnswer: (answer: RdfAnswer) => void = () => {}

  constructor() {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    this.ready = promise
    this.#child = new Child(WORKER_FILE, HEAP_MB, (answer) => {
      if (answer === 'yes') resolve(true)
      else this.#onAnswer(answer)
    })
    void this.#child.ended.then(() => resolve(false))
    this.#child.send('are you there')
  }

  get ended(): Promise<string> {
    return this.#child.ended
  }

  memoryBytes(): Promise<number | null> {
    return this.#child.memoryBytes()
  }

  read(text: RdfText, onAnswer: (answer: RdfAnswer) => void): void {
    this.#onAnswer = onAnswer
    this.#child.send(text)
  }

  end(): Promise<void> {
    return this.#child.end('no longer needed')
  }
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
