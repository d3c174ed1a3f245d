/**
 * `/sparql`: the SPARQL 1.1 Protocol over the final graphs (PC-6). Reading only, so it needs no token, also by POST.
 * An answer names its height and state root in headers; an error has the envelope of all endpoints.
 * @module
 */
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { AnswerReceipt, isIri, QUERY_BYTES_MAX } from '@althing/base'
import type { AskedQuery } from '@althing/base'
import { bytesToBase64 } from '@althing/client'
import type { Checked } from '../federation/answer-checks.ts'
import { chooseMediaType, mediaTypesOf } from '../sparql/media-types.ts'
import { readQueryText } from '../sparql/query-text.ts'
import type { QueryForm } from '../sparql/query-text.ts'
import type { QueryAnswer, QueryRequest } from '../sparql/queries.ts'
import { ApiFault } from './answer.ts'
import { readHeight, readWhole } from './parameters.ts'

export interface SparqlBackend {
  /** @throws {QueryFault} */
  query(request: QueryRequest): Promise<QueryAnswer & { readonly sources?: readonly string[] }>
  /** @param wanted how many other nodes are to answer it too. @throws {QueryFault} */
  check(asked: AskedQuery, height: number, wanted: number, client: string): Promise<Checked>
}

export const SPARQL_PATH = '/sparql'
const BODY_BYTES_MAX = 2 * QUERY_BYTES_MAX
const GRAPHS_MAX = 256
const PIECE_CHARACTERS = 65_536
/** Other nodes that one query is checked with. */
const CHECKS_MAX = 8
const FORM_TYPE = 'application/x-www-form-urlencoded'
const QUERY_TYPE = 'application/sparql-query'
const UPDATE_TYPE = 'application/sparql-update'

/** What says that this is one, for who opens it without a query. */
const DESCRIPTION = `@prefix sd: <http://www.w3.org/ns/sparql-service-description#> .
@prefix formats: <http://www.w3.org/ns/formats/> .

[] a sd:Service ;
  sd:supportedLanguage sd:SPARQL11Query ;
  sd:feature sd:UnionDefaultGraph ;
  sd:resultFormat formats:SPARQL_Results_JSON, formats:SPARQL_Results_XML, formats:SPARQL_Results_CSV,
    formats:SPARQL_Results_TSV, formats:Turtle, formats:N-Triples, formats:N-Quads, formats:TriG,
    formats:JSON-LD, formats:RDF_XML .
`

/** For a context of its own: what is read as text here is not elsewhere. */
export function addSparqlRoutes(app: FastifyInstance, backend: SparqlBackend): void {
  for (const type of [FORM_TYPE, QUERY_TYPE, UPDATE_TYPE]) {
    const options = { parseAs: 'string', bodyLimit: BODY_BYTES_MAX } as const
    app.addContentTypeParser(type, options, (_request, body, done) => done(null, body))
  }
  app.get(SPARQL_PATH, (request, reply) => {
    const parameters = new URL(request.url, 'http://localhost').searchParams
    if (!parameters.has('query') && !parameters.has('update'))
      return reply.type('text/turtle').send(DESCRIPTION)
    return answer(backend, request, reply, parameters)
  })
  app.post(SPARQL_PATH, (request, reply) => answer(backend, request, reply, parametersOfPost(request)))
}

/** Of a form, all are in its body; else the query is the body, and the others are in the address. */
function parametersOfPost(request: FastifyRequest): URLSearchParams {
  const type = request.headers['content-type']?.split(';')[0]!.trim().toLowerCase()
  const body = typeof request.body === 'string' ? request.body : ''
  if (type === UPDATE_TYPE) throw refusedUpdate()
  if (type === FORM_TYPE) return new URLSearchParams(body)
  if (type !== QUERY_TYPE) {
    throw new ApiFault('MEDIA_TYPE_UNKNOWN', `send ${FORM_TYPE} with a query, or ${QUERY_TYPE}`)
  }
  const parameters = new URL(request.url, 'http://localhost').searchParams
  parameters.set('query', body)
  return parameters
}

