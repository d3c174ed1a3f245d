/** Carriers by configuration of the listen addresses, and private networks (PT-6, VC-9). */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { libp2pTransport } from '../src/index.ts'
import type { Libp2pOptions, NetworkConfig } from '../src/index.ts'
import { networkCompliance } from '../src/testing/index.ts'
import { isConnected, TestWorld } from '../src/testing/world.ts'

const TCP = '/ip4/127.0.0.1/tcp/0'
const WS = '/ip4/127.0.0.1/tcp/0/ws'
const QUIC = '/ip4/127.0.0.1/udp/0/quic-v1'
const KEY = new Uint8Array(32).fill(5)

/** Not a literal: types are checked without the package too. */
const quicPackage: string = '@chainsafe/libp2p-quic'
const quicMissing: string | false = await import(quicPackage).then(
  () => false,
  () => '@chainsafe/libp2p-quic is not installed: npm install --no-save @chainsafe/libp2p-quic@2.1.1',
)

networkCompliance('WebSocket', () => ({ transport: libp2pTransport({}), listen: WS }))
if (quicMissing === false) networkCompliance('QUIC', () => ({ transport: libp2pTransport({}), listen: QUIC }))
else test('network over QUIC', { skip: quicMissing })

let world: TestWorld
beforeEach(() => {
  world = new TestWorld({ transport: libp2pTransport({}), listen: TCP })
})
afterEach(() => world.stop())

function options(options: Libp2pOptions, more: Partial<NetworkConfig> = {}): Partial<NetworkConfig> {
  return { transport: libp2pTransport(options), ...more }
}

describe('listen addresses', () => {
  test('several, of several carriers, lead to one node', async () => {
    const listen = [TCP, '/ip4/127.0.0.2/tcp/0', WS, ...(quicMissing === false ? [QUIC] : [])]
    const node = await world.node({ listen })
    const addresses = node.network.addresses()
    assert.equal(addresses.length, listen.length)
    for (const address of addresses) {
      const peer = await world.node({ listen: [listen.includes(QUIC) ? QUIC : TCP] })
      await peer.network.connect(address)
      assert.ok(isConnected(peer.network, node.network), address)
    }
  })

  test('what is announced is told in their place', async () => {
    const announce = ['/dns/node.example/tcp/443/wss']
    const node = await world.node(options({ announce }))
    assert.deepEqual(node.network.addresses(), [`${announce[0]}/p2p/${node.network.peerId}`])
  })

  const refused = [
    {
      what: 'QUIC with a private network key',
      config: options({ privateNetworkKey: KEY }, { listen: [QUIC] }),
      code: 'TRANSPORT_UNPROTECTED',
      says: /leave out one/,
    },
    {
      what: 'wss without a certificate',
      config: options({}, { listen: ['/ip4/127.0.0.1/tcp/0/wss'] }),
      code: 'LISTEN_FAILED',
      says: /behind a web server/,
    },
  ]
  for (const { what, config, code, says } of refused) {
    test(`${what} is refused, with what to do`, async () => {
      await assert.rejects(world.node(config), { code, message: says })
    })
  }

  test(
    'QUIC without its package is refused, with what to install',
    { skip: quicMissing === false && 'it is installed' },
    async () => {
      await assert.rejects(world.node({ listen: [QUIC] }), {
        code: 'TRANSPORT_MISSING',
        message: /npm install/,
      })
    },
  )
})

describe('private networks', () => {
  const pairs = [
    { what: 'of the same key meet', ours: KEY, theirs: KEY, meet: true },
    { what: 'of different keys do not', ours: KEY, theirs: new Uint8Array(32).fill(6), meet: false },
    { what: 'with a key are not reached without', ours: undefined, theirs: KEY, meet: false },
    { what: 'without a key are not reached with one', ours: KEY, theirs: undefined, meet: false },
  ]
  for (const { what, ours, theirs, meet } of pairs) {
    test(`nodes ${what}`, async () => {
      const keyed = (key: Uint8Array | undefined) =>
        options(key === undefined ? {} : { privateNetworkKey: key })
      const there = await world.node({ ...keyed(theirs), handshakeTimeoutMs: 1500 })
      const here = await world.node({ ...keyed(ours), handshakeTimeoutMs: 1500 })
      const connecting = here.network.connect(there.network.addresses()[0]!)
      if (meet) await connecting
      else await assert.rejects(connecting, { code: 'DIAL_FAILED' })
    })
  }
})
