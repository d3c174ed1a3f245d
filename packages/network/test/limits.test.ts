import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { utf8ToBytes } from '@althing/base'
import { createMemoryNetwork, LANES, startNetwork } from '../src/index.ts'
import type { MemoryNetwork, Network, NetworkConfig, NetworkEvent } from '../src/index.ts'
import { seeded, VirtualTime } from './virtual-time.ts'

/** PT-2's own numbers. */
const STRICT = { messagesPerSecond: 100, messagesBurst: 200, bytesPerSecond: 1_250_000 }

interface Node {
  readonly network: Network
  readonly events: NetworkEvent[]
  /** Messages that it got, by sender. */
  readonly gotFrom: Map<string, number>
}

describe('limits, in virtual time (PT-2)', () => {
  let time: VirtualTime
  let memory: MemoryNetwork
  let networks: Network[]

  beforeEach(() => {
    time = new VirtualTime()
    memory = createMemoryNetwork({ scheduler: time, random: seeded(1), latencyMs: () => 5 })
    networks = []
  })

  afterEach(async () => {
    const stopped = Promise.all(networks.map((network) => network.stop()))
    await time.pass(5000)
    await stopped
  })

  async function start(
    id: number,
    bootstrap: readonly string[],
    options: Partial<NetworkConfig> = {},
  ): Promise<Node> {
    const network = await startNetwork({
      identity: new Uint8Array(32).fill(id),
      networkId: 'test',
      genesisHash: new Uint8Array(32),
      versions: { min: 1, max: 1 },
      listen: [`/memory/n${id}`],
      bootstrap,
      nodeType: 'full',
      features: [],
      status: () => ({ height: 0, finalizedHeight: 0, lowestHeight: 0 }),
      kinds: {
        vote: { id: 1, lane: 'critical', maxBytes: 1000 },
        note: { id: 2, lane: 'normal', maxBytes: 100_000 },
        bulk: { id: 3, lane: 'low', maxBytes: 1_000_000 },
      },
      clock: time,
      scheduler: time,
      random: seeded(id),
      transport: memory.transport,
      ...options,
    })
    const events: NetworkEvent[] = []
    const gotFrom = new Map<string, number>()
    network.subscribe((event) => events.push(event))
    for (const kind of ['vote', 'note', 'bulk']) {
      network.handle(kind, ({ from }) => gotFrom.set(from, (gotFrom.get(from) ?? 0) + 1))
    }
    networks.push(network)
    return { network, events, gotFrom }
  }

  const droppedForRate = ({ network }: Node) =>
    network.stats().steps.validation.droppedByReason['rate limit']?.normal ?? 0
  const hasFaults = ({ events }: Node) => events.some((event) => event.kind === 'peerFault')

  test('a flooder is slowed, then dropped, then charged and sent away; others are unharmed', async () => {
    const node = await start(1, [], STRICT)
    const flooder = await start(2, ['/memory/n1'])
    const honest = await start(3, ['/memory/n1'], { ...STRICT, maxOutbound: 1 })
    await time.pass(500)
    const order: string[] = []
    const seen = (what: string, holds: boolean) => {
      if (holds && !order.includes(what)) order.push(what)
    }
    let sent = 0
    for (let ms = 0; ms < 30_000 && flooder.network.peers().length > 0; ms += 20) {
      for (let i = 0; i < 100; i++) flooder.network.send(node.network.peerId, 'note', new Uint8Array(10))
      if (ms % 40 === 0 && honest.network.send(node.network.peerId, 'note', new Uint8Array(10)) === 'queued')
        sent++
      await time.pass(20)
      seen('slowed', node.network.stats().limits.slowed > 0)
      seen('dropped', droppedForRate(node) > 0)
      seen('charged', hasFaults(node))
    }
    assert.deepEqual(order, ['slowed', 'dropped', 'charged'])
    assert.ok(flooder.events.some((event) => event.kind === 'peerDisconnected' && event.by === 'remote'))
    await time.pass(100)
    assert.equal(node.gotFrom.get(honest.network.peerId), sent)
    assert.ok(node.network.peers().some(({ id }) => id === honest.network.peerId))
  })

  test('an honest peer survives whatever it is slow at, and loses nothing', async () => {
    const node = await start(1, [], STRICT)
    const slow = await start(2, ['/memory/n1'], STRICT)
    await time.pass(500)
    let sent = 0
    for (let second = 0; second < 120; second++) {
      // It hangs for 20 of each 40 seconds, and so does the node at other times.
      if (second % 40 === 10) memory.stopReading(slow.network.peerId)
      if (second % 40 === 30) memory.resumeReading(slow.network.peerId)
      if (second % 60 === 25) memory.stopReading(node.network.peerId)
      if (second % 60 === 45) memory.resumeReading(node.network.peerId)
      for (let i = 0; i < 95; i++) {
        if (slow.network.send(node.network.peerId, 'note', new Uint8Array(500)) === 'queued') sent++
      }
      await time.pass(1000)
    }
    await time.pass(60_000)
    assert.equal(hasFaults(node), false)
    assert.equal(droppedForRate(node), 0)
    assert.equal(node.network.peers().length, 1)
    assert.equal(node.gotFrom.get(slow.network.peerId), sent)
  })

  test('over its own limit a node waits and drops nothing; critical messages do not wait for others', async () => {
    const node = await start(1, [])
    const sender = await start(2, ['/memory/n1'], STRICT)
    await time.pass(500)
    const { peerId } = node.network
    const votesAtMs: number[] = []
    const sinceMs = time.monotonicMs()
    node.network.handle('vote', () => votesAtMs.push(time.monotonicMs() - sinceMs))
    for (let i = 0; i < 500; i++) sender.network.send(peerId, 'note', new Uint8Array(10))
    for (let i = 0; i < 5; i++) sender.network.send(peerId, 'bulk', new Uint8Array(1_000_000).fill(i))
    await time.pass(10)
    sender.network.send(peerId, 'vote', new Uint8Array(10))
    await time.pass(1000)
    assert.deepEqual(votesAtMs, [15])
    const got = node.gotFrom.get(sender.network.peerId)!
    assert.ok(got >= 295 && got <= 305, `${got} after a second`)
    await time.pass(10_000)
    assert.equal(node.gotFrom.get(sender.network.peerId), 505)
    assert.deepEqual(sender.network.stats().droppedByReason, {})
  })

  test('peers share what a node may send, also with one that has much more to get', async () => {
    const sender = await start(1, [], { ...STRICT, nodeMultiplier: 1, compression: false })
    const peers = [
      await start(2, ['/memory/n1'], { maxOutbound: 1 }),
      await start(3, ['/memory/n1'], { maxOutbound: 1 }),
    ]
    await time.pass(500)
    const [greedy, modest] = peers.map(({ network }) => network.peerId)
    for (let i = 0; i < 12; i++) sender.network.send(greedy!, 'bulk', new Uint8Array(1_000_000))
    for (let i = 0; i < 2; i++) sender.network.send(modest!, 'bulk', new Uint8Array(1_000_000))
    await time.pass(4000)
    assert.equal(peers[1]!.gotFrom.get(sender.network.peerId), 2)
    assert.ok(peers[0]!.gotFrom.get(sender.network.peerId)! <= 4)
  })

  test('what waited too long is not sent, and is counted', async () => {
    const node = await start(1, [])
    const sender = await start(2, ['/memory/n1'], { messageTtlMs: 5000, peerTimeoutMs: 100_000 })
    await time.pass(500)
    memory.stopReading(node.network.peerId)
    for (let i = 0; i < 10; i++) sender.network.send(node.network.peerId, 'note', randomText(100_000, i))
    await time.pass(6000)
    memory.resumeReading(node.network.peerId)
    await time.pass(1000)
    const expired = sender.network.stats().steps.queue.droppedByReason['expired']?.normal ?? 0
    assert.ok(expired > 0)
    assert.equal(node.gotFrom.get(sender.network.peerId)! + expired, 10)
  })

  test('every message is somewhere: created = delivered + dropped + queued (PT-10)', async () => {
    const node = await start(1, [], { ...STRICT, messageTtlMs: 3000 })
    const sender = await start(2, ['/memory/n1'], { messageTtlMs: 3000 })
    await time.pass(500)
    memory.stopReading(node.network.peerId)
    for (let i = 0; i < 6000; i++) {
      sender.network.send(node.network.peerId, 'note', new Uint8Array(100))
      sender.network.send('nobody', 'note', new Uint8Array(100))
    }
    for (let i = 0; i < 20; i++) sender.network.send(node.network.peerId, 'bulk', randomText(900_000, i))
    await time.pass(2000)
    memory.resumeReading(node.network.peerId)
    await time.pass(20_000)

    const [out, into] = [sender.network.stats(), node.network.stats()]
    for (const lane of LANES) {
      const queued = sender.network.peers()[0]!.queues[lane].messages
      const droppedOut = Object.values(out.steps).flatMap((step) => Object.values(step.droppedByReason))
      const droppedIn = Object.values(into.steps).flatMap((step) => Object.values(step.droppedByReason))
      const dropped = [...droppedOut, ...droppedIn].reduce((sum, byLane) => sum + byLane[lane], 0)
      assert.equal(
        out.steps.creation.entered[lane],
        into.steps.processing.left[lane] + dropped + queued,
        lane,
      )
    }
    assert.deepEqual(Object.keys(out.droppedByReason).toSorted(), ['expired', 'no session', 'queue full'])
  })

  test('without enforcement of priorities all wait in one lane, in the order of sending (PT-1)', async () => {
    const node = await start(1, [])
    const sender = await start(2, ['/memory/n1'], { priorityEnforcement: false, compression: false })
    await time.pass(500)
    const order: string[] = []
    for (const kind of ['vote', 'note', 'bulk']) node.network.handle(kind, () => order.push(kind))
    for (const kind of ['bulk', 'note', 'vote']) {
      sender.network.send(node.network.peerId, kind, new Uint8Array(1000))
    }
    await time.pass(100)
    assert.deepEqual(order, ['bulk', 'note', 'vote'])
  })

  test('limits follow the link, and say why (PT-12)', async () => {
    const node = await start(1, [])
    const sender = await start(2, ['/memory/n1'], { compression: false })
    await time.pass(500)
    const { peerId } = node.network
    // 256 KiB are on a way of 5 ms at most: some 50 MB/s.
    for (let ms = 0; ms < 3000; ms += 100) {
      for (let i = 0; i < 10; i++) sender.network.send(peerId, 'bulk', new Uint8Array(1_000_000))
      await time.pass(100)
    }
    const { moves, bytesPerSecondByPeer, configured } = sender.network.stats().limits
    assert.equal(moves[0]?.why, 'drain')
    assert.equal(moves[0]?.peer, peerId)
    assert.ok(bytesPerSecondByPeer[peerId]! < configured.bytesPerSecond / 5)
  })

  test('long messages go compressed; both sides count what was meant (PT-13)', async () => {
    const node = await start(1, [])
    const sender = await start(2, ['/memory/n1'])
    await time.pass(500)
    const before = sender.network.peers()[0]!.bytesOut
    sender.network.send(node.network.peerId, 'note', utf8ToBytes('again '.repeat(10_000)))
    await time.pass(100)
    assert.ok(sender.network.peers()[0]!.bytesOut - before < 6000)
    const ofNotes = (traffic: readonly { kind: string }[]) => traffic.filter(({ kind }) => kind === 'note')
    const expected = [{ kind: 'note', lane: 'normal', messages: 1, bytes: 60_000 }]
    assert.deepEqual(ofNotes(sender.network.stats().sent), expected)
    assert.deepEqual(ofNotes(node.network.stats().received), expected)
  })
})

/** Bytes that do not become fewer, the same in every run. */
function randomText(length: number, seed: number): Uint8Array {
  return seeded(seed + 1).bytes(length)
}
