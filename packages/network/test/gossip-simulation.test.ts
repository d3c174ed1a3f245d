/** The cores of gossip in simulated networks (PO-2): what comes where, at what cost, when things go wrong. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { FLOOD_KIND, GossipWorld, names, spreadLatency, TREE_KIND } from './gossip-world.ts'
import type { Character, SimulatedNode } from './gossip-world.ts'

const BYTES = 512

function grow(
  world: GossipWorld,
  count: number,
  dials: number,
  character: Character = 'honest',
): SimulatedNode[] {
  const nodes = names(character, count).map((name) => world.add(name, character))
  world.linkAtRandom(nodes, dials)
  world.run(1000)
  return nodes
}

/** One message after another, each from a random node. */
function publishMany(
  world: GossipWorld,
  from: readonly SimulatedNode[],
  count: number,
  options: { everyMs?: number; bytes?: number; kind?: number } = {},
): string[] {
  const { everyMs = 10, bytes = BYTES, kind = TREE_KIND } = options
  return Array.from({ length: count }, () => {
    const id = world.publish(world.pick(from), world.message(bytes), kind)
    world.run(everyMs)
    return id
  })
}

/** Messages that did not come, of all that should have. */
function missing(ids: readonly string[], nodes: Iterable<SimulatedNode>): number {
  let count = 0
  for (const { delivered } of nodes) for (const id of ids) if (!delivered.has(id)) count++
  return count
}

/** Each node has sent before, so that its tree is there. */
function warmUp(world: GossipWorld, nodes: readonly SimulatedNode[], kind = TREE_KIND): void {
  for (const node of nodes) {
    world.publish(node, world.message(BYTES), kind)
    world.run(10)
  }
  world.run(3000)
  world.resetCosts()
}

describe('gossip reaches everyone', () => {
  const shapes: Readonly<Record<string, (world: GossipWorld, nodes: readonly SimulatedNode[]) => void>> = {
    'a line of 20': (world, nodes) => {
      for (let i = 1; i < 20; i++) world.link(nodes[i - 1]!, nodes[i]!)
    },
    'a ring of 20': (world, nodes) => {
      for (let i = 0; i < 20; i++) world.link(nodes[i]!, nodes[(i + 1) % 20]!)
    },
    'a star of 50': (world, nodes) => {
      for (let i = 1; i < 50; i++) world.link(nodes[0]!, nodes[i]!)
    },
    'a random graph of 50': (world, nodes) => world.linkAtRandom(nodes, 4),
    'peers that know no notices': (world, nodes) => {
      for (let i = 0; i < 10; i++) {
        for (let j = 0; j < i; j++) world.link(nodes[i]!, nodes[j]!, i > 4 && j > 4)
      }
    },
  }
  const sizes: Readonly<Record<string, number>> = {
    'a line of 20': 20,
    'a ring of 20': 20,
    'peers that know no notices': 10,
  }
  const messages = [
    { what: 'small messages on the tree', kind: TREE_KIND, bytes: BYTES },
    { what: 'large messages on the tree', kind: TREE_KIND, bytes: 20_000 },
    { what: 'small messages that flood', kind: FLOOD_KIND, bytes: BYTES },
    { what: 'large messages that flood', kind: FLOOD_KIND, bytes: 20_000 },
  ]
  for (const [shape, connect] of Object.entries(shapes)) {
    for (const { what, kind, bytes } of messages) {
      test(`${what}: ${shape}`, () => {
        const world = new GossipWorld(1)
        const nodes = names('n', sizes[shape] ?? 50).map((name) => world.add(name))
        connect(world, nodes)
        const ids = publishMany(world, nodes, 20, { kind, bytes, everyMs: 20 })
        world.run(3000)
        assert.equal(missing(ids, nodes), 0)
      })
    }
  }

  test('a random graph of 50 that loses a fifth of its links while messages travel', () => {
    const world = new GossipWorld(2, spreadLatency)
    const nodes = grow(world, 50, 5)
    warmUp(world, nodes)
    const ids: string[] = []
    const links = nodes.flatMap((a) =>
      [...a.links].filter((b) => a.name < b.name).map((b) => [a, b] as const),
    )
    for (const [i, [a, b]] of links.entries()) {
      if (i % 5 === 0) world.unlink(a, b)
      ids.push(...publishMany(world, nodes, 1))
    }
    world.run(3000)
    assert.equal(missing(ids, nodes), 0)
  })
})

