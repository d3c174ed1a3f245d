import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { createLibp2pTransport, parsePeerAddress } from '../src/index.ts'
import { networkCompliance, until } from '../src/testing/index.ts'
import { isConnected, TestWorld } from '../src/testing/world.ts'

const UNDER_TEST = { transport: createLibp2pTransport, listen: '/ip4/127.0.0.1/tcp/0' }

networkCompliance('libp2p', () => UNDER_TEST)

describe('sockets that are not libp2p', () => {
  let world: TestWorld
  beforeEach(() => {
    world = new TestWorld(UNDER_TEST)
  })
  afterEach(() => world.stop())

  const sockets = [
    { what: 'says nothing', bytes: new Uint8Array(0) },
    { what: 'speaks another protocol', bytes: new TextEncoder().encode('GET / HTTP/1.1\r\n\r\n') },
  ]
  for (const { what, bytes } of sockets) {
    test(`one that ${what} is closed, and the node goes on`, async () => {
      const a = await world.node({ handshakeTimeoutMs: 1500 })
      const socket = connect(parsePeerAddress(a.network.addresses()[0]!)!.port, '127.0.0.1')
      // However it is closed: a reset is fine.
      socket.on('error', () => {}).resume()
      const closed = new Promise((resolve) => socket.on('close', resolve))
      socket.write(bytes)
      await closed
      assert.deepEqual(a.network.peers(), [])
      const b = await world.node({ bootstrap: a.network.addresses() })
      await until('another node connects', () => isConnected(a.network, b.network))
    })
  }

  test('a bootstrap written as host:port is dialled', async () => {
    const a = await world.node()
    const { port } = parsePeerAddress(a.network.addresses()[0]!)!
    const b = await world.node({ bootstrap: [`localhost:${port}`] })
    await until('connected', () => isConnected(b.network, a.network))
  })
})
