/**
 * The peers of a running node: which links become sessions, how well they do, what they are charged with, who is banned. The cores
 * in `protocol/` decide; this file feeds them and closes the links that have to go.
 * @module
 */
import type { Bans, BanOptions } from './bans.ts'
import type { CheckedConfig } from './config.ts'
import type { Dialler } from './dialler.ts'
import { NetworkError } from './errors.ts'
import type { NetworkEvent, NetworkHealth, PeerDetails, PeerQuery, PeerView } from './network-types.ts'
import type { PeerLink } from './peer-link.ts'
import { peerDetails, peerView } from './peer-view.ts'
import type { PeerAbout, PeerStanding } from './peer-view.ts'
import type { BlacklistEntry } from './protocol/blacklist.ts'
import { chooseCrowded, chooseReplaceable } from './protocol/eviction.ts'
import type { Seat } from './protocol/eviction.ts'
import type { HealthChange, LinkSight } from './protocol/health.ts'
import { isAddressWithin, parseIpBlock, placeOf } from './protocol/ip-block.ts'
import { KnownPeers } from './protocol/known-peers.ts'
import { PeerTable } from './protocol/peer-table.ts'
import type { Verdict } from './protocol/peer-table.ts'
import { reasonText } from './protocol/reason.ts'
import type { Reason } from './protocol/reason.ts'
import { Reputation } from './protocol/reputation.ts'
import type { Deed, Offence } from './protocol/reputation.ts'
import type { Gate } from './transport.ts'

interface PeersSetup {
  readonly config: CheckedConfig
  readonly localPeer: string
  readonly bans: Bans
  readonly emit: (event: NetworkEvent) => void
  /** Known once the links are. */
  readonly dialler: () => Pick<Dialler, 'hasOthers' | 'hasOthersElsewhere' | 'bootstrapPeers'>
}

/** How often health is looked at. */
const REVIEW_INTERVAL_MS = 5000
/** So many banned peers at one public address are one who changes identities: the address is banned too. */
const BANNED_AT_ADDRESS_MAX = 3
const ADDRESSES_WATCHED_MAX = 1000
const ADMITTED_KEPT = 1000

export class Peers implements Gate {
  readonly table: PeerTable<PeerLink>
  readonly #setup: PeersSetup
  readonly #known: KnownPeers<PeerAbout>
  readonly #reputation: Reputation
  /** By configuration or the operator. */
  readonly #reserved = new Set<string>()
  /** As `admit` said when the peer last came, the last one last: what it is judged for may come out when it is gone. */
  readonly #admittedReserved = new Set<string>()
  readonly #bannedByHost = new Map<string, Set<string>>()
  #reviewedMs = -Infinity
  /** Of all peers, since the start. */
  offencesCount = 0

