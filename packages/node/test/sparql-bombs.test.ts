/** Queries that would take for ever, or all memory, against a real node (PC-6): blocks go on, and the next query is served. */
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { graphCreate, graphInsert, portableSigner } from '@althing/base'
import { GraphWorld } from './graph-world.ts'

const GRAPH = 'http://e/graph'
const writer = portableSigner(new Uint8Array(32).fill(50))
const STATEMENTS = 1_000
const CHEAP = 'SELECT ?o { <http://e/s1> <http://e/p> ?o }'

/** From another address than the node's own user: who asks too much waits alone. */
const CLIENTS = ['127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5']

const values = Array.from({ length: 3_000 }, (_, n) => `"${n}"`).join(' ')
const bombs: readonly (readonly [name: string, query: string])[] = [
  ['a cartesian product', 'SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }'],
  [
    'a path over everything',
    'SELECT (COUNT(*) AS ?n) { ?a (<http://e/x>|!<http://e/x>)* ?b . ?c (<http://e/x>|!<http://e/x>)* ?d }',
  ],
  [
    'huge VALUES',
    `SELECT (COUNT(*) AS ?n) { VALUES ?a { ${values} } VALUES ?b { ${values} } VALUES ?c { ${values} } }`,
  ],
  ['a sort of more than there is room for', 'SELECT * { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i } ORDER BY ?c ?f ?i'],
]

function ask(
  url: string,
  query: string,
  from: string,
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/sparql-query' }
    const sent = request(`${url}/sparql`, { method: 'POST', localAddress: from, headers }, (response) => {
      let text = ''
      response.on('data', (piece: Buffer) => (text += piece.toString()))
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
    sent.once('error', reject)
    sent.end(query)
  })
}

describe('queries that never end', () => {
  const world = new GraphWorld(1, [writer])
  before(async () => {
    await world.start(0, { queryTimeoutMs: 700, queryMemoryBytes: 256 * 1_048_576 })
    await world.write(0, writer, [graphCreate({ graph: GRAPH })])
    const statements = Array.from(
      { length: STATEMENTS },
      (_, n) => `<http://e/s${n}> <http://e/p> <http://e/s${(n * 7) % STATEMENTS}>`,
    )
    await world.write(0, writer, [graphInsert({ graph: GRAPH, statements })])
    await world.asked(0, 0)
  })
  after(() => world[Symbol.asyncDispose]())

  for (const [index, [name, query]] of bombs.entries()) {
    test(`${name}: refused with its limit, while blocks go on and others are served`, async () => {
      const { apiUrl } = world.nodes[0]!
      const bomb = ask(apiUrl, query, CLIENTS[index]!)
      const statement = `<http://e/during> <http://e/p> "${name}"`
      await world.write(0, writer, [graphInsert({ graph: GRAPH, statements: [statement] })])
      const beside = await world.client(0).query(CHEAP, { accept: 'text/csv' })
      assert.equal(beside.text, 'o\r\nhttp://e/s7\r\n')
      const { status, text } = await bomb
      assert.match(text, /QUERY_TIMEOUT|QUERY_OUT_OF_MEMORY|QUERY_TOO_MANY_ROWS|QUERY_TOO_COMPLEX/)
      assert.ok(status === 504 || status === 422)
      const next = await world.client(0).query(CHEAP, { accept: 'text/csv' })
      assert.equal(next.text, beside.text)
      await world.write(0, writer, [graphInsert({ graph: GRAPH, statements: [`${statement}@en`] })])
    })
  }
})
