/**
 * A worker thread that reads queries: sparqljs takes seconds for the longest ones, and longer still for nested ones.
 * @module
 */
import { parentPort } from 'node:worker_threads'
import { assert } from '@althing/base'
import { whyIndefinite } from './indefinite.ts'
import { needsOf } from './query-needs.ts'
import type { Asked, QueryNeeds } from './query-needs.ts'

export interface PlanOrder {
  readonly id: number
  readonly asked: Asked
}

export interface Plan {
  readonly needs: QueryNeeds
  /** Why nodes may answer it differently; null when they do not. */
  readonly indefinite: string | null
}

export interface PlanAnswer extends Plan {
  readonly id: number
}

const port = parentPort
assert(port !== null, 'the planner runs in a worker thread')

port.on('message', ({ id, asked }: PlanOrder) => {
  const answer: PlanAnswer = { id, needs: needsOf(asked), indefinite: whyIndefinite(asked.query) }
  port.postMessage(answer)
})
