import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { createMemoryNetwork, startNetwork } from '../src/index.ts'
import type { MemoryNetwork, Network, NetworkEvent } from '../src/index.ts'
import { seeded, VirtualTime } from './virtual-time.ts'

describe('faults, in virtual time', () => {
  let time: VirtualTime
  let memory: MemoryNetwork
  let networks: Network[]
  let events: NetworkEvent[]

  beforeEach(() => {
    time = new VirtualTime()
    memory = createMemoryNetwork({ scheduler: time, random: seeded(1), latencyMs: () => 20 })
    networks = []
    events = []
  })

  afterEach(async () => {
    memory.heal()
    const stopped = Promise.all(networks.map((network) => network.stop()))
    await time.pass(5000)
    await stopped
  })

  async function start(id: number, bootstrap: readonly string[], reserved = false): Promise<Network> {
    const network = await startNetwork({
      identity: new Uint8Array(32).fill(id),
      networkId: 'test',
      genesisHash: new Uint8Array(32),
      versions: { min: 1, max: 1 },
      listen: [`/memory/n${id}`],
      bootstrap,
      nodeType: 'authority',
      features: [],
      status: () => ({ height: 0, finalizedHeight: 0, lowestHeight: 0 }),
      admit: () => ({ ok: true, reserved }),
      kinds: { transaction: { id: 1, lane: 'normal', maxBytes: 100, gossip: true } },
      clock: time,
      scheduler: time,
      random: seeded(id),
      transport: memory.transport,
    })
    network.subscribe((event) => events.push(event))
    networks.push(network)
    return network
  }

  const peerCounts = () => networks.map((network) => network.peers().length)

  test('a partition is noticed by silence; reserved peers are back within 2 s of its end', async () => {
    const a = await start(1, [], true)
    const b = await start(2, ['/memory/n1'], true)
    await time.pass(1000)
    assert.deepEqual(peerCounts(), [1, 1])
    memory.partition([[a.peerId], [b.peerId]])
    await time.pass(61_000)
    assert.deepEqual(peerCounts(), [0, 0])
    assert.ok(events.some((event) => event.kind === 'peerDisconnected' && event.reason.code === 'silent'))
    await time.pass(600_000)
    memory.heal()
    await time.pass(2200)
    assert.deepEqual(peerCounts(), [1, 1])
  })

  test('a short partition costs nothing: what was sent arrives', async () => {
    const a = await start(1, [])
    const b = await start(2, ['/memory/n1'])
    await time.pass(1000)
    let received = 0
    b.handleGossip('transaction', () => {
      received++
      return 'accept'
    })
    memory.partition([[a.peerId], [b.peerId]])
    a.publish('transaction', new Uint8Array(5))
    await time.pass(20_000)
    assert.equal(received, 0)
    memory.heal()
    await time.pass(100)
    assert.equal(received, 1)
    assert.equal(events.filter(({ kind }) => kind === 'peerDisconnected').length, 0)
  })

  test('links that break again and again are made again, and never doubled', async () => {
    const first = await start(1, [])
    for (const id of [2, 3, 4]) await start(id, ['/memory/n1'])
    await time.pass(5000)
    assert.deepEqual(peerCounts(), [3, 3, 3, 3])
    for (let round = 0; round < 10; round++) {
      for (const network of networks.slice(1)) memory.cut(first.peerId, network.peerId)
      await time.pass(30_000)
    }
    memory.setLossRate(0.05)
    await time.pass(300_000)
    memory.setLossRate(0)
    await time.pass(120_000)
    assert.deepEqual(peerCounts(), [3, 3, 3, 3])
    assert.equal(memory.linkCount, 6)
  })

  test('the same seed gives the same run', async () => {
    const run = async () => {
      await start(1, [])
      for (const id of [2, 3, 4]) await start(id, ['/memory/n1'])
      memory.setLossRate(0.02)
      await time.pass(60_000)
      return events.map((event) => JSON.stringify(event))
    }
    const firstRun = await run()
    memory.setLossRate(0)
    const stopped = Promise.all(networks.map((network) => network.stop()))
    await time.pass(5000)
    await stopped
    time = new VirtualTime()
    memory = createMemoryNetwork({ scheduler: time, random: seeded(1), latencyMs: () => 20 })
    networks = []
    events = []
    assert.deepEqual(await run(), firstRun)
    assert.ok(firstRun.length > 20)
  })

  test('a process that hangs is found out by the others', async () => {
    const a = await start(1, [])
    await start(2, ['/memory/n1'])
    await time.pass(1000)
    memory.stopReading(a.peerId)
    await time.pass(61_000)
    assert.ok(events.some((event) => event.kind === 'peerDisconnected' && event.peer === a.peerId))
    memory.resumeReading(a.peerId)
    await time.pass(60_000)
    assert.deepEqual(peerCounts(), [1, 1])
  })
})
