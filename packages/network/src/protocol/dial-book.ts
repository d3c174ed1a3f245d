/**
 * Whom to dial and when (PO-3, VC-8). Pure.
 * D1  reserved peers are tried at least every `reservedRedialMs`, whatever happened before
 * D2  bootstrap addresses and, while outbound slots are free, learned peers are tried with exponential back-off and jitter
 * D3  the back-off starts again only after a session that lasted `STABLE_SESSION_MS`: a peer that accepts and drops is not hammered
 * D4  a peer that is connected or being dialled is not dialled again
 * D5  the book is bounded; learned peers that fail too often are forgotten
 * D6  while fewer than `peersFloor` peers are connected, no delay is longer than `floorBackoffMaxMs`, and nobody is forgotten for
 *     failing
 * D7  of a peer that is reached over relays, these are tried before its private addresses, which lead nowhere for most
 * D8  learned peers are dialled in the rarest regions (/16, IPv6 /32) first, there in the rarest blocks, and none in a block where
 *     `maxPerIpBlock` peers are: who fills a region with addresses does not fill the slots while there is anyone elsewhere
 * @module
 */
import type { Random } from '@althing/base'
import { addressWithPeer } from './address.ts'
import type { Address } from './address.ts'
import { placeOf } from './ip-block.ts'
import type { Place } from './ip-block.ts'

export interface DialLimits {
  readonly maxOutbound: number
  readonly parallelDialsMax: number
  readonly backoffMinMs: number
  readonly backoffMaxMs: number
  readonly reservedRedialMs: number
  readonly learnedPeersMax: number
  readonly maxPerIpBlock: number
  readonly peersFloor: number
  readonly floorBackoffMaxMs: number
}

const STABLE_SESSION_MS = 10_000
const LEARNED_FAILURES_MAX = 10
const FEW_FAILURES = 3
const ADDRESSES_PER_PEER_MAX = 8

type Origin = 'bootstrap' | 'learned'

interface Target {
  readonly key: string
  readonly origin: Origin
  /** Null until a bootstrap address without a peer answered. */
  peer: string | null
  addresses: readonly Address[]
  /** Of the first address; null when that is not public. */
  place: Place | null
  reserved: boolean
  failures: number
  nextDialMs: number
  dialling: boolean
}

export interface Dial {
  /** Names the target in `dialled`. */
  readonly key: string
  /** To be tried in this order. */
  readonly addresses: readonly string[]
  readonly reserved: boolean
}

export class DialBook {
  readonly #limits: DialLimits
  readonly #random: Random
  readonly #localPeer: string
  readonly #targetByKey = new Map<string, Target>()
  readonly #connectedSinceMsByPeer = new Map<string, number>()

  constructor(limits: DialLimits, localPeer: string, random: Random) {
    this.#limits = limits
    this.#localPeer = localPeer
    this.#random = random
  }