  constructor(setup: PeersSetup) {
    this.#setup = setup
    const { config } = setup
    this.#known = new KnownPeers(config)
    this.#reputation = new Reputation(config)
    this.table = new PeerTable(config.peers, setup.localPeer, (link) => this.#seatOf(link))
    for (const { peer } of config.reserved) this.#reserved.add(peer)
  }

  // Who may connect

  admitsAddress(address: string, direction: 'inbound' | 'outbound'): boolean {
    if (this.#setup.bans.ofAddress(address) !== null) return false
    return direction === 'outbound' || this.table.hasRoomAt(placeOf(address))
  }

  admitsPeer(peer: string): boolean {
    return this.#setup.bans.ofPeer(peer) === null
  }

  /** A link came up. @returns whether it is worth a handshake; who dialled us is told there why not. */
  add(link: PeerLink): Verdict {
    const verdict = this.table.add(link)
    return verdict.ok && link.direction === 'outbound' ? this.#welcome(link) : verdict
  }

  /** The peer's hello fits ours. @param reserved as `admit` says. @returns null when it may stay; who makes room for it is closed. */
  judge(link: PeerLink, reserved: boolean): Reason | null {
    this.#admitted(link.peer, reserved)
    link.reserved = this.isReserved(link.peer)
    const welcome = this.#welcome(link)
    if (!welcome.ok) return welcome.reason
    const judgement = this.table.judge(link, this.#now())
    if (!judgement.ok) return judgement.reason
    judgement.evict?.close({ code: 'evicted', message: 'room was made for a peer from elsewhere' })
    return null
  }

  #admitted(peer: string, reserved: boolean): void {
    this.#admittedReserved.delete(peer)
    if (!reserved) return
    this.#admittedReserved.add(peer)
    if (this.#admittedReserved.size > ADMITTED_KEPT) {
      this.#admittedReserved.delete(this.#admittedReserved.keys().next().value!)
    }
  }

  #welcome({ peer, remoteAddress }: PeerLink): Verdict {
    const ban = this.#setup.bans.ofPeer(peer) ?? this.#setup.bans.ofAddress(remoteAddress)
    if (ban !== null) return { ok: false, reason: bannedBecause(ban) }
    const coolingMs = this.#reputation.coolingMs(peer, this.#now())
    if (coolingMs === 0) return { ok: true }
    const seconds = Math.ceil(coolingMs / 1000)
    const message = `too many offences; welcome again in ${seconds} s`
    return { ok: false, reason: { code: 'cooling-down', message } }
  }

  // Sessions

  opened(link: PeerLink): PeerView {
    const nowMs = this.#now()
    const view = this.view(link)
    const { addresses, remoteAddress, direction, nodeType, features, label } = view
    const about = { addresses, remoteAddress, direction, nodeType, features, label }
    this.#changed(link.peer, this.#known.opened(link.peer, about, nowMs).health.connected(nowMs))
    return this.view(link)
  }

  /** An open session ended. */
  ended(link: PeerLink, by: 'local' | 'remote', reason: Reason): void {
    const { counts, session } = link
    const { messagesIn, messagesOut, bytesIn, bytesOut } = session
    const traffic = { messagesIn, messagesOut, bytesIn, bytesOut }
    const nowMs = this.#now()
    const isGone = this.table.open(link.peer) === undefined
    this.#known.ended(link.peer, { atMs: nowMs, by, reason }, { counts, traffic }, isGone)
    if (isGone) {
      this.#changed(
        link.peer,
        this.#known.get(link.peer)?.health.disconnected(reasonText(reason), nowMs) ?? null,
      )
    }
    if (by === 'local' && reason.code === 'protocol-fault') {
      this.penalise(link.peer, 'protocolViolation', reason.message)
    }
  }

  /** Looks at everyone's health, and forgets what is old. @returns when to be called again. */
  tick(nowMs: number): number {
    if (nowMs - this.#reviewedMs >= REVIEW_INTERVAL_MS) {
      this.#reviewedMs = nowMs
      this.#reputation.expire(nowMs)
      this.#known.expire(nowMs)
      for (const link of this.table.allOpen()) {
        const health = this.#known.get(link.peer)?.health
        this.#changed(link.peer, health?.assess(sightOf(link, nowMs), nowMs) ?? null)
      }
      if (this.#setup.dialler().hasOthers()) this.#replaceWorst(nowMs)
    }
    return this.#reviewedMs + REVIEW_INTERVAL_MS
  }

  /** Below the floor a poor link is better than none. */
  #replaceWorst(nowMs: number): void {
    const { maxOutbound, peersFloor } = this.#setup.config
    const open = [...this.table.allOpen()]
    if (open.length <= peersFloor || this.table.slotsUsed('outbound') < maxOutbound) return
    const seats = open
      .filter(({ direction, reserved }) => direction === 'outbound' && !reserved)
      .map((link) => this.#seatOf(link))
    const worst = chooseReplaceable(seats, nowMs)
    worst?.link.close({ code: 'evicted', message: 'another peer is tried, since this link works badly' })
    const dialler = this.#setup.dialler()
    if (worst !== null || !dialler.hasOthersElsewhere()) return
    const bootstrap = dialler.bootstrapPeers()
    const free = seats.filter(({ link }) => !bootstrap.has(link.peer))
    chooseCrowded(free, nowMs)?.link.close({ code: 'evicted', message: 'a peer from elsewhere is tried' })
  }

  /** An own request to the peer was, or was not, answered in time. */
  requestEnded(peer: string, answered: boolean): void {
    const health = this.#known.get(peer)?.health
    if (answered) health?.answered()
    else health?.failed()
  }

  #changed(peer: string, change: HealthChange | null): void {
    if (change === null) return
    this.#setup.emit({ kind: 'peerHealth', peer, from: change.from, to: change.to, cause: change.cause })
  }

  // Deeds and offences

