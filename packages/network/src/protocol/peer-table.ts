/**
 * Which links may become and stay sessions (PT-9). Pure.
 * T1  at most one open session per peer
 * T2  when both dial at once, the link dialled by the smaller peer id is kept: its dialler refuses the other one as `duplicate`,
 *     the larger id refuses nothing, so at least one is kept
 * T3  a session that is older than a handshake can take is not part of a simultaneous dial: the peer lost it and came back, so
 *     the newer link replaces it
 * T4  inbound and outbound slots are counted apart (outbound ones by the dial book); reserved peers need none
 * T5  a peer with too many faults in a window is sent away for a cool-down; being slow or silent is no fault
 * @module
 */
import type { Reason } from './reason.ts'

export interface PeerLimits {
  readonly maxInbound: number
  readonly handshakeTimeoutMs: number
  readonly faultsMax: number
  readonly faultWindowMs: number
  readonly cooldownMs: number
}

export type Direction = 'inbound' | 'outbound'

/** What the table has to know of a link. */
export interface LinkRecord {
  readonly peer: string
  readonly direction: Direction
  /** `accepted`: we accepted the peer's hello. */
  phase: 'handshaking' | 'accepted' | 'open'
  openedMs: number
  reserved: boolean
}

export type Verdict = { readonly ok: true } | { readonly ok: false; readonly reason: Reason }

const WELCOME: Verdict = { ok: true }

export class PeerTable<Link extends LinkRecord> {
  readonly #limits: PeerLimits
  readonly #localPeer: string
  readonly #linksByPeer = new Map<string, Set<Link>>()
  readonly #faultTimesByPeer = new Map<string, number[]>()
  readonly #coolingUntilMsByPeer = new Map<string, number>()

  constructor(limits: PeerLimits, localPeer: string) {
    this.#limits = limits
    this.#localPeer = localPeer
  }

  /** A link came up. @returns whether it is worth a handshake. */
  add(link: Link, nowMs: number): Verdict {
    if (link.peer === this.#localPeer) return refuse('duplicate', 'this is the node itself')
    const others = this.#linksOf(link.peer)
    others.add(link)
    if (link.direction === 'inbound') return WELCOME
    if (this.isCooling(link.peer, nowMs)) return this.#coolingDown(link.peer, nowMs)
    for (const other of others) {
      if (other !== link && (other.phase !== 'handshaking' || other.direction === 'outbound')) {
        return refuse('duplicate', 'there is a session with this peer')
      }
    }
    return WELCOME
  }

  /** The peer's hello fits ours. */
  judge(link: Link, nowMs: number): Verdict {
    if (this.isCooling(link.peer, nowMs)) return this.#coolingDown(link.peer, nowMs)
    for (const other of this.#linksOf(link.peer)) {
      if (other !== link && this.#isPreferred(other, link, nowMs)) {
        return refuse('duplicate', 'there is a session with this peer')
      }
    }
    const needsSlot = link.direction === 'inbound' && !link.reserved
    return needsSlot && this.slotsUsed('inbound') >= this.#limits.maxInbound
      ? refuse('slots-full', `all ${this.#limits.maxInbound} inbound slots are taken`)
      : WELCOME
  }

  /** @returns the links that this one replaces: close them. */
  opened(link: Link, nowMs: number): Link[] {
    link.phase = 'open'
    link.openedMs = nowMs
    return [...this.#linksOf(link.peer)].filter(
      (other) => other !== link && (other.phase !== 'handshaking' || other.direction === 'outbound'),
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

  /** Open sessions that use a slot of this direction. */
  slotsUsed(direction: Direction): number {
    let used = 0
    for (const link of this.all()) {
      if (link.phase !== 'handshaking' && link.direction === direction && !link.reserved) used++
    }
    return used
  }

  /** The peer did something that no honest node does. @returns true when it has to go. */
  fault(peer: string, nowMs: number): boolean {
    const { faultsMax, faultWindowMs, cooldownMs } = this.#limits
    const recent = (this.#faultTimesByPeer.get(peer) ?? []).filter((atMs) => nowMs - atMs < faultWindowMs)
    recent.push(nowMs)
    this.#faultTimesByPeer.set(peer, recent)
    if (recent.length < faultsMax) return false
    this.#faultTimesByPeer.delete(peer)
    this.#coolingUntilMsByPeer.set(peer, nowMs + cooldownMs)
    return true
  }

  faults(peer: string): number {
    return this.#faultTimesByPeer.get(peer)?.length ?? 0
  }

  isCooling(peer: string, nowMs: number): boolean {
    return (this.#coolingUntilMsByPeer.get(peer) ?? -Infinity) > nowMs
  }

  /** Forgets faults and cool-downs that are over. Call it now and then. */
  expire(nowMs: number): void {
    for (const [peer, untilMs] of this.#coolingUntilMsByPeer) {
      if (untilMs <= nowMs) this.#coolingUntilMsByPeer.delete(peer)
    }
    for (const [peer, times] of this.#faultTimesByPeer) {
      if (nowMs - times.at(-1)! >= this.#limits.faultWindowMs) this.#faultTimesByPeer.delete(peer)
    }
  }

  /** Whether `existing` is kept and the newcomer refused. Only the smaller id refuses (T2). */
  #isPreferred(existing: Link, newcomer: Link, nowMs: number): boolean {
    if (this.#localPeer > newcomer.peer) return false
    switch (existing.phase) {
      case 'open':
        return nowMs - existing.openedMs < this.#limits.handshakeTimeoutMs
      case 'accepted':
        return true
      case 'handshaking':
        return existing.direction === 'outbound' && newcomer.direction === 'inbound'
    }
  }

  #linksOf(peer: string): Set<Link> {
    let links = this.#linksByPeer.get(peer)
    if (links === undefined) this.#linksByPeer.set(peer, (links = new Set()))
    return links
  }

  #coolingDown(peer: string, nowMs: number): Verdict {
    const seconds = Math.ceil((this.#coolingUntilMsByPeer.get(peer)! - nowMs) / 1000)
    return refuse('cooling-down', `too many faults; welcome again in ${seconds} s`)
  }
}

function refuse(code: Reason['code'], message: string): Verdict {
  return { ok: false, reason: { code, message } }
}
