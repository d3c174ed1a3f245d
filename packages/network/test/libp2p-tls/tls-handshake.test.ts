import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { afterEach, describe, test } from 'node:test'
import { connect, TLSSocket } from 'node:tls'
import type { SecureContextOptions, TLSSocketOptions } from 'node:tls'
import type { MultiaddrConnection, SecuredConnection } from '@libp2p/interface'
import { until } from '../../src/testing/index.ts'
import { bareSocketOf } from '../../src/libp2p/tls/bare-socket.ts'
import { encryptSocket } from '../../src/libp2p/tls/socket-tls.ts'
import { expired, stolen, unnamed } from './tls-certificates.ts'
import { party, Received, sendAll, socketOf, TlsWorld } from './tls-world.ts'
import type { EncrypterName, TcpPair } from './tls-world.ts'

const MIB = 1024 * 1024
const world = new TlsWorld()
afterEach(() => world.stop())

const alice = await party('ours', 1)
const bob = await party('ours', 2)
const stockAlice = await party('stock', 1)
const stockBob = await party('stock', 2)

/** TLS options that show Alice's identity. */
const ALICE = { secureContext: alice.context }

/** A remote of node:tls alone, on its end of a pair. */
function rawTls(
  role: 'client' | 'server',
  connection: MultiaddrConnection,
  identity: TLSSocketOptions,
): TLSSocket {
  const socket = socketOf(connection).removeAllListeners('data')
  const options = { ...identity, ALPNProtocols: ['libp2p'], rejectUnauthorized: false }
  const encrypted =
    role === 'client'
      ? connect({ ...options, socket })
      : new TLSSocket(socket, { ...options, isServer: true, requestCert: true })
  // What it is told of its own fault does not matter here.
  return encrypted.on('error', () => {})
}

async function assertGone({ dialled, accepted }: TcpPair): Promise<void> {
  await until('both ends are closed', () => dialled.status !== 'open' && accepted.status !== 'open')
  await until('no socket is left', () => openSockets() === 0)
}

function openSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length
}

describe('one /tls/1.0.0 with @libp2p/tls', () => {
  const cases: { readonly dialler: EncrypterName; readonly listener: EncrypterName }[] = [
    { dialler: 'ours', listener: 'ours' },
    { dialler: 'ours', listener: 'stock' },
    { dialler: 'stock', listener: 'ours' },
  ]
  for (const { dialler, listener } of cases) {
    for (const skipStreamMuxerNegotiation of [false, true]) {
      const muxer = skipStreamMuxerNegotiation ? 'no muxer' : 'the muxer'
      test(`${dialler} dials ${listener}: each knows the other, ${muxer} is agreed, bytes arrive`, async () => {
        const pair = await world.pair()
        const { dialled, accepted } = pair
        const from = dialler === 'ours' ? alice : stockAlice
        const to = listener === 'ours' ? bob : stockBob
        const options = { skipStreamMuxerNegotiation, signal: AbortSignal.timeout(10_000) }
        const [a, b] = await Promise.all([
          from.encrypter.secureOutbound(dialled, { ...options, remotePeer: to.peerId }),
          to.encrypter.secureInbound(accepted, options),
        ])
        assert.equal(a.remotePeer.toString(), bob.peerId.toString())
        assert.equal(b.remotePeer.toString(), alice.peerId.toString())
        const agreed = skipStreamMuxerNegotiation ? undefined : '/yamux/1.0.0'
        assert.deepEqual([a.streamMuxer?.protocol, b.streamMuxer?.protocol], [agreed, agreed])
        await assertCarries(a, b)
        await assertCarries(b, a)
      })
    }
  }
})

async function assertCarries(from: SecuredConnection, to: SecuredConnection): Promise<void> {
  const bytes = randomBytes(3 * MIB)
  const received = new Received(to.connection)
  await sendAll(from.connection, bytes)
  await until('all bytes arrived', () => received.bytes === bytes.length)
  assert.ok(received.all().equals(bytes))
}

describe('a remote that is not who it should be is refused, and no socket stays', () => {
  test('our dialler wants another peer', async () => {
    const pair = await world.pair()
    const { dialled, accepted } = pair
    const inbound = stockBob.encrypter.secureInbound(accepted).catch(() => null)
    const outbound = alice.encrypter.secureOutbound(dialled, { remotePeer: alice.peerId })
    await assert.rejects(outbound, { name: 'UnexpectedPeerError' })
    await inbound
    await assertGone(pair)
  })

  test('our listener wants another peer', async () => {
    const pair = await world.pair()
    const { dialled, accepted } = pair
    stockAlice.encrypter.secureOutbound(dialled).catch(() => null)
    const inbound = bob.encrypter.secureInbound(accepted, { remotePeer: bob.peerId })
    await assert.rejects(inbound, { name: 'UnexpectedPeerError' })
    await assertGone(pair)
  })

  const remotes: { readonly what: string; readonly context: SecureContextOptions; readonly error: RegExp }[] =
    [
      { what: 'an expired certificate', context: expired, error: /certificate has expired/ },
      { what: 'a certificate without a libp2p key', context: unnamed, error: /public key extension/ },
      { what: "a certificate with another's libp2p key", context: stolen, error: /verify signature/ },
      { what: 'TLS 1.2', context: { ...expired, maxVersion: 'TLSv1.2' }, error: /protocol version/i },
    ]
  for (const { what, context, error } of remotes) {
    test(`a listener with ${what}`, async () => {
      const pair = await world.pair()
      const { dialled, accepted } = pair
      rawTls('server', accepted, context)
      await assert.rejects(alice.encrypter.secureOutbound(dialled), { message: error })
      await assertGone(pair)
    })

    test(`a dialler with ${what}`, async () => {
      const pair = await world.pair()
      const { dialled, accepted } = pair
      rawTls('client', dialled, context)
      const expected = context.maxVersion === 'TLSv1.2' ? /unsupported protocol/ : error
      await assert.rejects(bob.encrypter.secureInbound(accepted), { message: expected })
      await assertGone(pair)
    })
  }

  test('a dialler without a certificate', async () => {
    const pair = await world.pair()
    const { dialled, accepted } = pair
    rawTls('client', dialled, {})
    await assert.rejects(bob.encrypter.secureInbound(accepted), { message: /no certificate/ })
    await assertGone(pair)
  })
})

