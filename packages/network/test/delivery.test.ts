import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { utf8ToBytes } from '@althing/base'
import { createLibp2pTransport, createMemoryNetwork } from '../src/index.ts'
import type { Delivery, MemoryNetwork } from '../src/index.ts'
import { until } from '../src/testing/until.ts'
import { join, TestWorld } from '../src/testing/world.ts'
import type { TestNode } from '../src/testing/world.ts'

const LETTER = utf8ToBytes('for your eyes only')

describe('delivery end to end (PT-7, PC-11, PC-12)', () => {
  let memory: MemoryNetwork
  let world: TestWorld

  beforeEach(() => {
    memory = createMemoryNetwork()
    world = new TestWorld({ transport: memory.transport, listen: '/memory/0' })
  })

  afterEach(() => world.stop())

  /** Nodes that dial nobody by themselves, each linked to the next. */
  async function line(count: number): Promise<TestNode[]> {
    const nodes: TestNode[] = []
    for (let i = 0; i < count; i++) nodes.push(await world.node({ maxOutbound: 0 }))
    for (let i = 1; i < count; i++) await join(nodes[i - 1]!.network, nodes[i]!.network)
    return nodes
  }

  function inboxOf({ network }: TestNode): Delivery[] {
    const deliveries: Delivery[] = []
    network.delivery.handle('transaction', (delivery) => void deliveries.push(delivery))
    return deliveries
  }

  test('a sealed message goes along a line of five, and its receipt comes back', async () => {
    const nodes = await line(5)
    const [first, last] = [nodes[0]!, nodes[4]!]
    const inbox = inboxOf(last)
    const receipt = await first.network.delivery.send(last.network.peerId, 'transaction', LETTER)
    assert.equal(inbox.length, 1)
    const [{ from, body, sealed, id }] = inbox as [Delivery]
    assert.deepEqual(
      { from, body, sealed, id },
      { from: first.network.peerId, body: LETTER, sealed: true, id: receipt.id },
    )
  })

  test('topology: everyone on the line knows the whole line', async () => {
    const nodes = await line(5)
    await until('all know four links', () =>
      nodes.every(({ network }) => network.topology().links.length === 4),
    )
    assert.equal(nodes[0]!.network.topology().totalNodes, 5)
  })
})

test('the same over TCP: sealed, over a node between, and back', async () => {
  const world = new TestWorld({ transport: createLibp2pTransport, listen: '/ip4/127.0.0.1/tcp/0' })
  try {
    const [a, b, c] = [
      await world.node({ maxOutbound: 0 }),
      await world.node({ maxOutbound: 0 }),
      await world.node({ maxOutbound: 0 }),
    ]
    await join(a.network, b.network)
    await join(b.network, c.network)
    const bodies: Uint8Array[] = []
    c.network.delivery.handle('block', ({ body }) => void bodies.push(body))
    const body = new Uint8Array(300_000).fill(5)
    await a.network.delivery.send(c.network.peerId, 'block', body)
    assert.deepEqual(bodies, [body])
  } finally {
    await world.stop()
  }
})
