/**
 * Brings a plan's faults over a network, until it is told to stop.
 * @module
 */
import type { Agenda } from './agenda.ts'
import type { Tally } from './milestones.ts'
import { HEALTHY_LINK } from './network.ts'
import type { LinkTraits, Pair, SimulatedNetwork } from './network.ts'
import type { Plan } from './plan.ts'
import type { Prng } from './prng.ts'

/** What the nemesis can do to hosts. */
export interface Victims {
  readonly hosts: number
  isUp(host: number): boolean
  /** Cuts the power; the host comes back after `downMs`. */
  crash(host: number, downMs: number): void
  /** Everything goes at once. */
  losePower(): void
  setSkew(host: number, skewMs: number): void
  fillDisk(host: number, durationMs: number): void
}

/** A cut lasts no longer than this, also when the nemesis has been stopped. */
export const CUT_MS_MAX = 4_000

/** What it can do to links. */
type Links = Pick<SimulatedNetwork, 'pairs' | 'setTraits' | 'cut' | 'mend'>

export class Nemesis {
  readonly #plan: Plan
  readonly #agenda: Agenda
  readonly #prng: Prng
  readonly #network: Links
  readonly #tally: Tally
  readonly #victims: Victims
  #stopped = false

  constructor(plan: Plan, agenda: Agenda, prng: Prng, network: Links, tally: Tally, victims: Victims) {
    this.#plan = plan
    this.#agenda = agenda
    this.#prng = prng
    this.#network = network
    this.#tally = tally
    this.#victims = victims
  }

  start(): void {
    const { faults } = this.#plan
    for (const [from, to] of this.#network.pairs) this.#network.setTraits(from, to, this.#drawTraits())
    for (let host = 0; host < this.#victims.hosts; host++) this.#drawSkew(host)
    this.#every(faults.partitionEveryMs, () => this.#partition())
    this.#every(faults.flapEveryMs, () => this.#flap())
    this.#every(faults.crashEveryMs, () => this.#crash())
    this.#every(faults.powerLossEveryMs, () => this.#victims.losePower())
    this.#every(faults.fullDiskEveryMs, () =>
      this.#victims.fillDisk(this.#anyHost(), this.#prng.between(100, CUT_MS_MAX)),
    )
    this.#every(faults.clockStepEveryMs, () => this.#drawSkew(this.#anyHost()))
  }

  /** No new faults, and healthy links; what is cut now is mended as planned. */
  stop(): void {
    this.#stopped = true
    for (const [from, to] of this.#network.pairs) this.#network.setTraits(from, to, HEALTHY_LINK)
  }

  /** Nobody hears anybody: all vote without ever holding a certificate. @param durationMs at most `CUT_MS_MAX`. */
  isolateAll(durationMs: number): void {
    this.#cutFor(this.#network.pairs, durationMs)
  }

  /** Nothing passes between the two sides. @param isOnSide by host: whether it is on the first. */
  separate(isOnSide: readonly boolean[], durationMs: number): void {
    this.#cutFor(
      this.#network.pairs.filter(([from, to]) => isOnSide[from] !== isOnSide[to]),
      durationMs,
    )
  }

  /** How long a crashed host stays down: mostly short, now and then long. */
  drawDownMs(): number {
    return this.#prng.chance(0.7) ? this.#prng.between(20, 300) : this.#prng.between(300, 5_000)
  }

  /** @param meanMs 0 for never. */
  #every(meanMs: number, act: () => void): void {
    if (meanMs === 0) return
    this.#agenda.after(meanMs * this.#prng.between(0.2, 1.8), () => {
      if (this.#stopped) return
      act()
      this.#every(meanMs, act)
    })
  }

  #drawTraits(): LinkTraits {
    const { dropRate, duplicateRate, reorderRate, slowLinkRate } = this.#plan.faults
    const slow = this.#prng.chance(slowLinkRate)
    if (slow) this.#tally.injected('linkSlowed')
    return {
      delayMs: slow ? this.#prng.between(40, 200) : this.#prng.between(1, 30),
      jitterMs: this.#prng.between(0, 20),
      dropRate,
      duplicateRate,
      reorderRate,
      bytesPerMs: slow ? this.#prng.between(20, 200) : HEALTHY_LINK.bytesPerMs,
    }
  }

  #drawSkew(host: number): void {
    const { skewMs } = this.#plan.faults
    this.#victims.setSkew(host, this.#prng.between(-skewMs, skewMs))
  }

  #partition(): void {
    this.#tally.injected('networkParted')
    const side = Array.from({ length: this.#victims.hosts }, () => this.#prng.chance(0.5))
    const oneWay = this.#prng.chance(0.3)
    if (oneWay) this.#tally.injected('networkPartedOneWay')
    const pairs = this.#network.pairs.filter(([from, to]) =>
      oneWay ? side[from]! && !side[to]! : side[from] !== side[to],
    )
    this.#cutFor(pairs, this.#prng.between(300, CUT_MS_MAX))
  }

  #flap(): void {
    this.#tally.injected('linkFlapped')
    const [from, to] = [this.#anyHost(), this.#anyHost()]
    const pairs: Pair[] = this.#prng.chance(0.5)
      ? [[from, to]]
      : [
          [from, to],
          [to, from],
        ]
    const periodMs = this.#prng.between(50, 400)
    for (let i = 0; i < 5; i++) this.#agenda.after(2 * i * periodMs, () => this.#cutFor(pairs, periodMs))
  }

  #cutFor(pairs: readonly Pair[], durationMs: number): void {
    for (const [from, to] of pairs) this.#network.cut(from, to)
    this.#agenda.after(durationMs, () => {
      for (const [from, to] of pairs) this.#network.mend(from, to)
    })
  }

  #crash(): void {
    const host = this.#anyHost()
    if (this.#victims.isUp(host)) this.#victims.crash(host, this.drawDownMs())
  }

  #anyHost(): number {
    return this.#prng.below(this.#victims.hosts)
  }
}
