/** How nodes find each other (PT-5, TN-4, PC-2, VC-9): records that travel, a store that outlives the process, DNS seeds. */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { createMemoryNetwork, peerStoreFile } from '../src/index.ts'
import type { NetworkConfig } from '../src/index.ts'
import { peerIdOfKey } from '../src/protocol/peer-id.ts'
import { until } from '../src/testing/index.ts'
import { isConnected, join, TestWorld } from '../src/testing/world.ts'
import type { TestNode } from '../src/testing/world.ts'

let world: TestWorld
beforeEach(() => {
  world = new TestWorld({ transport: createMemoryNetwork().transport, listen: '/memory/0' })
})
afterEach(() => world.stop())

function knows(node: TestNode, other: TestNode): boolean {
  return node.network.records().some(({ id }) => id === other.network.peerId)
}

async function line(length: number, options: Partial<NetworkConfig> = {}): Promise<TestNode[]> {
  const nodes: TestNode[] = []
  for (let i = 0; i < length; i++) nodes.push(await world.node({ maxOutbound: 0, ...options }))
  for (let i = 1; i < length; i++) await join(nodes[i]!.network, nodes[i - 1]!.network)
  return nodes
}

describe('signed records', () => {
  test('reach everyone, also along a line, and say what their peer says', async () => {
    const nodes = await line(5, { nodeType: 'authority', features: ['x'] })
    await until('all know all', () =>
      nodes.every((node) => nodes.every((other) => other === node || knows(node, other))),
    )
    const [first, , , , last] = nodes as [TestNode, TestNode, TestNode, TestNode, TestNode]
    const record = first.network.records().find(({ id }) => id === last.network.peerId)
    assert.deepEqual(
      [record?.addresses, record?.nodeType, record?.features.includes('x')],
      [last.network.addresses(), 'authority', true],
    )
    assert.equal(first.network.peers().length, 1)
  })

  test('who comes later hears of those who were there', async () => {
    const nodes = await line(3)
    const late = await world.node({ maxOutbound: 0 })
    await join(late.network, nodes[0]!.network)
    await until('it knows them', () => nodes.every((node) => knows(late, node)))
  })

  test('of whom a node hears, it dials while it has free slots', async () => {
    const a = await world.node()
    const b = await world.node({ bootstrap: a.network.addresses() })
    const c = await world.node({ bootstrap: a.network.addresses() })
    await until('those two found each other', () => isConnected(b.network, c.network))
  })

  test('are enough to connect to a peer by its id', async () => {
    const nodes = await line(3)
    const [first, , last] = nodes as [TestNode, TestNode, TestNode]
    await until('the first knows the last', () => knows(first, last))
    assert.equal(await first.network.connect(last.network.peerId), last.network.peerId)
    const stranger = peerIdOfKey(new Uint8Array(32).fill(1))
    await assert.rejects(first.network.connect(stranger), { code: 'PEER_UNREACHABLE' })
  })

  test('one that its peer did not sign costs its sender, and is not taken', async () => {
    const a = await world.node()
    const b = await world.node()
    await join(b.network, a.network)
    await until('a knows b', () => knows(a, b))
    b.network.send(a.network.peerId, 'records.news', new Uint8Array(300))
    await until('a blames b', () => a.events.some(({ kind }) => kind === 'peerFault'))
    assert.equal(a.network.records().length, 1)
  })
})

describe('peer store', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(joinPath(tmpdir(), 'althing-peers-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  test('a restarted node finds its peers with the bootstrap node gone', async () => {
    const peerStore = peerStoreFile(joinPath(folder, 'deep', 'peers'))
    const identity = world.identity()
    const bootstrap = await world.node()
    const other = await world.node({ bootstrap: bootstrap.network.addresses(), maxOutbound: 1 })
    const options = { identity, peerStore, bootstrap: bootstrap.network.addresses(), listen: ['/memory/me'] }
    const first = await world.node(options)
    await until('it knows both', () => knows(first, bootstrap) && knows(first, other))
    await first.network.stop()
    await bootstrap.network.stop()
    const again = await world.node(options)
    await until('it is among peers', () => isConnected(again.network, other.network))
    assert.ok(again.network.records().every(({ id }) => id !== again.network.peerId))
  })

  test('the file is of the owner only, and replaced as a whole', async () => {
    const path = joinPath(folder, 'peers')
    await writeFile(`${path}.new`, 'left by a crash', { mode: 0o644 })
    await peerStoreFile(path).save(Uint8Array.of(1, 2, 3))
    await peerStoreFile(path).save(Uint8Array.of(4))
    assert.deepEqual([...(await readFile(path))], [4])
    assert.equal((await stat(path)).mode & 0o777, 0o600)
  })

  test('a file that is damaged does not stop the node, and is told of', async () => {
    const path = joinPath(folder, 'peers')
    await writeFile(path, 'nonsense')
    const node = await world.node({ peerStore: peerStoreFile(path) })
    assert.match(node.warnings.join(), /peers of earlier runs cannot be read/)
    assert.deepEqual(node.network.records(), [])
  })
})

describe('DNS seeds', () => {
  /** A name server. */
  const zone = (records: Record<string, string[]>) => (name: string) =>
    name in records
      ? Promise.resolve(records[name]!.map((text) => [text.slice(0, 9), text.slice(9)]))
      : Promise.reject(new Error(`ENOTFOUND ${name}`))

  test('lead to peers, with and without their id, through further names', async () => {
    const a = await world.node({ listen: ['/memory/a'] })
    const b = await world.node({ listen: ['/memory/b'] })
    const resolveTxt = zone({
      'seed.example': ['v=spf1', 'dnsaddr=/memory/a'],
      '_dnsaddr.seed.example': ['dnsaddr=/dnsaddr/more.example'],
      '_dnsaddr.more.example': [`dnsaddr=/memory/b/p2p/${b.network.peerId}`],
    })
    const node = await world.node({ dnsSeeds: ['seed.example', '/dnsaddr/gone.example'], resolveTxt })
    await until('both are peers', () => [a, b].every((other) => isConnected(node.network, other.network)))
  })

  test('a name server that never answers does not hold up the end', async () => {
    const node = await world.node({ dnsSeeds: ['seed.example'], resolveTxt: () => new Promise(() => {}) })
    await node.network.stop()
  })

  test('what is no name is refused at the start', async () => {
    await assert.rejects(world.node({ dnsSeeds: ['a b'] }), { code: 'ADDRESS_INVALID' })
  })
})
