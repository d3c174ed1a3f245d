/** What libp2p finds by itself (TN-4, PO-13): a hash table and multicast DNS, of one network each. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { afterEach, describe, test } from 'node:test'
import { silentLog } from '@althing/base'
import { libp2pTransport } from '../src/index.ts'
import type { Libp2pOptions, Transport } from '../src/index.ts'
import { until } from '../src/testing/index.ts'

interface Finder {
  readonly transport: Transport
  /** Addresses by the peer that they are of. */
  readonly found: ReadonlyMap<string, readonly string[]>
}

const transports: Transport[] = []
afterEach(async () => {
  await Promise.all(transports.splice(0).map((transport) => transport.stop()))
})

/** A transport alone: nothing else tells it of peers. @param genesis 16 hexadecimal digits. */
async function finder(options: Libp2pOptions, genesis: string): Promise<Finder> {
  const found = new Map<string, readonly string[]>()
  const transport = await libp2pTransport(options)({
    identity: crypto.getRandomValues(new Uint8Array(32)),
    sessionProtocol: `/althing/${genesis}/session/1`,
    helloProtocol: '/althing/hello/1',
    listen: ['/ip4/127.0.0.1/tcp/0'],
    handshakeTimeoutMs: 10_000,
    idleTimeoutMs: 60_000,
    log: silentLog,
    onFound: (peer, addresses) => found.set(peer, addresses),
    onInbound: (link) => link.open({ onData() {}, onWritable() {}, onClosed() {} }),
  })
  transports.push(transport)
  await transport.start()
  return { transport, found }
}

async function dial(from: Finder, to: Finder): Promise<void> {
  const address = `${to.transport.addresses()[0]!}/p2p/${to.transport.peerId}`
  const link = await from.transport.dial(address, AbortSignal.timeout(5000))
  link.open({ onData() {}, onWritable() {}, onClosed() {} })
}

function isFound(by: Finder, other: Finder): boolean {
  const addresses = by.found.get(other.transport.peerId) ?? []
  return addresses.some((address) => address.startsWith(other.transport.addresses()[0]!))
}

const OURS = '0123456789abcdef'
const THEIRS = 'fedcba9876543210'

describe('DHT', () => {
  test('two that know a third find each other; a node of another network finds nobody', async () => {
    const [hub, a, b] = [
      await finder({ dht: true }, OURS),
      await finder({ dht: true }, OURS),
      await finder({ dht: true }, OURS),
    ]
    const stranger = await finder({ dht: true }, THEIRS)
    for (const each of [stranger, a, b]) await dial(each, hub)
    await until('both found', () => isFound(a, b) && isFound(b, a), 20_000)
    assert.deepEqual([...stranger.found.keys()], [])
    const signal = AbortSignal.timeout(10_000)
    const at = (await a.transport.locate!(b.transport.peerId, signal)).join()
    assert.ok(at.includes(b.transport.addresses()[0]!), at)
    assert.ok([hub, a, b].every((each) => !each.found.has(stranger.transport.peerId)))
  })
})

/** Whether what is sent to the group of mDNS comes back on this machine. */
async function multicastWorks(): Promise<boolean> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true })
  const heard = new Promise<boolean>((resolve) => {
    socket.on('message', () => resolve(true)).on('error', () => resolve(false))
    setTimeout(() => resolve(false), 1000).unref()
  })
  try {
    await new Promise<void>((resolve) => socket.bind(5353, resolve))
    socket.addMembership('224.0.0.251')
    socket.send(new Uint8Array(12), 5353, '224.0.0.251')
    return await heard
  } catch {
    return false
  } finally {
    socket.close()
  }
}

const deaf = !(await multicastWorks()) && 'multicast does not work on this machine'

describe('mDNS', { skip: deaf }, () => {
  test('nodes of one network find each other, and nobody of another', async () => {
    const [a, b] = [await finder({ mdns: true }, OURS), await finder({ mdns: true }, OURS)]
    const stranger = await finder({ mdns: true }, THEIRS)
    await until('they found each other', () => isFound(a, b) && isFound(b, a), 30_000)
    assert.deepEqual([...stranger.found.keys()], [])
    assert.deepEqual([a.found.size, b.found.size], [1, 1])
  })
})
