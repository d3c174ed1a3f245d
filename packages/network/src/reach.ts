/**
 * Reaching this node, and others, behind NATs (PT-8, VC-9): peers dial each other back, hold places at relays while they cannot be
 * dialled, and replace a relayed session by a direct one when either side can be. A shell: the cores in `protocol/` decide.
 * @module
 */
import { NetworkError } from './errors.ts'
import { HolePunch, PUNCH, refusal, SOURCE } from './hole-punch.ts'
import type { Message, PeerView } from './network-types.ts'
import { ADDRESS_CHARS_MAX, isPlausible, parseAddress } from './protocol/address.ts'
import type { Address } from './protocol/address.ts'
import { placeOf } from './protocol/ip-block.ts'
import { ReachabilityJudge } from './protocol/reachability.ts'
import type { Reachability } from './protocol/reachability.ts'
import {
  decodeDialBackAnswer,
  decodeDialBackRequest,
  decodeNotice,
  DIAL_BACK_BYTES_MAX,
  DOORS_MAX,
  encodeDialBackAnswer,
  encodeDialBackRequest,
  encodeNotice,
  OWN_ADDRESSES_MAX,
  REACH_NOTICE_BYTES_MAX,
} from './protocol/reach-messages.ts'
import { Reservations } from './protocol/reservations.ts'
import type { ReservationInput } from './protocol/reservations.ts'
import { Upgrades } from './protocol/upgrades.ts'
import type { UpgradeAttempt } from './protocol/upgrades.ts'
import type { Service, ServiceHost, ServiceSpec } from './service.ts'
import type { NatTransport } from './transport.ts'

const ANSWER_TIMEOUT_MS = 5000
const RETRY_MIN_MS = 500
/** A full relay may stay full for long: of 200 idle peers, 136 asked theirs five times a second together. */
const RETRY_MAX_MS = 120_000
/** A dial back takes no longer; the question, that much longer. */
const DIAL_BACK_MS = 4000
const DIAL_BACK_QUESTION_MS = 3 * DIAL_BACK_MS
/** Between two dials back for one peer. */
const DIAL_BACK_INTERVAL_MS = 2000
const DIAL_BACKS_MAX = 4
const PROBES_MAX = 3
/** Peers that are asked to dial back in one interval: more would hardly know better. */
const ASKED_PER_INTERVAL = 4
/** While others come through there is less to find out. */
const CONTENT_FACTOR = 10

const NOTICE = 'reach.notice'
const DIAL_BACK = 'reach.dialBack'

/** How this node can be reached, and over whom. */
export interface ReachView extends Reachability {
  /** Peers that hold a place for it now. */
  readonly relays: readonly string[]
  /** Multiaddrs that it announces besides those it listens on. */
  readonly addresses: readonly string[]
  /** It relays for its peers. */
  readonly isRelay: boolean
}

export const reachService: ServiceSpec = {
  feature: 'reach/1',
  kinds: {
    [NOTICE]: { id: 184, lane: 'high', maxBytes: REACH_NOTICE_BYTES_MAX },
    [DIAL_BACK]: { id: 185, lane: 'high', maxBytes: DIAL_BACK_BYTES_MAX },
    [SOURCE]: { id: 186, lane: 'high', maxBytes: ADDRESS_CHARS_MAX },
    [PUNCH]: { id: 187, lane: 'high', maxBytes: ADDRESS_CHARS_MAX },
  },
  create: (host) => new Reach(host),
}

