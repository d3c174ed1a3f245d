/**
 * Pairs of TCP connections as libp2p makes them, before anything is negotiated on them, and encrypters to put on them.
 * @module
 */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { createSecureContext } from 'node:tls'
import type { SecureContext } from 'node:tls'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import type {
  Connection,
  ConnectionEncrypter,
  MessageStream,
  MultiaddrConnection,
  PeerId,
  StreamMuxerFactory,
  Upgrader,
} from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { tcp } from '@libp2p/tcp'
import { tls } from '@libp2p/tls'
import type { TLSComponents } from '@libp2p/tls'
import { generateCertificate } from '@libp2p/tls/utils'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { silentLogger } from '../../src/libp2p/silent-logger.ts'
import { socketTls } from '../../src/libp2p/tls/encrypter.ts'

export type EncrypterName = 'ours' | 'stock'

export interface Party {
  readonly peerId: PeerId
  readonly encrypter: ConnectionEncrypter
  /** A certificate as its encrypter shows one. */
  readonly context: SecureContext
}

export async function party(name: EncrypterName, seedByte: number): Promise<Party> {
  const privateKey = await generateKeyPairFromSeed('Ed25519', new Uint8Array(32).fill(seedByte))
  const muxer: StreamMuxerFactory = yamux()()
  const getStreamMuxers = () => new Map([[muxer.protocol, muxer]])
  const components = { privateKey, logger: silentLogger, upgrader: { getStreamMuxers } as Upgrader }
  const make: (components: TLSComponents) => ConnectionEncrypter = name === 'ours' ? socketTls() : tls()
  return {
    peerId: peerIdFromPrivateKey(privateKey),
    encrypter: make(components),
    context: createSecureContext({ ...(await generateCertificate(privateKey)), minVersion: 'TLSv1.3' }),
  }
}

/** The two ends of one TCP connection. */
export interface TcpPair {
  readonly dialled: MultiaddrConnection
  readonly accepted: MultiaddrConnection
}

/** @returns where to dial instead of this port of loopback. */
export type Detour = (port: number) => Promise<number>

export class TlsWorld {
  readonly #stops: (() => Promise<void>)[] = []

  /** @param idleTimeoutMs after which either end gives up. */
  async pair(options: { readonly detour?: Detour; readonly idleTimeoutMs?: number } = {}): Promise<TcpPair> {
    const { detour = (port) => Promise.resolve(port), idleTimeoutMs = 60_000 } = options
    const transport = tcp({
      inboundSocketInactivityTimeout: idleTimeoutMs,
      outboundSocketInactivityTimeout: idleTimeoutMs,
    })({ logger: silentLogger })
    const { promise: acceptedLater, resolve } = Promise.withResolvers<MultiaddrConnection>()
    const upgrader = {
      async upgradeInbound(connection: MultiaddrConnection) {
        resolve(connection)
      },
      async upgradeOutbound(connection: MultiaddrConnection) {
        return connection as unknown as Connection
      },
    } as unknown as Upgrader
    const listener = transport.createListener({ upgrader })
    await listener.listen(multiaddr('/ip4/127.0.0.1/tcp/0'))
    const port = await detour(Number(listener.getAddrs()[0]!.toString().split('/').at(-1)))
    const signal = AbortSignal.timeout(10_000)
    const dialled = await transport.dial(multiaddr(`/ip4/127.0.0.1/tcp/${port}`), { upgrader, signal })
    const pair = { dialled: dialled as unknown as MultiaddrConnection, accepted: await acceptedLater }
    this.#stops.push(async () => {
      for (const end of [pair.dialled, pair.accepted]) end.abort(new Error('the test is over'))
      await listener.close()
    })
    return pair
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops.splice(0)) await stop()
  }
}

/** The socket that an end of a pair has; its own business, but for tests of what goes over the wire. */
export function socketOf(connection: MultiaddrConnection): Socket {
  return (connection as unknown as { readonly socket: Socket }).socket
}

/** Collects what a stream says. */
export class Received {
  bytes = 0
  readonly #pieces: Uint8Array[] = []

  constructor(stream: MessageStream) {
    stream.addEventListener('message', ({ data }) => {
      this.#pieces.push(data.subarray())
      this.bytes += data.byteLength
    })
  }

  all(): Buffer {
    return Buffer.concat(this.#pieces)
  }
}

/** Sends everything, as fast as the stream takes it. */
export async function sendAll(
  stream: MessageStream,
  bytes: Uint8Array,
  pieceBytes = 64 * 1024,
): Promise<void> {
  for (let from = 0; from < bytes.length; from += pieceBytes) {
    stream.send(bytes.subarray(from, from + pieceBytes))
    while (stream.writableNeedsDrain) await once(stream as unknown as EventTarget, 'drain')
  }
}
