import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bytesToUtf8 } from '@althing/base'
import { World } from './consensus-world.ts'

function holds(world: World, index: number, text: string): boolean {
  return world.nodes[index]!.store.blocks.some(({ block }) =>
    block.transactions.some((bytes) => bytesToUtf8(bytes) === text),
  )
}

function isFinalEverywhere(world: World, text: string): boolean {
  return world.nodes.every((node, index) => !node.isUp || holds(world, index, text))
}

describe('a loop of authorities', () => {
  for (const count of [1, 4, 7]) {
    it(`of ${count} makes transactions final everywhere, with reordered delivery, and a full node follows`, () => {
      for (let seed = 1; seed <= 3; seed++) {
        const world = new World(count, seed, {}, 1).startAll()
        for (let i = 0; i < 12; i++) {
          const text = `transaction ${i}`
          world.submit(text)
          assert.ok(
            world.runUntil(() => isFinalEverywhere(world, text), 3_000),
            `seed ${seed}: ${text} is not final everywhere`,
          )
        }
        world.assertSafe()
      }
    })
  }

  it('without work makes one empty block per idle interval', () => {
    const world = new World(4, 1).startAll()
    world.runUntil(() => false, 100_000)
    const { height } = world.nodes[0]!
    assert.ok(height >= 9 && height <= 10, `${height} blocks in 100 s at an idle interval of 10 s`)
  })

  for (const intervalMs of [50, 1_000, 300_000]) {
    it(`keeps a block interval of ${intervalMs} ms, one authority dead or not, and a late node catches up`, () => {
      const config = { intervalMs, idleIntervalMs: 4 * intervalMs, timeoutBaseMs: 1_000 }
      const world = new World(4, 2, config).startAll()
      const late = world.nodes[3]!
      const feed = (): void => {
        world.submit(`at ${world.timeMs}`)
        world.after(intervalMs / 2, feed)
      }
      feed()
      world.runUntil(() => false, 20.5 * intervalMs)
      const { height } = world.nodes[0]!
      assert.ok(height >= 19 && height <= 20, `${height} blocks in 20 intervals`)
      late.crash()
      world.runUntil(() => false, 20 * (intervalMs + 400))
      assert.ok(
        world.nodes[0]!.height >= height + 15,
        `${world.nodes[0]!.height - height} blocks with one dead`,
      )
      late.start()
      const target = world.nodes[0]!.height
      assert.ok(
        world.runUntil(() => late.height >= target, 5_000),
        'however long the interval is',
      )
    })
  }

  it('skips the views of a dead leader, one each, and goes on', () => {
    const world = new World(4, 3).startAll()
    world.nodes[2]!.crash()
    for (let i = 0; i < 12; i++) {
      world.submit(`transaction ${i}`)
      assert.ok(world.runUntil(() => isFinalEverywhere(world, `transaction ${i}`), 3_000))
    }
    const node = world.nodes[0]!
    const views = node.store.blocks.slice(1).map(({ block }) => block.header.view)
    for (const [index, view] of views.entries()) {
      const expected = (views[index - 1] ?? 0) + 1
      assert.equal(view, expected % 4 === 2 ? expected + 1 : expected)
    }
    world.assertSafe()
  })

  it('stops without a quorum, and goes on within 5 s of its return', () => {
    const world = new World(4, 5).startAll()
    world.submit('before')
    assert.ok(world.runUntil(() => isFinalEverywhere(world, 'before'), 3_000))
    world.nodes[1]!.crash()
    world.nodes[2]!.crash()
    world.submit('meanwhile')
    assert.ok(!world.runUntil(() => holds(world, 0, 'meanwhile'), 60_000))
    world.nodes[2]!.start()
    assert.ok(world.runUntil(() => isFinalEverywhere(world, 'meanwhile'), 5_000))
    world.assertSafe()
  })

  it('of 50 makes blocks with 16 dead', () => {
    const world = new World(50, 1).startAll()
    for (let index = 0; index < 16; index++) world.nodes[index * 3]!.crash()
    world.submit('one')
    assert.ok(world.runUntil(() => isFinalEverywhere(world, 'one'), 30_000))
  })

  it('survives loss, partitions and power failures: one chain, no forbidden vote, and progress by exactly a quorum', () => {
    for (let seed = 1; seed <= 12; seed++) chaos(seed)
  })
})

function chaos(seed: number): void {
  const count = seed % 2 === 0 ? 7 : 4
  const world = new World(count, seed, { segmentBytesMax: 5_000 }, 1).startAll()
  const { random, nodes } = world
  const lossRate = random() * 0.4
  let sides = nodes.map(() => 0)
  world.delayMaxMs = 10 + random() * 400
  world.isLost = (from, to) => random() < lossRate || sides[nodes.indexOf(from)] !== sides[nodes.indexOf(to)]
  for (let round = 0; round < 20; round++) {
    if (random() < 0.5) world.submit(`transaction ${round}`)
    if (random() < 0.5) sides = nodes.map(() => (random() < 0.25 ? 1 : 0))
    for (const node of nodes) {
      if (node.isUp && random() < 0.1) node.crash()
      else if (!node.isUp && random() < 0.5) node.start()
    }
    world.runUntil(() => false, random() * 2_500)
    world.assertSafe()
  }
  for (const node of nodes) if (node.isUp) node.crash()
  world.isLost = () => false
  world.delayMaxMs = 30
  const faulty = Math.floor((count - 1) / 3)
  const isDead = (index: number): boolean => index < count && (index + seed) % count < faulty
  for (const [index, node] of nodes.entries()) if (!isDead(index)) node.start()
  const up = nodes.filter((node) => node.isUp)
  const height = Math.max(...nodes.map((node) => node.height))
  let attempts = 0
  while (!up.every((node) => node.height > height)) {
    assert.ok(attempts++ < 30, `seed ${seed}: no progress in 30 s with exactly a quorum`)
    world.submit(`afterwards ${attempts}`)
    world.runUntil(() => up.every((node) => node.height > height), 1_000)
  }
  world.assertSafe()
  for (const node of nodes) assert.deepEqual(node.charges, [], `seed ${seed}: an honest peer is charged`)
}
