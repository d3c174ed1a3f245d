import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { createLibp2pTransport } from '../src/index.ts'
import { isConnected, join, TestWorld } from '../src/testing/world.ts'
import { until } from '../src/testing/until.ts'

describe('bans over sockets (PT-4)', () => {
  let world: TestWorld
  beforeEach(
    () => (world = new TestWorld({ transport: createLibp2pTransport, listen: '/ip4/127.0.0.1/tcp/0' })),
  )
  afterEach(() => world.stop())

  test('a banned address is cut off before a byte is said, and may come back', async () => {
    const [a, b] = [await world.node(), await world.node()]
    await a.network.ban('127.0.0.0/8')
    const port = Number(/tcp\/(\d+)/.exec(a.network.addresses()[0]!)?.[1])
    const bytes = await new Promise<number>((resolve) => {
      let received = 0
      connect(port, '127.0.0.1')
        .on('data', (data) => (received += data.length))
        .on('error', () => {})
        .on('close', () => resolve(received))
    })
    assert.equal(bytes, 0)
    await assert.rejects(b.network.connect(a.network.addresses()[0]!), { code: 'DIAL_FAILED' })
    await assert.rejects(a.network.connect(b.network.addresses()[0]!), { code: 'PEER_BANNED' })
    await a.network.unban('127.0.0.0/8')
    await join(b.network, a.network)
  })

  test('a banned identity gets no session, and loses the one it has', async () => {
    const [a, b] = [await world.node(), await world.node()]
    await join(b.network, a.network)
    await a.network.ban(b.network.peerId)
    await until('both know', () => !isConnected(a.network, b.network) && !isConnected(b.network, a.network))
    await assert.rejects(b.network.connect(a.network.addresses()[0]!))
    await assert.rejects(a.network.connect(b.network.addresses()[0]!), { code: 'PEER_BANNED' })
    assert.deepEqual(a.network.peers(), [])
  })
})
