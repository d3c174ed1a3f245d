/**
 * What final blocks changed in a graph, asked for height by height, and waited for.
 * @module
 */
import type { FastifyInstance } from 'fastify'
import { isIri } from '@althing/base'
import type { GraphChangesJson } from '@althing/client'
import type { GraphFeed } from '../graph-changes/graph-feed.ts'
import type { GraphPattern } from '../graph-changes/pattern.ts'
import { ApiFault, success } from './answer.ts'
import { readWhole } from './parameters.ts'

/** Below the time that a request may take. */
const WAIT_S_MAX = 25
const WAITING_MAX = 256

interface ChangesQuery {
  readonly from?: string
  readonly subject?: string
  readonly predicate?: string
  readonly wait?: string
}

export function addChangeRoutes(app: FastifyInstance, feed: GraphFeed): void {
  app.get<{ Params: { iri: string }; Querystring: ChangesQuery }>(
    '/api/v1/graphs/:iri/changes',
    async ({ params, query }) => {
      const pattern: GraphPattern = {
        graph: readIri('graph', params.iri),
        ...(query.subject !== undefined && { subject: readIri('subject', query.subject) }),
        ...(query.predicate !== undefined && { predicate: readIri('predicate', query.predicate) }),
      }
      const from = readWhole('from', query.from ?? '')
      const page = read(feed, from, pattern)
      const waitS = readWait(query.wait)
      if (page.changes.length > 0 || waitS === 0) return success(page)
      if (feed.waiting >= WAITING_MAX)
        throw new ApiFault('BUSY', `${WAITING_MAX} requests wait for changes already; ask without wait`)
      await feed.next(pattern, waitS * 1_000)
      return success(read(feed, page.height, pattern))
    },
  )
}

function read(feed: GraphFeed, from: number, pattern: GraphPattern): GraphChangesJson {
  const page = feed.changesSince(from, pattern)
  if (page === null) {
    throw new ApiFault(
      'CHANGES_NOT_KEPT',
      `what changed after height ${from} is not remembered here; read the statements, and go on from their height`,
    )
  }
  const changes = page.changes.map(({ height, inserted, deleted }) => ({ height, inserted, deleted }))
  return { graph: pattern.graph!, from, height: page.height, changes }
}

function readIri(name: string, text: string): string {
  const iri = text.replace(/^<(.*)>$/, '$1')
  if (isIri(iri)) return iri
  throw new ApiFault('PARAMETER_INVALID', `${name}: found "${text.slice(0, 80)}", expected an absolute IRI`, {
    parameter: name,
  })
}

function readWait(text: string | undefined): number {
  const waitS = text === undefined ? 0 : readWhole('wait', text)
  if (waitS <= WAIT_S_MAX) return waitS
  throw new ApiFault('PARAMETER_INVALID', `wait: found ${waitS}, expected 0 to ${WAIT_S_MAX} seconds`, {
    parameter: 'wait',
  })
}
