/**
 * RDF on the chain against a real node, as people and programs use it: by commands, by the API, by the client (PC-5, PC-6).
 */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { bytesToHex } from '@althing/base'
import { verifyGraph, verifyStatementOf, verifyStatementsOf } from '@althing/client'
import type { AlthingClient, Envelope, SignedStatementJson, TraceJson } from '@althing/client'
import { althing, signerOf, TestNetwork } from './support/network.ts'

const FARM = 'http://example.org/farm'
const MILL = 'http://example.org/mill'
const PREFIXES = `@prefix : <http://example.org/> . @prefix prov: <http://www.w3.org/ns/prov#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> . @prefix gs1: <https://ref.gs1.org/voc/> .
`
const FARM_TURTLE = `${PREFIXES}
:wheat gs1:productName "Wheat \u009B31m" ; gs1:gtin "09506000134352" ; :field [ :name "north" ; :hectares 12 ] .
:flour prov:wasDerivedFrom :wheat .
`
const MILL_TURTLE = `${PREFIXES}
:bread prov:wasDerivedFrom :flour .
:lot-7 owl:sameAs :wheat ; gs1:gtin "09506000134369" .
`
const SHAPES = `${PREFIXES}@prefix sh: <http://www.w3.org/ns/shacl#> .
:LotShape a sh:NodeShape ; sh:targetClass :Lot ; sh:property [ sh:path :weight ; sh:minCount 1 ] .
`

let network: TestNetwork
let client: AlthingClient
let api: string
let bob: string

const file = (name: string, text: string): string => {
  const path = join(network.folder, name)
  writeFileSync(path, text)
  return path
}

