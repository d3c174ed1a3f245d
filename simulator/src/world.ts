/**
 * One run: chaos over a network, and what is demanded after it.
 * @module
 */
import type { Epoch } from '@althing/base'
import { Agenda } from './agenda.ts'
import { Cluster } from './cluster.ts'
import type { ProcessClass } from './cluster.ts'
import { demandExposure, demandProgress } from './ending.ts'
import { drawOrder } from './orders.ts'
import { makeOrder, makeTransaction } from './transactions.ts'
import { Judge } from './judge.ts'
import { verifySimulated } from './keys.ts'
import { judgeLightClient } from './light-client.ts'
import type { Machine } from './machine.ts'
import { Tally } from './milestones.ts'
import { Nemesis } from './nemesis.ts'
import type { Plan } from './plan.ts'
import { Process } from './process.ts'
import type { ChainModule, Death } from './process.ts'
import { Prng, STREAM } from './prng.ts'
import { makeConfig, makeGenesis, makeMachines, makeRules } from './setup.ts'
import { Trace } from './trace.ts'
import { Witness } from './witness.ts'

const TRANSCRIPT_STEPS = 150
/** How many heights a transaction of the traffic can wait, at most. */
const TRANSACTION_HEIGHTS = 100
const PADDING_BYTES_MAX = 300

export class World {
  readonly plan: Plan
  readonly agenda = new Agenda()
  readonly tally = new Tally()
  readonly trace = new Trace(TRANSCRIPT_STEPS)
  readonly judge: Judge
  readonly #genesis: Epoch
  readonly #witness: Witness | null
  readonly #cluster: Cluster
  readonly #nemesis: Nemesis
  readonly #prng: Prng
  readonly #traffic: Prng
  #chaos = true
  #transactions = 0

