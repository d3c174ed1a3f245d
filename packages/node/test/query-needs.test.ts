/** What a query needs of graphs on other nodes, and what becomes of nodes that lie (PC-6). */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import fc from 'fast-check'
import { Store } from 'oxigraph'
import { portableSigner, quadLine, signReceipt, silentLog } from '@althing/base'
import type { AnswerReceipt } from '@althing/base'
import { peerIdOfKey } from '@althing/network'
import { AnswerChecks } from '../src/federation/answer-checks.ts'
import { FederatedGraphs } from '../src/federation/federated-graphs.ts'
import type { FederatedGraphsPorts } from '../src/federation/federated-graphs.ts'
import { decodePatterns, encodePatterns, EVERYTHING, matchQuery } from '../src/federation/pattern.ts'
import type { Holders } from '../src/federation/remote-matches.ts'
import { Planner } from '../src/federation/planner.ts'
import { needsOf } from '../src/federation/query-needs.ts'

const N_QUADS = { format: 'application/n-quads' }
const GRAPHS = ['http://e/g0', 'http://e/g1', 'http://e/g2']
const PREFIXES = 'PREFIX : <http://e/>'

/** Few names, so that statements meet. */
const name = fc.integer({ min: 0, max: 4 }).map((i) => `<http://e/n${i}>`)
const predicate = fc.constantFrom('<http://e/p>', '<http://e/q>', '<http://e/r>')
const object = fc.oneof(
  name,
  fc.constantFrom('"1"^^<http://www.w3.org/2001/XMLSchema#integer>', '"a"@en', '"b"'),
)
const quad = fc
  .tuple(name, predicate, object, fc.constantFrom(...GRAPHS))
  .map(([s, p, o, g]) => `${s} ${p} ${o} <${g}> .\n`)
const dataset = fc.uniqueArray(quad, { maxLength: 30 })

/** What SPARQL 1.1 has, with and without names of graphs. */
const QUERIES = [
  'SELECT * { ?s :p ?o . ?o :q ?x }',
  'SELECT * { GRAPH :g0 { ?s :p ?o } GRAPH :g1 { ?o :q ?x } }',
  'SELECT * { GRAPH ?g { ?s :p ?o OPTIONAL { ?s :q ?x } } }',
  'SELECT * { GRAPH ?g { OPTIONAL { ?s :none ?o } } }',
  'SELECT ?g { GRAPH ?g {} }',
  'SELECT * { GRAPH ?g { ?s ?p "b" } }',
  'SELECT * { ?s :q 01 }',
  'SELECT * { ?s :p+ ?o }',
  'SELECT * { ?s :p* ?o }',
  'SELECT * { :n0 :p* ?o }',
  'SELECT * { ?s :q ?o . ?o :p* ?x }',
  'SELECT * { ?s :q/:p* ?o }',
  'SELECT * { ?s (:p|^:q)? ?o }',
  'SELECT * { ?s (:p*/:q*) ?o }',
  'SELECT * { ?s !(:p|^:q) ?o }',
  'SELECT * { GRAPH ?g { ?s :p*/:r ?o } }',
  'SELECT * { ?s :p ?o FILTER NOT EXISTS { ?o :q ?x } }',
  'SELECT * { ?s :p ?o MINUS { ?s :q ?x } }',
  'SELECT * { { ?s :p ?o } UNION { GRAPH :g1 { ?s :q ?o } } }',
  'SELECT * { { VALUES ?s { :n0 } } UNION { ?s :p ?o } }',
  'SELECT * { VALUES ?s { :n0 :n1 } ?s ?p ?o }',
  'SELECT * { VALUES (?s ?o) { (:n0 UNDEF) (:n1 :n2) } ?s ?p ?o }',
  'SELECT * { VALUES ?g { :g0 :g2 :n0 } GRAPH ?g { ?s :p ?o } }',
  'SELECT * { VALUES ?s { :n0 } { SELECT ?s (COUNT(*) AS ?n) { ?s :p ?o } GROUP BY ?s } }',
  'SELECT * { ?s :p ?o } VALUES ?s { :n0 }',
  'SELECT (COUNT(DISTINCT ?o) AS ?n) { ?s ?p ?o }',
  'SELECT ?s (EXISTS { ?s :q ?z } AS ?has) { ?s :p ?o }',
  'SELECT ?s { ?s :p ?o } GROUP BY ?s HAVING (EXISTS { ?s :q ?z })',
  'SELECT * { ?s :p ?o BIND(EXISTS { GRAPH :g2 { ?o :r ?x } } AS ?b) }',
  'SELECT * FROM :g0 FROM NAMED :g1 { ?s :p ?o OPTIONAL { GRAPH ?g { ?o :q ?x } } }',
  'SELECT * FROM :g1 { GRAPH ?g { ?s ?p ?o } }',
  'ASK { :n0 :p :n1 }',
  'ASK { GRAPH :g1 {} }',
  'DESCRIBE :n0',
  'DESCRIBE ?s { ?s :p :n1 }',
  'CONSTRUCT { ?o :back ?s } { ?s :p ?o }',
  'CONSTRUCT WHERE { ?s :p ?o . ?o :q ?x }',
]

