import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, test } from 'node:test'
import type { Connection, Libp2p, MultiaddrConnection, Stream } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { generateKey, preSharedKey } from '@libp2p/pnet'
import { tcp } from '@libp2p/tcp'
import { tls } from '@libp2p/tls'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import type { Libp2pInit } from 'libp2p'
import { silentLogger } from '../../src/libp2p/silent-logger.ts'
import { socketTls } from '../../src/libp2p/tls/encrypter.ts'
import { until } from '../../src/testing/index.ts'
import { Received, sendAll, socketOf } from './tls-world.ts'

const TCP = '/ip4/127.0.0.1/tcp/0'
const WEB_SOCKET = '/ip4/127.0.0.1/tcp/0/ws'
const ECHO = '/echo/1'
/** A ClientHello or a ServerHello in hexadecimal: record type, version, length, message type, first byte of its length. */
const TLS_HELLO = /1603(?:01|03)....(?:01|02)00/

const encrypters = { ours: [socketTls(), noise()], stock: [tls(), noise()], stockTurned: [noise(), tls()] }
type Encrypters = keyof typeof encrypters

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop()
})

async function node(name: Encrypters, listen: string, init: Libp2pInit = {}): Promise<Libp2p> {
  const host = await createLibp2p({
    logger: silentLogger,
    addresses: { listen: [listen] },
    transports: [tcp(), webSockets()],
    connectionEncrypters: encrypters[name],
    streamMuxers: [yamux()],
    ...init,
  })
  stops.push(() => host.stop())
  await host.handle(ECHO, (stream) => {
    stream.addEventListener('message', ({ data }) => void stream.send(data))
  })
  return host
}

/** Lets everything through, and keeps it. */
class Tap {
  readonly #pieces: Buffer[] = []

  /** @returns the address to dial instead. */
  async before(host: Libp2p): Promise<string> {
    const address = host.getMultiaddrs()[0]!.toString()
    const port = Number(/\/tcp\/(\d+)/.exec(address)![1])
    const server = createServer((near) => {
      const far = connect(port, '127.0.0.1')
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        from.on('data', (bytes) => this.#pieces.push(bytes))
        from.on('error', () => to.destroy()).on('close', () => to.destroy())
        from.pipe(to)
      }
    }).listen(0, '127.0.0.1')
    stops.push(() => server.close())
    await once(server, 'listening')
    return address.replace(`/tcp/${port}`, `/tcp/${(server.address() as AddressInfo).port}`)
  }

  said(encoding: 'latin1' | 'hex' = 'latin1'): string {
    return Buffer.concat(this.#pieces).toString(encoding)
  }
}

/** Whether TLS reads the socket of a connection itself. */
function ranOnSocket(connection: Connection): boolean {
  const { maConn } = connection as unknown as { readonly maConn: MultiaddrConnection }
  return socketOf(maConn).listenerCount('data') === 0
}

async function assertEchoes(connection: Connection): Promise<void> {
  const stream: Stream = await connection.newStream(ECHO)
  const bytes = randomBytes(200_000)
  const received = new Received(stream)
  await sendAll(stream, bytes)
  await until('everything came back', () => received.bytes === bytes.length)
  assert.ok(received.all().equals(bytes))
}

/** Dials, and shows that both sides know each other and that bytes arrive. */
async function link(dialler: Libp2p, listener: Libp2p, address: string): Promise<Connection[]> {
  const outbound = await dialler.dial(multiaddr(address), { signal: AbortSignal.timeout(10_000) })
  assert.equal(outbound.remotePeer.toString(), listener.peerId.toString())
  await until('the other side has it', () => listener.getConnections(dialler.peerId).length === 1)
  const [inbound] = listener.getConnections(dialler.peerId)
  await Promise.all([assertEchoes(outbound), assertEchoes(inbound!)])
  return [outbound, inbound!]
}

describe('whole libp2p nodes', () => {
  const rows: { dialler: Encrypters; listener: Encrypters; encryption: string; onSocket: boolean[] }[] = [
    { dialler: 'ours', listener: 'ours', encryption: '/tls/1.0.0', onSocket: [true, true] },
    { dialler: 'ours', listener: 'stock', encryption: '/tls/1.0.0', onSocket: [true, false] },
    { dialler: 'stock', listener: 'ours', encryption: '/tls/1.0.0', onSocket: [false, true] },
    { dialler: 'stockTurned', listener: 'ours', encryption: '/noise', onSocket: [false, false] },
  ]
  for (const { dialler, listener, encryption, onSocket } of rows) {
    test(`${dialler} dials ${listener} over TCP: ${encryption}, TLS on the sockets: ${onSocket.join(' and ')}`, async () => {
      const from = await node(dialler, TCP)
      const to = await node(listener, TCP)
      const ends = await link(from, to, to.getMultiaddrs()[0]!.toString())
      assert.deepEqual(
        ends.map((end) => end.encryption),
        [encryption, encryption],
      )
      assert.deepEqual(ends.map(ranOnSocket), onSocket)
    })
  }

  test('over WebSocket, TLS runs over the stream', async () => {
    const to = await node('ours', WEB_SOCKET)
    const from = await node('ours', TCP)
    const tap = new Tap()
    const [outbound] = await link(from, to, await tap.before(to))
    assert.equal(outbound!.encryption, '/tls/1.0.0')
    assert.match(tap.said(), /Sec-WebSocket-Accept/i)
  })
})

describe('on the wire', () => {
  test('a bare link shows TLS', async () => {
    const to = await node('ours', TCP)
    const tap = new Tap()
    await link(await node('ours', TCP), to, await tap.before(to))
    assert.match(tap.said(), /\/tls\/1\.0\.0/)
    assert.match(tap.said('hex'), TLS_HELLO)
  })

  test('a private network shows no TLS record, nor that TLS was chosen: its key is outermost', async () => {
    const psk = new Uint8Array(95)
    generateKey(psk)
    const to = await node('ours', TCP, { connectionProtector: preSharedKey({ psk }) })
    const from = await node('ours', TCP, { connectionProtector: preSharedKey({ psk }) })
    const tap = new Tap()
    const ends = await link(from, to, await tap.before(to))
    assert.equal(ends[0]!.encryption, '/tls/1.0.0')
    assert.deepEqual(ends.map(ranOnSocket), [false, false])
    assert.ok(tap.said().length > 400_000)
    assert.doesNotMatch(tap.said(), /multistream|\/tls\/1\.0\.0|\/noise/)
    assert.doesNotMatch(tap.said('hex'), TLS_HELLO)
  })
})
