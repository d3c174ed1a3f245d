/**
 * Reads queries in a thread of its own, within a time: one that takes longer counts as not understood, and the thread is
 * replaced. So no query holds up the node.
 * @module
 */
import { Worker } from 'node:worker_threads'
import type { Plan, PlanAnswer, PlanOrder } from './planner-worker.ts'
import { needsOfUnknown } from './query-needs.ts'
import type { Asked } from './query-needs.ts'

const READING_MS = 1_000
const WORKER = new URL('./planner-worker.ts', import.meta.url)

export class Planner {
  #worker: Worker | null = null
  readonly #answerById = new Map<number, (plan: Plan | null) => void>()
  #ids = 0

  async plan({ query, defaultGraphs, namedGraphs, unionDefault }: Asked): Promise<Plan> {
    const asked = { query, defaultGraphs, namedGraphs, unionDefault }
    const id = this.#ids++
    const { promise, resolve } = Promise.withResolvers<Plan | null>()
    this.#answerById.set(id, resolve)
    const timer = setTimeout(() => this.#end(), READING_MS)
    this.#running().postMessage({ id, asked } satisfies PlanOrder)
    const plan = await promise
    clearTimeout(timer)
    return (
      plan ?? { needs: needsOfUnknown(asked), indefinite: 'it is too long or too deeply nested to be read' }
    )
  }

  async stop(): Promise<void> {
    await this.#worker?.terminate()
  }

  #running(): Worker {
    if (this.#worker !== null) return this.#worker
    const worker = new Worker(WORKER)
    worker.unref()
    worker.on('message', ({ id, ...plan }: PlanAnswer) => {
      this.#answerById.get(id)?.(plan)
      this.#answerById.delete(id)
    })
    worker.on('error', () => {}) // it exits then
    worker.once('exit', () => {
      if (this.#worker === worker) this.#end()
    })
    this.#worker = worker
    return worker
  }

  /** Whoever else waits is told too: their queries may be read anew. */
  #end(): void {
    void this.#worker?.terminate()
    this.#worker = null
    for (const answer of this.#answerById.values()) answer(null)
    this.#answerById.clear()
  }
}