  reward(peer: string, deed: Deed): void {
    this.#reputation.reward(peer, deed, this.#now())
  }

  penalise(peer: string, offence: Offence, detail: string): void {
    const { config, emit } = this.#setup
    this.offencesCount++
    const known = this.#known.get(peer)
    if (known !== undefined) known.timesByOffence[offence]++
    config.log.warn('peer fault', { peer, offence, detail })
    emit({ kind: 'peerFault', peer, offence, reason: detail })
    const mayBan = !this.isReserved(peer)
    const sentence = this.#reputation.penalise(peer, offence, this.#now(), mayBan)
    switch (sentence.kind) {
      case 'none':
        return
      case 'sendAway':
        return this.table.open(peer)?.close({ code: 'too-many-faults', message: `the last: ${detail}` })
      case 'ban':
        return this.#banForOffence(peer, `${offence}: ${detail}`, sentence.forMs)
    }
  }

  #banForOffence(peer: string, reason: string, forMs: number): void {
    const address = (this.table.any(peer) ?? this.#known.get(peer)?.about)?.remoteAddress ?? ''
    this.#tryBan(peer, reason, forMs)
    const place = placeOf(address)
    if (place?.kind !== 'public') return
    const banned = this.#bannedByHost.get(place.host) ?? new Set()
    this.#bannedByHost.delete(place.host)
    this.#bannedByHost.set(place.host, banned.add(peer))
    if (this.#bannedByHost.size > ADDRESSES_WATCHED_MAX) {
      this.#bannedByHost.delete(this.#bannedByHost.keys().next().value!)
    }
    if (banned.size < BANNED_AT_ADDRESS_MAX) return
    this.#bannedByHost.delete(place.host)
    this.#tryBan(place.host, `${BANNED_AT_ADDRESS_MAX} peers there were banned`, forMs)
  }

