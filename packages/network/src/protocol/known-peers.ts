/**
 * Every peer that ever had a session, also when it is gone (PT-3, VC-4). Pure.
 * K1  a peer with a session is never forgotten; of the others at most `knownPeersMax`, whoever was seen longest ago first
 * K2  who was not seen for `knownPeerStaleMs` is forgotten (PC-12)
 * @module
 */
import { PeerHealth } from './health.ts'
import type { HealthLimits } from './health.ts'
import { PeerCounts } from './peer-counts.ts'
import { OFFENCES } from './reputation.ts'
import type { Offence } from './reputation.ts'
import type { Reason } from './reason.ts'

export interface KnownPeerLimits extends HealthLimits {
  readonly knownPeersMax: number
  readonly knownPeerStaleMs: number
}

export interface SessionEnd {
  readonly atMs: number
  readonly by: 'local' | 'remote'
  readonly reason: Reason
}

/** Both ways, framing and the session's own messages included. */
export interface Traffic {
  readonly messagesIn: number
  readonly messagesOut: number
  readonly bytesIn: number
  readonly bytesOut: number
}

export interface KnownPeer<About> {
  readonly id: string
  readonly firstSeenMs: number
  lastSeenMs: number
  /** How many there were. */
  sessions: number
  /** What it last said of itself. */
  about: About
  lastEnd: SessionEnd | null
  readonly health: PeerHealth
  /** Of the sessions that are over. */
  readonly counts: PeerCounts
  traffic: Traffic
  readonly timesByOffence: Record<Offence, number>
}

export class KnownPeers<About> {
  readonly #limits: KnownPeerLimits
  /** The gone ones in the order in which they went. */
  readonly #peerById = new Map<string, KnownPeer<About>>()
  readonly #connected = new Set<string>()

  constructor(limits: KnownPeerLimits) {
    this.#limits = limits
  }

  get(id: string): KnownPeer<About> | undefined {
    return this.#peerById.get(id)
  }

  all(): Iterable<KnownPeer<About>> {
    return this.#peerById.values()
  }

  opened(id: string, about: About, nowMs: number): KnownPeer<About> {
    const known = this.#peerById.get(id) ?? this.#create(id, about, nowMs)
    known.about = about
    known.lastSeenMs = nowMs
    known.sessions++
    this.#connected.add(id)
    return known
  }

  /** @param isGone false: another session with the peer goes on. */
  ended(
    id: string,
    end: SessionEnd,
    of: { readonly counts: PeerCounts; readonly traffic: Traffic },
    isGone: boolean,
  ): void {
    const known = this.#peerById.get(id)
    if (known === undefined) return
    known.lastSeenMs = end.atMs
    known.lastEnd = end
    known.counts.add(of.counts)
    known.traffic = sumOfTraffic(known.traffic, of.traffic)
    if (!isGone) return
    this.#connected.delete(id)
    this.#peerById.delete(id)
    this.#peerById.set(id, known)
    if (this.#peerById.size - this.#connected.size > this.#limits.knownPeersMax) this.#forgetOldest()
  }

  /** Call it now and then. */
  expire(nowMs: number): void {
    for (const { id, lastSeenMs } of this.#peerById.values()) {
      const isStale = nowMs - lastSeenMs >= this.#limits.knownPeerStaleMs
      if (isStale && !this.#connected.has(id)) this.#peerById.delete(id)
    }
  }

  #create(id: string, about: About, nowMs: number): KnownPeer<About> {
    const known: KnownPeer<About> = {
      id,
      firstSeenMs: nowMs,
      lastSeenMs: nowMs,
      sessions: 0,
      about,
      lastEnd: null,
      health: new PeerHealth(this.#limits),
      counts: new PeerCounts(),
      traffic: NO_TRAFFIC,
      timesByOffence: noOffences(),
    }
    this.#peerById.set(id, known)
    return known
  }

  #forgetOldest(): void {
    for (const id of this.#peerById.keys()) {
      if (this.#connected.has(id)) continue
      this.#peerById.delete(id)
      return
    }
  }
}

const NO_TRAFFIC: Traffic = { messagesIn: 0, messagesOut: 0, bytesIn: 0, bytesOut: 0 }

export function sumOfTraffic(a: Traffic, b: Traffic): Traffic {
  return {
    messagesIn: a.messagesIn + b.messagesIn,
    messagesOut: a.messagesOut + b.messagesOut,
    bytesIn: a.bytesIn + b.bytesIn,
    bytesOut: a.bytesOut + b.bytesOut,
  }
}

function noOffences(): Record<Offence, number> {
  return Object.fromEntries(Object.keys(OFFENCES).map((offence) => [offence, 0])) as Record<Offence, number>
}
