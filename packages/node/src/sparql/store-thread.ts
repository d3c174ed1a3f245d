/**
 * One worker thread and what it is doing. Orders are taken in the order given; a query is answered by its promise.
 * @module
 */
import { Worker } from 'node:worker_threads'
import type { IndexedBlock } from './source.ts'
import type { WorkerAnswer, WorkerFailure, WorkerOrder, WorkerQuery } from './messages.ts'

export type ThreadResult =
  | { readonly kind: 'result'; readonly text: string; readonly height: number; readonly rows: number }
  | { readonly kind: 'failed'; readonly failure: WorkerFailure }
  /** The thread ended before it answered. */
  | { readonly kind: 'ended'; readonly reason: string }

/** Of JavaScript; the store itself is in WebAssembly's memory, which is watched from outside. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 1_024, maxYoungGenerationSizeMb: 32 }

export class StoreThread {
  readonly #worker: Worker
  readonly #ended: Promise<string>
  readonly #answerById = new Map<number, (answer: WorkerAnswer | null) => void>()
  #ids = 0
  #endReason = ''

  constructor(file: URL) {
    this.#worker = new Worker(file, { resourceLimits: RESOURCE_LIMITS })
    this.#worker.unref()
    this.#worker.on('message', (answer: WorkerAnswer) => {
      this.#answerById.get(answer.id)?.(answer)
      this.#answerById.delete(answer.id)
    })
    this.#worker.on('error', (error) => (this.#endReason ||= error.message))
    this.#ended = new Promise((resolve) => {
      this.#worker.once('exit', (code) => {
        this.#endReason ||= `exit code ${code}`
        for (const resolveAnswer of this.#answerById.values()) resolveAnswer(null)
        this.#answerById.clear()
        resolve(this.#endReason)
      })
    })
  }

  /** Resolves with the reason. */
  get ended(): Promise<string> {
    return this.#ended
  }

  /** Resolves when the statements are in, false when the thread ended before. */
  async load(text: string): Promise<boolean> {
    return (await this.#ask((id) => ({ kind: 'load', id, text }))) !== null
  }

  /** Makes graphs that are there even without statements. @param graphs IRIs of the chain. */
  name(graphs: readonly string[]): void {
    this.#order({ kind: 'name', graphs })
  }

  loaded(height: number): void {
    this.#order({ kind: 'loaded', height })
  }

  apply({ height, deleted, inserted }: IndexedBlock): void {
    this.#order({ kind: 'apply', height, deleted, inserted })
  }

  async query(query: WorkerQuery): Promise<ThreadResult> {
    const answer = await this.#ask((id) => ({ kind: 'query', id, query }))
    if (answer === null) return { kind: 'ended', reason: this.#endReason }
    if (answer.kind === 'failed') return { kind: 'failed', failure: answer.failure }
    if (answer.kind === 'result') return answer
    return { kind: 'ended', reason: 'an answer to another question' }
  }

  async end(reason: string): Promise<void> {
    this.#endReason ||= reason
    await this.#worker.terminate()
  }

  #ask(order: (id: number) => WorkerOrder): Promise<WorkerAnswer | null> {
    const id = this.#ids++
    return new Promise((resolve) => {
      if (this.#endReason !== '') return resolve(null)
      this.#answerById.set(id, resolve)
      this.#order(order(id))
    })
  }

  #order(order: WorkerOrder): void {
    this.#worker.postMessage(order)
  }
}
