/**
 * Which way a packet goes (PC-11). Pure.
 * F1  a copy of a packet is taken once: no packet goes round in circles
 * F2  it passes on at most `hopsLeft` further nodes, and never more than `HOPS_MAX`
 * F3  to the recipient itself where there is a link; else to the next node on the map's way to it; else, and when it is a flood, to all
 * F4  never back to where it came from
 * F5  what one neighbour has us pass on is bounded in bytes; a flood counts once for each copy that leaves. Nobody is blamed: it is not
 *     known who wrote it
 * @module
 */
import type { Packet } from './delivery-wire.ts'
import { packetHash } from './delivery-wire.ts'
import { RecentSet } from './recent-set.ts'
import { TokenBucket } from './token-bucket.ts'
import type { Rate } from './token-bucket.ts'

export const HOPS_MAX = 32

export interface RelayLimits {
  /** Bytes of one neighbour that are passed on. */
  readonly bytes: Rate
  /** Packets that are remembered, and for how long. */
  readonly seenMax: number
  readonly seenMs: number
}

export const RELAY_LIMITS: RelayLimits = {
  bytes: { perSecond: 4 * 1024 * 1024, burst: 16 * 1024 * 1024 },
  seenMax: 20_000,
  seenMs: 120_000,
}

/** What is known of the way. */
export interface Ways {
  /** Peers with a session that pass packets on. */
  readonly neighbours: ReadonlySet<string>
  /** The neighbour that the map's shortest way to `peer` begins with; null when the map has none. */
  readonly nextHop: (peer: string) => string | null
}

export type DropReason = 'seen' | 'hops' | 'budget' | 'no way'

export type Decision =
  | { readonly kind: 'take' }
  | { readonly kind: 'pass'; readonly to: readonly string[]; readonly hopsLeft: number }
  | { readonly kind: 'drop'; readonly reason: DropReason }

export class Relay {
  readonly #localPeer: string
  readonly #limits: RelayLimits
  readonly #seen: RecentSet
  readonly #budgetByNeighbour = new Map<string, TokenBucket>()

  constructor(localPeer: string, limits: RelayLimits, nowMs: number) {
    this.#localPeer = localPeer
    this.#limits = limits
    this.#seen = new RecentSet({ countMax: limits.seenMax, ageMs: limits.seenMs }, nowMs)
  }

  peerClosed(peer: string): void {
    this.#budgetByNeighbour.delete(peer)
  }

  /** A packet came from a neighbour. */
  received(packet: Packet, from: string, ways: Ways, nowMs: number): Decision {
    if (packet.from === this.#localPeer || !this.#seen.add(packetHash(packet), nowMs)) return drop('seen')
    if (packet.to === this.#localPeer) return { kind: 'take' }
    const hopsLeft = Math.min(packet.hopsLeft, HOPS_MAX) - 1
    if (hopsLeft < 0) return drop('hops')
    const to = this.ways(packet, ways).filter((peer) => peer !== from && peer !== packet.from)
    if (to.length === 0) return drop('no way')
    if (!this.charge(from, packet.payload.length * to.length, nowMs)) return drop('budget')
    return { kind: 'pass', to, hopsLeft }
  }

  /** Where a packet of our own, or one on its way, is to go; empty when nowhere. */
  ways({ to, flood }: Pick<Packet, 'to' | 'flood'>, { neighbours, nextHop }: Ways): readonly string[] {
    if (neighbours.has(to)) return [to]
    const next = flood ? null : nextHop(to)
    return next !== null && neighbours.has(next) ? [next] : [...neighbours]
  }

  /** Counts bytes that we send at the instance of a neighbour. @returns false when that is too much. */
  charge(neighbour: string, bytes: number, nowMs: number): boolean {
    let budget = this.#budgetByNeighbour.get(neighbour)
    if (budget === undefined) {
      budget = new TokenBucket(this.#limits.bytes, nowMs)
      this.#budgetByNeighbour.set(neighbour, budget)
    }
    if (budget.readyAtMs(bytes, nowMs) > nowMs) return false
    budget.take(bytes, nowMs)
    return true
  }
}

function drop(reason: DropReason): Decision {
  return { kind: 'drop', reason }
}
