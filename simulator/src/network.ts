/**
 * Links between hosts, one for each direction. A healthy link is a session over TCP: everything arrives, in order.
 * Faults are set on links from outside.
 * @module
 */
import type { Agenda } from './agenda.ts'
import type { Tally } from './milestones.ts'
import type { Prng } from './prng.ts'

export interface LinkTraits {
  readonly delayMs: number
  /** Added to the delay, evenly drawn from [0, jitterMs). */
  readonly jitterMs: number
  /** Probabilities for each message. */
  readonly dropRate: number
  readonly duplicateRate: number
  /** The message does not wait for those before it, and takes up to ten times the delay. */
  readonly reorderRate: number
  /** Infinity for a link that is never the bottleneck. */
  readonly bytesPerMs: number
}

export const HEALTHY_LINK: LinkTraits = {
  delayMs: 10,
  jitterMs: 2,
  dropRate: 0,
  duplicateRate: 0,
  reorderRate: 0,
  bytesPerMs: Number.POSITIVE_INFINITY,
}

interface Link {
  traits: LinkTraits
  /** How many faults hold the link cut now; nothing passes unless 0. */
  cuts: number
  /** When the last message that keeps its place arrives. */
  lastArrivalMs: number
  /** When the sender's side is free again. */
  busyUntilMs: number
}

export type Pair = readonly [from: number, to: number]

/** A message on its way, encoded once however many it goes to. */
export interface Packet {
  readonly bytes: Uint8Array
}

export type Deliver<P extends Packet> = (from: number, to: number, packet: P) => void

export class SimulatedNetwork<P extends Packet = Packet> {
  readonly #agenda: Agenda
  readonly #prng: Prng
  readonly #tally: Tally
  readonly #deliver: Deliver<P>
  readonly #links: Link[][]
  #sent = 0
  #sentBytes = 0

  constructor(agenda: Agenda, prng: Prng, tally: Tally, hosts: number, deliver: Deliver<P>) {
    this.#agenda = agenda
    this.#prng = prng
    this.#tally = tally
    this.#deliver = deliver
    const link = (): Link => ({ traits: HEALTHY_LINK, cuts: 0, lastArrivalMs: 0, busyUntilMs: 0 })
    this.#links = Array.from({ length: hosts }, () => Array.from({ length: hosts }, link))
  }

  /** Messages handed in so far. */
  get sent(): number {
    return this.#sent
  }

  get sentBytes(): number {
    return this.#sentBytes
  }

  setTraits(from: number, to: number, traits: LinkTraits): void {
    this.#link(from, to).traits = traits
  }

  /** One direction only; messages that arrive while it is cut are lost too. Each cut needs its own `mend`. */
  cut(from: number, to: number): void {
    this.#link(from, to).cuts++
  }

  mend(from: number, to: number): void {
    this.#link(from, to).cuts--
  }

  send(from: number, to: number, packet: P): void {
    const link = this.#link(from, to)
    const { traits } = link
    this.#sent++
    const { length } = packet.bytes
    this.#sentBytes += length
    if (link.cuts > 0 || this.#prng.chance(traits.dropRate)) return this.#tally.injected('messageDropped')
    const now = this.#agenda.nowMs
    link.busyUntilMs = Math.max(now, link.busyUntilMs) + length / traits.bytesPerMs
    const travelMs = traits.delayMs + this.#prng.next() * traits.jitterMs
    if (this.#prng.chance(traits.reorderRate)) {
      this.#tally.injected('messageReordered')
      this.#arrive(link.busyUntilMs + travelMs * this.#prng.between(0.1, 10), from, to, packet)
    } else {
      link.lastArrivalMs = Math.max(link.lastArrivalMs, link.busyUntilMs + travelMs)
      this.#arrive(link.lastArrivalMs, from, to, packet)
    }
    if (this.#prng.chance(traits.duplicateRate)) {
      this.#tally.injected('messageDuplicated')
      this.#arrive(link.busyUntilMs + travelMs * this.#prng.between(1, 20), from, to, packet)
    }
  }

  #arrive(atMs: number, from: number, to: number, packet: P): void {
    const link = this.#link(from, to)
    this.#agenda.at(atMs, () => {
      if (link.cuts > 0) this.#tally.injected('messageDropped')
      else this.#deliver(from, to, packet)
    })
  }

  /** Every link from one host to another. */
  get pairs(): Pair[] {
    const hosts = [...this.#links.keys()]
    return hosts.flatMap((from) => hosts.filter((to) => to !== from).map((to): Pair => [from, to]))
  }

  #link(from: number, to: number): Link {
    return this.#links[from]![to]!
  }
}
