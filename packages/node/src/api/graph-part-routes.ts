/**
 * The endpoint by which a copy of a graph is brought up to date: parts of its tree, from the root down (PC-5). What they are
 * is in `packages/base/src/subtree-part.ts`.
 * @module
 */
import type { FastifyInstance } from 'fastify'
import { decodePartQuestion, encodeParts, graphId, graphPrefix, isIri } from '@althing/base'
import { base64ToBytes } from '@althing/client'
import type { ServedGraphs } from '../served-graphs.ts'
import { QueryFault } from '../sparql/fault.ts'
import { ApiFault } from './answer.ts'
import { readHeight } from './parameters.ts'

interface PartQuery {
  readonly height?: string
  readonly question?: string
}

export function addGraphPartRoutes(app: FastifyInstance, graphs: ServedGraphs): void {
  app.get<{ Params: { iri: string }; Querystring: PartQuery }>(
    '/api/v1/graphs/:iri/parts',
    ({ params, query }, reply) => {
      if (!isIri(params.iri)) throw new ApiFault('PARAMETER_INVALID', 'graph: expected an absolute IRI')
      const height = readHeight(query.height ?? '')
      const bytes = base64ToBytes(query.question ?? '')
      const question = bytes === null ? null : decodePartQuestion(bytes, graphPrefix(graphId(params.iri)))
      if (!question?.ok) {
        throw new ApiFault('PARAMETER_INVALID', 'question: expected places of the graph, in base64')
      }
      const parts = graphs.parts(height, question.value)
      if (parts === null) {
        throw new QueryFault(
          'HEIGHT_NOT_KEPT',
          `the state of height ${height} is not kept here; ask for the newest`,
        )
      }
      return reply.type('application/octet-stream').send(Buffer.from(encodeParts(parts)))
    },
  )
}
