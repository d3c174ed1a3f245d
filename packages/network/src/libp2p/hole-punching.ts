/**
 * A way through two NATs for QUIC (decision 009). Its sockets cannot be shared: it dials from one and listens on others. So a port is
 * opened by a packet from a plain socket, which is closed, and QUIC listens on that port then: to the NAT it is one and the same.
 * @module
 */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { Connection, Libp2p, Listener, Transport as Libp2pTransport, Upgrader } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import type { Multiaddr } from '@multiformats/multiaddr'
import { NetworkError } from '../errors.ts'
import { parseAddress } from '../protocol/address.ts'
import type { HolePunching } from '../transport.ts'
import { abortConnection } from './link.ts'

/** Some may be lost; they are sent within the same millisecond. */
const PACKETS = 3
/** A NAT that heard no answer closes the port soon after. */
const DIAL_WITHIN_MS = 15_000
const LISTENERS_MAX = 16
const SOURCE_WITHIN_MS = 2000

export interface NodeComponents {
  readonly upgrader: Upgrader
  readonly transportManager: {
    dial(address: Multiaddr, options: { signal: AbortSignal }): Promise<Connection>
    getTransports(): Libp2pTransport[]
  }
}

export class QuicHolePunching implements HolePunching {
  readonly #node: Libp2p
  readonly #components: NodeComponents
  readonly #quic: Libp2pTransport
  readonly #listeners = new Set<Listener>()

  /** @returns null for a node without QUIC. */
  static of(node: Libp2p, components: NodeComponents): QuicHolePunching | null {
    const transports = components.transportManager.getTransports()
    const quic = transports.find((transport) => transport[Symbol.toStringTag] === 'quic')
    return quic === undefined ? null : new QuicHolePunching(node, components, quic)
  }

  private constructor(node: Libp2p, components: NodeComponents, quic: Libp2pTransport) {
    this.#node = node
    this.#components = components
    this.#quic = quic
  }

  async showSource(address: string, signal: AbortSignal): Promise<() => void> {
    const { transportManager } = this.#components
    const connection = await transportManager.dial(multiaddr(address), { signal }).catch((cause: unknown) => {
      throw new NetworkError('DIAL_FAILED', `${address} cannot be reached`, { cause })
    })
    return () => abortConnection(connection, new Error('seen'))
  }

  /** The dialler may ask before its connection has come up here. */
  async sourceOf(peer: string): Promise<string | null> {
    const open = this.#node.getConnections().map((connection) => sourceOf(connection, peer))
    const known = open.find((source) => source !== null)
    if (known !== undefined) return known
    const { promise, resolve } = Promise.withResolvers<string | null>()
    const onOpen = ({ detail }: CustomEvent<Connection>) => {
      const source = sourceOf(detail, peer)
      if (source !== null) resolve(source)
    }
    const timer = setTimeout(resolve, SOURCE_WITHIN_MS, null)
    this.#node.addEventListener('connection:open', onOpen)
    const source = await promise
    clearTimeout(timer)
    this.#node.removeEventListener('connection:open', onOpen)
    return source
  }

  async listenFor(source: string): Promise<number> {
    const address = parseAddress(source)
    if (address?.carrier !== 'quic' || this.#listeners.size >= LISTENERS_MAX) {
      throw new NetworkError('LISTEN_FAILED', `no way can be opened for ${source}`)
    }
    const isIp4 = address.hostKind === 'ip4'
    const port = await openPort(isIp4 ? 'udp4' : 'udp6', address.host, address.port)
    const listener = this.#quic.createListener({ upgrader: this.#components.upgrader })
    this.#listeners.add(listener)
    try {
      await listener.listen(multiaddr(`/${isIp4 ? 'ip4/0.0.0.0' : 'ip6/::'}/udp/${port}/quic-v1`))
    } catch (cause) {
      this.#listeners.delete(listener)
      throw new NetworkError('LISTEN_FAILED', `QUIC cannot listen on UDP port ${port}`, { cause })
    }
    this.#closeAfterUse(listener, address.text)
    return port
  }

  /** QUIC's connections end with their listener. */
  #closeAfterUse(listener: Listener, source: string): void {
    const close = () => {
      this.#node.removeEventListener('connection:open', onOpen)
      this.#listeners.delete(listener)
      void listener.close()
    }
    const timer = setTimeout(close, DIAL_WITHIN_MS)
    const onOpen = ({ detail }: CustomEvent<Connection>) => {
      if (parseAddress(detail.remoteAddr.toString())?.text !== source) return
      clearTimeout(timer)
      this.#node.removeEventListener('connection:open', onOpen)
      detail.addEventListener('close', close)
    }
    this.#node.addEventListener('connection:open', onOpen)
    listener.addEventListener('close', () => clearTimeout(timer))
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#listeners].map((listener) => listener.close()))
  }
}

/** Where a connection that this peer dialled over QUIC comes from. */
function sourceOf({ remotePeer, remoteAddr, direction }: Connection, peer: string): string | null {
  if (remotePeer.toString() !== peer || direction !== 'inbound') return null
  const address = parseAddress(remoteAddr.toString())
  return address?.carrier === 'quic' && address.relay === null ? address.text : null
}

/** What comes from there to the port that is returned is let in by the NATs on the way, for some seconds. */
async function openPort(type: 'udp4' | 'udp6', host: string, port: number): Promise<number> {
  const socket = createSocket(type)
  try {
    socket.bind(0)
    await once(socket, 'listening')
    // Nobody listens at the other end yet: what it says to that is of no interest.
    socket.on('error', () => {})
    for (let i = 0; i < PACKETS; i++) {
      await new Promise((resolve) => socket.send(Uint8Array.of(0), port, host, resolve))
    }
    return socket.address().port
  } finally {
    socket.close()
    await once(socket, 'close')
  }
}
