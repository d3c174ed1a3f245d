/**
 * Links inside one process, with faults, driven by a scheduler: for tests and the simulator.
 * Like TCP, a link keeps order and loses nothing while it stands: lost bytes mean a lost link. A partition holds bytes and dials back
 * until it is healed.
 * @module
 */
import type { Random } from '@althing/base'
import { signerOf } from '#platform'
import { NetworkError } from '../errors.ts'
import { parseAddress } from '../protocol/address.ts'
import { peerIdOfKey } from '../protocol/peer-id.ts'
import { systemRandom, systemScheduler } from '../system.ts'
import type { Scheduler } from '../system.ts'
import type { CreateTransport, Link, Transport, TransportSetup } from '../transport.ts'
import { MemoryLink } from './link.ts'

export interface MemoryNetworkOptions {
  readonly scheduler?: Scheduler
  readonly random?: Random
  /** One way; 0 by default. */
  readonly latencyMs?: (from: string, to: string) => number
}

export interface MemoryNetwork {
  /** Listens on `/memory/<name>`, where `/memory/0` is any free name, or on any other address, which is a name only. */
  readonly transport: CreateTransport
  /** Of each write, that it cuts its link; 0 to 1. */
  setLossRate(rate: number): void
  /** Peers of different groups no longer reach each other. Whoever is in no group is reached by all. */
  partition(groups: readonly (readonly string[])[]): void
  heal(): void
  /** Breaks the links between two peers; they may dial again. */
  cut(a: string, b: string): void
  /** A process that hangs: it takes no bytes until resumed. */
  stopReading(peer: string): void
  resumeReading(peer: string): void
  /** That stand now. */
  readonly linkCount: number
}

export function createMemoryNetwork(options: MemoryNetworkOptions = {}): MemoryNetwork {
  return new MemoryWorld(options)
}

/** @internal */
export class MemoryWorld implements MemoryNetwork {
  readonly scheduler: Scheduler
  readonly random: Random
  readonly #latencyMs: (from: string, to: string) => number
  readonly #transportByAddress = new Map<string, MemoryTransport>()
  readonly #links = new Set<MemoryLink>()
  readonly #stopped = new Set<string>()
  #groupByPeer = new Map<string, number>()
  #waitingForHeal: (() => void)[] = []
  #names = 0
  #lossRate = 0

  constructor({
    scheduler = systemScheduler,
    random = systemRandom,
    latencyMs = () => 0,
  }: MemoryNetworkOptions) {
    this.scheduler = scheduler
    this.random = random
    this.#latencyMs = latencyMs
  }

  readonly transport: CreateTransport = (setup) => Promise.resolve(new MemoryTransport(this, setup))

  get linkCount(): number {
    return this.#links.size / 2
  }

  setLossRate(rate: number): void {
    this.#lossRate = rate
  }

  partition(groups: readonly (readonly string[])[]): void {
    this.#groupByPeer = new Map(groups.flatMap((peers, group) => peers.map((peer) => [peer, group] as const)))
  }

  heal(): void {
    this.#groupByPeer.clear()
    const waiting = this.#waitingForHeal
    this.#waitingForHeal = []
    for (const go of waiting) go()
    for (const link of this.#links) link.deliver()
  }

  cut(a: string, b: string): void {
    for (const link of this.#links) {
      if (
        (link.localPeer === a && link.remotePeer === b) ||
        (link.localPeer === b && link.remotePeer === a)
      ) {
        link.abort()
      }
    }
  }

  stopReading(peer: string): void {
    this.#stopped.add(peer)
  }

  resumeReading(peer: string): void {
    this.#stopped.delete(peer)
    for (const link of this.#links) if (link.localPeer === peer) link.deliver()
  }

  isReading(peer: string): boolean {
    return !this.#stopped.has(peer)
  }

  reaches(from: string, to: string): boolean {
    const [a, b] = [this.#groupByPeer.get(from), this.#groupByPeer.get(to)]
    return a === undefined || b === undefined || a === b
  }

  latencyMs(from: string, to: string): number {
    return this.#latencyMs(from, to)
  }

  losesWrite(): boolean {
    return this.#lossRate > 0 && this.random.next() < this.#lossRate
  }

  /** @returns the address; null when it is taken. */
  listen(transport: MemoryTransport, address: string): string | null {
    const free = address === '/memory/0' ? `/memory/n${++this.#names}` : address
    if (this.#transportByAddress.has(free)) return null
    this.#transportByAddress.set(free, transport)
    return free
  }

  close(transport: MemoryTransport): void {
    for (const [address, listening] of this.#transportByAddress) {
      if (listening === transport) this.#transportByAddress.delete(address)
    }
    for (const link of this.#links) if (link.localPeer === transport.peerId) link.abort()
  }

  async dial(from: MemoryTransport, address: string, signal: AbortSignal): Promise<Link> {
    const parsed = parseAddress(address)
    const to = parsed === null ? undefined : this.#transportByAddress.get(parsed.text)
    if (parsed === null || to === undefined)
      throw new NetworkError('DIAL_FAILED', `nobody listens on ${address}`)
    await this.#roundTrip(from.peerId, to.peerId, signal)
    if (signal.aborted || this.#transportByAddress.get(parsed.text) !== to) {
      throw new NetworkError('DIAL_FAILED', `${address} did not answer`)
    }
    if (parsed.peer !== null && parsed.peer !== to.peerId) {
      throw new NetworkError('DIAL_FAILED', `${address} is another peer: ${to.peerId}`)
    }
    const fromAddress = from.addresses()[0] ?? '/memory/unnamed'
    const isTaken = to.setup.gate?.admitsAddress(fromAddress, 'inbound') ?? true
    if (!isTaken || to.setup.gate?.admitsPeer(from.peerId) === false) {
      throw new NetworkError('DIAL_FAILED', `${address} takes no connection from here`)
    }
    const isSession = from.setup.sessionProtocol === to.setup.sessionProtocol
    const near = new MemoryLink(this, from.peerId, to.peerId, 'outbound', isSession, parsed.text)
    const far = new MemoryLink(this, to.peerId, from.peerId, 'inbound', isSession, fromAddress)
    near.join(far)
    this.#links.add(near).add(far)
    to.setup.onInbound(far)
    return near
  }

  remove(link: MemoryLink): void {
    this.#links.delete(link)
  }

  async #roundTrip(from: string, to: string, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true })
      if (!this.reaches(from, to)) this.#waitingForHeal.push(resolve)
      else this.scheduler.after(this.latencyMs(from, to) + this.latencyMs(to, from), resolve)
    })
  }
}

class MemoryTransport implements Transport {
  readonly peerId: string
  readonly setup: TransportSetup
  readonly #world: MemoryWorld
  readonly #addresses: string[] = []

  constructor(world: MemoryWorld, setup: TransportSetup) {
    this.#world = world
    this.setup = setup
    this.peerId = peerIdOfKey(signerOf(setup.identity).publicKey)
  }

  start(): Promise<void> {
    for (const text of this.setup.listen) {
      const parsed = parseAddress(text)
      const address = parsed === null ? null : this.#world.listen(this, parsed.text)
      if (address === null)
        return Promise.reject(new NetworkError('LISTEN_FAILED', `cannot listen on ${text}: in use`))
      this.#addresses.push(address)
    }
    return Promise.resolve()
  }

  addresses(): string[] {
    return this.#addresses
  }

  dial(address: string, signal: AbortSignal): Promise<Link> {
    return this.#world.dial(this, address, signal)
  }

  stop(): Promise<void> {
    this.#world.close(this)
    return Promise.resolve()
  }
}
