/**
 * What is demanded of a network when its chaos is over.
 * @module
 */
import { bytesToHex, quorumWeight, totalWeight } from '@althing/base'
import type { Authority, Epoch } from '@althing/base'
import type { Agenda } from './agenda.ts'
import type { Cluster } from './cluster.ts'
import { HEIGHTS_FOR_EVER, makeTransaction } from './transactions.ts'
import type { Judge } from './judge.ts'
import type { Machine } from './machine.ts'
import type { Tally } from './milestones.ts'
import { CUT_MS_MAX } from './nemesis.ts'
import type { Nemesis } from './nemesis.ts'
import type { Plan } from './plan.ts'
import type { Process } from './process.ts'
import type { Prng } from './prng.ts'
import { SEGMENT_BYTES_MAX } from './setup.ts'
import { Violation } from './violation.ts'
import type { Witness } from './witness.ts'

/** A world whose chaos is over. */
export interface CalmedWorld {
  readonly plan: Plan
  readonly agenda: Agenda
  readonly judge: Judge
  readonly witness: Witness | null
  readonly tally: Tally
  readonly cluster: Cluster
  readonly nemesis: Nemesis
  readonly prng: Prng
}

/** Blocks that a restarted quorum must make final, besides the probe. */
const LIVENESS_HEIGHTS = 3
/** For a rejoin to be carried and its epoch to end. */
const REJOIN_BLOCKS = 4
/** No transaction of the traffic has this number. */
const PROBE = 0xffff_ffff
/**
 * The segment that the last final view is in, one that was full before its blocks were durable, and the present one; each
 * may be larger by a record. Of 8,650 seeds one left more than three behind (8253, of 13 authorities: 30,676 bytes).
 */
const LOG_BYTES_MAX = 4 * SEGMENT_BYTES_MAX
const STATES_MAX = 24
/** For a network that was cut in two to speak to itself again. */
const HEALED_MS = 8_000

/**
 * Liveness. In half the runs after a last silence the whole network loses power, and exactly a quorum of honest
 * authorities comes back, for ever; in half the runs with the Byzantine ones beside them, and with the full node and
 * those that lost their disks, which must keep up.
 */
export function demandProgress(world: CalmedWorld): void {
  const { plan, agenda, judge, cluster, nemesis, prng, tally } = world
  const { machines } = cluster
  if (prng.chance(0.5)) {
    const silenceMs = Math.min(CUT_MS_MAX, prng.between(1, 3) * plan.timing.timeoutBaseMs)
    nemesis.isolateAll(silenceMs)
    agenda.run(agenda.nowMs + silenceMs)
  }
  cluster.killAll()
  for (const machine of machines) {
    if (machine.character !== 'lostDisk' || prng.chance(0.3)) continue
    machine.loseDisk(prng, judge.epoch.epoch)
    tally.injected('diskLost')
  }
  const up = exactQuorum(world)
  if (judge.epochBefore !== null && !up.some(({ store }) => store.height >= judge.anchorHeight))
    // Nobody of them may know that the epoch before is over: then its own quorum has to end it again.
    up.push(...missingFromQuorum(world, up, judge.epochBefore))
  const isRequired = (machine: Machine): boolean =>
    machine.character === 'honest' && (weightOf(machine, judge.epoch) > 0 || up.includes(machine))
  const besides = prng.chance(0.5) ? machines.filter((machine) => !isRequired(machine)) : []
  // No cut made by the nemesis lasts beyond this.
  agenda.run(agenda.nowMs + CUT_MS_MAX)
  for (const { host } of [...up, ...besides]) cluster.bootAfter(prng.between(0, 200), host)
  agenda.run(agenda.nowMs + 200)
  const target = judge.height + LIVENESS_HEIGHTS
  for (const process of cluster.live()) process.submit(makeTransaction(PROBE, HEIGHTS_FOR_EVER, 0))
  const reached = ({ host, store }: Machine): boolean =>
    store.height >= target && cluster.processOn(host)?.executor.isFinal(PROBE) === true
  const keepingUp = [...up, ...besides.filter(({ isHonest }) => isHonest)]
  const isDone = (): boolean => keepingUp.every(reached)
  let known = judge.epoch
  let deadlineMs = agenda.nowMs + progressBoundMs(plan, judge)
  while (!isDone() && agenda.nowMs < deadlineMs) {
    agenda.run(deadlineMs, () => judge.epoch !== known || isDone())
    if (judge.epoch === known) continue
    // What was ordered before still changes the set: who is needed for the quorum then is started, too.
    known = judge.epoch
    deadlineMs = agenda.nowMs + progressBoundMs(plan, judge)
    for (const machine of missingFromQuorum(world, keepingUp, known)) {
      cluster.bootAfter(0, machine.host)
      keepingUp.push(machine)
    }
  }
  if (!isDone()) {
    const states = keepingUp.map(({ host }) => describeProcess(cluster.processOn(host)!))
    throw new Violation(`no progress to height ${target} in time after the chaos: ${states.join('; ')}`)
  }
  tally.reached('probeFinalInQuorum')
  demandRejoining(world)
  for (const { host } of keepingUp) judgeBounds(cluster.processOn(host)!)
}