interface Said {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const say = (args: readonly string[], key?: string, url = api): Promise<Said> =>
  althing([...args, '--api', url, ...(key === undefined ? [] : ['--key', key])])

async function run(args: readonly string[], key?: string): Promise<Said> {
  const said = await say(args, key)
  assert.equal(said.code, 0, `althing ${args.join(' ')}: ${said.stderr}`)
  return said
}

async function refused(args: readonly string[], words: RegExp, key?: string): Promise<void> {
  const { code, stderr } = await say(args, key)
  assert.equal(code, 1, `althing ${args.join(' ')} should fail`)
  assert.match(stderr, words)
}

before(async () => {
  network = await TestNetwork.create({ authorities: 1, intervalMs: 50, policy: 'open' })
  await network.start()
  client = network.nodes[0]!.client
  api = client.url.origin
  bob = join(network.folder, 'bob.key')
  await althing(['key', 'new', '--key', bob])
  await run(['tx', 'send', bytesToHex(signerOf(bob).publicKey), '5000'], network.accountKeyFile)
})

after(() => network[Symbol.asyncDispose]())

test('a graph is loaded, once; what a load left out is added by the next', async () => {
  const farm = file('farm.ttl', FARM_TURTLE)
  const part = file('part.ttl', `${PREFIXES}:flour prov:wasDerivedFrom :wheat .`)
  const into = ['--graph', FARM]
  const first = await run(['graph', 'load', part, ...into, '--json'], network.accountKeyFile)
  assert.equal((JSON.parse(first.stdout) as { statements: number }).statements, 1)
  const rest = await run(['graph', 'load', farm, ...into], network.accountKeyFile)
  assert.match(rest.stdout, /^5 statements added in 1 transaction/)
  assert.match(rest.stderr, /1 statement there already/)
  const again = await run(['graph', 'load', farm, ...into], network.accountKeyFile)
  assert.equal(again.stdout, 'nothing to do\n')
  await run(['graph', 'load', file('mill.ttl', MILL_TURTLE), '--graph', MILL], bob)
  const list = await run(['graph', 'list'])
  assert.match(list.stdout, new RegExp(`^${FARM} +6 `, 'm'))
  assert.match(list.stdout, new RegExp(`^${MILL} +3 `, 'm'))
})

test('files are compared with the chain: exit code 1 when they differ', async () => {
  const changed = file('changed.ttl', FARM_TURTLE.replace('"09506000134352"', '"1"'))
  const same = await run(['graph', 'diff', join(network.folder, 'farm.ttl'), '--graph', FARM])
  assert.deepEqual([same.stdout, same.stderr], ['', '6 statements: no difference\n'])
  const differs = await say(['graph', 'diff', changed, '--graph', FARM])
  assert.equal(differs.code, 1)
  assert.deepEqual(
    differs.stdout.match(/^[+-] .*gtin>.*$/gm)?.map((line) => line.replace(/<.*> "/, '"')),
    [`+ "1" <${FARM}> .`, `- "09506000134352" <${FARM}> .`],
  )
  const nothing = await say(['graph', 'diff', file('empty.ttl', ''), '--graph', FARM])
  assert.equal(nothing.code, 1)
  assert.equal(nothing.stdout.match(/^- /gm)?.length, 6)
  assert.match(
    (await run(['graph', 'verify', join(network.folder, 'farm.ttl'), '--graph', FARM])).stdout,
    /proved/,
  )
  await refused(
    ['graph', 'verify', changed, '--graph', FARM],
    /^error CHECK_FAILED: 1 statement is not on the chain/,
  )
})

test('an export is proved; a node that changes, hides or adds one statement is found out', async () => {
  const { stdout, stderr } = await run(['graph', 'export', FARM])
  assert.match(stderr, /^6 statements at height \d+, root [0-9a-f]{64}: proved/)
  assert.equal(stdout.trim().split('\n').length, 6)
  const loaded = await run(['graph', 'diff', file('export.nq', stdout)])
  assert.equal(loaded.stderr, '6 statements: no difference\n')
  type Statements = { text: string }[]
  const lies: readonly ((statements: Statements) => void)[] = [
    (statements) => (statements[2]!.text = statements[2]!.text.replace(/\S+$/, '"a lie"')),
    (statements) => statements.pop(),
    (statements) => statements.push({ ...statements[0]!, text: '<urn:a> <urn:b> <urn:c>' }),
  ]
  for (const lie of lies) {
    const liar = createServer((request, response) => {
      void fetch(`${api}${request.url}`).then(async (answer) => {
        const body = (await answer.json()) as Envelope<{ statements: Statements }>
        if (request.url!.includes('/statements')) lie(body.data!.statements)
        response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
      })
    })
    await new Promise<void>((resolve) => liar.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(liar.address() as AddressInfo).port}`
    const proved = await say(['graph', 'export', FARM], undefined, url)
    assert.deepEqual([proved.code, proved.stdout], [1, ''])
    assert.match(proved.stderr, /^error NOT_PROVED: .*ANSWER_NOT_PROVED.*\nDo not use the answer/)
    liar.closeAllConnections()
    await new Promise((resolve) => liar.close(resolve))
  }
})

test('a statement is proved to be there, another not to be; so are a subject and the whole graph', async () => {
  const trusted = await network.trusted()
  const there =
    '<http://example.org/flour> <http://www.w3.org/ns/prov#wasDerivedFrom> <http://example.org/wheat>'
  const present = { graph: FARM, statement: there }
  const proved = verifyStatementOf(present, await client.graphs.statement(FARM, there), trusted)
  assert.ok(proved.ok && proved.value.statement !== null)
  assert.equal(bytesToHex(proved.value.statement.sender), bytesToHex(network.account.publicKey))
  const absent = { graph: MILL, statement: there }
  const denied = verifyStatementOf(absent, await client.graphs.statement(MILL, there), trusted)
  assert.ok(denied.ok && denied.value.statement === null)
  const subject = '<http://example.org/wheat>'
  const about = await client.graphs.statements(FARM, { subject, limit: 2 })
  const two = verifyStatementsOf({ graph: FARM, subject }, about, trusted)
  assert.ok(two.ok && two.value.statements.length === 2 && about.next !== null)
  const rest = await client.graphs.statements(FARM, { subject, after: about.next })
  const one = verifyStatementsOf({ graph: FARM, subject, after: about.next }, rest, trusted)
  assert.ok(one.ok && one.value.statements.length === 1 && rest.next === null)
  const root = verifyGraph(FARM, await client.graphs.get(FARM), trusted)
  assert.ok(root.ok)
  const none = await client.graphs.statements('urn:none')
  const nothing = verifyStatementsOf({ graph: 'urn:none' }, none, trusted)
  assert.ok(nothing.ok && nothing.value.statements.length === 0, 'of a graph that is not there: none, proved')
  const forged = { ...(await client.graphs.statement(FARM, there)), exists: false, statement: null }
  assert.equal(verifyStatementOf(present, forged, trusted).ok, false)
})

test('who may write: the owner, and whom the owner lets', async () => {
  const more = file('more.ttl', `${PREFIXES}:wheat :moisture 13 .`)
  const write = ['graph', 'load', more, '--graph', FARM]
  await refused(
    write,
    /^error TRANSACTION_REJECTED: nothing was sent: NOT_OWNER, .*\nThe owner can: althing graph grant/,
    bob,
  )
  const account = bytesToHex(signerOf(bob).publicKey)
  await run(['graph', 'grant', FARM, account], network.accountKeyFile)
  await run(write, bob)
  await run(['graph', 'delete', more, '--graph', FARM], bob)
  await run(['graph', 'revoke', FARM, account], network.accountKeyFile)
  await refused(
    write,
    /^error TRANSACTION_REJECTED: nothing was sent: NOT_OWNER, .*\nThe owner can: althing graph grant/,
    bob,
  )
})

test('a graph with shapes takes what conforms', async () => {
  const lots = 'http://example.org/lots'
  await run(['graph', 'create', lots, '--shapes', file('shapes.ttl', SHAPES)], network.accountKeyFile)
  const bad = file('bad.ttl', `${PREFIXES}:lot a :Lot .`)
  await refused(
    ['graph', 'load', bad, '--graph', lots],
    /^error TRANSACTION_FAILED: .*GATE_VIOLATED.*sh:minCount: 0 values; at least 1/m,
    network.accountKeyFile,
  )
  const good = file('good.ttl', `${PREFIXES}:lot a :Lot ; :weight 5 .`)
  await run(['graph', 'load', good, '--graph', lots], network.accountKeyFile)
})

test('it is asked in SPARQL, now and as it was, also after a restart', async () => {
  const count = 'SELECT (COUNT(*) AS ?n) { ?s ?p ?o }'
  const counted = await run(['query', count, '--graph', FARM, '--json'])
  const { height, answer } = JSON.parse(counted.stdout) as {
    height: number
    answer: { results: { bindings: { n: { value: string } }[] } }
  }
  assert.equal(answer.results.bindings[0]!.n.value, '6')
  assert.match(
    (await run(['query', 'SELECT ?n { ?s <https://ref.gs1.org/voc/productName> ?n }'])).stdout,
    /^Wheat �31m$/m,
  )
  assert.equal((await run(['query', 'ASK { ?s ?p 12 }'])).stdout, 'true\n')
  const csv = await run(['query', count, '--format', 'csv', '--graph', MILL])
  assert.equal(csv.stdout, 'n\r\n3\r\n')
  await refused(['query', 'SELECT *\n{ ?s foo:b ?o }'], /^error SPARQL_SYNTAX: error at 2:/)
  await refused(['query', 'DROP ALL'], /^error SPARQL_UPDATE_REFUSED: /)
  await refused(['query', count, '--height', '99999999'], /^error HEIGHT_NOT_KEPT: /)

  await run(
    ['graph', 'load', file('new.ttl', `${PREFIXES}:oats :is :new .`), '--graph', FARM],
    network.accountKeyFile,
  )
  const asItWas = ['query', count, '--graph', FARM, '--height', String(height), '--format', 'csv']
  assert.equal((await run(asItWas)).stdout, 'n\r\n6\r\n')
  await network.nodes[0]!.stop()
  await network.start()
  assert.equal((await run(['query', count, '--graph', FARM, '--format', 'csv'])).stdout, 'n\r\n7\r\n')
  assert.equal((await run(asItWas)).stdout, 'n\r\n6\r\n')
})

test('what queries are answered from is what the state holds: after writes by several, deletions and a restart', async () => {
  const { graphs } = await client.graphs.list()
  assert.equal(graphs.length, 3)
  for (const { name, statements } of graphs) {
    const held = (await client.graphs.statements(name, { limit: 1_000, proof: false })).statements
    const expected = held.map(({ text }) => `${text} .`).sort()
    assert.equal(expected.length, statements)
    const options = { accept: 'application/n-triples', defaultGraphs: [name] }
    const ask = () => client.query('CONSTRUCT WHERE { ?s ?p ?o }', options)
    // At once, so that each copy answers one.
    for (const { text } of await Promise.all([ask(), ask()])) {
      assert.deepEqual(text.trimEnd().split('\n').sort(), expected)
    }
  }
})

test('a thing is traced over graphs of two owners, as tree and as picture', async () => {
  const svg = join(network.folder, 'trace.svg')
  const { stdout, stderr } = await run(['trace', 'http://example.org/bread', '--svg', svg])
  assert.match(
    stdout,
    /^http:\/\/example.org\/bread\n└─ .*flour {2}\[block \d+, .*\]\n {3}└─ Wheat �31m <.*wheat>/,
  )
  assert.match(stderr, /^3 things, 2 steps at height \d+; .*trace.svg written/)
  assert.match(readFileSync(svg, 'utf8'), /^<svg [\s\S]*Wheat �31m/)
  const forth = await run(['trace', 'http://example.org/wheat', '--forward', '--json'])
  const { things, steps } = JSON.parse(forth.stdout) as TraceJson
  assert.deepEqual(
    things.map(({ iri }) => iri.split('/').at(-1)),
    ['wheat', 'flour', 'bread'],
  )
  const signers = [network.account.publicKey, signerOf(bob).publicKey].map(bytesToHex)
  assert.deepEqual(
    steps.map(({ signer }) => signer),
    signers,
  )
})

test('what two organisations say of one thing is joined, and their conflict shown with its sources', async () => {
  const iri = 'http://example.org/wheat'
  const { stdout } = await run(['entity', iri])
  assert.match(
    stdout,
    /^2 IRIs of the same thing:\n {2}http:\/\/example.org\/lot-7\n {2}http:\/\/example.org\/wheat\n/,
  )
  assert.match(stdout, /^conflict: https:\/\/ref.gs1.org\/voc\/gtin has one value$/m)
  const { conflicts, same } = await client.graphs.entity('http://example.org/lot-7')
  assert.deepEqual(same, ['http://example.org/lot-7', iri])
  const values = conflicts[0]!.values
  assert.deepEqual(
    values.map(({ object, graph, signer }: SignedStatementJson) => [object, graph, signer]),
    [
      ['"09506000134369"', MILL, bytesToHex(signerOf(bob).publicKey)],
      ['"09506000134352"', FARM, bytesToHex(network.account.publicKey)],
    ],
  )
  assert.equal((await run(['entity', 'urn:nobody'])).stdout, 'Nothing is said of urn:nobody.\n')
})

test('what is wrong with a request is said, with the code', async () => {
  const graph = encodeURIComponent(FARM)
  const wrong: readonly [string, number, string, RegExp][] = [
    ['graphs/nothing', 400, 'PARAMETER_INVALID', /graph: found "nothing", expected an absolute IRI/],
    ['graphs/urn:none', 404, 'GRAPH_UNKNOWN', /<urn:none>/],
    ['graphs?after=x', 400, 'PARAMETER_INVALID', /after/],
    ['graphs?limit=0', 400, 'PARAMETER_INVALID', /limit: found 0, expected 1 to 1000/],
    [`graphs/${graph}/statements?limit=1001`, 400, 'PARAMETER_INVALID', /limit/],
    [`graphs/${graph}/statements?limit=many`, 400, 'PARAMETER_INVALID', /limit/],
    [`graphs/${graph}/statements?after=00`, 400, 'PARAMETER_INVALID', /`next` of an answer/],
    [`graphs/${graph}/statements?subject=x`, 400, 'PARAMETER_INVALID', /subject/],
    [`graphs/${graph}/statements?proof=maybe`, 400, 'PARAMETER_INVALID', /proof/],
    [`graphs/${graph}/statement`, 400, 'PARAMETER_INVALID', /statement/],
    [`graphs/${graph}/statement?statement=<a>`, 400, 'PARAMETER_INVALID', /statement/],
    ['trace/nothing', 400, 'PARAMETER_INVALID', /absolute IRI/],
    [`trace/${encodeURIComponent('urn:x> } #')}`, 400, 'PARAMETER_INVALID', /absolute IRI/],
    ['trace/urn:x?depth=129', 400, 'PARAMETER_INVALID', /depth: found 129, expected 1 to 128/],
    ['trace/urn:x?direction=up', 400, 'PARAMETER_INVALID', /direction/],
    ['trace/urn:x?format=png', 400, 'PARAMETER_INVALID', /format/],
    ['entities/nothing', 400, 'PARAMETER_INVALID', /absolute IRI/],
  ]
  for (const [path, status, code, words] of wrong) {
    const answer = await fetch(`${api}/api/v1/${path}`)
    const { error } = (await answer.json()) as Envelope<never>
    assert.deepEqual([answer.status, error?.code], [status, code], path)
    assert.match(error!.message, words, path)
  }
})

test('RDF becomes what the chain takes, or it is said why not', async () => {
  const post = async (type: string, body: string, query = `?graph=${encodeURIComponent(FARM)}`) => {
    const url = `${api}/api/v1/rdf/canonical${query}`
    const answer = await fetch(url, { method: 'POST', headers: { 'content-type': type }, body })
    return (await answer.json()) as Envelope<{ quads: number; blank_nodes: number; transactions: string[][] }>
  }
  const { data } = await post('text/turtle', FARM_TURTLE)
  assert.deepEqual([data!.quads, data!.blank_nodes, data!.transactions.length], [6, 1, 1])
  const wrong: readonly [string, string, string | undefined, string, RegExp][] = [
    ['text/turtle', '<urn:a> <urn:b>\n oops .', undefined, 'RDF_REFUSED', /RDF_SYNTAX.* line 2/],
    ['text/turtle', '<urn:a> <urn:b> 1 .', '', 'RDF_REFUSED', /RDF_GRAPH_MISSING/],
    ['text/turtle', '<a> <urn:b> 1 .', undefined, 'RDF_REFUSED', /RDF_SYNTAX/],
    [
      'text/turtle',
      '<urn:a> <urn:b> "x"^^<http://www.w3.org/2001/XMLSchema#integer> .',
      undefined,
      'RDF_REFUSED',
      /RDF_INVALID/,
    ],
    ['text/turtle', '', '?graph=none', 'PARAMETER_INVALID', /graph/],
    ['text/csv', 'a,b', undefined, 'MEDIA_TYPE_UNKNOWN', /./],
    ['text/turtle', `#${'x'.repeat(1_100_000)}`, undefined, 'BODY_TOO_LARGE', /./],
  ]
  for (const [type, body, query, code, words] of wrong) {
    const { error } = await post(type, body, query)
    assert.equal(error?.code, code, body.slice(0, 60))
    assert.match(error.message, words)
  }
})