  constructor(plan: Plan, chain: ChainModule, processClass: ProcessClass = Process) {
    const stream = (name: keyof typeof STREAM): Prng => new Prng(plan.seed, STREAM[name])
    this.plan = plan
    this.#prng = stream('hosts')
    this.#traffic = stream('traffic')
    const { epoch, genesis } = makeGenesis(plan)
    this.#genesis = epoch
    const machines = makeMachines(plan, genesis)
    for (const machine of machines) {
      machine.disk.isFull = () => this.#chaos && machine.fullUntilMs > this.agenda.nowMs
      machine.disk.powerFails = () =>
        this.#chaos && this.agenda.nowMs > 0 && this.#prng.chance(plan.faults.crashAtSyncRate / 4)
    }
    const honestKeys = new Set(
      machines.filter(({ isHonest }) => isHonest).flatMap(({ keys }) => keys.map(({ hex }) => hex)),
    )
    const isCorrupt = plan.mode === 'corrupt'
    this.#witness = isCorrupt ? new Witness(epoch) : null
    this.judge = new Judge(
      epoch,
      genesis,
      verifySimulated,
      (key) => honestKeys.has(key),
      isCorrupt,
      this.tally,
    )
    const surroundings = {
      chain,
      config: makeConfig(plan, epoch),
      timing: plan.timing,
      rules: makeRules(plan, machines),
      verify: verifySimulated,
      agenda: this.agenda,
      prng: this.#prng,
      judge: this.judge,
      witness: this.#witness,
      tally: this.tally,
      trace: this.trace,
      crashAtSyncRate: () => (this.#chaos ? plan.faults.crashAtSyncRate : 0),
      died: ({ machine }: Process, by: Death) => this.#crash(machine.host, by, this.#nemesis.drawDownMs()),
      spread: (transaction: Uint8Array) => this.#spread(transaction),
    }
    const prngs = { network: stream('network'), byzantine: stream('byzantine') }
    this.#cluster = new Cluster(machines, surroundings, processClass, prngs)
    this.#nemesis = new Nemesis(plan, this.agenda, stream('nemesis'), this.#cluster.network, this.tally, {
      hosts: machines.length,
      isUp: (host) => this.#cluster.processOn(host) !== null,
      crash: (host, downMs) => this.#crash(host, this.#drawDeath(), downMs),
      losePower: () => this.#losePower(),
      setSkew: (host, skewMs) => {
        this.tally.injected('clockStepped')
        machines[host]!.skewMs = skewMs
      },
      fillDisk: (host, durationMs) => {
        this.tally.injected('diskFilled')
        machines[host]!.fullUntilMs = this.agenda.nowMs + durationMs
      },
    })
  }

  /** Messages sent so far. */
  get messages(): number {
    return this.#cluster.network.sent
  }

  /** @throws whatever broke: a `Violation`, or an error of the code under test. */
  run(): void {
    const { plan } = this
    for (const machine of this.#cluster.machines) {
      const delayMs = machine.keys.length === 0 ? plan.fullNodeAtMs! : this.#prng.between(0, 300)
      this.#cluster.bootAfter(delayMs, machine.host)
      if (machine.character === 'lostDisk' || machine.character === 'rottenDisk') this.#planDiskLoss(machine)
    }
    if (plan.mode === 'corrupt') this.#nemesis.separate(this.#drawSides(), plan.chaosMs)
    this.#nemesis.start()
    this.#nextTransaction()
    this.#nextOrder()
    this.agenda.run(plan.chaosMs)
    this.#chaos = false
    if (plan.mode !== 'safety') this.#calm()
    this.#noteOutcome()
  }

  /** All faults end, and what is promised then is demanded. */
  #calm(): void {
    const { plan, agenda, judge, tally } = this
    this.#nemesis.stop()
    const world = {
      plan,
      agenda,
      judge,
      tally,
      witness: this.#witness,
      cluster: this.#cluster,
      nemesis: this.#nemesis,
      prng: this.#prng,
    }
    if (plan.mode === 'corrupt') demandExposure(world)
    else demandProgress(world)
  }

  /** Half of the honest authorities and one of each pair of twins on each side of a cut, by host. */
  #drawSides(): boolean[] {
    const authorities = this.plan.characters.length
    let honest = 0
    return this.#cluster.machines.map(({ host, keys, character }) => {
      if (character === 'twins') return host < authorities
      return keys.length === 0 ? this.#prng.chance(0.5) : honest++ % 2 === 0
    })
  }

  #drawDeath(): Death {
    return this.#prng.chance(0.5) ? 'powerLoss' : 'programEnd'
  }

  #crash(host: number, by: Death, downMs: number): void {
    this.tally.injected(by === 'powerLoss' ? 'hostLostPower' : 'programEnded')
    this.#cluster.kill(host, by)
    this.#cluster.bootAfter(downMs, host)
  }

  #losePower(): void {
    this.tally.injected('powerLost')
    this.#cluster.killAll()
    for (const { host } of this.#cluster.machines)
      this.#cluster.bootAfter(this.#prng.between(100, 1_500), host)
  }

  #planDiskLoss(machine: Machine): void {
    this.agenda.after(this.#prng.between(0.2, 0.8) * this.plan.chaosMs, () => {
      this.#crash(machine.host, 'powerLoss', this.#nemesis.drawDownMs())
      const isLost = machine.character === 'lostDisk'
      const { epoch } = this.judge.epoch
      if (isLost) machine.loseDisk(this.#prng, epoch)
      else machine.rotDisk(this.#prng, epoch)
      this.tally.injected(isLost ? 'diskLost' : 'diskRotted')
    })
  }

  #nextTransaction(): void {
    const { trafficEveryMs, chaosMs } = this.plan
    const phase = Math.min(
      trafficEveryMs.length - 1,
      Math.floor((this.agenda.nowMs / chaosMs) * trafficEveryMs.length),
    )
    this.agenda.after(trafficEveryMs[phase]! * this.#traffic.between(0.3, 1.7), () => {
      if (!this.#chaos) return
      const validUntil = this.judge.height + 1 + this.#traffic.below(TRANSACTION_HEIGHTS)
      const bytes = makeTransaction(this.#transactions++, validUntil, this.#traffic.below(PADDING_BYTES_MAX))
      this.#spread(bytes)
      this.#nextTransaction()
    })
  }

  /** A transaction reaches the hosts one after the other, and some not at all. */
  #spread(transaction: Uint8Array): void {
    for (const { host } of this.#cluster.machines) {
      if (this.#traffic.chance(0.2)) continue
      this.agenda.after(this.#traffic.between(1, 150), () =>
        this.#cluster.processOn(host)?.submit(transaction),
      )
    }
  }

  #nextOrder(): void {
    const { epochs } = this.plan
    if (epochs === null) return
    this.agenda.after(epochs.orderEveryMs * this.#traffic.between(0.3, 1.7), () => {
      if (!this.#chaos) return
      const order = drawOrder(this.#traffic, this.judge.epoch.set, this.#cluster.machines, this.plan)
      const validUntil = this.judge.height + TRANSACTION_HEIGHTS
      if (order !== null) this.#spread(makeOrder(this.#transactions++, validUntil, order))
      this.#nextOrder()
    })
  }

  #noteOutcome(): void {
    const { judge, tally, plan } = this
    tally.reached('viewNotarizedAndNullified', judge.viewsNotarizedAndNullified)
    for (const { forked } of this.#cluster.equivocators)
      tally.reached('equivocationResolved', forked.filter((place) => judge.isPast(place)).length)
    if (judge.height > 0 && plan.weights.some((weight) => weight > 1)) tally.reached('weightedQuorum')
    for (const { machine } of this.#cluster.live()) {
      if (machine.store.height === 0) continue
      if (machine.keys.length === 0) tally.reached('fullNodeCaughtUp')
      if (machine.lostVotes) tally.reached('observerCameBack')
      if (!machine.isHonest || judge.forked !== null) continue
      const links = judgeLightClient(this.#genesis, machine.store, judge, verifySimulated)
      if (links > 0) tally.reached('lightClientFollowed')
    }
  }
}