describe('what gossip costs', () => {
  test('in a steady state a transaction is sent to each once: at most 1.3 bytes for each byte of payload', () => {
    for (const [count, dials] of [
      [8, 8],
      [64, 8],
      [200, 4],
    ] as const) {
      const world = new GossipWorld(3, spreadLatency)
      const nodes = grow(world, count, dials)
      warmUp(world, nodes)
      const ids = publishMany(world, nodes, 200)
      world.run(1000)
      const deliveries = ids.length * (count - 1)
      assert.equal(missing(ids, nodes), 0)
      assert.ok(
        world.costs.pushes / deliveries <= 1.1,
        `${count} nodes: ${world.costs.pushes / deliveries} copies`,
      )
      const factor = world.bytesFactor(BYTES, deliveries)
      assert.ok(factor <= 1.3, `${count} nodes: ${factor} bytes`)
    }
  })

  test('a node of 64 that know each other does at most 1.3 times the work for a message that one of 8 does', () => {
    const workOf = (count: number): number => {
      const world = new GossipWorld(4, spreadLatency)
      const nodes = names('n', count).map((name) => world.add(name))
      for (const a of nodes) for (const b of nodes) world.link(a, b)
      world.run(1000)
      warmUp(world, nodes)
      const ids = publishMany(world, nodes, 200)
      world.run(1000)
      return (world.costs.pushes + world.costs.announcedIds) / (ids.length * (count - 1))
    }
    const [few, many] = [workOf(8), workOf(64)]
    assert.ok(many <= 1.3 * few, `${few} messages and ids for each delivery among 8, ${many} among 64`)
  })

  test('a large message is sent to each once, also when everyone has it at the same time', () => {
    const world = new GossipWorld(5)
    const nodes = grow(world, 50, 6)
    const ids = publishMany(world, nodes, 10, { bytes: 100_000, everyMs: 500 })
    assert.equal(missing(ids, nodes), 0)
    assert.equal(world.costs.pushes, 10 * 49)
  })

  test('among authorities that know each other a vote is pushed by who cast it, and little more', () => {
    const world = new GossipWorld(6, () => 20)
    const nodes = names('n', 20).map((name) => world.add(name))
    for (const a of nodes) for (const b of nodes) world.link(a, b)
    world.run(1000)
    for (let i = 0; i < 8; i++) warmUp(world, nodes, FLOOD_KIND)
    const ids = publishMany(world, nodes, 100, { kind: FLOOD_KIND, everyMs: 50 })
    world.run(500)
    assert.equal(missing(ids, nodes), 0)
    const copies = world.costs.pushes / (100 * 19)
    assert.ok(copies <= 1.5, `${copies} copies`)
    const latest = Math.max(
      ...nodes.flatMap(({ delivered }) => ids.map((id, i) => delivered.get(id)! - sentMs(i))),
    )
    assert.ok(latest <= 20, `${latest} ms`)

    function sentMs(i: number): number {
      return Math.min(...nodes.map(({ delivered }) => delivered.get(ids[i]!)!))
    }
  })
})