describe('what a query needs', () => {
  test('is enough: its answer over that is the same as over everything', () => {
    fc.assert(
      fc.property(dataset, fc.constantFrom(...QUERIES), (quads, text) => {
        const query = `${PREFIXES} ${text}`
        const whole = new Store()
        whole.load(quads.join(''), N_QUADS)
        const unionDefault = !text.includes('FROM')
        const needs = needsOf({ query, defaultGraphs: null, namedGraphs: null, unionDefault })
        assert.ok(needs.isUnderstood, text)
        const joined = new Store()
        for (const graph of new Set(quads.map((line) => line.slice(line.lastIndexOf(' <') + 2, -4)))) {
          joined.update(`CREATE SILENT GRAPH <${graph}>`)
          const patterns = [...(needs.ofEvery ?? []), ...(needs.patternsByGraph.get(graph) ?? [])]
          const sent = decodePatterns(encodePatterns(patterns))
          if (patterns.length === 0) continue
          assert.ok(sent.ok)
          const matches = textOf(
            whole.query(matchQuery(graph, sent.value), { results_format: 'application/n-triples' }),
          )
          const lines = matches.split('\n').filter((line) => line !== '')
          joined.load(lines.map((line) => `${quadLine(line.slice(0, -2), `<${graph}>`)}\n`).join(''), N_QUADS)
        }
        assert.deepEqual(rowsOf(joined, query, unionDefault), rowsOf(whole, query, unionDefault))
      }),
      { numRuns: 300 },
    )
  })

  test('is no more than the patterns say', () => {
    const needs = needsOf({
      query: `${PREFIXES} SELECT * { GRAPH :g0 { :n0 :p ?o } GRAPH :g1 { ?o :q "x" } }`,
      defaultGraphs: null,
      namedGraphs: null,
      unionDefault: true,
    })
    assert.equal(needs.ofEvery, null)
    assert.deepEqual(
      [...needs.patternsByGraph],
      [
        ['http://e/g0', [{ subject: '<http://e/n0>', predicate: '<http://e/p>', object: null }]],
        ['http://e/g1', [{ subject: null, predicate: '<http://e/q>', object: '"x"' }]],
      ],
    )
  })

  test('is everything when the query is too deeply nested to be read in time; others are read as before', async () => {
    const planner = new Planner()
    const rest = { defaultGraphs: null, namedGraphs: null, unionDefault: true }
    const query = `SELECT * ${'{'.repeat(30_000)} ?s ?p ?o ${'}'.repeat(30_000)}`
    const { needs } = await planner.plan({ query, ...rest })
    assert.equal(needs.isUnderstood, false)
    assert.deepEqual(needs.ofEvery, [EVERYTHING])
    assert.equal((await planner.plan({ query: 'ASK {}', ...rest })).needs.isUnderstood, true)
    await planner.stop()
  })

  test('comes from peers as terms and nothing else', () => {
    const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
    for (const line of [
      '<http://e/a>',
      '\t<http://e/p> ?o\t',
      '\t\t"a" } DROP',
      '<a b>\t\t',
      '\t\t_:b',
      'x\ty\tz',
    ]) {
      assert.equal(decodePatterns(bytes(line)).ok, false, line)
    }
  })
})

const planner = new Planner()
after(() => planner.stop())
const HELD = 'http://e/elsewhere'
const TRUE = '<http://e/a> <http://e/p> <http://e/b>'

/** A node without an index of its own, over a state of one statement. */
function nodeOver(holders: Holders): FederatedGraphs {
  const graphs = {
    holdsAll: false,
    height: 7,
    holds: () => false,
    stateRoot: () => '00'.repeat(32),
    stateOf: () => ({ graphs: () => [HELD], has: (_graph: string, text: string) => text === TRUE }),
  }
  const limits = {
    timeMs: 5_000,
    rowsMax: 1_000,
    bytesMax: 100_000,
    memoryBytesMax: 2_000_000_000,
    waitingMax: 4,
    joinsMax: 4,
  }
  const clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() }
  const ports = { index: { graphs }, matches: {}, planner, limits, clock, log: silentLog }
  const node = new FederatedGraphs(ports as unknown as FederatedGraphsPorts)
  node.attach(holders)
  return node
}

