/**
 * Nodes that are nothing but their topology and delivery services, on links that a test makes, cuts and tampers with.
 * @module
 */
import { portableSigner, silentLog } from '@althing/base'
import type { Signer } from '@althing/base'
import type { CheckedConfig } from '../src/config.ts'
import { DeliveryService } from '../src/delivery/delivery-service.ts'
import type { NetworkEvent, PeerView } from '../src/network-types.ts'
import { kindTable } from '../src/protocol/kinds.ts'
import { peerIdOfKey } from '../src/protocol/peer-id.ts'
import { verify } from '../src/platform/node.ts'
import { Records } from '../src/records.ts'
import type { ServiceHost } from '../src/service.ts'
import { TopologyService } from '../src/topology/topology-service.ts'
import { systemRandom } from '../src/system.ts'

/** What a node sends instead of a message: none, another one, several. */
export type Tamper = (
  to: string,
  kind: string,
  body: Uint8Array,
) => readonly { body: Uint8Array; delayMs?: number }[]

export const GENESIS = new Uint8Array(32).fill(7)
export const START_MS = 1_700_000_000_000
const STEP_MS = 10

export class WorldNode {
  readonly peerId: string
  readonly delivery: DeliveryService
  readonly topology: TopologyService
  readonly records: Records
  readonly signer: Signer
  readonly latencyMsByPeer = new Map<string, number>()
  /** What this node charged others with. */
  readonly faults: { peer: string; reason: string }[] = []
  /** Neighbours to which something waits. */
  readonly stalled = new Set<string>()
  tamper: Tamper | null = null
  wakeMs = 0

  constructor(world: ServiceWorld, seed: number, options: Partial<CheckedConfig>) {
    const identity = new Uint8Array(32)
    new DataView(identity.buffer).setUint32(0, seed)
    this.signer = portableSigner(identity)
    this.peerId = peerIdOfKey(this.signer.publicKey)
    const config = {
      identity,
      genesisHash: GENESIS,
      nodeType: 'full',
      features: [],
      versions: { min: 1, max: 1 },
      software: 'test 1',
      linkReports: true,
      learnedPeersMax: 100,
      peerStore: null,
      kinds: kindTable({ note: { id: 1, lane: 'normal', maxBytes: 512 * 1024 } }),
      clock: { wallMs: () => START_MS + world.nowMs, monotonicMs: () => world.nowMs },
      random: systemRandom,
      log: silentLog,
      verify,
      ...options,
    } as unknown as CheckedConfig
    this.records = new Records(config, () => {})
    const host: Omit<ServiceHost, 'transport' | 'connect'> = {
      peerId: this.peerId,
      config,
      records: this.records,
      addresses: () => [],
      nextHop: (peer) => this.topology.nextHop(peer),
      peers: () => this.views(),
      keepsUp: (peer) => !this.stalled.has(peer),
      send: (to, kind, body) => world.carry(this, to, kind, body),
      request: () => Promise.reject(new Error('no requests here')),
      penalise: (peer, reason) => void this.faults.push({ peer, reason }),
      emit: (_event: NetworkEvent) => {},
      wakeBy: (atMs) => (this.wakeMs = Math.min(this.wakeMs, atMs)),
    }
    this.topology = new TopologyService(host as ServiceHost)
    this.delivery = new DeliveryService(host as ServiceHost)
  }

  view(peer: string): PeerView {
    return { id: peer, latencyMs: this.latencyMsByPeer.get(peer) ?? null, health: 'healthy' } as PeerView
  }

  views(): PeerView[] {
    return [...this.latencyMsByPeer.keys()].map((peer) => this.view(peer))
  }

  tick(nowMs: number): void {
    if (nowMs < this.wakeMs) return
    this.wakeMs = Infinity
    this.wakeMs = Math.min(this.wakeMs, this.topology.tick(nowMs), this.delivery.tick(nowMs))
  }
}

export class ServiceWorld {
  nowMs = 0
  readonly nodes: WorldNode[] = []
  readonly #byPeer = new Map<string, WorldNode>()
  #onTheWay: { atMs: number; arrive: () => void }[] = []
  /** By kind. */
  readonly sentBytes = new Map<string, number>()

  add(count: number, options: Partial<CheckedConfig> = {}): WorldNode[] {
    const added = Array.from({ length: count }, () => {
      const node = new WorldNode(this, this.nodes.length + 1, options)
      this.nodes.push(node)
      this.#byPeer.set(node.peerId, node)
      return node
    })
    return added
  }

  /** Each linked to the next. */
  line(count: number): WorldNode[] {
    const nodes = this.add(count)
    for (let i = 1; i < count; i++) this.link(nodes[i - 1]!, nodes[i]!)
    return nodes
  }

  link(a: WorldNode, b: WorldNode, latencyMs = 10): void {
    if (a === b || a.latencyMsByPeer.has(b.peerId)) return
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      from.latencyMsByPeer.set(to.peerId, latencyMs)
    }
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      from.topology.peerOpened(from.view(to.peerId))
      from.delivery.peerOpened(from.view(to.peerId))
    }
  }

  unlink(a: WorldNode, b: WorldNode): void {
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      if (!from.latencyMsByPeer.delete(to.peerId)) continue
      from.topology.peerClosed(to.peerId)
      from.delivery.peerClosed(to.peerId)
    }
  }

  carry(from: WorldNode, to: string, kind: string, body: Uint8Array): boolean {
    if (!from.latencyMsByPeer.has(to)) return false
    for (const { body: said, delayMs = 0 } of from.tamper?.(to, kind, body) ?? [{ body }]) {
      this.#put(from, to, kind, said, delayMs)
    }
    return true
  }

  #put(from: WorldNode, to: string, kind: string, body: Uint8Array, delayMs: number): void {
    this.sentBytes.set(kind, (this.sentBytes.get(kind) ?? 0) + body.length)
    const arrive = (): void => {
      const node = this.#byPeer.get(to)!
      if (!node.latencyMsByPeer.has(from.peerId)) return
      const service = kind.startsWith('topology') ? node.topology : node.delivery
      service.received({ from: from.peerId, kind, body })
    }
    const latencyMs = (from.latencyMsByPeer.get(to) ?? 0) / 2
    this.#onTheWay.push({ atMs: this.nowMs + latencyMs + delayMs, arrive })
  }

  /** For what needs no key exchange: that takes real time. */
  pass(ms: number): void {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs;) this.#step()
  }

  /** @throws when the condition does not hold within the given virtual time. */
  async until(what: string, condition: () => boolean, withinMs = 60_000): Promise<void> {
    for (const endMs = this.nowMs + withinMs; !condition();) {
      if (this.nowMs > endMs) throw new Error(`waited ${withinMs} ms in vain until ${what}`)
      this.#step()
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
  }

  #step(): void {
    this.nowMs += STEP_MS
    const due = this.#onTheWay.filter(({ atMs }) => atMs <= this.nowMs).toSorted((x, y) => x.atMs - y.atMs)
    this.#onTheWay = this.#onTheWay.filter(({ atMs }) => atMs > this.nowMs)
    for (const { arrive } of due) arrive()
    for (const node of this.nodes) node.tick(this.nowMs)
  }
}
