import { strict as assert } from 'node:assert'
import { describe, test } from 'node:test'
import type { FastifyInstance, InjectOptions } from 'fastify'
import { silentLog } from '@althing/base'
import type { Envelope } from '@althing/client'
import { createApi } from '../src/api/server.ts'
import type { ApiBackend } from '../src/api/index.ts'
import { QueryFault } from '../src/sparql/fault.ts'
import type { QueryRequest } from '../src/sparql/queries.ts'

const SELECT = 'SELECT * { ?s ?p ?o }'
const FORM = 'application/x-www-form-urlencoded'

/** @returns what an endpoint asked of the node, and what it answered. */
async function ask(
  request: InjectOptions,
  fault: QueryFault | null = null,
  token: string | null = null,
  text = 'the answer',
): Promise<{ asked: QueryRequest | null; answer: Awaited<ReturnType<FastifyInstance['inject']>> }> {
  let asked: QueryRequest | null = null
  const backend = {
    network: {},
    propagation: {},
    observation: { network: {} },
    traces: {},
    graphs: {
      query: async (query: QueryRequest) => {
        asked = query
        if (fault !== null) throw fault
        return { text, rows: 1, height: 7, stateRoot: 'ab' }
      },
    },
  } as unknown as ApiBackend
  const app = createApi(backend, { bodyLimitBytes: 1_048_576, token, trustsCallers: true }, silentLog)
  const answer = await app.inject(request)
  await app.close()
  return { asked, answer }
}

const get = (query: Record<string, string | string[]>, accept = ''): InjectOptions => ({
  method: 'GET',
  url: '/sparql',
  query,
  headers: { accept },
})

async function refused(request: InjectOptions, status: number, code: string, words: RegExp): Promise<void> {
  const { answer, asked } = await ask(request)
  const { error } = answer.json<Envelope<never>>()
  assert.equal(asked, null)
  assert.equal(answer.statusCode, status)
  assert.equal(error?.code, code)
  assert.match(error?.message ?? '', words)
}

