/**
 * The network: links, peers, gossip and dialling put together. A shell: the cores in `protocol/` decide.
 * @module
 */
import { assert } from '@althing/base'
import { defaultTransport } from '#platform'
import { stopOnAbort } from './abort.ts'
import { Alarm } from './alarm.ts'
import { Bans } from './bans.ts'
import type { BanOptions } from './bans.ts'
import { checkConfig } from './config.ts'
import type { CheckedConfig, NetworkConfig } from './config.ts'
import { Counts } from './counts.ts'
import { Dialler } from './dialler.ts'
import { deliverySpec } from './delivery/delivery-service.ts'
import type { DeliveryService } from './delivery/delivery-service.ts'
import { Discovery } from './discovery.ts'
import { ErrorLog } from './error-log.ts'
import { NetworkError } from './errors.ts'
import type {
  Network,
  NetworkEvent,
  NetworkHealth,
  NetworkStats,
  NetworkTopology,
  PeerDetails,
  PeerQuery,
  PeerView,
  RecordView,
  RequestOptions,
  SendResult,
} from './network-types.ts'
import { Openings } from './openings.ts'
import type { Opening } from './openings.ts'
import { ownHello } from './own-hello.ts'
import { PeerLink } from './peer-link.ts'
import type { PeerLinkOwner } from './peer-link.ts'
import { Peers } from './peers.ts'
import { isNearby, parseAddress, plausibleAddresses } from './protocol/address.ts'
import type { Hello, Status } from './protocol/hello.ts'
import type { Kind } from './protocol/kinds.ts'
import type { Lane } from './protocol/lane.ts'
import type { BlacklistEntry } from './protocol/blacklist.ts'
import type { PeerTable } from './protocol/peer-table.ts'
import { NodeTraffic } from './protocol/traffic.ts'
import { reasonText } from './protocol/reason.ts'
import type { Reason, ReasonCode } from './protocol/reason.ts'
import type { Deed, Offence } from './protocol/reputation.ts'
import type { ReachView } from './reach.ts'
import { Router } from './router.ts'
import type { ServiceHost } from './service.ts'
import { Services, SERVICES } from './services.ts'
import { topologySpec } from './topology/topology-service.ts'
import { trafficView } from './traffic-view.ts'
import type { Gate, Link, Transport } from './transport.ts'

/**
 * Listens, dials the bootstrap addresses, and keeps the peers.
 * @throws {NetworkError} `LISTEN_FAILED` naming the address, `ADDRESS_INVALID`; and what the blacklist's store throws.
 */
export async function startNetwork(config: NetworkConfig): Promise<Network> {
  const checked = checkConfig(config, SERVICES, defaultTransport)
  const { blacklistStore: store, clock, log } = checked
  const bans = await Bans.load({ store, clock, log })
  let shell: NetworkShell | null = null
  const transport = await checked.transport({
    ...checked,
    idleTimeoutMs: 2 * checked.peerTimeoutMs,
    gate: {
      admitsAddress: (address, direction) => shell === null || shell.gate.admitsAddress(address, direction),
      admitsPeer: (peer) => shell === null || shell.gate.admitsPeer(peer),
    },
    onFound: (peer, addresses) => shell?.discovery.found(peer, addresses),
    onInbound: (link) => (shell === null ? link.abort() : shell.attach(link, null)),
  })
  shell = new NetworkShell(checked, transport, bans)
  await shell.discovery.records.load()
  try {
    await transport.start()
  } catch (error) {
    await transport.stop()
    throw error
  }
  shell.begin()
  stopOnAbort(config.signal, () => void shell.stop())
  return shell
}