  addBootstrap(address: Address): void {
    const key = address.peer ?? address.text
    if (key === this.#localPeer) return
    this.#targetByKey.set(key, newTarget(key, 'bootstrap', address.peer, [address]))
  }

  /** An address where some peer is said to be: tried, and forgotten, like a learned peer. */
  addSeed(address: Address): void {
    if (this.#targetByKey.has(address.text) || !this.#hasRoom()) return
    this.#targetByKey.set(address.text, newTarget(address.text, 'learned', null, [address]))
  }

  /** Addresses of a peer, from itself or from others. */
  learn(peer: string, addresses: readonly Address[], firstHand: boolean): void {
    if (peer === this.#localPeer || addresses.length === 0) return
    const known = this.#targetByKey.get(peer)
    if (known !== undefined) {
      const [first, second] = firstHand ? [addresses, known.addresses] : [known.addresses, addresses]
      known.addresses = uniqueAddresses([...first, ...second])
      known.place = publicPlaceOf(known.addresses)
      return
    }
    if (!this.#hasRoom()) return
    this.#targetByKey.set(peer, newTarget(peer, 'learned', peer, uniqueAddresses(addresses)))
  }

  /** From now on a known peer is redialled whenever it is not connected; or no more so than others. */
  reserve(peer: string, reserved: boolean): void {
    const target = this.#targetByKey.get(peer)
    if (target !== undefined) target.reserved = reserved
  }

  /** Addresses worth telling to others. */
  addressesOf(peer: string): readonly Address[] {
    return this.#targetByKey.get(peer)?.addresses ?? []
  }

  connected(peer: string, nowMs: number): void {
    this.#connectedSinceMsByPeer.set(peer, nowMs)
  }

  disconnected(peer: string, nowMs: number): void {
    const sinceMs = this.#connectedSinceMsByPeer.get(peer) ?? nowMs
    this.#connectedSinceMsByPeer.delete(peer)
    for (const target of this.#targetByKey.values()) {
      if (target.peer !== peer) continue
      if (nowMs - sinceMs >= STABLE_SESSION_MS) target.failures = 0
      this.#backOff(target, nowMs)
    }
    if (!this.#isBelowFloor) return
    const latestMs = nowMs + this.#limits.floorBackoffMaxMs
    for (const target of this.#targetByKey.values()) target.nextDialMs = Math.min(target.nextDialMs, latestMs)
  }

  /** A dial ended. @param peer who answered; null when nobody did. */
  dialled(key: string, peer: string | null, nowMs: number): void {
    const target = this.#targetByKey.get(key)
    if (target === undefined) return
    target.dialling = false
    if (peer === this.#localPeer) {
      this.#targetByKey.delete(key)
      return
    }
    target.peer = peer ?? target.peer
    this.#backOff(target, nowMs)
    const hasFailed = peer === null && target.failures >= LEARNED_FAILURES_MAX
    if (hasFailed && isForgettable(target) && !this.#isBelowFloor) this.#targetByKey.delete(key)
  }

  /** The peers to dial now; each counts as being dialled until `dialled` is called. */
  due(nowMs: number, outboundOpen: number): readonly Dial[] {
    let diallingCount = 0
    const busyPeers = new Set<string>(this.#connectedSinceMsByPeer.keys())
    for (const { dialling, peer } of this.#targetByKey.values()) {
      if (!dialling) continue
      diallingCount++
      if (peer !== null) busyPeers.add(peer)
    }
    const crowd = this.#placesInUse()
    const { maxOutbound, maxPerIpBlock, parallelDialsMax } = this.#limits
    const isDue = (target: Target) =>
      !target.dialling &&
      target.nextDialMs <= nowMs &&
      (target.peer === null || !busyPeers.has(target.peer)) &&
      (mustDial(target) || crowd.inBlock(target) < maxPerIpBlock)
    const waiting = [...this.#targetByKey.values()].filter(isDue)
    const dials: Dial[] = []
    while (waiting.length > 0) {
      const target = takeFirst(waiting, crowd)
      // Whoever comes after it needs a slot as well.
      if (!mustDial(target) && outboundOpen + diallingCount >= maxOutbound) break
      if (!target.reserved && diallingCount >= parallelDialsMax) break
      if (!isDue(target)) continue
      diallingCount++
      target.dialling = true
      crowd.add(target)
      // Counted from the start of the dial: one that hangs does not stretch the interval (D1).
      target.nextDialMs = nowMs + this.#limits.reservedRedialMs
      if (target.peer !== null) busyPeers.add(target.peer)
      dials.push({ key: target.key, addresses: dialAddresses(target), reserved: target.reserved })
    }
    return dials
  }

  /** When `due`, asked just before, may have more because of the time alone; Infinity for never. */
  nextDueMs(nowMs: number, outboundOpen: number): number {
    let next = Infinity
    for (const target of this.#targetByKey.values()) {
      const isConnected = target.peer !== null && this.#connectedSinceMsByPeer.has(target.peer)
      const needsSlot = !target.reserved && target.origin === 'learned'
      if (target.dialling || isConnected || (needsSlot && outboundOpen >= this.#limits.maxOutbound)) continue
      if (target.nextDialMs > nowMs) next = Math.min(next, target.nextDialMs)
    }
    return next
  }

  /**
   * The delay doubles with each failure up to the maximum; the jitter takes off up to half of it. For a reserved peer the time that
   * `due` set when the dial began is the latest.
   */
  #backOff(target: Target, nowMs: number): void {
    const { backoffMinMs, floorBackoffMaxMs } = this.#limits
    const backoffMaxMs = this.#isBelowFloor
      ? Math.min(floorBackoffMaxMs, this.#limits.backoffMaxMs)
      : this.#limits.backoffMaxMs
    const fullMs = Math.min(backoffMaxMs, backoffMinMs * 2 ** Math.min(target.failures, 30))
    target.failures++
    const delayedMs = nowMs + fullMs * (0.5 + this.#random.next() / 2)
    target.nextDialMs = target.reserved ? Math.min(delayedMs, target.nextDialMs) : delayedMs
  }

  /** Where those are that are connected, or being dialled. */
  #placesInUse(): Crowd {
    const crowd = new Crowd()
    for (const target of this.#targetByKey.values())
      if (target.dialling || this.#isConnected(target)) crowd.add(target)
    return crowd
  }

  /** Those that answered at a bootstrap address, or must. */
  bootstrapPeers(): ReadonlySet<string> {
    const bootstrap = this.#targetByKey.values().filter(({ origin }) => origin === 'bootstrap')
    return new Set(bootstrap.flatMap(({ peer }) => (peer === null ? [] : [peer])))
  }

  /** Whether there are known peers, not connected, that have not failed often. */
  hasOthers(): boolean {
    return this.#targetByKey
      .values()
      .some((target) => target.failures < FEW_FAILURES && !this.#isConnected(target))
  }

  /** Whether some of them are in a region where nobody is connected. */
  hasOthersElsewhere(): boolean {
    const crowd = this.#placesInUse()
    return this.#targetByKey
      .values()
      .some(
        (target) =>
          target.place !== null &&
          target.failures < FEW_FAILURES &&
          !this.#isConnected(target) &&
          crowd.inRegion(target) === 0,
      )
  }

  get #isBelowFloor(): boolean {
    return this.#connectedSinceMsByPeer.size < this.#limits.peersFloor
  }

  #hasRoom(): boolean {
    return this.#targetByKey.size < this.#limits.learnedPeersMax || this.#forgetWorst()
  }

  #forgetWorst(): boolean {
    let worst: Target | null = null
    for (const target of this.#targetByKey.values()) {
      if (!isForgettable(target) || target.dialling || this.#isConnected(target)) continue
      if (worst === null || target.failures >= worst.failures) worst = target
    }
    if (worst === null || worst.failures === 0) return false
    return this.#targetByKey.delete(worst.key)
  }

  #isConnected({ peer }: Target): boolean {
    return peer !== null && this.#connectedSinceMsByPeer.has(peer)
  }
}

function newTarget(key: string, origin: Origin, peer: string | null, addresses: readonly Address[]): Target {
  return {
    key,
    origin,
    peer,
    addresses,
    place: publicPlaceOf(addresses),
    reserved: false,
    failures: 0,
    nextDialMs: -Infinity,
    dialling: false,
  }
}

function publicPlaceOf([first]: readonly Address[]): Place | null {
  const place = first === undefined || first.relay !== null ? null : placeOf(first.text)
  return place?.kind === 'public' ? place : null
}

/** How many are in each public block, and in each region. */
class Crowd {
  readonly #countByPart = new Map<string, number>()

  add({ place }: Target): void {
    if (place === null) return
    for (const part of [place.block, place.region]) this.#countByPart.set(part, this.#count(part) + 1)
  }

  inBlock({ place }: Target): number {
    return place === null ? 0 : this.#count(place.block)
  }

  inRegion({ place }: Target): number {
    return place === null ? 0 : this.#count(place.region)
  }

  #count(part: string): number {
    return this.#countByPart.get(part) ?? 0
  }
}

function mustDial({ reserved, origin }: Target): boolean {
  return reserved || origin === 'bootstrap'
}

/** Takes out of the list: reserved first, then bootstrap, then those from the rarest region and block, then whoever failed least (D8). */
function takeFirst(waiting: Target[], crowd: Crowd): Target {
  const rank = (target: Target) => (target.reserved ? 0 : target.origin === 'bootstrap' ? 1 : 2)
  let first = 0
  for (const [i, a] of waiting.entries()) {
    const b = waiting[first]!
    const order =
      rank(a) - rank(b) ||
      crowd.inRegion(a) - crowd.inRegion(b) ||
      crowd.inBlock(a) - crowd.inBlock(b) ||
      a.failures - b.failures
    if (order < 0) first = i
  }
  return waiting.splice(first, 1)[0]!
}

function isForgettable(target: Target): boolean {
  return target.origin === 'learned' && !target.reserved
}

function uniqueAddresses(addresses: readonly Address[]): Address[] {
  const byText = new Map(addresses.map((address) => [address.text, address]))
  return [...byText.values()].slice(0, ADDRESSES_PER_PEER_MAX)
}

/** An address given without a peer may be answered by anyone, also after it was answered once. */
function dialAddresses({ key, addresses }: Target): string[] {
  return inDialOrder(addresses).map((address) => {
    return key === address.text ? address.text : addressWithPeer(address, key)
  })
}

function inDialOrder(addresses: readonly Address[]): readonly Address[] {
  if (!addresses.some(({ relay }) => relay !== null)) return addresses
  const rank = ({ relay, text }: Address) => (relay !== null ? 1 : placeOf(text)?.kind === 'private' ? 2 : 0)
  return addresses.toSorted((a, b) => rank(a) - rank(b))
}
