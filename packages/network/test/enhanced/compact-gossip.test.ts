import assert from 'node:assert/strict'
import { afterEach, describe, test } from 'node:test'
import { encodeCompactBlock, encodeParts } from '../../src/protocol/chain-messages.ts'
import { until } from '../../src/testing/index.ts'
import { toyBlock, toyGenesis, toyInfo, toyTransaction } from './toy-chain.ts'
import { GOSSIP_ONLY, join, ofKind, start, stopAll, tipOf } from './toy-node.ts'
import type { Node } from './toy-node.ts'

const genesis = toyInfo(toyGenesis)
const PAYLOAD_BYTES = 256 * 1024
const NODES = 8

afterEach(stopAll)

test('a block beside ours with the same transactions is completed without a question', async () => {
  const [a, b] = [await start(), await start()]
  await join(b, a)
  const payments = ['x', 'y'].map(toyTransaction)
  await a.node.submitBlock(toyBlock(genesis, payments))
  await until('b has it', () => tipOf(b) === tipOf(a))
  a.node.network.handleRequest('chain.getParts', () => assert.fail('it was asked'))
  const beside = toyBlock(genesis, payments, 'beside')
  await a.node.submitBlock(beside)
  await until('b has the other too', () => ofKind(b, 'blockValidated').length === 2)
  assert.equal(await b.chain.blockStore.has(toyInfo(beside).id), true)
})

describe('who announces a block and does not show it (VC-2)', () => {
  test('withholds nothing: another peer is asked, and nobody is blamed for silence', async () => {
    const [source, silent, late] = [
      await start(),
      await start(),
      await start({ blockTimeoutMs: 100, slowAnswerMs: 100 }),
    ]
    await join(silent, source)
    const block = toyBlock(genesis, [toyTransaction('x')])
    for (const kind of ['chain.getParts', 'chain.getBlock', 'chain.getRange']) {
      silent.node.network.handleRequest(kind, () => new Promise(() => {}))
    }
    await join(late, silent)
    await source.node.submitBlock(block)
    await until('it was announced', () => ofKind(late, 'blockReceived').length > 0)
    await join(late, source)
    await until('late has it', () => tipOf(late) === toyInfo(block).id)
    assert.deepEqual(ofKind(late, 'peerFault'), [])
  })

  test('and gives other parts: the whole block is asked for, and whoever has that is not blamed', async () => {
    const [source, late] = [await start(GOSSIP_ONLY), await start(GOSSIP_ONLY)]
    source.node.network.handleRequest('chain.getParts', () => encodeParts([toyTransaction('y')]))
    await join(late, source)
    const block = toyBlock(genesis, [toyTransaction('x')])
    await source.node.submitBlock(block)
    await until('late has it', () => tipOf(late) === toyInfo(block).id)
    assert.deepEqual([ofKind(late, 'peerFault'), ofKind(late, 'syncRequested')], [[], []])
  })

  test('and announces it with a false digest: whoever tells the truth meanwhile is heard', async () => {
    const source = await start(GOSSIP_ONLY)
    const [liar, late] = [await start(), await start()]
    const block = toyBlock(genesis, [toyTransaction('x')])
    const lie = encodeCompactBlock({
      header: block.header,
      bodyHash: new Uint8Array(32),
      shortIds: ['abcdef'],
    })
    liar.node.network.handleRequest('chain.getParts', () => new Promise(() => {}))
    await join(late, liar)
    await join(late, source)
    liar.node.network.publish('chain.block', lie)
    await until('late is at it', () => ofKind(late, 'blockReceived').length > 0)
    await source.node.submitBlock(block)
    await until('late has it', () => tipOf(late) === toyInfo(block).id)
    assert.deepEqual(
      ofKind(late, 'syncRequested').filter(({ peer }) => peer === source.node.network.peerId),
      [],
    )
  })

  test('and gives another block: it is charged', async () => {
    const [source, late] = [await start(), await start()]
    source.node.network.handleRequest('chain.getParts', () => encodeParts([]))
    source.node.network.handleRequest('chain.getBlock', () => new Uint8Array([1, 2, 3]))
    await join(late, source)
    await source.node.submitBlock(toyBlock(genesis, [toyTransaction('x')]))
    await until('charged', () => ofKind(late, 'peerFault').length > 0)
    assert.equal(ofKind(late, 'peerFault')[0]!.offence, 'wrongAnswer')
  })
})

describe('bytes that a block of 256 KiB costs, eight nodes each with all others', () => {
  const payments = Array.from({ length: PAYLOAD_BYTES / 512 }, (_, i) =>
    toyTransaction(`${i} `.padEnd(508, 'x')),
  )

  async function mesh(): Promise<Node[]> {
    const nodes: Node[] = []
    for (let i = 0; i < NODES; i++) {
      const node = await start({
        ...GOSSIP_ONLY,
        pingIntervalMs: 50_000,
        compression: false,
      })
      for (const other of nodes) await join(node, other)
      nodes.push(node)
    }
    const isMeshed = () => nodes.every(({ node }) => node.network.peers().length === NODES - 1)
    await until('all are connected', isMeshed)
    return nodes
  }

  async function announce(nodes: readonly Node[]): Promise<void> {
    await nodes[0]!.node.submitBlock(toyBlock(nodes[0]!.chain.consensus.tip(), payments))
    await until('all have it', () => nodes.every((node) => tipOf(node) === tipOf(nodes[0]!)))
    await quiet(nodes)
    assert.ok(nodes.every((node) => ofKind(node, 'syncRequested').length === 0))
  }

  test('with warm mempools at most 0.06 of its payload a receiver', async () => {
    const nodes = await mesh()
    for (const payment of payments) await nodes[0]!.node.submitTransaction(payment)
    await until('all are warm', () =>
      nodes.every(({ chain }) => [...chain.mempool.ids()].length === payments.length),
    )
    await announce(nodes)
    const sent = bytesOfKind(nodes, 'chain.block') / (PAYLOAD_BYTES * (NODES - 1))
    assert.ok(sent <= 0.06, `${sent}`)
    assert.equal(bytesOfKind(nodes, 'chain.getParts'), 0, 'nobody lacked anything')
  })

  test('cold at most 1.3 of its payload a receiver', async () => {
    const nodes = await mesh()
    const before = bytesOut(nodes)
    await announce(nodes)
    const sent = (bytesOut(nodes) - before) / (PAYLOAD_BYTES * (NODES - 1))
    assert.ok(sent <= 1.3, `${sent}`)
  })
})

function bytesOfKind(nodes: readonly Node[], kind: string): number {
  const peers = nodes.flatMap(({ node }) => [...node.network.knownPeers()])
  return peers.reduce((sum, { byKind }) => sum + (byKind[kind]?.bytesOut ?? 0), 0)
}

function bytesOut(nodes: readonly Node[]): number {
  const peers = nodes.flatMap(({ node }) => [...node.network.peers()])
  return peers.reduce((sum, peer) => sum + peer.bytesOut, 0)
}

/** Nothing was sent in twenty looks. */
async function quiet(nodes: readonly Node[]): Promise<void> {
  let [bytes, looks] = [-1, 0]
  await until('nothing more is sent', () => {
    const now = bytesOut(nodes)
    looks = now === bytes ? looks + 1 : 0
    bytes = now
    return looks === 20
  })
}