describe('the SPARQL 1.1 protocol (PC-6)', () => {
  test('three ways to send a query are the same', async () => {
    const { asked, answer } = await ask(get({ query: SELECT }))
    assert.equal(answer.statusCode, 200)
    assert.equal(answer.body, 'the answer')
    assert.equal(answer.headers['content-type'], 'application/sparql-results+json; charset=utf-8')
    assert.equal(answer.headers['x-althing-height'], '7')
    assert.equal(answer.headers['x-althing-state-root'], 'ab')
    assert.deepEqual(asked, {
      query: SELECT,
      mediaType: 'application/sparql-results+json',
      defaultGraphs: null,
      namedGraphs: null,
      unionDefault: true,
      height: null,
      client: '127.0.0.1',
    })
    const url = '/sparql'
    const form = { 'content-type': FORM }
    const byForm = {
      method: 'POST',
      url,
      headers: form,
      payload: String(new URLSearchParams({ query: SELECT })),
    } as const
    const direct = { 'content-type': 'application/sparql-query; charset=utf-8' }
    const byBody = { method: 'POST', url, headers: direct, payload: SELECT } as const
    for (const request of [byForm, byBody]) assert.deepEqual((await ask(request)).asked, asked)
  })

  test('a query that is the body has its other parameters in the address; a form has all of them inside', async () => {
    const graph = 'http://e/1'
    const others = { 'default-graph-uri': graph, height: '5' }
    const direct = { 'content-type': 'application/sparql-query' }
    const byBody = {
      method: 'POST',
      url: '/sparql',
      query: others,
      headers: direct,
      payload: SELECT,
    } as const
    const payload = String(new URLSearchParams({ query: SELECT, ...others }))
    const form = { 'content-type': `${FORM}; charset=UTF-8` }
    const byForm = { method: 'POST', url: '/sparql', headers: form, payload } as const
    for (const request of [byBody, byForm]) {
      const { asked } = await ask(request)
      assert.deepEqual([asked?.query, asked?.defaultGraphs, asked?.height], [SELECT, [graph], 5])
    }
  })

  test('graphs come from the protocol, else from the query, else all together', async () => {
    const named = { 'default-graph-uri': ['http://e/1', 'http://e/2'], 'named-graph-uri': 'http://e/3' }
    const { asked } = await ask(get({ query: SELECT, ...named }))
    assert.deepEqual(asked?.defaultGraphs, ['http://e/1', 'http://e/2'])
    assert.deepEqual(asked?.namedGraphs, ['http://e/3'])
    assert.equal(asked?.unionDefault, false)
    const only = await ask(get({ query: SELECT, 'default-graph-uri': 'http://e/1' }))
    assert.deepEqual(only.asked?.namedGraphs, [])
    const from = await ask(get({ query: 'SELECT * FROM <http://e/1> { ?s ?p ?o }' }))
    assert.equal(from.asked?.unionDefault, false)
    assert.equal(from.asked?.defaultGraphs, null)
  })

  test('forms of answers are those of the form of query', async () => {
    assert.equal((await ask(get({ query: SELECT }, 'text/csv'))).asked?.mediaType, 'text/csv')
    const construct = await ask(get({ query: 'CONSTRUCT WHERE { ?s ?p ?o }' }, 'application/n-quads'))
    assert.equal(construct.asked?.mediaType, 'application/n-quads')
    await refused(get({ query: SELECT }, 'image/png'), 406, 'NOT_ACCEPTABLE', /text\/csv/)
  })

  test('a height', async () => {
    assert.equal((await ask(get({ query: SELECT, height: '12' }))).asked?.height, 12)
    assert.equal((await ask(get({ query: SELECT, height: 'latest' }))).asked?.height, null)
    await refused(get({ query: SELECT, height: '-1' }), 400, 'PARAMETER_INVALID', /height/)
  })

  test('an update is refused, however it is sent, and told where changes go', async () => {
    const update = 'INSERT DATA { <a:a> <a:b> <a:c> }'
    const post = (type: string, payload: string): InjectOptions => ({
      method: 'POST',
      url: '/sparql',
      headers: { 'content-type': type },
      payload,
    })
    for (const request of [
      get({ query: update }),
      get({ update }),
      post(FORM, String(new URLSearchParams({ update }))),
      post('application/sparql-update', update),
      post('application/sparql-query', update),
    ]) {
      await refused(request, 400, 'SPARQL_UPDATE_REFUSED', /transactions/)
    }
  })

  test('other endpoints are not asked', () =>
    refused(
      get({ query: 'SELECT * { SERVICE <http://e/> { ?s ?p ?o } }' }),
      400,
      'SPARQL_SERVICE_REFUSED',
      /which this node does not do/,
    ))

  test('what is missing, doubled or too long is said', async () => {
    const url = '/sparql'
    await refused(
      { method: 'POST', url, headers: { 'content-type': FORM }, payload: '' },
      400,
      'PARAMETER_INVALID',
      /none/,
    )
    await refused(
      { method: 'POST', url, headers: { 'content-type': 'text/plain' }, payload: SELECT },
      415,
      'MEDIA_TYPE_UNKNOWN',
      /sparql-query/,
    )
    await refused(get({ query: [SELECT, SELECT] }), 400, 'PARAMETER_INVALID', /several/)
    await refused(
      get({ query: SELECT, height: ['1', '2'] }),
      400,
      'PARAMETER_INVALID',
      /height: found several/,
    )
    await refused({ method: 'PUT', url }, 404, 'ROUTE_UNKNOWN', /no PUT \/sparql/)
    await refused(
      get({ query: SELECT, 'default-graph-uri': 'not one' }),
      400,
      'PARAMETER_INVALID',
      /"not one"/,
    )
    const long = `${SELECT} #${'x'.repeat(70_000)}`
    await refused(
      { method: 'POST', url, headers: { 'content-type': 'application/sparql-query' }, payload: long },
      413,
      'BODY_TOO_LARGE',
      /at most 65536/,
    )
  })

  test('a large answer comes whole, in pieces', async () => {
    const text = `x${'😀'.repeat(100_000)}`
    const { answer } = await ask(get({ query: SELECT }), null, null, text)
    assert.equal(answer.body, text)
    assert.equal(answer.headers['content-length'], undefined)
  })

  test('HEAD asks as GET does, and sends no body', async () => {
    const { asked, answer } = await ask({ ...get({ query: SELECT }), method: 'HEAD' })
    assert.equal(asked?.query, SELECT)
    assert.equal(answer.headers['x-althing-height'], '7')
    assert.equal(answer.body, '')
  })

  test('why there is no answer is said, with the time to wait', async () => {
    const fault = new QueryFault('QUERY_THROTTLED', 'wait 12 s', 11_500)
    const { answer } = await ask(get({ query: SELECT }), fault)
    assert.equal(answer.statusCode, 429)
    assert.equal(answer.headers['retry-after'], '12')
    assert.deepEqual(answer.json(), {
      success: false,
      data: null,
      error: { code: 'QUERY_THROTTLED', message: 'wait 12 s', details: null },
    })
  })

  test('without a query it describes itself', async () => {
    const { answer } = await ask({ method: 'GET', url: '/sparql' })
    assert.match(answer.body, /sd:Service/)
    assert.match(String(answer.headers['content-type']), /text\/turtle/)
  })

  test('a query by POST needs no token: it only reads', async () => {
    const payload = String(new URLSearchParams({ query: SELECT }))
    const request = { method: 'POST', url: '/sparql', headers: { 'content-type': FORM }, payload } as const
    assert.equal((await ask(request, null, 'a secret of many characters')).answer.statusCode, 200)
  })
})