class NetworkShell implements Network, PeerLinkOwner {
  readonly peerId: string
  readonly #config: CheckedConfig
  readonly #transport: Transport
  readonly #peers: Peers
  readonly #table: PeerTable<PeerLink>
  readonly #traffic: NodeTraffic<PeerLink>
  readonly #router: Router
  readonly #dialler: Dialler
  readonly discovery: Discovery
  readonly delivery: DeliveryService
  readonly #services: Services
  readonly #alarm: Alarm
  /** All links that are not closed, those too whose session is over. */
  readonly #links = new Set<PeerLink>()
  readonly #openings = new Openings((peer) => this.#table.any(peer))
  readonly #listeners = new Set<(event: NetworkEvent) => void>()
  readonly #ended = new Counts()
  readonly #errors = new ErrorLog()
  readonly #refused = new Counts()
  #statusToSend: Status | null = null
  #statusSentMs = -Infinity
  #stopping: Promise<void> | null = null
  #allClosed: (() => void) | null = null

  constructor(config: CheckedConfig, transport: Transport, bans: Bans) {
    this.#config = config
    this.#transport = transport
    this.peerId = transport.peerId
    const emit = (event: NetworkEvent) => this.#emit(event)
    this.#peers = new Peers({ config, localPeer: transport.peerId, bans, emit, dialler: () => this.#dialler })
    this.#table = this.#peers.table
    this.#traffic = new NodeTraffic(config.traffic, this.#now())
    this.#router = new Router({
      ...config,
      limits: config.gossip,
      send: (peer, kind, body, origin) => this.#table.open(peer)?.send(kind, body, origin),
      penalise: (peer, reason) => this.penalise(peer, 'invalidMessage', reason),
      accepted: (peer) => this.reward(peer, 'validGossip'),
      withheld: (peer) => this.#peers.requestEnded(peer, false),
    })
    this.#alarm = new Alarm(config.clock, config.scheduler, () => this.#tick())
    this.#dialler = new Dialler({
      config,
      transport,
      gate: this.#peers,
      wakeBy: (atMs) => this.wakeBy(atMs),
      connected: (link, key) => this.attach(link, key),
      failed: (addresses, message, key) => {
        this.discovery.records.failed(key)
        this.#emit({ kind: 'dialFailed', addresses, message })
      },
    })
    this.discovery = new Discovery(config, transport, this.#dialler, () => this.health())
    this.#services = new Services(SERVICES, this.#router, (feature) => this.#serviceHost(feature))
    this.delivery = this.#services.of(deliverySpec)
  }

  begin(): void {
    this.#config.log.info('network started', { peer: this.peerId, addresses: this.addresses() })
    this.#tick()
  }

  // What users call

  addresses(): string[] {
    return this.#transport.addresses().map((address) => `${address}/p2p/${this.peerId}`)
  }

  get gate(): Gate {
    return this.#peers
  }

  peers(): readonly PeerView[] {
    return this.#peers.sessions()
  }

  peer(id: string): PeerDetails | undefined {
    return this.#peers.details(id)
  }

  knownPeers(): readonly PeerDetails[] {
    return this.#peers.known()
  }

  findPeers(query: PeerQuery): readonly PeerView[] {
    return this.#peers.find(query)
  }

  topology(): NetworkTopology {
    return this.#services.of(topologySpec).view()
  }

  health(): NetworkHealth {
    return this.#peers.health()
  }

  records(): readonly RecordView[] {
    return this.discovery.records.views()
  }

  reachability(): ReachView {
    return this.#services.reach.view()
  }

  stats(): NetworkStats {
    const open = [...this.#table.allOpen()]
    return {
      ...trafficView(this.#traffic, open, this.#config),
      ...this.#errors.view,
      openSessions: open.length,
      droppedByReason: this.#traffic.steps.droppedByReason(),
      endedByReason: this.#ended.toRecord(),
      refusedByReason: this.#refused.toRecord(),
      gossip: this.#router.gossipStats,
      faults: this.#peers.offencesCount,
    }
  }

  send(peer: string, kindName: string, body: Uint8Array): SendResult {
    const kind = this.#kind(kindName)
    if (body.length > kind.maxBytes) return this.#drop(kind, 'too large')
    const link = this.#table.open(peer)
    if (link === undefined) return this.#drop(kind, 'no session')
    return link.send(kind, body) ? 'queued' : 'dropped: queue full'
  }

  #drop<R extends 'too large' | 'no session'>({ lane }: Kind, reason: R): `dropped: ${R}` {
    this.#traffic.steps.enter('creation', lane)
    this.#traffic.steps.drop('creation', lane, reason)
    return `dropped: ${reason}`
  }

  async sendReady(peer: string, lane: Lane): Promise<void> {
    await this.#table.open(peer)?.ready(lane)
  }

  broadcast(
    kindName: string,
    body: Uint8Array,
    options: { except?: string; only?: (peer: PeerView) => boolean } = {},
  ): number {
    const { except, only } = options
    let queued = 0
    for (const link of this.#table.allOpen()) {
      if (link.peer === except || (only !== undefined && !only(this.#peers.view(link)))) continue
      if (this.send(link.peer, kindName, body) === 'queued') queued++
    }
    return queued
  }

  publish(kindName: string, body: Uint8Array): void {
    const kind = this.#kind(kindName)
    if (body.length > kind.maxBytes) this.#drop(kind, 'too large')
    else this.#router.publish(kind, body)
  }

  async request(
    peer: string,
    kindName: string,
    body: Uint8Array,
    options: RequestOptions = {},
  ): Promise<Uint8Array> {
    const kind = this.#kind(kindName)
    if (this.#stopping !== null) throw new NetworkError('STOPPED', 'the network stopped')
    if (body.length > kind.maxBytes) {
      throw new NetworkError('MESSAGE_TOO_LARGE', `${body.length} bytes; ${kindName} allows ${kind.maxBytes}`)
    }
    if (options.signal?.aborted) throw new NetworkError('REQUEST_CANCELLED', 'the request was cancelled')
    const link = this.#table.open(peer)
    if (link === undefined) throw new NetworkError('PEER_UNREACHABLE', `no session with ${peer}`, { peer })
    const { timeoutMs = this.#config.requestTimeoutMs, lane = kind.lane, signal } = options
    return link.request(kind, body, { timeoutMs, lane, signal })
  }

  handle(kind: string, handler: Parameters<Network['handle']>[1]): void {
    this.#router.handle(this.#kind(kind), handler)
  }

  handleGossip(kind: string, handler: Parameters<Network['handleGossip']>[1]): void {
    this.#router.handleGossip(this.#kind(kind), handler)
  }

  handleRequest(kind: string, handler: Parameters<Network['handleRequest']>[1]): void {
    this.#router.handleRequest(this.#kind(kind), handler)
  }

  setStatus(status: Status): void {
    this.#statusToSend = status
    this.#sendStatus()
  }

  async connect(address: string): Promise<string> {
    if (this.#stopping !== null) throw new NetworkError('STOPPED', 'the network stopped')
    const found = await this.#dialler.dialOnce(await this.discovery.targetOf(address))
    const peer = typeof found === 'string' ? found : found.remotePeer
    await new Promise<void>((resolve, reject) => {
      if (typeof found === 'string') this.#openings.passOn([{ resolve, reject }], peer, DUPLICATE)
      else this.attach(found, null, [{ resolve, reject }])
    })
    return peer
  }

  disconnect(peer: string, message: string): void {
    this.#table.open(peer)?.close({ code: 'requested', message })
  }

  penalise(peer: string, offence: Offence, detail: string): void {
    this.#peers.penalise(peer, offence, detail)
  }

  reward(peer: string, deed: Deed): void {
    this.#peers.reward(peer, deed)
  }

  ban(target: string, options: BanOptions = {}): Promise<BlacklistEntry> {
    return this.#peers.ban(target, options)
  }

  unban(target: string): Promise<BlacklistEntry | null> {
    return this.#peers.unban(target)
  }

  blacklist(): readonly BlacklistEntry[] {
    return this.#peers.blacklist()
  }

  reserve(peer: string): void {
    this.#peers.reserve(peer)
    this.#dialler.reserve(peer, true)
  }

  release(peer: string): boolean {
    const wasReserved = this.#peers.release(peer)
    this.#dialler.reserve(peer, this.#peers.isReserved(peer))
    return wasReserved
  }

  subscribe(listener: (event: NetworkEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    this.#dialler.stop()
    this.#services.stop()
    for (const link of this.#links) link.close({ code: 'shutting-down', message: '' })
    if (this.#links.size > 0) await new Promise<void>((resolve) => (this.#allClosed = resolve))
    this.#router.stop()
    this.#alarm.cancel()
    await this.#transport.stop()
    await this.discovery.stop()
    await this.#peers.stop()
    this.#config.log.info('network stopped', { peer: this.peerId })
  }

  // Links

  /** A link came up. @param dialKey the dial book's name for it. */
  attach(link: Link, dialKey: string | null, waiters: Opening[] = []): void {
    const peerLink = new PeerLink({
      link,
      dialKey,
      config: this.#config,
      hello: ownHello(this.#config, this.#transport.addresses(), this.peerId, link.remotePeer),
      traffic: this.#traffic,
      owner: this,
    })
    const verdict = this.#stopping === null ? this.#peers.add(peerLink) : STOPPING
    if (!verdict.ok) {
      this.#table.remove(peerLink)
      this.#dialler.ended(peerLink, this.#now())
      this.#openings.passOn(waiters, link.remotePeer, verdict.reason)
      peerLink.drop()
      return
    }
    this.#links.add(peerLink)
    this.#openings.begin(peerLink, waiters)
    peerLink.start()
  }

  judgeHello(link: PeerLink, hello: Hello): void {
    const reason = this.#refusal(link, hello)
    if (reason === null) link.accept()
    else link.close(reason)
  }

  #refusal(link: PeerLink, hello: Hello): Reason | null {
    if (!link.isSession) {
      return { code: 'protocol-mismatch', message: `this node speaks ${this.#config.sessionProtocol}` }
    }
    const admission = this.#config.admit(hello, link.peer)
    if (!admission.ok) return { code: 'not-admitted', message: admission.reason }
    link.label = admission.label ?? null
    return this.#peers.judge(link, admission.reserved)
  }

  opened(link: PeerLink): void {
    const nowMs = this.#now()
    let moved = false
    for (const other of this.#table.opened(link, nowMs)) {
      if (other.phase === 'open' && other.isRelayed && !link.isRelayed) {
        moved = true
        other.drain()
        continue
      }
      other.close({
        code: other.phase === 'open' ? 'replaced' : 'duplicate',
        message: 'another link to this peer is kept',
      })
    }
    if (!moved) this.#router.peerOpened(link.peer, link.session.remoteHello!.features)
    this.#dialler.opened(
      link,
      plausibleAddresses(link.session.remoteHello!.addresses, this.#isNearby(link)),
      nowMs,
    )
    const view = this.#peers.opened(link)
    this.#config.log.info(moved ? 'peer is direct now' : 'peer connected', {
      peer: link.peer,
      direction: link.direction,
      label: link.label,
      height: view.height,
    })
    this.#openings.opened(link)
    this.discovery.records.seen(link.peer)
    this.#services[moved ? 'peerMoved' : 'peerOpened'](view)
    this.#emit({ kind: moved ? 'peerMoved' : 'peerConnected', peer: view })
  }

  ended(link: PeerLink, by: 'local' | 'remote', reason: Reason, wasOpen: boolean): void {
    const nowMs = this.#now()
    this.#table.remove(link)
    if (link.phase === 'draining') return this.#peers.ended(link, by, reason)
    this.#dialler.ended(link, nowMs, { wasOpen })
    this.#openings.ended(link, reason)
    const fields = { peer: link.peer, address: link.remoteAddress, by, reason: reasonText(reason) }
    if (wasOpen) {
      this.#ended.add(reason.code)
      this.#router.peerClosed(link.peer)
      this.#services.peerClosed(link.peer)
      this.#peers.ended(link, by, reason)
      this.#config.log.info('peer disconnected', fields)
      this.#emit({ kind: 'peerDisconnected', peer: link.peer, by, reason })
    } else {
      this.#refused.add(reason.code)
      const isRoutine = ROUTINE.has(reason.code)
      this.#config.log[isRoutine ? 'debug' : 'warn']('handshake failed', fields)
      this.#emit({ kind: 'peerRefused', peer: link.peer, side: by, reason })
    }
    this.wakeBy(nowMs)
  }

  closed(link: PeerLink): void {
    this.#links.delete(link)
    if (this.#links.size === 0) this.#allClosed?.()
  }

  flooded(link: PeerLink): void {
    this.penalise(link.peer, 'flood', 'it sends more messages a second than it may')
  }

  received(link: PeerLink, of: Kind, body: Uint8Array, origin: number): void {
    this.#router.received(link, of, body, origin)
  }

  requested(link: PeerLink, of: Kind, requestId: number, body: Uint8Array): void {
    this.#router.requested(link, of, requestId, body)
  }

  // Peers and status

  requestEnded(link: PeerLink, answered: boolean): void {
    this.#peers.requestEnded(link.peer, answered)
  }

  requestFailed(link: PeerLink, error: NetworkError): void {
    this.#errors.requestFailed(link.peer, error, this.#config.clock.wallMs())
  }

  statusChanged(link: PeerLink): void {
    this.#emit({ kind: 'peerStatus', peer: link.peer, status: link.session.remoteStatus })
  }

  #isNearby({ remoteAddress }: PeerLink): boolean {
    const address = parseAddress(remoteAddress)
    return address !== null && isNearby(address)
  }

  #sendStatus(): void {
    if (this.#statusToSend === null || this.#stopping !== null) return
    const nowMs = this.#now()
    const dueMs = this.#statusSentMs + this.#config.statusIntervalMs
    if (nowMs < dueMs) return this.wakeBy(dueMs)
    for (const link of this.#table.allOpen()) {
      link.session.sendStatus(this.#statusToSend)
      link.schedulePump()
    }
    this.#statusToSend = null
    this.#statusSentMs = nowMs
  }

  // Time

  wakeBy(atMs: number): void {
    this.#alarm.by(atMs)
  }

  #tick(): void {
    for (const link of this.#links) link.tick()
    const { budget } = this.#traffic
    for (let next = budget.nextTurn(this.#now()); next !== null; next = budget.nextTurn(this.#now()))
      next.pump()
    for (const link of this.#links) this.wakeBy(link.session.nextDeadlineMs)
    if (this.#stopping !== null) return
    const nowMs = this.#now()
    this.wakeBy(this.#peers.tick(nowMs))
    this.wakeBy(this.#services.tick(nowMs))
    this.wakeBy(this.discovery.tick(nowMs))
    this.#sendStatus()
    this.#dialler.dialDue(this.#table.slotsUsed('outbound'), nowMs)
  }

  #now(): number {
    return this.#config.clock.monotonicMs()
  }

  #kind(name: string): Kind {
    const kind = this.#config.kinds.byName.get(name)
    assert(kind !== undefined, `there is no message kind ${name}`)
    return kind
  }

  #emit(event: NetworkEvent): void {
    this.#errors.note(event, this.#config.clock.wallMs())
    for (const listener of this.#listeners) listener(event)
  }

  #serviceHost(feature: string): ServiceHost {
    return {
      peerId: this.peerId,
      config: this.#config,
      transport: this.#transport,
      records: this.discovery.records,
      addresses: () => this.#transport.addresses(),
      nextHop: (peer) => this.#services.of(topologySpec).nextHop(peer),
      peers: () => this.peers().filter(({ features }) => features.includes(feature)),
      keepsUp: (peer) => this.#table.open(peer)?.session.lanes.depth('low').messages === 0,
      send: (peer, kind, body) => this.send(peer, kind, body) === 'queued',
      request: (peer, kind, body, timeoutMs) => this.request(peer, kind, body, { timeoutMs }),
      connect: (address) => this.connect(address),
      penalise: (peer, reason) => this.penalise(peer, 'invalidMessage', reason),
      emit: (event) => this.#emit(event),
      wakeBy: (atMs) => this.wakeBy(atMs),
    }
  }
}

/** What also happens between nodes that fit together, as when both dial at once. */
const ROUTINE: ReadonlySet<ReasonCode> = new Set(['duplicate', 'shutting-down', 'link-lost'])

const DUPLICATE = { code: 'duplicate', message: '' } as const
const STOPPING = { ok: false, reason: { code: 'shutting-down', message: '' } } as const
