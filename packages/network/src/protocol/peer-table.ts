/**
 * Which links may become and stay sessions (PT-9). Pure.
 * T1  at most one open session per peer
 * T2  when both dial at once, the link dialled by the smaller peer id is kept: its dialler refuses the other one as `duplicate`,
 *     the larger id refuses nothing, so at least one is kept
 * T3  a session that is older than a handshake can take is not part of a simultaneous dial: the peer lost it and came back, so
 *     the newer link replaces it
 * T4  inbound and outbound slots are counted apart (outbound ones by the dial book); reserved peers need none
 * T5  of the peers that dialled us, at most `maxPerIp` come from one address and `maxPerIpBlock` from one /24 (IPv6: /64 and /56),
 *     reserved ones not counted. Loopback is not limited, and private networks not by block: all of a site are in one
 * T6  when all inbound slots are taken, `chooseVictim` says whether someone makes room
 * T7  a direct link replaces a relayed one, which drains first; a relayed link never replaces a direct one. Both sides judge so
 * @module
 */
import { chooseVictim } from './eviction.ts'
import type { Seat } from './eviction.ts'
import type { Place } from './ip-block.ts'
import type { Reason } from './reason.ts'

export interface PeerLimits {
  readonly maxInbound: number
  readonly maxPerIp: number
  readonly maxPerIpBlock: number
  readonly handshakeTimeoutMs: number
}

export type Direction = 'inbound' | 'outbound'

/** What the table has to know of a link. */
export interface LinkRecord {
  readonly peer: string
  readonly direction: Direction
  /** `accepted`: we accepted the peer's hello. `draining`: another link carries on the session. */
  phase: 'handshaking' | 'accepted' | 'open' | 'draining'
  /** It goes over another peer. */
  readonly isRelayed: boolean
  openedMs: number
  reserved: boolean
  /** Of the other end; null when its address tells nothing. */
  readonly place: Place | null
}

export type Verdict = { readonly ok: true } | { readonly ok: false; readonly reason: Reason }
/** `evict` has to be closed to make room. */
export type Judgement<Link> =
  | { readonly ok: true; readonly evict: Link | null }
  | { readonly ok: false; readonly reason: Reason }

const WELCOME: Verdict = { ok: true }

export class PeerTable<Link extends LinkRecord> {
  readonly #limits: PeerLimits
  readonly #localPeer: string
  readonly #linksByPeer = new Map<string, Set<Link>>()
  readonly #seatOf: (link: Link) => Seat

  /** @param seatOf how well a link does now. */
  constructor(limits: PeerLimits, localPeer: string, seatOf: (link: Link) => Seat) {
    this.#limits = limits
    this.#localPeer = localPeer
    this.#seatOf = seatOf
  }

  /** Whether a connection from there is worth its encryption: whoever is at an address may hold so many links, open or not. */
  hasRoomAt(place: Place | null): boolean {
    return place === null || place.kind === 'loopback' || this.#countAt('host', place) < this.#linksPerIpMax
  }

  /** A link came up. @returns whether it is worth a handshake. */
  add(link: Link): Verdict {
    if (link.peer === this.#localPeer) return refuse('duplicate', 'this is the node itself')
    const others = this.#linksOf(link.peer)
    others.add(link)
    if (link.direction === 'inbound') return WELCOME
    for (const other of others) {
      if (other === link || isInferior(other, link)) continue
      if (other.phase !== 'handshaking' || other.direction === 'outbound') {
        return refuse('duplicate', 'there is a session with this peer')
      }
    }
    return WELCOME
  }

  /** The peer's hello fits ours. */
  judge(link: Link, nowMs: number): Judgement<Link> {
    for (const other of this.#linksOf(link.peer)) {
      if (other !== link && this.#isPreferred(other, link, nowMs)) {
        return refuse('duplicate', 'there is a session with this peer')
      }
    }
    if (link.direction === 'outbound' || link.reserved) return { ok: true, evict: null }
    return this.#judgePlace(link) ?? this.#judgeSlots(link)
  }

  #judgePlace({ peer, place }: Link): Judgement<Link> | null {
    if (place === null || place.kind === 'loopback') return null
    const { maxPerIp, maxPerIpBlock } = this.#limits
    if (this.#countAt('host', place, peer) >= maxPerIp) {
      return refuse('slots-full', `${maxPerIp} peers at ${place.host} have a session`)
    }
    if (place.kind === 'public' && this.#countAt('block', place, peer) >= maxPerIpBlock) {
      return refuse('slots-full', `${maxPerIpBlock} peers in ${place.block} have a session`)
    }
    return null
  }