describe('a remote that does not finish the handshake', () => {
  const half = Buffer.from('16030100c8010000c40303', 'hex')
  const remotes: { readonly what: string; readonly act: (socket: Socket) => void }[] = [
    { what: 'sends garbage', act: (socket) => void socket.write(Buffer.alloc(4096, 'garbage')) },
    { what: 'sends half a handshake and ends', act: (socket) => void socket.end(half) },
    { what: 'ends at once', act: (socket) => void socket.end() },
    { what: 'resets', act: (socket) => void socket.resetAndDestroy() },
  ]
  for (const { what, act } of remotes) {
    test(`and ${what}: refused by a listener and by a dialler`, async () => {
      const first = await world.pair()
      act(socketOf(first.dialled))
      await assert.rejects(bob.encrypter.secureInbound(first.accepted))
      await assertGone(first)
      const second = await world.pair()
      act(socketOf(second.accepted))
      await assert.rejects(alice.encrypter.secureOutbound(second.dialled))
      await assertGone(second)
    })
  }

  for (const bytes of [Buffer.alloc(0), half]) {
    test(`and stays silent after ${bytes.length} bytes: the signal ends it`, async () => {
      const pair = await world.pair()
      const { dialled, accepted } = pair
      socketOf(dialled).write(bytes)
      const signal = AbortSignal.timeout(50)
      await assert.rejects(bob.encrypter.secureInbound(accepted, { signal }), { name: 'TimeoutError' })
      await assertGone(pair)
    })
  }

  test('a signal that was aborted before ends it at once', async () => {
    const pair = await world.pair()
    await assert.rejects(alice.encrypter.secureOutbound(pair.dialled, { signal: AbortSignal.abort() }), {
      name: 'AbortError',
    })
    await assertGone(pair)
  })
})

describe('bytes that come early', () => {
  test('before the socket is taken: TLS runs over the stream, and nothing is lost', async () => {
    const pair = await world.pair()
    const { dialled, accepted } = pair
    const client = rawTls('client', dialled, ALICE)
    await until('the first bytes were read', () => accepted.readBufferLength > 0)
    assert.equal(bareSocketOf(accepted), null)
    const { remotePeer } = await bob.encrypter.secureInbound(accepted)
    assert.equal(remotePeer.toString(), alice.peerId.toString())
    await until('the client has shaken hands too', () => client.alpnProtocol === 'libp2p')
  })

  test('after the socket is taken and before TLS is ready: TLS gets them', async () => {
    const pair = await world.pair()
    const { dialled, accepted } = pair
    const socket = bareSocketOf(accepted)!
    const context = Promise.withResolvers<typeof bob.context>()
    const session = encryptSocket(accepted, socket, {
      role: 'server',
      context: context.promise,
      muxers: [],
      expectedPeer: undefined,
      signal: undefined,
    })
    rawTls('client', dialled, ALICE)
    await until('the first bytes wait in the socket', () => socket.readableLength > 0)
    context.resolve(bob.context)
    assert.equal((await session).remotePeer.toString(), alice.peerId.toString())
  })

  test('the remote is gone before TLS is ready', async () => {
    const pair = await world.pair()
    const { dialled, accepted } = pair
    const context = Promise.withResolvers<typeof bob.context>()
    const session = encryptSocket(accepted, bareSocketOf(accepted)!, {
      role: 'server',
      context: context.promise,
      muxers: [],
      expectedPeer: undefined,
      signal: undefined,
    })
    dialled.abort(new Error('gone'))
    await until('the end is seen', () => accepted.status !== 'open')
    context.resolve(bob.context)
    await assert.rejects(session, { message: /closed before/ })
  })

  test('plaintext right behind the handshake is not lost', async () => {
    const pair = await world.pair()
    const { dialled, accepted } = pair
    const client = rawTls('client', dialled, ALICE)
    client.once('secure', () => client.write('at once'))
    const { connection } = await bob.encrypter.secureInbound(accepted)
    const received = new Received(connection)
    await until('it arrived', () => received.all().toString() === 'at once')
  })
})

test('no session is resumed: who offers one must show a certificate again', async () => {
  const first = await world.pair()
  const client = rawTls('client', first.dialled, ALICE)
  const ticket = once(client, 'session')
  await bob.encrypter.secureInbound(first.accepted)
  const [session] = await ticket
  const second = await world.pair()
  const again = rawTls('client', second.dialled, { ...ALICE, session })
  const { remotePeer } = await bob.encrypter.secureInbound(second.accepted)
  assert.equal(remotePeer.toString(), alice.peerId.toString())
  assert.equal(again.isSessionReused(), false)
})
