/**
 * A libp2p node as a transport: Yamux, and one long-lived stream a connection.
 * libp2p's connection limits are raised out of the way: the peer table has our own.
 * @module
 */
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import type { Multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import type { Libp2pInit } from 'libp2p'
import { NetworkError } from '../errors.ts'
import type { Link, NatTransport, Transport, TransportSetup } from '../transport.ts'
import { connectionGater } from './gater.ts'
import { abortConnection, Libp2pLink } from './link.ts'
import type { Libp2pOptions, Libp2pPart, MakePart } from './part.ts'
import { silentLogger } from './silent-logger.ts'
import { yamux } from './yamux/muxer.ts'

const CONNECTIONS_MAX = 1000
const CONNECTIONS_PER_SECOND_AND_ADDRESS = 100
const PENDING_CONNECTIONS_MAX = 100
const STREAMS_MAX = 1000
/** What a stream that is not read may hold. */
const STREAM_WINDOW_BYTES_MAX = 4 * 1024 * 1024

/** What all nodes of this kind of program are made of. */
export interface Libp2pMake {
  readonly parts: readonly MakePart[]
  /** In the order of preference. */
  readonly encrypters: Libp2pInit['connectionEncrypters']
}

export async function createHost(
  make: Libp2pMake,
  setup: TransportSetup,
  options: Libp2pOptions,
): Promise<Transport> {
  const made = await Promise.all(make.parts.map((part) => part(setup, options)))
  const parts = made.filter((part) => part !== null)
  return new Libp2pHost(await createNode(setup, options, parts, make.encrypters), setup, options, parts)
}

async function createNode(
  setup: TransportSetup,
  options: Libp2pOptions,
  parts: readonly Libp2pPart[],
  connectionEncrypters: Libp2pMake['encrypters'],
): Promise<Libp2p> {
  const privateKey = await generateKeyPairFromSeed('Ed25519', setup.identity)
  const protector = parts.find(({ connectionProtector }) => connectionProtector !== undefined)
  return createLibp2p({
    start: false,
    privateKey,
    logger: silentLogger,
    addresses: {
      listen: [...setup.listen, ...parts.flatMap(({ listen = [] }) => listen)],
      announce: [...(options.announce ?? [])],
    },
    transports: parts.flatMap(({ transports = [] }) => transports),
    peerDiscovery: parts.flatMap(({ peerDiscovery = [] }) => peerDiscovery),
    services: Object.assign({}, ...parts.map(({ services = {} }) => services)),
    ...(protector !== undefined && { connectionProtector: protector.connectionProtector }),
    connectionEncrypters,
    streamMuxers: [yamux({ streamsMax: STREAMS_MAX, windowBytesMax: STREAM_WINDOW_BYTES_MAX })],
    connectionMonitor: { enabled: false },
    connectionManager: {
      maxConnections: CONNECTIONS_MAX,
      inboundConnectionThreshold: CONNECTIONS_PER_SECOND_AND_ADDRESS,
      maxIncomingPendingConnections: PENDING_CONNECTIONS_MAX,
      inboundUpgradeTimeout: setup.handshakeTimeoutMs,
      inboundStreamProtocolNegotiationTimeout: setup.handshakeTimeoutMs,
      outboundStreamProtocolNegotiationTimeout: setup.handshakeTimeoutMs,
      addressDialTimeout: setup.handshakeTimeoutMs,
    },
    connectionGater: Object.assign(connectionGater(setup.gate), ...parts.map((part) => part.connectionGater)),
  })
}

class Libp2pHost implements Transport {
  readonly peerId: string
  readonly nat: NatTransport | undefined
  readonly #node: Libp2p
  readonly #setup: TransportSetup
  readonly #options: Libp2pOptions
  readonly #parts: readonly Libp2pPart[]
  /** Outbound connections that have, or soon have, their stream. */
  readonly #dialled = new WeakSet<Connection>()
  /** Inbound connections on which no stream was opened yet. */
  readonly #unusedTimers = new Map<Connection, NodeJS.Timeout>()

  constructor(node: Libp2p, setup: TransportSetup, options: Libp2pOptions, parts: readonly Libp2pPart[]) {
    this.#node = node
    this.#setup = setup
    this.#options = options
    this.#parts = parts
    this.peerId = node.peerId.toString()
    this.nat = parts.find(({ nat }) => nat !== undefined)?.nat
  }

  async start(): Promise<void> {
    this.#node.addEventListener('connection:open', ({ detail }) => this.#expectStream(detail))
    for (const part of this.#parts) part.attach?.(this.#node)
    const { sessionProtocol, helloProtocol } = this.#setup
    // Limited connections are those over a relay.
    const options = { maxInboundStreams: 1, maxOutboundStreams: 1, runOnLimitedConnection: true }
    for (const protocol of [sessionProtocol, helloProtocol]) {
      await this.#node.handle(protocol, (stream, connection) => this.#inbound(stream, connection), options)
    }
    try {
      await this.#node.start()
    } catch (error) {
      throw new NetworkError('LISTEN_FAILED', listenFailure(this.#setup.listen, error), { cause: error })
    }
  }

  addresses(): string[] {
    const { announce } = this.#options
    if (announce !== undefined && announce.length > 0) return [...announce]
    // `getMultiaddrs` hides public addresses until another protocol confirmed them; whoever listens there wants to be dialled there.
    const { components } = this.#node as Libp2p & {
      components: { transportManager: { getAddrs(): Multiaddr[] } }
    }
    const listening = components.transportManager.getAddrs().map((address) => address.toString())
    // What a part knows of is worth more than a private address: lists of addresses are cut when they are passed on.
    return [...new Set([...this.#parts.flatMap((part) => part.addresses?.(this.#node) ?? []), ...listening])]
  }

  async dial(address: string, signal: AbortSignal): Promise<Link> {
    const { sessionProtocol, helloProtocol } = this.#setup
    let connection: Connection | null = null
    try {
      const dialled = await this.#node.dial(multiaddr(address), { signal, force: true })
      // Dials to one address at the same time are joined by libp2p: the connection belongs to the first.
      if (this.#dialled.has(dialled)) throw new Error('another dial to it came first')
      this.#dialled.add(dialled)
      connection = dialled
      const stream = await connection.newStream([sessionProtocol, helloProtocol], {
        signal,
        runOnLimitedConnection: true,
      })
      return new Libp2pLink(connection, stream, stream.protocol === sessionProtocol)
    } catch (error) {
      if (connection !== null) abortConnection(connection, new Error('no stream could be opened'))
      throw new NetworkError('DIAL_FAILED', `${address} cannot be reached: ${errorText(error)}`, {
        cause: error,
      })
    }
  }

  async locate(peer: string, signal: AbortSignal): Promise<readonly string[]> {
    const found: string[] = []
    for (const part of this.#parts) found.push(...((await part.locate?.(this.#node, peer, signal)) ?? []))
    return found
  }

  async stop(): Promise<void> {
    for (const timer of this.#unusedTimers.values()) clearTimeout(timer)
    this.#unusedTimers.clear()
    for (const part of this.#parts) await part.stop?.()
    await this.#node.stop()
  }

  #expectStream(connection: Connection): void {
    if (connection.direction !== 'inbound') return
    const { handshakeTimeoutMs, log } = this.#setup
    const timer = setTimeout(() => {
      this.#unusedTimers.delete(connection)
      if (this.#serves(connection)) return this.#expectStream(connection)
      log.warn('connection closed: no session was opened', { peer: connection.remotePeer.toString() })
      abortConnection(connection, new Error('no session was opened in time'))
    }, handshakeTimeoutMs)
    this.#unusedTimers.set(connection, timer)
    connection.addEventListener('close', () => this.#used(connection))
  }

  /** A part of the adapter talks over it. */
  #serves({ streams }: Connection): boolean {
    const prefixes = this.#parts.flatMap(({ protocols = [] }) => protocols)
    return streams.some(({ protocol }) => prefixes.some((prefix) => protocol.startsWith(prefix)))
  }

  #used(connection: Connection): void {
    clearTimeout(this.#unusedTimers.get(connection))
    this.#unusedTimers.delete(connection)
  }

  #inbound(stream: Stream, connection: Connection): void {
    const protocols: readonly string[] = [this.#setup.sessionProtocol, this.#setup.helloProtocol]
    if (connection.streams.some((other) => other !== stream && protocols.includes(other.protocol))) {
      stream.abort(new Error('there is a session on this connection'))
      return
    }
    this.#used(connection)
    this.#setup.onInbound(new Libp2pLink(connection, stream, stream.protocol === this.#setup.sessionProtocol))
  }
}

function listenFailure(listen: readonly string[], error: unknown): string {
  const inUse = /EADDRINUSE[^\n]*/.exec(errorText(error))
  return inUse === null
    ? `cannot listen on ${listen.join(', ')}: ${errorText(error)}`
    : `cannot listen on ${listen.join(', ')}: the port is in use (${inUse[0]}); stop the other program or choose another port`
}

function errorText(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(errorText).join('; ')
  return error instanceof Error ? error.message : String(error)
}
