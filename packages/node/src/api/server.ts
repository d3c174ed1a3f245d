/**
 * The HTTP server around the endpoints: its bounds, its errors, who may send what.
 * Every answer has the envelope, also when no endpoint was reached. What is said of an error of ours is that it was
 * one; the log has the rest.
 * @module
 */
import { hash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import type { Socket } from 'node:net'
import fastify from 'fastify'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Log } from '@althing/base'
import { TRANSACTION_BYTES_MAX } from '@althing/base'
import { QueryFault } from '../sparql/fault.ts'
import { ApiFault, failure, statusOfQuery } from './answer.ts'
import type { ApiBackend } from './backend.ts'
import { addChangeRoutes } from './change-routes.ts'
import { addEpochRoutes } from './epoch-routes.ts'
import { addGraphHolderRoutes } from './graph-holder-routes.ts'
import { addGraphRoutes, CANONICAL_PATH } from './graph-routes.ts'
import { addNetworkMapRoutes } from './network-map-routes.ts'
import { addNetworkRoutes } from './network-routes.ts'
import { addObservationRoutes } from './observation-routes.ts'
import { addRoutes } from './routes.ts'
import { addSparqlRoutes, SPARQL_PATH } from './sparql-routes.ts'
import { addTraceRoutes } from './trace-routes.ts'

export interface ApiOptions {
  /** Of one request. */
  readonly bodyLimitBytes: number
  /** What a changing request must bear; null when anyone may send transactions. */
  readonly token: string | null
  /** Whether peers may be administered without a token, as on loopback. */
  readonly trustsCallers: boolean
}

/** They change nothing. */
const READING_POSTS: ReadonlySet<string> = new Set([SPARQL_PATH, CANONICAL_PATH])
const CONNECTIONS_MAX = 1_024
const REQUEST_TIMEOUT_MS = 30_000
/** Of a body over the limit. */
const DISCARDED_BYTES_MAX = 32 * 1024 * 1024
/** Each byte of a key may be three characters of the address. */
const PARAMETER_CHARACTERS_MAX = 2_048

/** Not listening yet; `inject` works. */
export function createApi(backend: ApiBackend, options: ApiOptions, log: Log): FastifyInstance {
  const app = fastify({
    logger: false,
    bodyLimit: options.bodyLimitBytes,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
    return503OnClosing: false,
    routerOptions: { maxParamLength: PARAMETER_CHARACTERS_MAX },
    clientErrorHandler: (_error, socket) => refuseSocket(socket),
    frameworkErrors: (error, _request, reply) => {
      void answerError(error, reply, options, log, 'a request')
    },
  })
  app.server.maxConnections = CONNECTIONS_MAX
  app.addContentTypeParser(
    'application/octet-stream',
    { parseAs: 'buffer', bodyLimit: Math.min(TRANSACTION_BYTES_MAX, options.bodyLimitBytes) },
    (_request, body, done) => done(null, body),
  )
  app.setErrorHandler(async (error: FastifyError | ApiFault | QueryFault, request, reply) => {
    if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') await discardBody(request.raw)
    return answerError(error, reply, options, log, `${request.method} ${request.routeOptions.url ?? ''}`)
  })
  app.setNotFoundHandler(({ method, url }, reply) => {
    const message = `there is no ${method} ${url.split('?')[0]}; docs/api.md has what there is`
    return sendFault(reply, new ApiFault('ROUTE_UNKNOWN', message))
  })
  if (options.token !== null) requireToken(app, options.token)
  addRoutes(app, backend)
  addEpochRoutes(app, backend.epochs)
  addNetworkRoutes(app, backend.network, options.token !== null || options.trustsCallers)
  addNetworkMapRoutes(app, backend.network, backend.propagation)
  addObservationRoutes(app, backend.observation)
  addTraceRoutes(app, backend.traces)
  addGraphHolderRoutes(app, backend.graphs, () => backend.servedGraphs.names())
  addChangeRoutes(app, backend.graphFeed)
  app.register(async (context) => addSparqlRoutes(context, backend.graphs))
  app.register(async (context) => addGraphRoutes(context, backend.servedGraphs))
  return app
}

