import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { portableSigner } from '@althing/base'
import { encodeReports, signReport } from '../src/protocol/link-report.ts'
import type { LinkReport } from '../src/protocol/link-report.ts'
import { peerIdOfKey } from '../src/protocol/peer-id.ts'
import { GENESIS, ServiceWorld } from './service-world.ts'
import type { WorldNode } from './service-world.ts'
import { seeded } from './virtual-time.ts'

describe('the map of the network (PT-11)', () => {
  let world: ServiceWorld

  beforeEach(() => {
    world = new ServiceWorld()
  })

  /** The links that there are, and those that a node knows of, each as a text. */
  const truth = () =>
    world.nodes
      .flatMap((node) =>
        [...node.latencyMsByPeer.keys()].filter((to) => node.peerId < to).map((to) => `${node.peerId} ${to}`),
      )
      .toSorted()
  const known = (node: WorldNode) =>
    node.topology
      .view()
      .links.map(({ a, b }) => `${a} ${b}`)
      .toSorted()
  const assertAllKnow = (message?: string) => {
    const links = truth()
    for (const node of world.nodes) assert.deepEqual(known(node), links, message)
  }

  const shapes: Readonly<Record<string, (nodes: readonly WorldNode[]) => void>> = {
    line: (nodes) => nodes.forEach((node, i) => i > 0 && world.link(nodes[i - 1]!, node)),
    ring: (nodes) => nodes.forEach((node, i) => world.link(node, nodes[(i + 1) % nodes.length]!)),
    star: (nodes) => nodes.forEach((node) => world.link(nodes[0]!, node)),
    random: (nodes) => {
      const random = seeded(3)
      const pick = () => nodes[Math.floor(random.next() * nodes.length)]!
      for (const node of nodes) for (let i = 0; i < 3; i++) world.link(node, pick())
    },
  }
  for (const [shape, connect] of Object.entries(shapes)) {
    test(`everyone has the whole map of a ${shape} of 30 within ten seconds`, () => {
      connect(world.add(30))
      world.pass(10_000)
      assertAllKnow()
      assert.equal(world.nodes[7]!.topology.view().totalNodes, 30)
    })
  }

  test('links that come and go are followed, and what settles is known to all', () => {
    const nodes = world.add(30)
    shapes.random!(nodes)
    const random = seeded(5)
    const pick = () => nodes[Math.floor(random.next() * nodes.length)]!
    world.pass(5000)
    for (let round = 0; round < 30; round++) {
      const node = pick()
      const other = nodes.find(({ peerId }) => node.latencyMsByPeer.has(peerId))
      if (other !== undefined && node.latencyMsByPeer.size > 2 && other.latencyMsByPeer.size > 2)
        world.unlink(node, other)
      world.link(node, pick())
      world.pass(1000)
    }
    world.pass(12_000)
    assertAllKnow()
    assert.deepEqual(
      nodes.flatMap(({ faults }) => faults),
      [],
    )
  })

  test('a neighbour that reads slowly gets no backlog, and the newest once it reads', () => {
    const [hub, slow] = world.add(12) as [WorldNode, WorldNode]
    for (const node of world.nodes.slice(1)) world.link(hub, node)
    world.pass(5000)
    hub.stalled.add(slow.peerId)
    const [left] = world.nodes.slice(-1) as [WorldNode]
    world.unlink(hub, left)
    world.pass(60_000)
    assert.equal(known(slow).length, 11, 'nothing was sent to it')
    hub.stalled.delete(slow.peerId)
    world.pass(5000)
    assertAllKnow()
  })

  test('whoever leaves is disconnected at once, and forgotten after three minutes', () => {
    const [a, b, gone] = world.line(3) as [WorldNode, WorldNode, WorldNode]
    world.pass(10_000)
    world.unlink(b, gone)
    world.pass(5000)
    const { disconnectedPeers, totalNodes, links } = a.topology.view()
    assert.deepEqual([disconnectedPeers, totalNodes, links.length], [1, 3, 1])
    world.pass(200_000)
    assert.equal(a.topology.view().totalNodes, 2)
  })

  test('latency is averaged, the version is that of most nodes, and unhealthy links show', () => {
    const [a, b] = world.add(2) as [WorldNode, WorldNode]
    const [c] = world.add(1, { software: 'test 2' }) as [WorldNode]
    world.link(a, b, 10)
    world.link(b, c, 30)
    world.pass(5000)
    const { averageLatencyMs, networkVersion, healthyPeers } = a.topology.view()
    assert.deepEqual([averageLatencyMs, networkVersion, healthyPeers], [20, 'test 1', 3])
  })

  test('a node that tells nothing of its links is not on the map of others, and has one itself', () => {
    const [a, b] = world.line(2) as [WorldNode, WorldNode]
    const [quiet] = world.add(1, { linkReports: false }) as [WorldNode]
    world.link(b, quiet)
    world.pass(5000)
    assert.deepEqual(known(a), [[a.peerId, b.peerId].toSorted().join(' ')])
    assert.equal(quiet.topology.view().links.length, 2)
  })

  describe('lies', () => {
    const SIGNER = portableSigner(new Uint8Array(32).fill(200))
    const LIAR = peerIdOfKey(SIGNER.publicKey)
    let nodes: WorldNode[]

    beforeEach(() => {
      nodes = world.line(3)
      world.pass(10_000)
    })

    const reportOf = (changes: Partial<LinkReport>): LinkReport => ({
      peer: LIAR,
      seq: 1_700_000_000_000 + world.nowMs,
      nodeType: 'full',
      software: 'liar',
      protocolVersion: 1,
      links: [],
      ...changes,
    })
    const say = (from: WorldNode, to: WorldNode, encoded: Uint8Array) =>
      to.topology.received({ from: from.peerId, kind: 'topology-reports', body: encodeReports([encoded]) })

    test('a link that only one end reports does not count', () => {
      const [a, b, c] = nodes as [WorldNode, WorldNode, WorldNode]
      const links = [a, b, c].map(({ peerId }) => ({
        peer: peerId,
        latencyMs: 0.1,
        health: 'healthy' as const,
      }))
      say(a, b, signReport(reportOf({ links }), GENESIS, SIGNER))
      world.pass(3000)
      assert.equal(known(c).length, 2)
      assert.equal(c.topology.view().disconnectedPeers, 1)
    })

    test('a forged report is not taken, and charged to whoever passed it on', () => {
      const [a, b, c] = nodes as [WorldNode, WorldNode, WorldNode]
      const forged = signReport(reportOf({}), GENESIS, SIGNER)
      forged[forged.length - 1]! ^= 1
      const signed = signReport(reportOf({}), new Uint8Array(32), SIGNER)
      say(b, a, forged)
      say(b, a, signed)
      assert.deepEqual(
        a.faults.map(({ peer }) => peer),
        [b.peerId, b.peerId],
      )
      world.pass(3000)
      assert.equal(c.topology.view().totalNodes, 3)
    })

    test('what is no list of reports is charged', () => {
      const [a, b] = nodes as [WorldNode, WorldNode]
      a.topology.received({ from: b.peerId, kind: 'topology-reports', body: Uint8Array.of(1, 2, 3) })
      assert.equal(a.faults.length, 1)
    })

    test('reports of one node are taken up to a rate; who passes on more is not charged', () => {
      const [a, b] = nodes as [WorldNode, WorldNode]
      for (let i = 1; i <= 50; i++) {
        say(
          b,
          a,
          signReport(
            reportOf({ seq: 1_700_000_000_000 + world.nowMs + i, protocolVersion: i }),
            GENESIS,
            SIGNER,
          ),
        )
      }
      const { protocolVersion } = a.topology.view().nodes.find(({ peer }) => peer === LIAR)!
      assert.equal(protocolVersion, 5)
      assert.deepEqual(a.faults, [])
    })

    test('old reports and those of a far future are left alone', () => {
      const [a, b] = nodes as [WorldNode, WorldNode]
      for (const seq of [1_700_000_000_000 - 600_000, 1_700_000_000_000 + 600_000]) {
        say(b, a, signReport(reportOf({ seq }), GENESIS, SIGNER))
      }
      assert.equal(a.topology.view().totalNodes, 3)
      assert.deepEqual(a.faults, [])
    })
  })
})