  #judgeSlots(link: Link): Judgement<Link> {
    const { maxInbound } = this.#limits
    if (this.slotsUsed('inbound') < maxInbound) return { ok: true, evict: null }
    const seats = [...this.all()]
      .filter((seated) => usesSlot(seated, 'inbound'))
      .map((seated) => ({ link: seated, ...this.#seatOf(seated) }))
    const victim = chooseVictim(seats, {
      block: link.place?.block ?? null,
      region: link.place?.region ?? null,
    })
    if (victim !== null) return { ok: true, evict: victim.link }
    return refuse('slots-full', `all ${maxInbound} inbound slots are taken`)
  }

  get #linksPerIpMax(): number {
    return 2 * this.#limits.maxPerIp
  }

  /** Inbound links from there that are not reserved. @param butOf counted are only accepted ones, of other peers than this. */
  #countAt(part: 'host' | 'block', place: Place, butOf: string | null = null): number {
    let count = 0
    for (const link of this.all()) {
      if (link.direction === 'outbound' || link.reserved || link.place?.[part] !== place[part]) continue
      if (butOf === null || (link.phase !== 'handshaking' && link.peer !== butOf)) count++
    }
    return count
  }

  /** @returns the links that this one replaces: close them. */
  opened(link: Link, nowMs: number): Link[] {
    link.phase = 'open'
    link.openedMs = nowMs
    return [...this.#linksOf(link.peer)].filter(
      (other) =>
        other !== link &&
        other.phase !== 'draining' &&
        !isInferior(link, other) &&
        (other.phase !== 'handshaking' || other.direction === 'outbound'),
    )
  }

  remove(link: Link): void {
    const links = this.#linksByPeer.get(link.peer)
    if (links?.delete(link) && links.size === 0) this.#linksByPeer.delete(link.peer)
  }

  /** The open link to a peer, else any that may become so. */
  any(peer: string): Link | undefined {
    return this.open(peer) ?? this.#linksByPeer.get(peer)?.values().next().value
  }

  open(peer: string): Link | undefined {
    for (const link of this.#linksByPeer.get(peer) ?? []) if (link.phase === 'open') return link
    return undefined
  }

  *allOpen(): Generator<Link> {
    for (const link of this.all()) if (link.phase === 'open') yield link
  }

  *all(): Generator<Link> {
    for (const links of this.#linksByPeer.values()) yield* links
  }

  /** Sessions, open or about to be, that use a slot of this direction. */
  slotsUsed(direction: Direction): number {
    let used = 0
    for (const link of this.all()) if (usesSlot(link, direction)) used++
    return used
  }

  /** Whether `existing` is kept and the newcomer refused. Only the smaller id refuses (T2). */
  #isPreferred(existing: Link, newcomer: Link, nowMs: number): boolean {
    if (isInferior(existing, newcomer)) return false
    if (isInferior(newcomer, existing)) return existing.phase !== 'handshaking'
    if (this.#localPeer > newcomer.peer) return false
    switch (existing.phase) {
      case 'open':
        return nowMs - existing.openedMs < this.#limits.handshakeTimeoutMs
      case 'accepted':
        return true
      case 'draining':
        return false
      case 'handshaking':
        return existing.direction === 'outbound' && newcomer.direction === 'inbound'
    }
  }

  #linksOf(peer: string): Set<Link> {
    let links = this.#linksByPeer.get(peer)
    if (links === undefined) this.#linksByPeer.set(peer, (links = new Set()))
    return links
  }
}

function refuse(code: Reason['code'], message: string): { readonly ok: false; readonly reason: Reason } {
  return { ok: false, reason: { code, message } }
}

function usesSlot({ phase, direction, reserved }: LinkRecord, of: Direction): boolean {
  return (phase === 'accepted' || phase === 'open') && direction === of && !reserved
}

/** Whether it makes way for the other (T7). */
function isInferior(link: LinkRecord, other: LinkRecord): boolean {
  return link.phase === 'draining' || (link.isRelayed && !other.isRelayed)
}
