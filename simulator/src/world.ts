/**
 * One run: chaos over a network, and in liveness mode what must happen after it.
 * @module
 */
import { Agenda } from './agenda.ts'
import { Cluster } from './cluster.ts'
import type { ProcessClass } from './cluster.ts'
import { makeTransaction } from './executor.ts'
import { Judge, Violation } from './judge.ts'
import { verifySimulated } from './keys.ts'
import type { Machine } from './machine.ts'
import { Tally } from './milestones.ts'
import { CUT_MS_MAX, Nemesis } from './nemesis.ts'
import type { Plan } from './plan.ts'
import { Process } from './process.ts'
import type { ChainModule } from './process.ts'
import { Prng, STREAM } from './prng.ts'
import { makeConfig, makeGenesis, makeMachines, SEGMENT_BYTES_MAX } from './setup.ts'
import { Trace } from './trace.ts'

const TRANSCRIPT_STEPS = 150
/** How many heights a transaction of the traffic can wait, at most. */
const TRANSACTION_HEIGHTS = 100
const PADDING_BYTES_MAX = 300
const HEIGHTS_FOR_EVER = 0xffff_ffff
/** Blocks that a restarted quorum must make final, besides the probe. */
const LIVENESS_HEIGHTS = 3
/** More than twice the most that 150 seeds left behind. */
const LOG_BYTES_MAX = 3 * SEGMENT_BYTES_MAX
const STATES_MAX = 24

