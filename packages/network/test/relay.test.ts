import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { createLibp2pTransport, NetworkError } from '../src/index.ts'
import type { Network, NetworkConfig } from '../src/index.ts'
import { until } from '../src/testing/index.ts'
import { isConnected, TestWorld } from '../src/testing/world.ts'

const QUICK = { relayConfirmMs: 100, probeIntervalMs: 100 }

describe('relays, on one machine (PT-8)', () => {
  let world: TestWorld
  beforeEach(() => {
    world = new TestWorld({ transport: createLibp2pTransport, listen: '/ip4/127.0.0.1/tcp/0' })
  })
  afterEach(() => world.stop())

  const relay = async (options: Partial<NetworkConfig> = {}) =>
    (await world.node({ nat: { ...QUICK, relayServer: 'on' }, ...options })).network
  const client = async (of: Network) =>
    (await world.node({ nat: { ...QUICK, relayClient: 'on' }, bootstrap: of.addresses() })).network
  const relayAddress = (network: Network) =>
    network.addresses().find((address) => address.includes('/p2p-circuit'))

  test('who is not connected to the relay reaches a node over it', async () => {
    const over = await relay()
    const hidden = await client(over)
    await until('a place is held', () => relayAddress(hidden) !== undefined)
    const { network: caller } = await world.node()
    await caller.connect(relayAddress(hidden)!)
    assert.ok(isConnected(caller, hidden))
    assert.match(caller.peers().find(({ id }) => id === hidden.peerId)!.remoteAddress, /p2p-circuit/)
    let received = 0
    hidden.handle('bulk', () => received++)
    for (let i = 0; i < 20; i++) {
      await caller.sendReady(hidden.peerId, 'low')
      assert.equal(caller.send(hidden.peerId, 'bulk', new Uint8Array(64 * 1024)), 'queued')
    }
    await until('all came', () => received === 20)
  })

  test('when the relay restarts, the place is made again', async () => {
    const first = await relay()
    const [address] = first.addresses()
    const hidden = await client(first)
    await until('a place is held', () => relayAddress(hidden) !== undefined)
    await first.stop()
    await until('it is announced no more', () => relayAddress(hidden) === undefined)
    const [listen] = address!.split('/p2p/')
    await relay({ identity: new Uint8Array(32).fill(1), listen: [listen!] })
    await until('a place is held again', () => relayAddress(hidden) !== undefined)
    assert.deepEqual(hidden.reachability().relays, [first.peerId])
  })

  test('a node that does not relay gives no place, and passes nobody on', async () => {
    const plain = await relay({ nat: { ...QUICK, relayServer: 'off' } })
    const hidden = await client(plain)
    await until('connected', () => isConnected(hidden, plain))
    assert.deepEqual(hidden.reachability().relays, [])
    const { network: caller } = await world.node()
    const through = `${plain.addresses()[0]}/p2p-circuit/p2p/${hidden.peerId}`
    await assert.rejects(
      caller.connect(through),
      (error) => error instanceof NetworkError && error.code === 'DIAL_FAILED',
    )
  })

  test('peers dial back, and say whether they came through', async () => {
    const [a, b] = await world.pair({ nat: QUICK })
    for (const network of [a, b]) {
      await until('it is known', () => network.reachability().reach === 'public')
      assert.match(network.reachability().why, /1 of 1 peers .* on this machine/)
    }
  })

  test('a node that listens nowhere knows that nobody can dial it', async () => {
    const over = await relay()
    const { network } = await world.node({ nat: QUICK, listen: [], bootstrap: over.addresses() })
    await until('a place is held', () => relayAddress(network) !== undefined)
    assert.equal(network.reachability().reach, 'private')
  })
})
