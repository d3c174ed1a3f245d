/** Graphs that only some nodes keep in their index, asked on real nodes of one machine (PC-6). */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { after, before, describe, test } from 'node:test'
import {
  AUTHORITY_RULES_DEFAULT,
  GENESIS_VERSION,
  graphCreate,
  graphDelete,
  graphInsert,
  POLICY_OPEN,
  portableSigner,
  signTransaction,
  silentLog,
  TRANSACTION_VERSION,
  transactionId,
  utf8ToBytes,
  ZERO_HASH,
} from '@althing/base'
import type { Genesis, Operation } from '@althing/base'
import { AlthingClient, verifyReceipt } from '@althing/client'
import { loadConfig } from '../src/config/index.ts'
import { voteLogFolder } from '../src/consensus/authority-keys.ts'
import { createVoteLogFiles } from '../src/consensus/vote-log-segments.ts'
import { chainOf } from '../src/genesis-state.ts'
import { startNode } from '../src/node.ts'
import type { RunningNode } from '../src/node.ts'
import { althing } from './cli/program.ts'

const NETWORK = 'federation'
const authority = portableSigner(new Uint8Array(32).fill(1))
const clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() }
const genesis: Genesis = {
  version: GENESIS_VERSION,
  networkId: utf8ToBytes(NETWORK),
  timestamp: Date.now(),
  authorities: [{ key: authority.publicKey, weight: 1 }],
  allocations: [{ account: authority.publicKey, balance: 1_000n }],
  members: [],
  policy: POLICY_OPEN,
  feeSink: ZERO_HASH,
  feeMin: 1n,
  intervalMs: 20,
  idleIntervalMs: 200,
  blockBytesMax: 1_048_576,
  authorityRules: AUTHORITY_RULES_DEFAULT,
}
const chain = chainOf(genesis)
const folder = mkdtempSync(join(tmpdir(), 'althing-federation-'))
const [FARMS, SHOPS] = ['http://e/farms', 'http://e/shops']
/** Which node keeps what; the first is the authority. */
const HOLD = [[FARMS], [SHOPS], [SHOPS, 'http://e/none']]
const nodes: RunningNode[] = []
const clientOf = (index: number): AlthingClient => new AlthingClient({ url: nodes[index]!.apiUrl })

/** A shop sells what a farm has grown. */
const JOIN = `SELECT ?shop ?farm {
  GRAPH <${SHOPS}> { ?shop <http://e/sells> ?apple }
  GRAPH <${FARMS}> { ?apple <http://e/from> ?farm }
} ORDER BY ?shop`
const JOINED = 'shop,farm\r\nhttp://e/shop1,http://e/farm1\r\nhttp://e/shop2,http://e/farm2\r\n'

async function start(index: number): Promise<void> {
  const config = await loadConfig({ environment: {} })
  const dataFolder = join(folder, String(index))
  nodes[index] = await startNode({
    config: {
      ...config,
      node: { ...config.node, dataFolder, name: `node ${index}` },
      network: {
        ...config.network,
        listen: ['/ip4/127.0.0.1/tcp/0'],
        bootstrap: nodes.slice(0, 1).flatMap(({ addresses }) => addresses),
        mdns: false,
        dht: false,
      },
      api: { ...config.api, port: 0 },
      graph: { ...config.graph, hold: HOLD[index]! },
    },
    genesis,
    identity: new Uint8Array(32).fill(100 + index),
    ...(index === 0 && { authority: { signer: authority, keyFile: null } }),
    log: silentLog,
    clock,
  })
}

async function until(what: string, condition: () => boolean): Promise<void> {
  const endMs = performance.now() + 30_000
  while (!condition()) {
    assert.ok(performance.now() < endMs, `not in 30 s: ${what}`)
    await wait(10)
  }
}

let nonce = 0
/** @returns the height at which they are final. */
async function send(...operations: Operation[]): Promise<number> {
  const body = {
    version: TRANSACTION_VERSION,
    genesis: chain.hash,
    sender: authority.publicKey,
    nonce: nonce++,
    validUntil: 10_000,
    fee: 1n,
    operations,
  }
  const encoded = signTransaction(body, NETWORK, authority)
  const client = clientOf(0)
  await client.submit(encoded)
  const final = await client.waitForFinal(transactionId(encoded))
  assert.equal(final.status, 'final')
  const { height } = final
  assert.ok(height !== null)
  await until('all nodes have it', () =>
    nodes.every(({ backend }) => backend.info().finalized_height >= height),
  )
  return height
}