const REQUEST = {
  query: 'SELECT ?o { ?s <http://e/p> ?o }',
  mediaType: 'text/csv',
  defaultGraphs: null,
  namedGraphs: null,
  unionDefault: true,
  height: null,
  client: 'test',
}

describe('a holder that does not answer', () => {
  test('in half of the time is left for another one', async () => {
    const waits: number[] = []
    const node = nodeOver({
      holdersOf: () => ['silent', 'honest'],
      ask: async (peer, _graph, _patterns, _height, timeoutMs) => {
        waits.push(timeoutMs)
        if (peer === 'silent') throw new Error('no answer in time')
        return [TRUE]
      },
      lied: () => assert.fail('nobody lied'),
    })
    assert.deepEqual((await node.query(REQUEST)).sources, ['honest'])
    assert.ok(waits[0]! <= 2_500)
  })

  test('since it would be too much ends the query with that: others would say the same', async () => {
    const error = Object.assign(new Error('more than 5 rows'), { remoteCode: 'QUERY_TOO_MANY_ROWS' })
    const node = nodeOver({
      holdersOf: () => ['one', 'other'],
      ask: async () => Promise.reject(error),
      lied: () => assert.fail('nobody lied'),
    })
    await assert.rejects(node.query(REQUEST), { code: 'QUERY_TOO_MANY_ROWS' })
  })
})

describe('a node that lies', () => {
  test('about statements is told from the state, and another one asked', async () => {
    const lies: string[] = []
    const made = '<http://e/a> <http://e/p> <http://e/made-up>'
    const node = nodeOver({
      holdersOf: () => ['liar', 'honest'],
      ask: async (peer) => (peer === 'liar' ? [TRUE, made] : [TRUE]),
      lied: (peer, _graph, text) => lies.push(`${peer}: ${text}`),
    })
    const answer = await node.query(REQUEST)
    assert.equal(answer.text, 'o\r\nhttp://e/b\r\n')
    assert.deepEqual(answer.sources, ['honest'])
    assert.deepEqual(lies, [`liar: ${made}`])
  })

  test('about the answer to a checked query shows in its receipt; one with another key counts as silent', async () => {
    const graphs = nodeOver({
      holdersOf: () => ['honest'],
      ask: async () => [TRUE],
      lied: () => assert.fail('nobody lied'),
    })
    const genesis = new Uint8Array(32).fill(9)
    const checksOf = (seed: number): { checks: AnswerChecks; peer: string } => {
      const signer = portableSigner(new Uint8Array(32).fill(seed))
      const stateRoot = (): string => '00'.repeat(32)
      const checks = new AnswerChecks({ graphs, planner, genesis, signer, stateRoot, log: silentLog })
      return { checks, peer: peerIdOfKey(signer.publicKey) }
    }
    const [own, honest, liar, forger] = [1, 2, 3, 4].map(checksOf) as [
      ReturnType<typeof checksOf>,
      ReturnType<typeof checksOf>,
      ReturnType<typeof checksOf>,
      ReturnType<typeof checksOf>,
    ]
    own.checks.attach({
      peers: () => [honest.peer, liar.peer, forger.peer],
      askReceipt: async (peer, asked, height): Promise<AnswerReceipt> => {
        const receipt = await honest.checks.receiptOf(asked, height, 'test')
        if (peer !== liar.peer) return receipt // the forger shows what the honest one signed
        return signReceipt({ ...receipt, result: genesis }, portableSigner(new Uint8Array(32).fill(3)))
      },
    })
    const asked = { query: REQUEST.query, defaultGraphs: null, namedGraphs: null }
    const checked = await own.checks.check(asked, 7, 3, 'test')
    assert.deepEqual([checked.agreeing, checked.disagreeing, checked.silent], [1, 1, 1])
    assert.equal(checked.others.length, 2)
  })
})

function rowsOf(store: Store, query: string, unionDefault: boolean): string[] {
  const isGraph = /CONSTRUCT|DESCRIBE/.test(query)
  const isTruth = query.includes('ASK')
  const text = textOf(
    store.query(query, {
      results_format: isGraph ? 'application/n-triples' : 'application/sparql-results+json',
      use_default_graph_as_union: unionDefault,
    }),
  )
  if (isGraph || isTruth) return text.split('\n').sort()
  const { bindings } = (JSON.parse(text) as { results: { bindings: Record<string, unknown>[] } }).results
  return bindings
    .map((row) => JSON.stringify(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1))))
    .sort()
}

/** An answer in a format is text. */
function textOf(answer: unknown): string {
  assert.equal(typeof answer, 'string')
  return answer as string
}
