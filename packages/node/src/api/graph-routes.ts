/**
 * The endpoints that show the graphs, with proofs, and that bring RDF into the form that the chain takes (PC-5, PC-6).
 * @module
 */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { bytesToHex, hexToBytes, isIri } from '@althing/base'
import type {
  GraphDetailsJson,
  GraphJson,
  GraphsJson,
  StatementJson,
  StatementProofJson,
  StatementsJson,
} from '@althing/client'
import type { GraphView, StatementView } from '@althing/ledger'
import { RdfReader } from '../rdf/reader.ts'
import { isInRange } from '../served-graphs.ts'
import type { ServedGraphs } from '../served-graphs.ts'
import { ApiFault, success } from './answer.ts'
import { addGraphPartRoutes } from './graph-part-routes.ts'
import { proofJson } from './json.ts'
import { readBoolean, readWhole } from './parameters.ts'

interface RdfQuery {
  readonly graph?: string
  readonly base?: string
}

export const CANONICAL_PATH = '/api/v1/rdf/canonical'

const JSON_TYPE = 'application/json; charset=utf-8'
const LIST_LIMIT = 100
const LIMIT_MAX = 1_000
const RDF_BYTES_MAX = 1_048_576
const RDF_TYPES = [
  'application/n-quads',
  'application/n-triples',
  'application/trig',
  'text/turtle',
  'application/ld+json',
]

interface GraphQuery {
  readonly subject?: string
  readonly after?: string
  readonly limit?: string
  readonly proof?: string
  readonly statement?: string
}

/** For a context of its own: what is read as text here is not elsewhere. */
export function addGraphRoutes(app: FastifyInstance, graphs: ServedGraphs): void {
  app.get<{ Querystring: GraphQuery }>('/api/v1/graphs', ({ query }) => {
    const after = query.after === undefined ? undefined : readIri('after', query.after)
    const page = graphs.list(after, readLimit(query.limit))
    return success<GraphsJson>({
      graphs: page.graphs.map(graphJson),
      next: page.isLast ? null : page.graphs.at(-1)!.name,
      height: page.height,
    })
  })

  app.get<{ Params: { iri: string } }>('/api/v1/graphs/:iri', ({ params }) => {
    const found = graphs.get(readIri('graph', params.iri))
    if (found === null) throw unknownGraph(params.iri)
    const { graph, grants, root, height, proof } = found
    return success<GraphDetailsJson>({
      ...graphJson(graph),
      grants: grants.map(({ account, since }) => ({ account: bytesToHex(account), since })),
      root: bytesToHex(root),
      height,
      proof: proofJson(proof),
    })
  })

  app.get<{ Params: { iri: string }; Querystring: GraphQuery }>(
    '/api/v1/graphs/:iri/statements',
    ({ params, query }) => {
      const graph = readIri('graph', params.iri)
      const { subject } = query
      if (subject !== undefined) readIri('subject', subject.replace(/^<(.*)>$/, '$1'))
      const after = readAfter(query.after, graph, subject)
      const isProved = readBoolean('proof', query.proof, true)
      const piece = graphs.statements(graph, subject, after, readLimit(query.limit), isProved)
      return success<StatementsJson>({
        graph,
        subject: subject ?? null,
        statements: piece.statements.map(statementJson),
        next: piece.next === null ? null : bytesToHex(piece.next),
        height: piece.height,
        proof: piece.proof === null ? null : proofJson(piece.proof),
      })
    },
  )

  app.get<{ Params: { iri: string }; Querystring: GraphQuery }>(
    '/api/v1/graphs/:iri/statement',
    ({ params, query }) => {
      const graph = readIri('graph', params.iri)
      const found = graphs.statement(graph, query.statement ?? '')
      if (!found.ok) throw new ApiFault('PARAMETER_INVALID', `statement: ${found.fault.message}`)
      const { height, found: statement, proof } = found.value
      return success<StatementProofJson>({
        graph,
        exists: statement !== null,
        statement: statement === null ? null : statementJson(statement),
        height,
        proof: proofJson(proof),
      })
    },
  )

  addGraphPartRoutes(app, graphs)
  for (const type of RDF_TYPES) {
    const options = { parseAs: 'string', bodyLimit: RDF_BYTES_MAX } as const
    app.addContentTypeParser(type, options, (_request, body, done) => done(null, body))
  }
  const reader = new RdfReader()
  app.addHook('onClose', () => reader.stop())
  app.post<{ Querystring: RdfQuery }>(CANONICAL_PATH, async (request, reply) =>
    reply.type(JSON_TYPE).send(await canonical(request, reader)),
  )
}

/** @returns the whole answer as JSON. */
async function canonical(
  request: FastifyRequest<{ Querystring: RdfQuery }>,
  reader: RdfReader,
): Promise<string> {
  const { graph, base } = request.query
  const answer = await reader.read({
    text: typeof request.body === 'string' ? request.body : '',
    mediaType: request.headers['content-type'] ?? '',
    graph: graph === undefined ? null : readIri('graph', graph),
    base: base === undefined ? null : readIri('base', base),
  })
  if (answer === null) throw new ApiFault('BUSY', 'too many documents wait to be read; try again')
  if (answer.kind === 'read') return `{"success":true,"data":${answer.json},"error":null}`
  const { code, message, position } = answer
  throw new ApiFault('RDF_REFUSED', `${code}: ${message}`, position === null ? {} : { ...position })
}

function graphJson({ name, owner, height, statements, isGated }: GraphView): GraphJson {
  return { name, owner: bytesToHex(owner), created_at: height, statements, gated: isGated }
}

function statementJson({ text, height, sender }: Omit<StatementView, 'key'>): StatementJson {
  return { text, height, sender: bytesToHex(sender) }
}

function readIri(name: string, text: string): string {
  if (isIri(text)) return text
  throw new ApiFault('PARAMETER_INVALID', `${name}: found "${text.slice(0, 80)}", expected an absolute IRI`, {
    parameter: name,
  })
}

function readLimit(text: string | undefined): number {
  if (text === undefined) return LIST_LIMIT
  const limit = readWhole('limit', text)
  if (limit >= 1 && limit <= LIMIT_MAX) return limit
  throw new ApiFault('PARAMETER_INVALID', `limit: found ${limit}, expected 1 to ${LIMIT_MAX}`, {
    parameter: 'limit',
  })
}

function readAfter(
  text: string | undefined,
  graph: string,
  subject: string | undefined,
): Uint8Array | undefined {
  if (text === undefined) return undefined
  const key = hexToBytes(text)
  if (key !== null && isInRange(key, graph, subject)) return key
  throw new ApiFault('PARAMETER_INVALID', 'after: expected `next` of an answer to the same question', {
    parameter: 'after',
  })
}

function unknownGraph(iri: string): ApiFault {
  return new ApiFault('GRAPH_UNKNOWN', `there is no graph <${iri}>; GET /api/v1/graphs lists those there are`)
}