/** R12: an authority that lost its votes and is up gives votes again once an epoch has begun after its rejoin was final. */
function demandRejoining({ plan, agenda, judge, cluster, tally }: CalmedWorld): void {
  const { epochs } = plan
  const isWaiting = ({ machine, core, now, index }: Process): boolean =>
    machine.isHonest && machine.lostVotes && index >= 0 && core.view(now).observer !== null
  const waiting = (): Process[] => cluster.live().filter(isWaiting)
  if (epochs === null || waiting().length === 0) return
  // The present epoch may have to grow to its least length, and the rejoin to be carried.
  const blocks = epochs.lengthMin + REJOIN_BLOCKS
  agenda.run(
    agenda.nowMs + (blocks / LIVENESS_HEIGHTS) * progressBoundMs(plan, judge),
    () => waiting().length === 0,
  )
  const [left] = waiting()
  if (left !== undefined) throw new Violation(`R12: ${describeProcess(left)} has not rejoined`)
  tally.reached('rejoinedInQuorum')
}

/** Honest authorities that have a quorum, and would not without any one of them. */
function exactQuorum({ judge, cluster, prng }: CalmedWorld): Machine[] {
  const { epoch } = judge
  const isMember = (machine: Machine): boolean =>
    machine.character === 'honest' && weightOf(machine, epoch) > 0
  let chosen = prng.shuffled(cluster.machines.filter(isMember))
  for (const machine of chosen) {
    const others = chosen.filter((other) => other !== machine)
    if (totalOf(others, epoch) >= quorumWeight(epoch.set)) chosen = others
  }
  return chosen
}

/** Honest authorities that make a quorum of an epoch together with those that are up. */
function missingFromQuorum({ cluster, prng }: CalmedWorld, up: readonly Machine[], epoch: Epoch): Machine[] {
  const added: Machine[] = []
  const present = up.filter(({ character }) => character === 'honest')
  const others = cluster.machines.filter((machine) => machine.character === 'honest' && !up.includes(machine))
  for (const machine of prng.shuffled(others)) {
    if (totalOf([...present, ...added], epoch) >= quorumWeight(epoch.set)) break
    if (weightOf(machine, epoch) > 0) added.push(machine)
  }
  return added
}

function totalOf(machines: readonly Machine[], epoch: Epoch): number {
  return machines.reduce((sum, machine) => sum + weightOf(machine, epoch), 0)
}

/** 0 when it is not an authority. */
function weightOf({ keys }: Machine, { set }: Epoch): number {
  const isKey = ({ key }: Authority): boolean => keys.some(({ hex }) => hex === bytesToHex(key))
  return set.find(isKey)?.weight ?? 0
}

/**
 * Corruption. The cut is over and everybody hears everybody: if there are two chains, at least f + 1 authorities have
 * shown it by their signatures, none of them honest, and whoever is told of both chains has halted (R7, P21).
 */
export function demandExposure({ plan, agenda, judge, witness, tally, cluster }: CalmedWorld): void {
  const sees = (): boolean => judge.haltedHosts.size > 0
  agenda.run(agenda.nowMs + HEALED_MS)
  if (judge.forked !== null) agenda.run(agenda.nowMs + progressBoundMs(plan, judge), sees)
  const culprits = [...witness!.culprits]
  const framed = culprits.filter((authority) => cluster.machines[authority]!.isHonest)
  if (framed.length > 0) throw new Violation(`O10: honest authorities ${framed.join()} are exposed`)
  if (judge.forked === null) return
  tally.reached('forked')
  const faultyMax = Math.floor((plan.characters.length - 1) / 3)
  if (culprits.length <= faultyMax)
    throw new Violation(`O10: ${judge.forked}, but only ${culprits.length} authorities are exposed`)
  tally.reached('culpritsExposed')
  if (!sees()) throw new Violation(`R7: ${judge.forked}, and nobody has halted`)
  tally.reached('forkFound')
}

/**
 * How long a quorum with healthy links may take, from power on, for `LIVENESS_HEIGHTS` blocks and a probe: a few
 * retransmissions to find the highest view, a view for each block and for each turn before it, and the idle waits.
 * About twice what the slowest of 500 seeds took.
 */
function progressBoundMs({ timing }: Plan, { epoch }: Judge): number {
  const { intervalMs, idleIntervalMs, retransmitMs, timeoutMaxMs } = timing
  const views = LIVENESS_HEIGHTS + totalWeight(epoch.set)
  return 4 * 2 * retransmitMs + views * (intervalMs + timeoutMaxMs) + 2 * idleIntervalMs
}

/** O8: with blocks becoming final again, what a node keeps for the others is bounded (P16, R13). */
function judgeBounds({ executor, machine }: Process): void {
  for (const { folder } of machine.keys) {
    const bytes = machine.disk.bytesIn(folder)
    if (bytes > LOG_BYTES_MAX)
      throw new Violation(`O8: a vote log of host ${machine.host} has ${bytes} bytes`)
  }
  const { statesKept } = executor
  if (statesKept > STATES_MAX) throw new Violation(`O8: host ${machine.host} keeps ${statesKept} states`)
}

function describeProcess({ core, machine, now }: Process): string {
  const { view, floor, finalizedHeight, observer, halted, idle } = core.view(now)
  const mood = observer ?? halted ?? (idle ? 'idle' : 'awake')
  return `host ${machine.host} in view ${view}, floor ${floor}, final height ${finalizedHeight}, ${mood}`
}