describe('200 nodes', () => {
  test('of which a tenth leaves and comes each minute: those that stay get everything', () => {
    const world = new GossipWorld(7, spreadLatency)
    const nodes = grow(world, 200, 4)
    const staying = nodes.slice(0, 150)
    const leaving = nodes.slice(150)
    const ids: string[] = []
    for (let second = 0; second < 60; second++) {
      if (second % 3 === 0) {
        world.remove(leaving.pop()!)
        const newcomer = world.add(`newcomer${second}`)
        for (let i = 0; i < 4; i++) world.link(newcomer, world.pick(staying))
      }
      ids.push(...publishMany(world, staying, 5, { everyMs: 200 }))
    }
    world.run(5000)
    assert.equal(missing(ids, staying), 0)
  })

  test('with 2 % of everything lost: what is lost is asked for', () => {
    const world = new GossipWorld(8, spreadLatency)
    const nodes = grow(world, 200, 4)
    world.lossRate = 0.02
    const ids = publishMany(world, nodes, 100, { everyMs: 50 })
    world.run(10_000)
    const lost = missing(ids, nodes)
    assert.ok(lost <= 2, `${lost} of ${100 * 199} deliveries are missing`)
  })

  test('parted and joined again: what was said in the last seconds reaches the other side', () => {
    const world = new GossipWorld(9, spreadLatency)
    const nodes = grow(world, 200, 4)
    const isWest = (node: SimulatedNode) => nodes.indexOf(node) < 100
    const cut = nodes.flatMap((a) =>
      [...a.links].filter((b) => isWest(a) && !isWest(b)).map((b) => [a, b] as const),
    )
    for (const [a, b] of cut) world.unlink(a, b)
    const during = publishMany(world, nodes, 20, { everyMs: 50 })
    world.run(1000)
    assert.ok(missing(during, nodes) >= 20 * 90, 'half of the nodes cannot have them')
    for (const [a, b] of cut) world.link(a, b)
    const after = publishMany(world, nodes, 50)
    world.run(5000)
    assert.equal(missing([...during, ...after], nodes), 0)
  })

  test('one of which floods with messages that nobody accepts: it alone is to blame, and nobody passes them on', () => {
    const world = new GossipWorld(10, spreadLatency)
    const nodes = grow(world, 200, 4)
    const flooder = world.add('flooder')
    for (let i = 0; i < 8; i++) world.link(flooder, nodes[i]!)
    const ids: string[] = []
    for (let i = 0; i < 100; i++) {
      for (const victim of flooder.links) world.sendRaw(flooder, victim, world.message(BYTES, false))
      ids.push(...publishMany(world, nodes, 1))
    }
    world.run(3000)
    assert.equal(missing(ids, nodes), 0)
    assert.deepEqual([...world.faultsByPeer], [['flooder', 100 * flooder.links.size]])
  })

  test('a tenth of which announce and never send: the others get everything, and know who withholds', () => {
    const world = new GossipWorld(11, spreadLatency)
    const nodes = grow(world, 180, 4)
    const withholders = names('withholder', 20).map((name) => world.add(name, 'withholder'))
    for (const withholder of withholders)
      for (let i = 0; i < 8; i++) world.link(withholder, world.pick(nodes))
    world.run(1000)
    const ids = publishMany(world, nodes, 200, { everyMs: 50 })
    const large = publishMany(world, nodes, 20, { everyMs: 100, bytes: 50_000 })
    world.run(10_000)
    assert.equal(missing([...ids, ...large], nodes), 0)
    assert.ok(world.withheldByPeer.size > 0)
    for (const [peer, count] of world.withheldByPeer) {
      assert.match(peer, /withholder/, `${peer} withheld ${count}`)
    }
    assert.equal(world.faultsByPeer.size, 0)
  })

  test('among 300 of one attacker, who announce what does not exist and prune everyone: the honest get everything', () => {
    const world = new GossipWorld(12, spreadLatency)
    const nodes = grow(world, 200, 4)
    const sybils = names('sybil', 300).map((name) => world.add(name, 'withholder'))
    // Slots by address bound how many of one subnet get in: here one in each node.
    for (const [i, sybil] of sybils.slice(0, 200).entries()) world.link(sybil, nodes[i]!)
    for (const [i, sybil] of sybils.entries()) {
      const ids = Array.from({ length: 512 }, (_, k) =>
        String.fromCharCode(TREE_KIND, i & 255, i >> 8, k & 255, k >> 8).padEnd(16),
      )
      for (const victim of sybil.links) {
        for (let round = 0; round < 8; round++) {
          world.sendRaw(sybil, victim, { kind: 'announce', spreading: 'tree', ids })
          world.sendRaw(sybil, victim, { kind: 'prune', ids })
        }
      }
    }
    world.run(100)
    for (const { core } of nodes) assert.ok(core.memory.missing <= 1024)
    const ids = publishMany(world, nodes, 100)
    world.run(5000)
    assert.equal(missing(ids, nodes), 0)
    for (const { core } of nodes) assert.equal(core.memory.missing, 0)
  })

  test('memory stays within its bounds whatever is published', () => {
    const world = new GossipWorld(13)
    const nodes = grow(world, 10, 5)
    publishMany(world, nodes, 400, { everyMs: 5, bytes: 100_000 })
    for (const { core } of nodes) assert.ok(core.memory.keptBytes <= 16 * 1024 * 1024)
    publishMany(world, nodes, 5000, { everyMs: 1, bytes: 16 })
    for (const { core } of nodes) assert.ok(core.memory.kept <= 4096)
  })
})
