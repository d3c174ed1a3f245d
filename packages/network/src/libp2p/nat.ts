/**
 * Relays (circuit relay v2), ports forwarded by the router, and dialling back. Who asks whom, and when, is decided by the network; this does it.
 * @module
 */
import { once } from 'node:events'
import type { Log } from '@althing/base'
import { circuitRelayServer, circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import type { CircuitRelayService, CircuitRelayTransportComponents } from '@libp2p/circuit-relay-v2'
import { serviceDependencies } from '@libp2p/interface'
import type { Connection, Libp2p, Transport } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { NetworkError } from '../errors.ts'
import type { NatOptions } from '../nat-options.ts'
import type { NatTransport } from '../transport.ts'
import { QuicHolePunching } from './hole-punching.ts'
import type { NodeComponents } from './hole-punching.ts'
import { abortConnection } from './link.ts'
import type { Libp2pPart, MakePart } from './part.ts'
import { PortForwarding } from './port-forwarding.ts'
import { reserve } from './reserve.ts'

/** Streams to ask for a place, or to be passed on, that one connection may have open. */
const HOP_STREAMS_MAX = 64
const RELAY_PROTOCOLS = '/libp2p/circuit/relay/'

export const natPart: MakePart = ({ nat, log }) => {
  if (
    nat === undefined ||
    (nat.relayClient === 'off' && nat.relayServer === 'off' && !nat.autonat && !nat.upnp)
  )
    return Promise.resolve(null)
  return Promise.resolve(new Libp2pNat(nat, log).part())
}

class Libp2pNat implements NatTransport {
  readonly #options: NatOptions
  readonly #log: Log
  #node: Libp2p | null = null
  #announced: readonly string[] = []
  #relays: ReadonlySet<string> = new Set()
  #forwarding: PortForwarding | null = null
  #punching: QuicHolePunching | null = null
  #relaysFor: (peer: string) => boolean = () => false

  constructor(options: NatOptions, log: Log) {
    this.#options = options
    this.#log = log
  }

  part(): Libp2pPart {
    const { relayServer } = this.#options
    return {
      nat: this,
      // Also without a place of its own, a node dials those who have one.
      transports: [relayTransport],
      ...(relayServer !== 'off' && { services: { relay: this.#server() } }),
      protocols: [RELAY_PROTOCOLS],
      connectionGater: {
        denyInboundRelayedConnection: (relay) => !this.#relays.has(relay.toString()),
        denyInboundRelayReservation: (peer) => !this.#relaysFor(peer.toString()),
        // The destination has a place, so that it is one of those that are relayed for.
        denyOutboundRelayedConnection: (_source, destination) => !this.#relaysFor(destination.toString()),
      },
      addresses: () => this.#announced,
      attach: (node) => this.#attach(node),
      stop: () => this.#stop(),
    }
  }

  #server() {
    const { relayPlacesMax, relayPlaceMs, relayedBytesMax, relayedMs } = this.#options
    return circuitRelayServer({
      maxInboundHopStreams: HOP_STREAMS_MAX,
      maxOutboundStopStreams: HOP_STREAMS_MAX,
      reservations: {
        maxReservations: relayPlacesMax,
        reservationTtl: relayPlaceMs,
        defaultDataLimit: BigInt(relayedBytesMax),
        defaultDurationLimit: relayedMs,
      },
    })
  }

  #attach(node: Libp2p): void {
    this.#node = node
    this.#punching = QuicHolePunching.of(node, componentsOf(node))
    // The server keeps the places of peers that are gone until they run out: they would keep others from one.
    node.addEventListener('peer:disconnect', ({ detail }) => {
      const { relay } = node.services as { relay?: CircuitRelayService }
      relay?.reservations.get(detail)?.signal.clear()
      relay?.reservations.delete(detail)
    })
  }

  async #stop(): Promise<void> {
    await this.#forwarding?.stop()
    await this.#punching?.stop()
    // The server leaves the timers of its places running.
    const { relay } = (this.#node?.services ?? {}) as { relay?: CircuitRelayService }
    for (const { signal } of relay?.reservations.values() ?? []) signal.clear()
  }

  async reserve(relay: string, signal: AbortSignal): Promise<number> {
    const connection = this.#directTo(relay)
    if (connection === undefined)
      throw new NetworkError('PEER_UNREACHABLE', `no direct connection to ${relay}`)
    try {
      const lifeMs = (await reserve(connection, signal)) - Date.now()
      // Clocks differ; a relay of ours gives no more than this, and a shorter time only means asking sooner.
      return Math.min(Math.max(lifeMs, 1000), this.#options.relayPlaceMs)
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      throw new NetworkError('DIAL_FAILED', `${relay} holds no place for this node: ${message}`, {
        cause: error,
      })
    }
  }

  #directTo(peer: string): Connection | undefined {
    return this.#node
      ?.getConnections()
      .find(
        ({ remotePeer, limits, status }) =>
          remotePeer.toString() === peer && limits === undefined && status === 'open',
      )
  }

  acceptOver(relays: readonly string[]): void {
    this.#relays = new Set(relays)
  }

  announce(addresses: readonly string[]): void {
    this.#announced = addresses
  }

  relayFor(relaysFor: (peer: string) => boolean): void {
    this.#relaysFor = relaysFor
  }

  forwardPorts(listening: readonly string[], onChanged: (addresses: readonly string[]) => void): void {
    this.#forwarding = new PortForwarding(listening, this.#log, onChanged)
  }

  get punching(): QuicHolePunching | null {
    return this.#punching
  }

  async probe(address: string, peer: string, signal: AbortSignal): Promise<boolean> {
    if (this.#node === null) return false
    // Not `dial`, which joins dials to one peer: the connection would be somebody else's too, and is closed here.
    const { transportManager } = componentsOf(this.#node)
    const answered = transportManager.dial(multiaddr(`${address}/p2p/${peer}`), { signal }).then(
      (connection) => {
        abortConnection(connection, new Error('it answers'))
        return connection.remotePeer.toString() === peer
      },
      () => false,
    )
    // QUIC does not look at the signal.
    const ended = once(signal, 'abort').then(() => false)
    return Promise.race([answered, ended])
  }
}

function componentsOf(node: Libp2p): NodeComponents {
  return (node as Libp2p & { components: NodeComponents }).components
}

/**
 * libp2p's, without the parts that act on their own: it does not look for relays, so that it needs no `identify`; and it does not
 * listen on a relay only because that relay passed a dial on.
 */
function relayTransport(components: CircuitRelayTransportComponents): Transport {
  const transport = circuitRelayTransport()(components)
  transport.listenFilter = () => []
  Object.defineProperty(transport, serviceDependencies, { value: [] })
  return transport
}