async function answer(
  backend: SparqlBackend,
  request: FastifyRequest,
  reply: FastifyReply,
  parameters: URLSearchParams,
): Promise<FastifyReply> {
  const query = readQuery(parameters)
  const { form, asksOutside, namesDataset } = readQueryText(query)
  if (form === 'update') throw refusedUpdate()
  if (asksOutside) {
    throw new ApiFault(
      'SPARQL_SERVICE_REFUSED',
      'SERVICE asks another endpoint, which this node does not do; ask that one yourself, and join the answers',
    )
  }
  // One without a form is malformed: what the reader of queries says of it is better than what we could.
  const mediaType = mediaTypeFor(form === 'unknown' ? 'select' : form, request.headers.accept ?? '')
  const defaultGraphs = readGraphs(parameters, 'default-graph-uri')
  const namedGraphs = readGraphs(parameters, 'named-graph-uri')
  const asked = {
    query,
    defaultGraphs: defaultGraphs ?? (namedGraphs === null ? null : []),
    namedGraphs: namedGraphs ?? (defaultGraphs === null ? null : []),
  }
  const wanted = checksOf(readOne(parameters, 'check'))
  const result = await backend.query({
    ...asked,
    mediaType,
    unionDefault: asked.defaultGraphs === null && !namesDataset,
    height: heightOf(readOne(parameters, 'height')),
    client: request.ip,
  })
  if (wanted > 0) tellChecked(reply, await backend.check(asked, result.height, wanted, request.ip))
  const { sources = [] } = result
  if (sources.length > 0) reply.header('x-althing-sources', sources.join(', '))
  reply.header('x-althing-height', result.height)
  if (result.stateRoot !== null) reply.header('x-althing-state-root', result.stateRoot)
  return reply.header('vary', 'accept').type(`${mediaType}; charset=utf-8`).send(bodyOf(result.text))
}

/** Large ones are written as fast as the client reads: else all of it would be in the socket's buffer too. */
function bodyOf(text: string): string | Readable {
  return text.length <= PIECE_CHARACTERS ? text : Readable.from(piecesOf(text), { objectMode: false })
}

function* piecesOf(text: string): Generator<string> {
  for (let from = 0, to = 0; from < text.length; from = to) {
    to = Math.min(from + PIECE_CHARACTERS, text.length)
    const isWithinPair = /[\uD800-\uDBFF]/.test(text[to - 1]!)
    if (isWithinPair) to++
    yield text.slice(from, to)
  }
}

function readQuery(parameters: URLSearchParams): string {
  if (parameters.has('update')) throw refusedUpdate()
  const [query, ...others] = parameters.getAll('query')
  if (query === undefined || others.length > 0) {
    throw new ApiFault(
      'PARAMETER_INVALID',
      `query: found ${query === undefined ? 'none' : 'several'}; expected one`,
    )
  }
  if (query.length > QUERY_BYTES_MAX) {
    throw new ApiFault('BODY_TOO_LARGE', `a query of ${query.length} characters; at most ${QUERY_BYTES_MAX}`)
  }
  return query
}

function readOne(parameters: URLSearchParams, name: string): string | null {
  const [value = null, ...others] = parameters.getAll(name)
  if (others.length === 0) return value
  throw new ApiFault('PARAMETER_INVALID', `${name}: found several; expected one`)
}

function mediaTypeFor(form: QueryForm, accept: string): string {
  const mediaType = chooseMediaType(form, accept)
  if (mediaType !== null) return mediaType
  const known = mediaTypesOf(form).join(', ')
  throw new ApiFault('NOT_ACCEPTABLE', `accept "${accept}"; for this form of query there are ${known}`)
}

function readGraphs(parameters: URLSearchParams, name: string): string[] | null {
  const iris = parameters.getAll(name)
  if (iris.length > GRAPHS_MAX) {
    throw new ApiFault('PARAMETER_INVALID', `${name}: ${iris.length} of them; at most ${GRAPHS_MAX}`)
  }
  for (const iri of iris) {
    if (!isIri(iri))
      throw new ApiFault('PARAMETER_INVALID', `${name}: found "${iri}"; expected an absolute IRI`)
  }
  return iris.length === 0 ? null : iris
}

function heightOf(text: string | null): number | null {
  return text === null || text === 'latest' ? null : readHeight(text)
}

function checksOf(text: string | null): number {
  if (text === null) return 0
  const wanted = readWhole('check', text)
  if (wanted <= CHECKS_MAX) return wanted
  throw new ApiFault('PARAMETER_INVALID', `check: found ${wanted}, expected 0 to ${CHECKS_MAX}`)
}

function tellChecked(reply: FastifyReply, { own, others, agreeing, disagreeing, silent }: Checked): void {
  const receipts = [own, ...others].map((receipt) => bytesToBase64(AnswerReceipt.serialize(receipt)))
  reply.header('x-althing-receipt', receipts.join(', '))
  reply.header('x-althing-check', `agree=${agreeing}, disagree=${disagreeing}, silent=${silent}`)
}

function refusedUpdate(): ApiFault {
  return new ApiFault(
    'SPARQL_UPDATE_REFUSED',
    'statements are changed by transactions, which somebody signs (althing graph load); this endpoint answers queries',
  )
}
