/**
 * Checks Ed25519 signatures in worker threads, so that the main thread stays free for the chain.
 * V1  every check is answered once, in order, also when a worker dies: its batches go to another, and a batch that two
 *     workers died of is checked on the main thread
 * V2  only what a worker is about to check is copied; the rest waits where the caller has it. How much may wait is
 *     bounded by the callers, who bound what they take in
 * @module
 */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { assert } from '@althing/base'
import type { Log, SignatureCheck } from '@althing/base'
import { verifyNative } from '../crypto/ed25519.ts'
import { packChecks } from './packing.ts'
import type { BatchAnswer, BatchQuestion } from './packing.ts'

/** Fewer are checked at once where they are: sending them would take as long. */
const SENT_MIN = 4
/** About five milliseconds of work: small enough to spread one block over all workers. */
const BATCH_CHECKS_MAX = 128
/** So that a worker has its next batch while the answer travels. */
const BATCHES_PER_WORKER = 2
const WORKERS_MAX = 16
/** A worker that dies so often without an answer in between is not started again. */
const DEATHS_MAX = 3
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 }

export interface VerifierPool {
  /** One answer per check, in the order given. Wrong lengths are answered false. */
  verifyAll(checks: readonly SignatureCheck[]): Promise<boolean[]>
  /** Answers what was asked before, then ends the workers. */
  stop(): Promise<void>
}

export interface VerifierPoolOptions {
  readonly log: Log
  /** 1 to 16; one less than there are cores when absent, since the main thread needs one too. */
  readonly workers?: number
  /** For tests. */
  readonly workerFile?: URL
}

/** Resolves when all workers run. */
export async function startVerifierPool(options: VerifierPoolOptions): Promise<VerifierPool> {
  const { workers = Math.min(WORKERS_MAX, Math.max(1, availableParallelism() - 1)) } = options
  assert(
    Number.isInteger(workers) && workers >= 1 && workers <= WORKERS_MAX,
    `workers ${workers}, not 1 to ${WORKERS_MAX}`,
  )
  const pool = new WorkerPool(options, workers)
  await pool.running()
  return pool
}

/** A part of one call, small enough for one worker. */
interface Batch {
  readonly id: number
  readonly checks: readonly SignatureCheck[]
  readonly answer: (valid: Uint8Array) => void
  deaths: number
}

class WorkerPool implements VerifierPool {
  readonly #log: Log
  readonly #file: URL
  readonly #slots: WorkerSlot[]
  /** Not yet with a worker. */
  readonly #waiting: Batch[] = []
  #batches = 0
  #calls = new Set<Promise<unknown>>()
  #stopped = false

  constructor(
    { log, workerFile = new URL('./worker.ts', import.meta.url) }: VerifierPoolOptions,
    workers: number,
  ) {
    this.#log = log
    this.#file = workerFile
    this.#slots = Array.from(
      { length: workers },
      () => new WorkerSlot(this.#file, (slot) => this.#onDeath(slot)),
    )
  }

