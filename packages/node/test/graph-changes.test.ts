/** Who wants to know what changes in graphs is told, and holds nobody up (PC-6). */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { graphCreate, graphDelete, graphInsert, portableSigner, silentLog } from '@althing/base'
import type { ApiError } from '@althing/client'
import { GraphFeed } from '../src/graph-changes/graph-feed.ts'
import type { GraphChangesMissed } from '../src/graph-changes/graph-feed.ts'
import type { GraphChanged } from '../src/graph-changes/pattern.ts'
import type { NodeEvent } from '../src/index.ts'
import type { IndexedBlock } from '../src/sparql/source.ts'
import { GraphWorld, until } from './graph-world.ts'

const [FARMS, SHOPS] = ['http://e/farms', 'http://e/shops']
const [APPLE, PEAR] = [
  '<http://e/apple> <http://e/from> <http://e/farm>',
  '<http://e/pear> <http://e/from> "x <y> ."',
]
const SOLD = '<http://e/apple> <http://e/soldBy> <http://e/shop>'
const writer = portableSigner(new Uint8Array(32).fill(50))

describe('changes of graphs on a node', () => {
  const world = new GraphWorld(1, [writer])
  const events: NodeEvent[] = []
  const told: (GraphChanged | GraphChangesMissed)[] = []
  const heights = { made: 0, inserted: 0, deleted: 0 }

  before(async () => {
    const node = await world.start(0)
    node.subscribe((event) => events.push(event))
    node.subscribeGraph(
      { subject: 'http://e/apple', predicate: 'http://e/from' },
      (event) => void told.push(event),
    )
    heights.made = await world.write(0, writer, [
      graphCreate({ graph: FARMS }),
      graphCreate({ graph: SHOPS }),
    ])
    heights.inserted = await world.write(0, writer, [
      graphInsert({ graph: FARMS, statements: [APPLE, PEAR] }),
      graphInsert({ graph: SHOPS, statements: [SOLD] }),
    ])
    heights.deleted = await world.write(0, writer, [graphDelete({ graph: FARMS, statements: [APPLE, SOLD] })])
  })
  after(() => world[Symbol.asyncDispose]())

  test('are events, one for each graph, before the block counts as final', () => {
    const changed = events.filter((event) => event.kind === 'graphChanged')
    assert.deepEqual(changed, [
      { kind: 'graphChanged', height: heights.inserted, graph: FARMS, inserted: [APPLE, PEAR], deleted: [] },
      { kind: 'graphChanged', height: heights.inserted, graph: SHOPS, inserted: [SOLD], deleted: [] },
      { kind: 'graphChanged', height: heights.deleted, graph: FARMS, inserted: [], deleted: [APPLE] },
    ])
    const isFinal = (event: NodeEvent): boolean =>
      event.kind === 'blockFinal' && event.height >= heights.inserted
    assert.ok(events.indexOf(changed[0]!) < events.findIndex(isFinal))
  })

  test('reach who listens to a subject and a predicate', async () => {
    await until('both were told', () => told.length === 2)
    assert.deepEqual(told, [
      { kind: 'graphChanged', height: heights.inserted, graph: FARMS, inserted: [APPLE], deleted: [] },
      { kind: 'graphChanged', height: heights.deleted, graph: FARMS, inserted: [], deleted: [APPLE] },
    ])
  })

  test('are read from a height on, as far as they are remembered', async () => {
    const { graphs } = world.client(0)
    const all = await graphs.changes(FARMS, { from: heights.made })
    assert.deepEqual(all.changes, [
      { height: heights.inserted, inserted: [APPLE, PEAR], deleted: [] },
      { height: heights.deleted, inserted: [], deleted: [APPLE] },
    ])
    assert.ok(all.height >= heights.deleted)
    const pears = await graphs.changes(FARMS, { from: heights.made, subject: 'http://e/pear' })
    assert.deepEqual(pears.changes, [{ height: heights.inserted, inserted: [PEAR], deleted: [] }])
    const early = graphs.changes(FARMS, { from: 1_000_000 })
    await assert.rejects(early, (error: ApiError) => error.code === 'CHANGES_NOT_KEPT')
  })

  test('are waited for', async () => {
    const from = world.height(0)
    const waiting = world.client(0).graphs.changes(SHOPS, { from, wait: 8 })
    await until('the node has the question', () => world.nodes[0]!.backend.graphFeed.waiting === 1)
    const height = await world.write(0, writer, [graphDelete({ graph: SHOPS, statements: [SOLD] })])
    assert.deepEqual((await waiting).changes, [{ height, inserted: [], deleted: [SOLD] }])
  })
})

describe('a feed of changes', () => {
  const statement = (height: number): string =>
    `<http://e/s> <http://e/p> "${height} ${'x'.repeat(1_000_000)}"`
  const blocks = new Map<number, IndexedBlock>()
  const source = {
    height: 0,
    changes: (from: number, to: number) => {
      const found = blocks.get(to)
      return from === to - 1 && found !== undefined ? [found] : null
    },
  }
  const grow = (feed: GraphFeed, height: number): void => {
    source.height = height
    blocks.set(height, { height, deleted: '', inserted: `${statement(height)} <${FARMS}> .\n` })
    feed.follow(height, null)
  }

  test('has a listener that is slow miss what has no room, and says which heights', async () => {
    const feed = new GraphFeed(source, silentLog)
    const slow: (GraphChanged | GraphChangesMissed)[] = []
    const quick: number[] = []
    const gate = Promise.withResolvers<void>()
    feed.subscribe({}, async (event) => {
      slow.push(event)
      await gate.promise
    })
    feed.subscribe({}, (event) => void (event.kind === 'graphChanged' && quick.push(event.height)))
    for (let height = 1; height <= 20; height++) {
      grow(feed, height)
      await until('the quick one is told', () => quick.length === height)
    }
    gate.resolve()
    await until('the slow one has all', () => slow.at(-1)?.kind === 'graphChangesMissed')
    const missed = slow.at(-1) as GraphChangesMissed
    const heights = slow.flatMap((event) => (event.kind === 'graphChanged' ? [event.height] : []))
    assert.deepEqual(
      heights,
      Array.from({ length: missed.fromHeight - 1 }, (_, i) => i + 1),
    )
    assert.ok(heights.length >= 8)
    assert.equal(missed.toHeight, 20)
    grow(feed, 21)
    await until('it is told again', () => slow.at(-1)?.kind === 'graphChanged')
    feed.stop()
  })

  test('goes on when a listener throws', async () => {
    const feed = new GraphFeed(source, silentLog)
    const good: number[] = []
    let calls = 0
    feed.subscribe({}, () => {
      calls++
      throw new Error('a bug of whoever listens')
    })
    feed.subscribe({}, (event) => void (event.kind === 'graphChanged' && good.push(event.height)))
    for (const height of [22, 23]) {
      grow(feed, height)
      await until('the good one is told', () => good.at(-1) === height)
    }
    assert.equal(calls, 1)
    feed.stop()
  })
})
