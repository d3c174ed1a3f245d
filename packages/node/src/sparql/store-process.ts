/**
 * One process that holds a copy, and what it is doing. Orders are taken in the order given; a query is answered by its
 * promise.
 * @module
 */
import { Child } from '../child/child.ts'
import type { IndexedBlock } from './source.ts'
import type { WorkerAnswer, WorkerFailure, WorkerOrder, WorkerQuery } from './messages.ts'

export type StoreResult =
  | { readonly kind: 'result'; readonly text: string; readonly height: number; readonly rows: number }
  | { readonly kind: 'failed'; readonly failure: WorkerFailure }
  /** The process ended before it answered. */
  | { readonly kind: 'ended'; readonly reason: string }

/** Of JavaScript; the store itself is in WebAssembly's memory, which is watched from outside. */
const HEAP_MB = 1_024

export class StoreProcess {
  readonly #child: Child<WorkerOrder, WorkerAnswer>
  readonly #answerById = new Map<number, (answer: WorkerAnswer | null) => void>()
  #ids = 0

  constructor(file: URL) {
    this.#child = new Child(file, HEAP_MB, (answer) => {
      this.#answerById.get(answer.id)?.(answer)
      this.#answerById.delete(answer.id)
    })
    void this.#child.ended.then(() => {
      for (const resolveAnswer of this.#answerById.values()) resolveAnswer(null)
      this.#answerById.clear()
    })
  }

  /** Resolves with the reason. */
  get ended(): Promise<string> {
    return this.#child.ended
  }

  /** Null when it has ended, or the system does not tell. */
  memoryBytes(): Promise<number | null> {
    return this.#child.memoryBytes()
  }

  /** Resolves when the statements are in, false when the process ended before. */
  async load(text: string): Promise<boolean> {
    return (await this.#ask((id) => ({ kind: 'load', id, text }))) !== null
  }

  /** Makes graphs that are there even without statements. @param graphs IRIs of the chain. */
  name(graphs: readonly string[]): void {
    this.#child.send({ kind: 'name', graphs })
  }

  loaded(height: number): void {
    this.#child.send({ kind: 'loaded', height })
  }

  apply({ height, deleted, inserted }: IndexedBlock): void {
    this.#child.send({ kind: 'apply', height, deleted, inserted })
  }

  async query(query: WorkerQuery): Promise<StoreResult> {
    const answer = await this.#ask((id) => ({ kind: 'query', id, query }))
    if (answer === null) return { kind: 'ended', reason: this.#child.endReason }
    if (answer.kind === 'failed') return { kind: 'failed', failure: answer.failure }
    if (answer.kind === 'result') return answer
    return { kind: 'ended', reason: 'an answer to another question' }
  }

  end(reason: string): Promise<void> {
    return this.#child.end(reason)
  }

  #ask(order: (id: number) => WorkerOrder): Promise<WorkerAnswer | null> {
    const id = this.#ids++
    return new Promise((resolve) => {
      if (this.#child.endReason !== '') return resolve(null)
      this.#answerById.set(id, resolve)
      this.#child.send(order(id))
    })
  }
}