export class Reach implements Service {
  readonly #host: ServiceHost
  readonly #nat: NatTransport | undefined
  readonly #judge = new ReachabilityJudge()
  readonly #reservations: Reservations
  readonly #upgrades = new Upgrades()
  readonly #peerById = new Map<string, PeerView>()
  /** Peers that say that they relay; of use to this node while the session with them is direct. */
  readonly #offering = new Set<string>()
  /** When a peer was asked to dial back, the last few times; also of peers that are gone. */
  #askedMs: number[] = []
  /** When each was last asked to dial back, and last asked this node to. */
  readonly #askedMsByPeer = new Map<string, number>()
  readonly #servedMsByPeer = new Map<string, number>()
  readonly #stopped = new AbortController()
  #relays: readonly string[] = []
  #forwarded: readonly string[] = []
  #announced: readonly string[] = []
  #view: ReachView
  #noticeSent = ''
  #probing = 0
  #dialsBack = 0
  #isForwarding = false
  #holePunch: HolePunch | null = null

  constructor(host: ServiceHost) {
    const { relaysMax, relayConfirmMs } = host.config.nat
    this.#host = host
    this.#nat = host.transport.nat
    this.#reservations = new Reservations({
      relaysMax,
      confirmIntervalMs: relayConfirmMs,
      answerTimeoutMs: ANSWER_TIMEOUT_MS,
      retryMinMs: RETRY_MIN_MS,
      retryMaxMs: RETRY_MAX_MS,
    })
    this.#view = { ...this.#judge.judge(0), relays: [], addresses: [], isRelay: false }
    this.#nat?.relayFor((peer) => this.#view.isRelay && this.#peerById.has(peer))
  }

  view(): ReachView {
    return this.#view
  }

  peerOpened(peer: PeerView): void {
    this.#peerById.set(peer.id, peer)
    this.#opened(peer)
    this.#sendNotice(peer.id)
    this.#host.wakeBy(this.#now())
  }

  peerMoved(peer: PeerView): void {
    this.#peerById.set(peer.id, peer)
    this.#opened(peer)
    this.#host.wakeBy(this.#now())
  }

  #opened(peer: PeerView): void {
    const { id, addresses, remoteAddress } = peer
    this.#consider(peer)
    if (!isRelayed(remoteAddress)) return this.#upgrades.settled(id)
    if (this.#host.config.nat.upgrade) this.#upgrades.relayed(id, directAddresses(addresses), this.#now())
  }

  peerClosed(peer: string): void {
    this.#peerById.delete(peer)
    this.#askedMsByPeer.delete(peer)
    this.#servedMsByPeer.delete(peer)
    this.#holePunch?.peerClosed(peer)
    this.#upgrades.settled(peer)
    this.#offering.delete(peer)
    this.#feed({ kind: 'relayGone', relay: peer })
  }

  /** As a relay. */
  #consider({ id, remoteAddress }: PeerView): void {
    const isUsable = this.#offering.has(id) && !isRelayed(remoteAddress)
    this.#feed({ kind: isUsable ? 'relayOffered' : 'relayGone', relay: id })
  }

  received({ from, kind, body }: Message): void {
    if (kind !== NOTICE) return
    const notice = decodeNotice(body)
    if (!notice.ok) return this.#host.penalise(from, notice.fault.message)
    const peer = this.#peerById.get(from)
    if (peer === undefined) return
    this.#offering[notice.value.isRelay ? 'add' : 'delete'](from)
    this.#consider(peer)
    this.#upgrades.addressesKnown(from, directAddresses(notice.value.addresses), this.#now())
    this.#host.wakeBy(this.#now())
  }

  async answer({ from, kind, body }: Message, signal: AbortSignal): Promise<Uint8Array> {
    if (kind === DIAL_BACK) return this.#answerDialBack(from, body, signal)
    const punch = this.#punch()
    if (punch === null) throw refusal('NOT_SUPPORTED', 'this node has no QUIC')
    return kind === SOURCE ? punch.answerSource(from) : punch.answerPunch(from, body, this.#judge.seenAt)
  }

  /** Known once the transport has started. */
  #punch(): HolePunch | null {
    const punching = this.#nat?.punching ?? null
    if (punching !== null) this.#holePunch ??= new HolePunch(this.#host, punching)
    return this.#holePunch
  }

  async #answerDialBack(from: string, body: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    const request = decodeDialBackRequest(body)
    if (!request.ok) throw refusal('MALFORMED', request.fault.message)
    const nowMs = this.#now()
    const host = hostOf(this.#peerById.get(from)?.remoteAddress ?? '')
    if (this.#nat === undefined || host === null)
      throw refusal('NO_ADDRESS', 'this node does not see where you are')
    const sinceMs = nowMs - (this.#servedMsByPeer.get(from) ?? -Infinity)
    if (sinceMs < DIAL_BACK_INTERVAL_MS || this.#dialsBack >= DIAL_BACKS_MAX)
      throw refusal('BUSY', 'ask later')
    this.#servedMsByPeer.set(from, nowMs)
    this.#dialsBack++
    try {
      return encodeDialBackAnswer({
        host,
        reached: await this.#dialBack(from, host, request.value.doors, signal),
      })
    } finally {
      this.#dialsBack--
    }
  }

  /** Only where the asker is seen: it can make this node dial nobody else. */
  async #dialBack(
    peer: string,
    host: string,
    doors: readonly string[],
    signal: AbortSignal,
  ): Promise<string[]> {
    const within = AbortSignal.any([signal, this.#stopped.signal, AbortSignal.timeout(DIAL_BACK_MS)])
    const answers = doors.map(async (door) => {
      const address = parseAddress(`${host}${door}`)
      if (address === null || address.relay !== null || address.peer !== null || address.port === 0)
        return false
      return this.#nat!.probe(address.text, peer, within)
    })
    const reached = await Promise.all(answers)
    return doors.filter((_, i) => reached[i])
  }

  tick(nowMs: number): number {
    if (this.#nat === undefined) return Infinity
    this.#forwardPorts()
    this.#feed({ kind: 'timeElapsed' })
    this.#update()
    for (const attempt of this.#upgrades.due(nowMs)) void this.#upgrade(attempt)
    return Math.min(this.#probe(nowMs), this.#reservations.nextDueMs(nowMs), this.#upgrades.nextDueMs())
  }

  stop(): void {
    this.#stopped.abort()
  }

  // Whether others can dial this node

  /** @returns when the next peer is to be asked. */
  #probe(nowMs: number): number {
    const { autonat, probeIntervalMs } = this.#host.config.nat
    const doors = this.#doors()
    if (!autonat || doors.length === 0) return Infinity
    const intervalMs = this.#view.reach === 'public' ? CONTENT_FACTOR * probeIntervalMs : probeIntervalMs
    this.#askedMs = this.#askedMs.filter((atMs) => atMs > nowMs - intervalMs)
    let nextMs = Infinity
    for (const { id, remoteAddress } of this.#peerById.values()) {
      if (isRelayed(remoteAddress)) continue
      if (this.#askedMs.length >= ASKED_PER_INTERVAL) return this.#askedMs[0]! + intervalMs
      const dueMs = (this.#askedMsByPeer.get(id) ?? -Infinity) + intervalMs
      if (dueMs > nowMs || this.#probing >= PROBES_MAX) {
        nextMs = Math.min(nextMs, Math.max(dueMs, nowMs + DIAL_BACK_INTERVAL_MS))
        continue
      }
      this.#askedMsByPeer.set(id, nowMs)
      this.#askedMs.push(nowMs)
      void this.#askToDialBack(id, doors)
    }
    return nextMs
  }

  async #askToDialBack(peer: string, doors: readonly string[]): Promise<void> {
    this.#probing++
    try {
      const body = encodeDialBackRequest({ doors })
      const answer = decodeDialBackAnswer(
        await this.#host.request(peer, DIAL_BACK, body, DIAL_BACK_QUESTION_MS),
      )
      if (!answer.ok) return this.#host.penalise(peer, answer.fault.message)
      const { host, reached } = answer.value
      const place = placeOf(`${host}/tcp/1`)
      if (place === null || parseAddress(`${host}/tcp/1`) === null) return
      const through = doors.filter((door) => reached.includes(door))
      this.#judge.heard({ peer, host, scope: place.kind, tried: doors, reached: through }, this.#now())
    } catch (error) {
      // A peer that does not dial back, or is gone, tells nothing.
      if (!(error instanceof NetworkError)) throw error
    } finally {
      this.#probing--
      if (!this.#stopped.signal.aborted) this.#update()
    }
  }

  /** What follows the host in the addresses at which this node may answer. */
  #doors(): string[] {
    const addresses = [...this.#forwarded, ...this.#listening()].map(parseAddress)
    const direct = addresses.filter(
      (address) => address !== null && address.relay === null && address.port !== 0,
    )
    return [...new Set(direct.map((address) => doorOf(address!.text)))].slice(0, DOORS_MAX)
  }

  #listening(): string[] {
    const addresses = this.#host.transport.addresses().map((text) => parseAddress(text)?.text ?? text)
    return addresses.filter((address) => !this.#announced.includes(address))
  }

  #forwardPorts(): void {
    if (!this.#host.config.nat.upnp || this.#isForwarding) return
    this.#isForwarding = true
    this.#nat!.forwardPorts(this.#listening(), (addresses) => {
      this.#forwarded = addresses
      this.#askedMsByPeer.clear()
      this.#askedMs = []
      this.#host.wakeBy(this.#now())
    })
  }

  // What follows from it

  #update(): void {
    const { reachability, isRelay } = this.#assess()
    const { relayClient } = this.#host.config.nat
    const isWanted = relayClient === 'on' || (relayClient === 'auto' && reachability.reach === 'private')
    this.#feed({ kind: 'wantChanged', isWanted })
    const listening = new Set(this.#listening())
    const direct = [...reachability.confirmed, ...this.#forwarded].filter(
      (address) => !listening.has(address),
    )
    const addresses = [
      ...new Set([...direct, ...this.#relays.flatMap((relay) => this.#addressesOver(relay))]),
    ]
    const view: ReachView = { ...reachability, relays: this.#relays, addresses, isRelay }
    const isNew = JSON.stringify(view) !== JSON.stringify(this.#view)
    const hasNewReach = view.reach !== this.#view.reach
    this.#view = view
    if (!isNew) return
    this.#announced = addresses
    this.#nat!.announce(addresses)
    if (hasNewReach) this.#host.config.log.info('reachability', { reach: view.reach, why: view.why })
    this.#host.emit({ kind: 'reachChanged', reach: view })
    this.#sendNotices()
    this.#host.wakeBy(this.#now())
  }

  #assess(): { reachability: Reachability; isRelay: boolean } {
    const { nodeType, nat } = this.#host.config
    const isListening = this.#doors().length > 0
    const reachability: Reachability = isListening
      ? this.#judge.judge(this.#now())
      : { reach: 'private', why: 'this node listens nowhere', confirmed: [] }
    const mayRelay = nodeType === 'full' && reachability.reach === 'public'
    return { reachability, isRelay: nat.relayServer === 'on' || (nat.relayServer === 'auto' && mayRelay) }
  }

  #sendNotices(): void {
    const { isRelay, confirmed } = this.#view
    const notice = JSON.stringify([isRelay, confirmed])
    if (notice === this.#noticeSent) return
    this.#noticeSent = notice
    for (const peer of this.#peerById.keys()) this.#sendNotice(peer)
  }

  #sendNotice(peer: string): void {
    if (this.#noticeSent === '') return
    const { isRelay, confirmed } = this.#view
    this.#host.send(peer, NOTICE, encodeNotice({ isRelay, addresses: confirmed.slice(0, OWN_ADDRESSES_MAX) }))
  }

  // Relays

  #feed(input: ReservationInput): void {
    const nowMs = this.#now()
    for (const effect of this.#reservations.handle(input, nowMs)) {
      if (effect.kind === 'ask') {
        void this.#askRelay(effect.relay)
      } else {
        this.#relays = effect.relays
        this.#nat?.acceptOver(effect.relays)
        this.#host.config.log.info('relays', { relays: effect.relays })
        // What is announced follows in `tick`.
        this.#host.wakeBy(nowMs)
      }
    }
    this.#host.wakeBy(this.#reservations.nextDueMs(nowMs))
  }

  async #askRelay(relay: string): Promise<void> {
    const { log } = this.#host.config
    const within = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)])
    try {
      const lifeMs = await this.#nat!.reserve(relay, within)
      this.#feed({ kind: 'placeGranted', relay, lifeMs })
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error
      if (this.#stopped.signal.aborted) return
      log.debug('no place at a relay', { relay, message: error.message })
      this.#feed({ kind: 'placeRefused', relay })
    }
  }

  /** How others dial this node over the relay: where this node itself reached it, else where it says it listens. */
  #addressesOver(relay: string): string[] {
    const peer = this.#peerById.get(relay)
    if (peer === undefined) return []
    const { direction, remoteAddress, addresses } = peer
    const isKnown = direction === 'outbound'
    const known = (isKnown ? [remoteAddress] : addresses).map(parseAddress)
    const direct = known.filter((address) => address !== null && address.relay === null && address.port !== 0)
    const [best] = direct.filter((address) => isKnown || isPlausible(address!, false)).sort(byWidth)
    return best ? [`${best.text}/p2p/${relay}/p2p-circuit`] : []
  }

  // From relayed to direct

  async #upgrade({ peer, addresses }: UpgradeAttempt): Promise<void> {
    const isNear = (address: string) => placeOf(address)?.kind === 'private'
    for (const address of addresses.filter((each) => !isNear(each))) await this.#tryAddress(peer, address)
    // One side dials, the other opens the way.
    const punch = this.#host.peerId < peer ? this.#punch() : null
    if (punch !== null) {
      const direct = [...this.#peerById.values()].filter(({ remoteAddress }) => !isRelayed(remoteAddress))
      await this.#tryDirect(peer, () => punch.attempt(peer, direct, this.#stopped.signal))
    }
    for (const address of addresses.filter(isNear)) await this.#tryAddress(peer, address)
    // `peerMoved` settled it when one came through.
    this.#upgrades.failed(peer, this.#now())
    this.#host.wakeBy(this.#now())
  }

  async #tryAddress(peer: string, address: string): Promise<void> {
    await this.#tryDirect(peer, async () => void (await this.#host.connect(`${address}/p2p/${peer}`)))
  }

  async #tryDirect(peer: string, attempt: () => Promise<void>): Promise<void> {
    if (this.#stopped.signal.aborted || !isRelayed(this.#peerById.get(peer)?.remoteAddress ?? '')) return
    try {
      await attempt()
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error
      this.#host.config.log.debug('no direct link', { peer, message: error.message })
    }
  }

  #now(): number {
    return this.#host.config.clock.monotonicMs()
  }
}

/** Those worth dialling, without the peer. */
function directAddresses(texts: readonly string[]): string[] {
  const addresses = texts.map(parseAddress).filter((address) => address !== null && address.relay === null)
  return (addresses as Address[]).filter((address) => isPlausible(address, false)).map(({ text }) => text)
}

function isRelayed(address: string): boolean {
  return address.includes('/p2p-circuit')
}

/** The IP part of an address, as `/ip4/11.0.0.2`; null when it is a name's, a relay's or none. */
function hostOf(remoteAddress: string): string | null {
  const address = parseAddress(remoteAddress)
  if (address === null || address.relay !== null) return null
  const { hostKind, host } = address
  return hostKind === 'ip4' || hostKind === 'ip6' ? `/${hostKind}/${host}` : null
}

function doorOf(address: string): string {
  return `/${address.split('/').slice(3).join('/')}`
}

/** Public addresses first. */
function byWidth(a: Address | null, b: Address | null): number {
  const width = (address: Address | null) =>
    ['public', 'private', 'loopback'].indexOf(placeOf(address!.text)?.kind ?? 'loopback')
  return width(a) - width(b)
}