  /** A blacklist that is full of permanent entries stops no node. */
  #tryBan(target: string, reason: string, forMs: number): void {
    try {
      this.#ban(target, { reason, by: 'reputation', forMs }, true)
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error
      this.#setup.config.log.error('cannot ban', { target, error })
    }
  }

  // Bans

  blacklist(): readonly BlacklistEntry[] {
    return this.#setup.bans.entries()
  }

  async ban(target: string, options: BanOptions): Promise<BlacklistEntry> {
    if (target === this.#setup.localPeer) {
      throw new NetworkError('BLACKLIST_TARGET_INVALID', `${target} is this node itself`)
    }
    const entry = this.#ban(target, options, false)
    await this.#setup.bans.saved()
    return entry
  }

  async unban(target: string): Promise<BlacklistEntry | null> {
    const entry = this.#setup.bans.unban(target)
    if (entry === null) return null
    this.#reputation.forgive(entry.target)
    this.#setup.emit({ kind: 'peerUnbanned', entry })
    await this.#setup.bans.saved()
    return entry
  }

  #ban(target: string, options: BanOptions, automatic: boolean): BlacklistEntry {
    const { bans, emit } = this.#setup
    const entry = bans.ban(target, options, automatic)
    emit({ kind: 'peerBanned', entry })
    for (const link of this.table.all()) {
      const ban = bans.ofPeer(link.peer) ?? bans.ofAddress(link.remoteAddress)
      if (ban !== null) link.close(bannedBecause(ban))
    }
    return entry
  }

  // Reserved peers

  isReserved(peer: string): boolean {
    return this.#reserved.has(peer) || this.#admittedReserved.has(peer)
  }

  reserve(peer: string): void {
    this.#reserved.add(peer)
    const link = this.table.open(peer)
    if (link !== undefined) link.reserved = true
  }

  /** @returns whether it was reserved by configuration or `reserve`. What `admit` reserves stays so. */
  release(peer: string): boolean {
    const wasReserved = this.#reserved.delete(peer)
    const link = this.table.open(peer)
    if (link !== undefined) link.reserved = this.isReserved(peer)
    return wasReserved
  }

  /** Resolves when all bans are in the store, or could not be put there, which the log says. */
  async stop(): Promise<void> {
    await this.#setup.bans.saved().catch(() => {})
  }

  // What users see

  view(link: PeerLink): PeerView {
    return peerView(link, this.#standing(link.peer, link), this.#wallOffsetMs)
  }

  sessions(): PeerView[] {
    return [...this.table.allOpen()].map((link) => this.view(link))
  }

  details(id: string): PeerDetails | undefined {
    const known = this.#known.get(id)
    if (known === undefined) return undefined
    const link = this.table.open(id)
    return peerDetails(known, link, {
      session: link === undefined ? null : this.view(link),
      standing: this.#standing(id, link),
      reserved: this.isReserved(id),
      ban: this.#setup.bans.ofPeer(id) ?? this.#setup.bans.ofAddress(known.about.remoteAddress),
      wallOffsetMs: this.#wallOffsetMs,
    })
  }

  known(): PeerDetails[] {
    return [...this.#known.all()].map(({ id }) => this.details(id)!)
  }

  find(query: PeerQuery): PeerView[] {
    const { feature, nodeType, label, version, within, heardWithinMs, maxLatencyMs, minReputation } = query
    const block = within === undefined ? null : parseIpBlock(within)
    const wallMs = this.#setup.config.clock.wallMs()
    return this.sessions()
      .filter(
        (peer) =>
          (feature === undefined || peer.features.includes(feature)) &&
          (nodeType === undefined || peer.nodeType === nodeType) &&
          (label === undefined || peer.label === label) &&
          (version === undefined || peer.version === version) &&
          (within === undefined || (block !== null && isAddressWithin(peer.remoteAddress, block))) &&
          (heardWithinMs === undefined || wallMs - peer.lastSeenMs <= heardWithinMs) &&
          (maxLatencyMs === undefined || (peer.latencyMs !== null && peer.latencyMs <= maxLatencyMs)) &&
          (minReputation === undefined || peer.reputation >= minReputation),
      )
      .toSorted((a, b) => b.quality - a.quality || b.reputation - a.reputation)
  }

  health(): NetworkHealth {
    const peers = this.sessions()
    const latencies = peers.flatMap(({ latencyMs }) => latencyMs ?? [])
    const bootstrap = this.#setup.dialler().bootstrapPeers()
    const countOf = (is: (peer: PeerView) => boolean) => peers.filter(is).length
    return {
      healthy: countOf(({ health }) => health === 'healthy'),
      degraded: countOf(({ health }) => health === 'degraded'),
      disconnected: [...this.#known.all()].length - peers.length,
      inbound: countOf(({ direction }) => direction === 'inbound'),
      outbound: countOf(({ direction }) => direction === 'outbound'),
      authorities: countOf(({ nodeType, reserved }) => nodeType === 'authority' && reserved),
      reserved: countOf(({ reserved }) => reserved),
      bootstrap: countOf(({ id }) => bootstrap.has(id)),
      banned: this.#setup.bans.entries().length,
      averageLatencyMs:
        latencies.length === 0 ? null : latencies.reduce((total, ms) => total + ms, 0) / latencies.length,
    }
  }

  #seatOf(link: PeerLink): Seat & { readonly link: PeerLink } {
    const { latencyMs } = link.session
    const { quality, reputation } = this.#standing(link.peer, link)
    return {
      link,
      block: link.place?.block ?? null,
      region: link.place?.region ?? null,
      openedMs: link.phase === 'open' ? link.openedMs : null,
      latencyMs,
      quality,
      reputation,
    }
  }

  #standing(peer: string, link: PeerLink | undefined): PeerStanding {
    const nowMs = this.#now()
    const health = this.#known.get(peer)?.health
    return {
      health: health?.state ?? 'disconnected',
      quality: link === undefined ? 0 : (health?.quality(sightOf(link, nowMs)) ?? 0),
      reputation: Math.round(100 * this.#reputation.score(peer, nowMs)) / 100,
    }
  }

  get #wallOffsetMs(): number {
    return this.#setup.config.clock.wallMs() - this.#now()
  }

  #now(): number {
    return this.#setup.config.clock.monotonicMs()
  }
}

function sightOf({ session, isReading }: PeerLink, nowMs: number): LinkSight {
  return { silentMs: isReading ? nowMs - session.receivedMs : 0, latencyMs: session.latencyMs }
}

function bannedBecause({ reason, untilMs, target }: BlacklistEntry): Reason {
  const until = untilMs === null ? 'for good' : `until ${new Date(untilMs).toISOString()}`
  return { code: 'banned', message: `${target} is banned ${until}${reason === '' ? '' : `: ${reason}`}` }
}