const sells = (shop: number, apple: number): string =>
  `<http://e/shop${shop}> <http://e/sells> <http://e/apple${apple}>`
const from = (apple: number, farm: number): string =>
  `<http://e/apple${apple}> <http://e/from> <http://e/farm${farm}>`
const named = (name: string): string => `<http://e/farm1> <http://e/name> "${name}"`

describe('a query over graphs of several nodes (PC-6)', () => {
  let height = 0
  before(async () => {
    const key = authority.publicKey
    createVoteLogFiles(voteLogFolder(join(folder, '0'), key), { genesis: chain.hash, key })
    for (const index of HOLD.keys()) await start(index)
    await until('they know what the others keep', () =>
      nodes.every(({ backend }) => backend.graphs.holdings().length >= 1),
    )
    await until('the authority knows all', () => nodes[0]!.backend.graphs.holdings().length === 2)
    await send(graphCreate({ graph: FARMS }), graphCreate({ graph: SHOPS }))
    height = await send(
      graphInsert({ graph: SHOPS, statements: [sells(1, 1), sells(2, 2)] }),
      graphInsert({ graph: FARMS, statements: [from(1, 1), from(2, 2), from(3, 3), named('Hof')] }),
    )
  })
  after(async () => {
    for (const node of nodes) await node.stop()
    rmSync(folder, { recursive: true })
  })

  test('is answered by any of them, with those who gave statements', async () => {
    for (const [index, sources] of [
      [0, [1, 2]],
      [1, [0]],
      [2, [0]],
    ] as const) {
      const answer = await clientOf(index).query(JOIN, { accept: 'text/csv' })
      assert.equal(answer.text, JOINED)
      const known = sources.map((source) => nodes[source]!.peerId)
      assert.equal(answer.sources.length, 1)
      assert.ok(known.includes(answer.sources[0]!))
    }
  })

  test('without naming graphs sees all of them, also their names', async () => {
    const count = 'SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g ORDER BY ?g'
    const everything = 'SELECT (COUNT(*) AS ?n) { ?s ?p ?o }'
    for (const index of HOLD.keys()) {
      const client = clientOf(index)
      assert.equal((await client.query(everything, { accept: 'text/csv' })).text, 'n\r\n6\r\n')
      const rows = (await client.query(count, { accept: 'text/csv' })).text
      assert.equal(rows, `g,n\r\n${FARMS},4\r\n${SHOPS},2\r\n`)
      const graphs = (await client.query('SELECT ?g { GRAPH ?g {} } ORDER BY ?g', { accept: 'text/csv' }))
        .text
      assert.equal(graphs, `g\r\n${FARMS}\r\n${SHOPS}\r\n`)
    }
  })

  test('goes to whom it has to: what nodes keep is known to their peers and in the API', async () => {
    const { held, peers } = await clientOf(0).graphs.holders()
    assert.deepEqual(held, [FARMS])
    const heldBy = new Map(peers.map(({ peer_id: peer, held: graphs }) => [peer, graphs]))
    assert.deepEqual(heldBy.get(nodes[1]!.peerId), [SHOPS])
    const [shops, none, ...more] = heldBy.get(nodes[2]!.peerId) as readonly string[]
    assert.deepEqual([shops, more], [SHOPS, []])
    assert.match(none ?? '', /^urn:sha256:[0-9a-f]{32}$/)
  })

  test('of what is kept here asks nobody', async () => {
    const names = `SELECT ?name { GRAPH <${FARMS}> { ?farm <http://e/name> ?name } }`
    assert.deepEqual((await clientOf(0).query(names)).sources, [])
  })

  test('is answered at the height that was asked, also while the graphs change', async () => {
    const later = await send(
      graphDelete({ graph: FARMS, statements: [from(1, 1)] }),
      graphInsert({ graph: FARMS, statements: [from(1, 9)] }),
    )
    const before = await clientOf(1).query(JOIN, { accept: 'text/csv', height })
    assert.equal(before.text, JOINED)
    assert.equal(before.height, height)
    const now = await clientOf(1).query(JOIN, { accept: 'text/csv', height: later })
    assert.equal(now.text, JOINED.replace('farm1', 'farm9'))
    await send(
      graphDelete({ graph: FARMS, statements: [from(1, 9)] }),
      graphInsert({ graph: FARMS, statements: [from(1, 1)] }),
    )
  })

  test('is malformed: said without asking anybody', async () => {
    await assert.rejects(clientOf(0).query('SELECT * { ?s ?p '), { code: 'SPARQL_SYNTAX' })
  })

  test('is checked with other nodes, which sign what they answer', async () => {
    const accept = 'application/sparql-results+json'
    const answer = await clientOf(0).query(JOIN, { accept, check: 2 })
    assert.deepEqual(answer.check, { agree: 2, disagree: 0, silent: 0 })
    assert.equal(answer.receipts.length, 3)
    const asked = { query: JOIN, defaultGraphs: null, namedGraphs: null }
    const signers = answer.receipts.map((receipt) => {
      const verified = verifyReceipt(receipt, {
        genesisHash: chain.hash,
        asked,
        answer: { mediaType: accept, text: answer.text },
      })
      assert.ok(verified.ok, JSON.stringify(verified))
      assert.equal(verified.value.height, answer.height)
      return verified.value.signer.join()
    })
    assert.equal(new Set(signers).size, 3)
    const [first] = answer.receipts as [string]
    const other = verifyReceipt(first, { genesisHash: chain.hash, asked: { ...asked, query: 'ASK {}' } })
    assert.equal(other.ok || other.fault.code, 'RECEIPT_OTHER_QUERY')
    const wrong = { mediaType: accept, text: answer.text.replace('farm1', 'farm2') }
    const changed = verifyReceipt(first, { genesisHash: chain.hash, asked, answer: wrong })
    assert.equal(changed.ok || changed.fault.code, 'RECEIPT_OTHER_ANSWER')
  })

  test('is not checked when honest nodes may differ', async () => {
    for (const query of ['SELECT * { ?s ?p ?o } LIMIT 1', 'SELECT (NOW() AS ?now) {}']) {
      await assert.rejects(clientOf(0).query(query, { check: 1 }), { code: 'QUERY_NOT_CHECKABLE' })
    }
  })

  test('beside it a graph is mirrored in a folder, at the cost of what differs, also after damage (PC-5)', async () => {
    const to = join(folder, 'mirror')
    const mirror = async (
      ...more: string[]
    ): Promise<{ code: number | null; answer: Record<string, number> }> => {
      const { code, stdout } = await althing('graph', 'mirror', FARMS, '--to', to, '--json', ...more)
      return { code, answer: code === 0 ? (JSON.parse(stdout) as Record<string, number>) : {} }
    }
    const api = ['--api', nodes[1]!.apiUrl]
    assert.deepEqual((await mirror(...api)).answer['inserted'], 4)
    assert.equal((await mirror('--check')).code, 0)
    await send(graphDelete({ graph: FARMS, statements: [from(3, 3)] }))
    const { answer } = await mirror(...api)
    assert.deepEqual([answer['inserted'], answer['deleted'], answer['statements']], [0, 1, 3])
    const file = join(to, 'statements.nq')
    writeFileSync(file, readFileSync(file, 'utf8').replace('"Hof"', '"Hoff"'))
    assert.notEqual((await mirror('--check')).code, 0)
    const repaired = (await mirror(...api)).answer
    assert.deepEqual([repaired['inserted'], repaired['deleted']], [1, 1])
    assert.match(readFileSync(file, 'utf8'), /"Hof" <http:\/\/e\/farms> \.\n/)
    assert.deepEqual((await mirror(...api)).answer['bytes'], 0)
  })

  test('goes to another holder when one dies, and fails with the name of the graph when none is left', async () => {
    await nodes[1]!.stop()
    const answer = await clientOf(0).query(JOIN, { accept: 'text/csv' })
    assert.equal(answer.text, JOINED)
    assert.deepEqual(answer.sources, [nodes[2]!.peerId])
    await nodes[2]!.stop()
    await assert.rejects(clientOf(0).query(JOIN), (error: { code?: string; message?: string }) => {
      assert.equal(error.code, 'GRAPH_ELSEWHERE')
      assert.match(error.message ?? '', new RegExp(SHOPS))
      return true
    })
    const of = `SELECT ?apple { GRAPH <${SHOPS}> { <http://e/shop1> <http://e/sells> ?apple } }`
    const known = await clientOf(0).query(of, { accept: 'text/csv' })
    assert.equal(known.text, 'apple\r\nhttp://e/apple1\r\n', 'what is said of a subject is in the state')
  })
})
