/**
 * Reads queries in a thread of its own, one after the other, each within a time: one that takes longer counts as not
 * understood, and the thread is replaced. So no query holds up the node, and none spoils another one.
 * @module
 */
import { Worker } from 'node:worker_threads'
import { QueryFault } from '../sparql/fault.ts'
import type { Plan } from './planner-worker.ts'
import { needsOfUnknown } from './query-needs.ts'
import type { Asked } from './query-needs.ts'

/** Of one query; not counted is the start of the thread. */
const READING_MS = 1_000
const WAITING_MAX = 32
const WORKER = new URL('./planner-worker.ts', import.meta.url)

export class Planner {
  /** Resolves when it can read; null before the first query, and after one that took too long. */
  #worker: Promise<Worker> | null = null
  #waiting = 0
  /** Those who came before. */
  #turn: Promise<unknown> = Promise.resolve()

  /** @throws {QueryFault} `QUERY_QUEUE_FULL`. */
  async plan({ query, defaultGraphs, namedGraphs, unionDefault }: Asked): Promise<Plan> {
    if (this.#waiting === WAITING_MAX) {
      throw new QueryFault('QUERY_QUEUE_FULL', `${WAITING_MAX} queries wait to be read`, READING_MS)
    }
    const asked = { query, defaultGraphs, namedGraphs, unionDefault }
    this.#waiting++
    const plan = this.#turn.then(() => this.#read(asked)).finally(() => this.#waiting--)
    this.#turn = plan.catch(() => {})
    return plan
  }

  async stop(): Promise<void> {
    const worker = await this.#worker?.catch(() => null)
    await worker?.terminate()
  }

  async #read(asked: Asked): Promise<Plan> {
    this.#worker ??= startWorker()
    let plan: Plan | null = null
    try {
      const worker = await this.#worker
      plan = await answerOf(worker, asked)
      if (plan === null) await worker.terminate()
    } finally {
      if (plan === null) this.#worker = null
    }
    return (
      plan ?? { needs: needsOfUnknown(asked), indefinite: 'it is too long or too deeply nested to be read' }
    )
  }
}

/** @returns null when it takes too long, or breaks the thread. */
function answerOf(worker: Worker, asked: Asked): Promise<Plan | null> {
  return new Promise((resolve) => {
    const end = (plan: Plan | null): void => {
      clearTimeout(timer)
      worker.off('message', end).off('exit', fail)
      resolve(plan)
    }
    const fail = (): void => end(null)
    const timer = setTimeout(fail, READING_MS)
    worker.on('message', end).on('exit', fail)
    worker.postMessage(asked)
  })
}

function startWorker(): Promise<Worker> {
  const worker = new Worker(WORKER)
  worker.unref()
  worker.on('error', () => {}) // it exits then
  return new Promise((resolve, reject) => {
    worker.once('message', () => resolve(worker))
    worker.once('exit', () => reject(new Error('the thread that reads queries ended at its start')))
  })
}