  async running(): Promise<void> {
    await Promise.all(this.#slots.map((slot) => slot.running))
  }

  async verifyAll(checks: readonly SignatureCheck[]): Promise<boolean[]> {
    assert(!this.#stopped, 'the verifier pool is running')
    if (checks.length < SENT_MIN) return checks.map(isValid)
    const parts: Promise<Uint8Array>[] = []
    const size = Math.min(BATCH_CHECKS_MAX, Math.max(SENT_MIN, Math.ceil(checks.length / this.#slots.length)))
    for (let from = 0; from < checks.length; from += size)
      parts.push(this.#enqueue(checks.slice(from, from + size)))
    this.#sendWaiting()
    const answered = Promise.all(parts)
    this.#calls.add(answered)
    const valid = await answered
    this.#calls.delete(answered)
    return valid.flatMap((part) => Array.from(part, (one) => one === 1))
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.#calls)
    await Promise.all(this.#slots.map((slot) => slot.stop()))
  }

  #enqueue(checks: readonly SignatureCheck[]): Promise<Uint8Array> {
    return new Promise((answer) => this.#waiting.push({ id: this.#batches++, checks, answer, deaths: 0 }))
  }

  #sendWaiting(): void {
    while (this.#waiting.length > 0) {
      const alive = this.#slots.filter((slot) => slot.alive)
      if (alive.length === 0) return this.#answerHere(this.#waiting.splice(0))
      const slot = alive.reduce((least, each) => (each.load < least.load ? each : least))
      if (slot.load >= BATCHES_PER_WORKER) return
      slot.send(this.#waiting.shift()!, () => this.#sendWaiting())
    }
  }

  #onDeath(slot: WorkerSlot): void {
    if (this.#stopped && this.#calls.size === 0) return
    const lost = slot.takeUnanswered()
    for (const batch of lost) batch.deaths++
    this.#waiting.unshift(...lost.filter((batch) => batch.deaths < 2))
    this.#log.error('a signature worker died', {
      restarted: slot.deaths < DEATHS_MAX,
      unanswered: lost.length,
      reason: slot.reason,
    })
    if (slot.deaths < DEATHS_MAX) slot.start()
    this.#answerHere(lost.filter((batch) => batch.deaths >= 2))
    this.#sendWaiting()
  }

  /** On this thread, when workers cannot do it. */
  #answerHere(batches: readonly Batch[]): void {
    for (const { checks, answer } of batches)
      answer(Uint8Array.from(checks, (check) => (isValid(check) ? 1 : 0)))
  }
}

function isValid({ publicKey, message, signature }: SignatureCheck): boolean {
  return verifyNative(publicKey, message, signature)
}

/** A worker thread and the ones that follow it. */
class WorkerSlot {
  readonly #file: URL
  readonly #onDeath: (slot: WorkerSlot) => void
  #worker: Worker | undefined
  #running: Promise<void> = Promise.resolve()
  readonly #unanswered = new Map<number, { readonly batch: Batch; readonly onAnswer: () => void }>()
  /** In a row, without an answer in between. */
  deaths = 0
  /** Of the last death. */
  reason = ''

  constructor(file: URL, onDeath: (slot: WorkerSlot) => void) {
    this.#file = file
    this.#onDeath = onDeath
    this.start()
  }

  get alive(): boolean {
    return this.#worker !== undefined
  }

  get load(): number {
    return this.#unanswered.size
  }

  /** Resolves when the thread runs or has died. */
  get running(): Promise<void> {
    return this.#running
  }

  start(): void {
    const worker = new Worker(this.#file, { resourceLimits: RESOURCE_LIMITS })
    this.#worker = worker
    worker.on('message', (answer: BatchAnswer) => this.#receive(answer))
    worker.on('error', (error) => (this.reason = error.message))
    this.#running = new Promise((resolve) => {
      worker.once('online', () => {
        // The process may end while nothing is asked of the worker.
        if (this.load === 0) worker.unref()
        resolve()
      })
      worker.once('exit', (code) => {
        this.reason ||= `exit code ${code}`
        this.#worker = undefined
        this.deaths++
        resolve()
        this.#onDeath(this)
      })
    })
  }

  send(batch: Batch, onAnswer: () => void): void {
    const packed = packChecks(batch.checks)
    const question: BatchQuestion = { id: batch.id, packed }
    this.#unanswered.set(batch.id, { batch, onAnswer })
    this.#worker!.ref()
    this.#worker!.postMessage(question, [packed])
  }

  takeUnanswered(): Batch[] {
    const batches = [...this.#unanswered.values()].map(({ batch }) => batch)
    this.#unanswered.clear()
    return batches
  }

  async stop(): Promise<void> {
    const worker = this.#worker
    worker?.removeAllListeners('exit')
    await worker?.terminate()
  }

  #receive({ id, valid }: BatchAnswer): void {
    const asked = this.#unanswered.get(id)
    if (asked === undefined) return
    this.#unanswered.delete(id)
    this.deaths = 0
    this.reason = ''
    if (this.#unanswered.size === 0) this.#worker?.unref()
    asked.batch.answer(valid)
    asked.onAnswer()
  }
}
