/** Gossip through whole networks in memory (PO-2): its cores are in `gossip-simulation.test.ts`. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { createMemoryNetwork, startNetwork } from '../src/index.ts'
import type { MemoryNetwork, Network, Verdict } from '../src/index.ts'
import { until } from '../src/testing/until.ts'
import { seeded } from './gossip-world.ts'

const KINDS = {
  vote: { id: 1, lane: 'critical', maxBytes: 4096, gossip: true },
  transaction: { id: 2, lane: 'normal', maxBytes: 1024, gossip: true },
  blob: { id: 3, lane: 'low', maxBytes: 256 * 1024, gossip: true },
} as const
/** Nothing here takes so long, but the machine may be busy. */
const PATIENCE_MS = 30_000

type KindName = keyof typeof KINDS

interface Member {
  readonly network: Network
  /** Numbers of the messages that came. */
  readonly got: Set<number>
}

describe('gossip in memory', () => {
  let memory: MemoryNetwork
  let members: Member[]
  let published: number
  const random = seeded(1)

  beforeEach(() => {
    memory = createMemoryNetwork({ random })
    members = []
    published = 0
  })

  afterEach(() => Promise.all(members.map(({ network }) => network.stop())))

  async function join(count: number, judge: (body: Uint8Array) => Verdict = () => 'accept'): Promise<void> {
    for (let i = 0; i < count; i++) {
      const network = await startNetwork({
        identity: new Uint8Array(32).fill(members.length + 1),
        networkId: 'test',
        genesisHash: new Uint8Array(32),
        versions: { min: 1, max: 1 },
        listen: ['/memory/0'],
        bootstrap: [],
        nodeType: 'full',
        features: [],
        status: () => ({ height: 0, finalizedHeight: 0, lowestHeight: 0 }),
        kinds: KINDS,
        transport: memory.transport,
        maxInbound: 100,
        // Without dialling what it hears of, a node stays where the test puts it.
        maxOutbound: 0,
        linkReports: false,
        lingerMs: 200,
      })
      const got = new Set<number>()
      for (const kind of Object.keys(KINDS)) {
        network.handleGossip(kind, ({ body }) => {
          got.add(new DataView(body.buffer, body.byteOffset).getUint32(0))
          return judge(body)
        })
      }
      members.push({ network, got })
    }
  }

  async function link(a: number, b: number): Promise<void> {
    await members[a]!.network.connect(members[b]!.network.addresses()[0]!)
  }

  /** Each dials so many others, at once. */
  async function linkAtRandom(dials: number): Promise<void> {
    const pairs = new Set<string>()
    for (let a = 0; a < members.length; a++) {
      for (let i = 0; i < dials; i++) {
        const b = anyone()
        if (a !== b) pairs.add(`${Math.min(a, b)} ${Math.max(a, b)}`)
      }
    }
    await Promise.all(
      [...pairs].map((pair) => {
        const [a, b] = pair.split(' ').map(Number)
        return link(a!, b!)
      }),
    )
  }

  function publish(from: number, kind: KindName, bytes: number): void {
    const body = new Uint8Array(bytes)
    new DataView(body.buffer).setUint32(0, ++published)
    members[from]!.network.publish(kind, body)
    members[from]!.got.add(published)
  }

  function everyoneHasAll(): boolean {
    return members.every(({ got }) => got.size === published)
  }

  const anyone = () => Math.floor(random.next() * members.length)

  test('24 nodes in a random graph that loses links get votes, transactions and blobs', async () => {
    await join(24)
    await linkAtRandom(4)
    for (let i = 0; i < 20; i++) publish(anyone(), 'transaction', 100)
    for (let i = 0; i < 20; i++) publish(anyone(), 'vote', 100)
    for (let i = 0; i < 5; i++) publish(anyone(), 'blob', 100_000)
    await until('everyone has all', everyoneHasAll, PATIENCE_MS)
    for (const [i, { network }] of members.entries()) {
      const [peer] = network.peers()
      if (i % 2 === 0 && peer !== undefined) memory.cut(network.peerId, peer.id)
      publish(anyone(), 'transaction', 100)
    }
    await until('everyone has all again', everyoneHasAll, PATIENCE_MS)
  })

  test('a blob is sent to each node once', async () => {
    await join(10)
    await linkAtRandom(20)
    for (let i = 0; i < 10; i++) publish(i, 'blob', 200_000)
    await until('everyone has all', everyoneHasAll, PATIENCE_MS)
    for (const { network } of members) {
      const blobs = network.peers().map(({ id }) => network.peer(id)!.byKind['blob']?.messagesIn ?? 0)
      assert.equal(
        blobs.reduce((a, b) => a + b, 0),
        9,
      )
      assert.equal(network.stats().gossip.duplicate, 0)
    }
  })

  test('after the first messages of each node, a transaction is sent to each node about once', async () => {
    await join(8)
    await linkAtRandom(20)
    const round = async (kind: KindName) => {
      for (let i = 0; i < 8; i++) publish(i, kind, 100)
      await until('everyone has all', everyoneHasAll, PATIENCE_MS)
    }
    const duplicates = () => members.reduce((sum, { network }) => sum + network.stats().gossip.duplicate, 0)
    for (let i = 0; i < 10; i++) await round('transaction')
    const before = duplicates()
    for (let i = 0; i < 10; i++) await round('transaction')
    const share = (duplicates() - before) / (10 * 8 * 7)
    assert.ok(share < 0.2, `${share} superfluous copies for each delivery`)
  })

  test('what is invalid costs its sender, and nobody else', async () => {
    await join(5, (body) => (body[4] === 1 ? 'reject' : 'accept'))
    for (let i = 1; i < 5; i++) await link(i - 1, i)
    const faults: string[][] = members.map(() => [])
    for (const [i, { network }] of members.entries()) {
      network.subscribe((event) => {
        if (event.kind === 'peerFault') faults[i]!.push(event.peer)
      })
    }
    const invalid = new Uint8Array(8)
    invalid[4] = 1
    members[1]!.network.publish('transaction', invalid)
    for (const { got } of members) got.add(0)
    published++
    publish(0, 'transaction', 100)
    await until('the valid one came', () => members.every(({ got }) => got.has(published)))
    const sender = members[1]!.network.peerId
    assert.deepEqual(faults, [[sender], [], [sender], [], []])
  })

  test('a node that lost its only link for a moment gets what was said meanwhile', async () => {
    await join(3)
    await link(0, 1)
    await link(1, 2)
    publish(0, 'transaction', 100)
    await until('everyone has all', everyoneHasAll, PATIENCE_MS)
    memory.cut(members[1]!.network.peerId, members[2]!.network.peerId)
    await until('the link is gone', () => members[2]!.network.peers().length === 0)
    for (let i = 0; i < 10; i++) publish(0, 'transaction', 100)
    publish(0, 'blob', 100_000)
    await link(1, 2)
    await until('everyone has all', everyoneHasAll, PATIENCE_MS)
  })
})
