/**
 * A worker thread that reads queries: sparqljs takes seconds for the longest ones, and longer still for nested ones.
 * @module
 */
import { parentPort } from 'node:worker_threads'
import { assert } from '@althing/base'
import { whyIndefinite } from './indefinite.ts'
import { needsOf } from './query-needs.ts'
import type { Asked, QueryNeeds } from './query-needs.ts'

export interface Plan {
  readonly needs: QueryNeeds
  /** Why nodes may answer it differently; null when they do not. */
  readonly indefinite: string | null
}

const port = parentPort
assert(port !== null, 'the planner runs in a worker thread')

port.on('message', (asked: Asked) => {
  port.postMessage({ needs: needsOf(asked), indefinite: whyIndefinite(asked.query) } satisfies Plan)
})
port.postMessage('ready')