export class World {
  readonly plan: Plan
  readonly agenda = new Agenda()
  readonly tally = new Tally()
  readonly trace = new Trace(TRANSCRIPT_STEPS)
  readonly judge: Judge
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
    this.judge = new Judge(epoch, genesis, verifySimulated, (authority) => this.#cluster.isHonest(authority))
    const surroundings = {
      chain,
      config: makeConfig(plan, epoch),
      timing: plan.timing,
      verify: verifySimulated,
      agenda: this.agenda,
      prng: this.#prng,
      judge: this.judge,
      tally: this.tally,
      trace: this.trace,
      crashAtSyncRate: () => (this.#chaos ? plan.faults.crashAtSyncRate : 0),
      powerFailed: (process: Process) => this.#crash(process.machine.host, this.#nemesis.drawDownMs()),
    }
    const prngs = { network: stream('network'), byzantine: stream('byzantine') }
    this.#cluster = new Cluster(makeMachines(plan, genesis), surroundings, processClass, prngs)
    this.#nemesis = new Nemesis(plan, this.agenda, stream('nemesis'), this.#cluster.network, {
      hosts: this.#cluster.machines.length,
      isUp: (host) => this.#cluster.processOn(host) !== null,
      crash: (host, downMs) => this.#crash(host, downMs),
      losePower: () => this.#losePower(),
      setSkew: (host, skewMs) => {
        this.#cluster.machines[host]!.skewMs = skewMs
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
      const delayMs = machine.authority === null ? plan.fullNodeAtMs! : this.#prng.between(0, 300)
      this.#cluster.bootAfter(delayMs, machine.host)
      if (machine.character === 'lostDisk' || machine.character === 'rottenDisk') this.#planDiskLoss(machine)
    }
    this.#nemesis.start()
    this.#nextTransaction()
    this.agenda.run(plan.chaosMs)
    if (plan.mode === 'liveness') this.#demandProgress()
    this.#noteOutcome()
  }

  /**
   * All faults end, in half the runs after a last silence; the whole network loses power, and exactly a quorum of
   * honest authorities comes back, for ever; in half the runs with the Byzantine ones beside them, and with the full
   * node and those that lost their disks, which must keep up.
   */
  #demandProgress(): void {
    const { plan, agenda, judge } = this
    const { machines } = this.#cluster
    this.#chaos = false
    this.#nemesis.stop()
    if (this.#prng.chance(0.5)) {
      const silenceMs = Math.min(CUT_MS_MAX, this.#prng.between(1, 3) * plan.timing.timeoutBaseMs)
      this.#nemesis.isolateAll(silenceMs)
      agenda.run(agenda.nowMs + silenceMs)
    }
    this.#cluster.killAll()
    const quorum = plan.characters.length - Math.floor((plan.characters.length - 1) / 3)
    const isRequired = ({ character, authority }: Machine): boolean =>
      character === 'honest' && authority !== null
    const up = this.#prng.shuffled(machines.filter(isRequired)).slice(0, quorum)
    const besides = this.#prng.chance(0.5) ? machines.filter((machine) => !isRequired(machine)) : []
    // No cut made by the nemesis lasts beyond this.
    agenda.run(agenda.nowMs + CUT_MS_MAX)
    for (const { host } of [...up, ...besides]) this.#cluster.bootAfter(this.#prng.between(0, 200), host)
    agenda.run(agenda.nowMs + 200)
    const target = judge.height + LIVENESS_HEIGHTS
    const probe = this.#transactions++
    for (const process of this.#cluster.live()) process.submit(makeTransaction(probe, HEIGHTS_FOR_EVER, 0))
    const reached = ({ host, store }: Machine): boolean =>
      store.height >= target && this.#cluster.processOn(host)!.executor.isFinal(probe)
    const boundMs = progressBoundMs(plan)
    const keepingUp = [...up, ...besides.filter(({ isHonest }) => isHonest)]
    agenda.run(agenda.nowMs + boundMs, () => keepingUp.every(reached))
    if (!keepingUp.every(reached)) {
      const states = keepingUp.map(({ host }) =>
        describeProcess(this.#cluster.processOn(host)!, agenda.nowMs),
      )
      throw new Violation(
        `no progress to height ${target} within ${boundMs} ms of the chaos: ${states.join('; ')}`,
      )
    }
    this.tally.reached('probeFinalInQuorum')
    for (const { host } of keepingUp) judgeBounds(this.#cluster.processOn(host)!)
  }

  #crash(host: number, downMs: number): void {
    this.#cluster.kill(host)
    this.#cluster.bootAfter(downMs, host)
  }

  #losePower(): void {
    this.#cluster.killAll()
    for (const { host } of this.#cluster.machines)
      this.#cluster.bootAfter(this.#prng.between(100, 1_500), host)
  }

  #planDiskLoss(machine: Machine): void {
    this.agenda.after(this.#prng.between(0.2, 0.8) * this.plan.chaosMs, () => {
      this.#crash(machine.host, this.#nemesis.drawDownMs())
      if (machine.character === 'lostDisk') machine.loseDisk(this.#prng)
      else machine.rotDisk(this.#prng)
    })
  }

  /** A transaction reaches the hosts one after the other, and some not at all. */
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
      for (const { host } of this.#cluster.machines) {
        if (this.#traffic.chance(0.2)) continue
        this.agenda.after(this.#traffic.between(1, 150), () => this.#cluster.processOn(host)?.submit(bytes))
      }
      this.#nextTransaction()
    })
  }

  #noteOutcome(): void {
    const { judge, tally } = this
    tally.reached('viewNotarizedAndNullified', judge.viewsNotarizedAndNullified)
    for (const { viewsForked } of this.#cluster.equivocators) {
      tally.reached(
        'equivocationResolved',
        [...viewsForked].filter((view) => view <= judge.finalizedView).length,
      )
    }
    for (const { machine } of this.#cluster.live()) {
      if (machine.store.height === 0) continue
      if (machine.authority === null) tally.reached('fullNodeCaughtUp')
      if (machine.voteLogLost) tally.reached('observerStayedSilent')
    }
  }
}

/**
 * How long a quorum with healthy links may take, from power on, for `LIVENESS_HEIGHTS` blocks and a probe: a few
 * retransmissions to find the highest view, a view for each block and for each leader before it, and the idle waits.
 * About twice what the slowest of 500 seeds took.
 */
function progressBoundMs({ timing, characters }: Plan): number {
  const { intervalMs, idleIntervalMs, retransmitMs, timeoutMaxMs } = timing
  const views = LIVENESS_HEIGHTS + characters.length
  return 4 * 2 * retransmitMs + views * (intervalMs + timeoutMaxMs) + 2 * idleIntervalMs
}

/** O8: with blocks becoming final again, what a node keeps for the others is bounded (P16, R13). */
function judgeBounds({ executor, machine }: Process): void {
  const { keptBytes } = machine.log
  if (keptBytes > LOG_BYTES_MAX)
    throw new Violation(`O8: the vote log of host ${machine.host} has ${keptBytes} bytes`)
  const { statesKept } = executor
  if (statesKept > STATES_MAX) throw new Violation(`O8: host ${machine.host} keeps ${statesKept} states`)
}

function describeProcess({ core, machine }: Process, simulatedMs: number): string {
  const { view, floor, finalizedHeight, observer, halted, idle } = core.view(machine.now(simulatedMs))
  const mood = observer ?? halted ?? (idle ? 'idle' : 'awake')
  return `host ${machine.host} in view ${view}, floor ${floor}, final height ${finalizedHeight}, ${mood}`
}