/** Changing requests need the token; reading is open. */
function requireToken(app: FastifyInstance, token: string): void {
  const expected = sha256(`Bearer ${token}`)
  app.addHook('onRequest', async (request: FastifyRequest) => {
    if (request.method === 'GET' || request.method === 'HEAD') return
    if (READING_POSTS.has(request.routeOptions.url ?? '')) return
    if (timingSafeEqual(sha256(request.headers.authorization ?? ''), expected)) return
    throw new ApiFault(
      'TOKEN_REQUIRED',
      'send the secret of the node’s api.token_file: Authorization: Bearer <secret>',
    )
  })
}

function sha256(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}

/** Reads what is still coming, within bounds: a client that fails to write does not read the answer. */
async function discardBody(request: IncomingMessage): Promise<void> {
  if (request.readableEnded || request.destroyed) return
  let bytes = 0
  await new Promise<void>((resolve) => {
    request.on('data', (piece: Buffer) => {
      bytes += piece.length
      if (bytes > DISCARDED_BYTES_MAX) resolve()
    })
    request.once('end', resolve)
    request.once('close', resolve)
    request.resume()
  })
}

function answerError(
  error: FastifyError | ApiFault | QueryFault,
  reply: FastifyReply,
  options: ApiOptions,
  log: Log,
  request: string,
): FastifyReply {
  if (error instanceof QueryFault) return sendQueryFault(reply, error)
  const fault = faultOf(error, options)
  if (fault.code === 'INTERNAL') {
    log.error('a request to the API failed', { request, error: error.message, stack: error.stack })
  } else if (fault.status >= 500) {
    log.warn('a request to the API was turned away', { request, code: fault.code })
  }
  return sendFault(reply, fault)
}

function sendFault(reply: FastifyReply, fault: ApiFault): FastifyReply {
  return reply.code(fault.status).send(failure(fault, fault.details))
}

function sendQueryFault(reply: FastifyReply, fault: QueryFault): FastifyReply {
  if (fault.retryAfterMs !== null) reply.header('retry-after', Math.ceil(fault.retryAfterMs / 1_000))
  return reply.code(statusOfQuery(fault)).send(failure(fault))
}

function faultOf(error: FastifyError | ApiFault, { bodyLimitBytes }: ApiOptions): ApiFault {
  if (error instanceof ApiFault) return error
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new ApiFault(
        'BODY_TOO_LARGE',
        `the request is longer than this node takes: at most ${bodyLimitBytes} bytes (api.body_limit), and ${TRANSACTION_BYTES_MAX} for one raw transaction; split it`,
      )
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new ApiFault(
        'MEDIA_TYPE_UNKNOWN',
        'send application/json, or application/octet-stream for one transaction',
      )
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
      return new ApiFault('BODY_MALFORMED', 'the body is empty, expected JSON')
  }
  const { statusCode = 500 } = error
  if (statusCode >= 500) return new ApiFault('INTERNAL', 'this node failed to answer; its log says why')
  const isOfBody = error instanceof SyntaxError || error.code?.startsWith('FST_ERR_CTP_')
  if (isOfBody) return new ApiFault('BODY_MALFORMED', `the body cannot be read: ${error.message}`)
  return new ApiFault('REQUEST_MALFORMED', error.message)
}

/** For what is not HTTP, or has headers that are too long. */
function refuseSocket(socket: Socket): void {
  if (!socket.writable) return
  const body = JSON.stringify(
    failure({ code: 'REQUEST_MALFORMED', message: 'this is not an HTTP request that can be read' }),
  )
  socket.end(
    `HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
}

/** Only this machine can reach it. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost' || host === '::1') return true
  return isIP(host) === 4 && host.startsWith('127.')
}
