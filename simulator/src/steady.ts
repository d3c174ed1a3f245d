/**
 * Networks in which next to nothing goes wrong, measured by simulated time only: how many hops a block takes, and what
 * it costs each node. All links take the same time; disks and processors take next to none.
 * @module
 */
import type { Certificate, Verify } from '@althing/base'
import type { FinalBlock } from '@althing/chain'
import { Agenda } from './agenda.ts'
import { Cluster } from './cluster.ts'
import { BLOCK_TRANSACTIONS } from './executor.ts'
import { Judge } from './judge.ts'
import { verifySimulated } from './keys.ts'
import { Machine, WALL_START_MS } from './machine.ts'
import { Tally } from './milestones.ts'
import { HEALTHY_LINK } from './network.ts'
import type { Timing } from './plan.ts'
import { Process } from './process.ts'
import type { ChainModule } from './process.ts'
import { Prng, STREAM } from './prng.ts'
import { makeConfig, makeGenesis, ONE_EPOCH } from './setup.ts'
import { Trace } from './trace.ts'
import { HEIGHTS_FOR_EVER, makeTransaction, TRANSACTION_HEAD_BYTES } from './transactions.ts'

export interface SteadyNetwork {
  readonly seed: number
  readonly authorities: number
  /** So many of them are never started. */
  readonly dead: number
  /** From any host to any other. */
  readonly linkMs: number
  /** Of each transaction, at least 9; every block is full, with 8 of them. */
  readonly transactionBytes: number
}

/** A block as one host saw it become final, in milliseconds since the start. */
interface SeenBlock {
  /** When its leader made it. */
  readonly madeMs: number
  readonly finalMs: number
}

/** What a network of authorities did for some blocks. One hop is the time of a link. */
export interface SteadyReport {
  readonly blocks: number
  readonly hopsPerBlock: number
  /** From the leader's making it, as the mean of all hosts. */
  readonly hopsToFinality: number
  /** Of each node that is up. */
  readonly messagesPerBlock: number
  readonly bytesPerBlock: number
  readonly signatureChecksPerBlock: number
  /** Entries of the agenda carried out since the start. */
  readonly events: number
}

/** Heights that are not measured: at first nobody knows who is silent. */
const WARM_UP_HEIGHTS = 15
/** Final ones lag behind proposed ones, and proposals come to nothing. */
const BLOCKS_AHEAD = 16
const NOTHING_SEEN: readonly SeenBlock[] = []
const DISK_MS = 0.1
const HOUR_MS = 3_600_000

export class SteadyWorld {
  readonly agenda = new Agenda()
  readonly #cluster: Cluster
  readonly #network: SteadyNetwork
  readonly #judge: SeeingJudge
  #signatureChecks = 0
  #submitted = 0

  constructor(chain: ChainModule, network: SteadyNetwork) {
    const { seed, authorities, dead, linkMs } = network
    this.#network = network
    const weights = Array.from({ length: authorities }, () => 1)
    const { epoch, genesis } = makeGenesis({ weights })
    const stream = (name: keyof typeof STREAM): Prng => new Prng(seed, STREAM[name])
    const disks = stream('disks')
    const machines = weights.map((_, host) => new Machine(host, [host], 'honest', genesis, 1, disks))
    this.#judge = new SeeingJudge(epoch, genesis, verifySimulated, () => true, false, new Tally())
    this.#judge.agenda = this.agenda
    const timing = quickTiming(linkMs)
    const verify: Verify = (...signed) => {
      this.#signatureChecks++
      return verifySimulated(...signed)
    }
    const surroundings = {
      chain,
      config: makeConfig({ timing, chainReplyBytesMax: 1_000_000 }, epoch),
      timing,
      rules: ONE_EPOCH,
      verify,
      agenda: this.agenda,
      judge: this.#judge,
      witness: null,
      prng: stream('hosts'),
      tally: new Tally(),
      trace: new Trace(1),
      crashAtSyncRate: () => 0,
      died: () => {},
      spread: () => {},
    }
    const prngs = { network: stream('network'), byzantine: stream('byzantine') }
    this.#cluster = new Cluster(machines, surroundings, Process, prngs)
    const traits = { ...HEALTHY_LINK, delayMs: linkMs, jitterMs: 0 }
    for (const [from, to] of this.#cluster.network.pairs) this.#cluster.network.setTraits(from, to, traits)
    for (const { host } of machines.slice(dead)) this.#cluster.bootAfter(0, host)
  }

  /** Runs until `blocks` heights more are final on every host that is up. @throws when an hour is not enough. */
  measure(blocks: number): SteadyReport {
    this.#runTo(WARM_UP_HEIGHTS)
    const { network } = this.#cluster
    const before = { messages: network.sent, bytes: network.sentBytes, checks: this.#signatureChecks }
    this.#runTo(WARM_UP_HEIGHTS + blocks)
    const up = this.#cluster.live().length
    const perNodeAndBlock = (count: number): number => count / up / blocks
    const { linkMs } = this.#network
    const seen = this.#hosts().map((host) => this.#judge.seenOn(host))
    const last = WARM_UP_HEIGHTS + blocks - 1
    const tookMs = mean(seen.map((own) => own[last]!.finalMs - own[WARM_UP_HEIGHTS - 1]!.finalMs))
    const measured = seen.flatMap((own) => own.slice(WARM_UP_HEIGHTS, last + 1))
    return {
      blocks,
      hopsPerBlock: tookMs / blocks / linkMs,
      hopsToFinality: mean(measured.map(({ madeMs, finalMs }) => finalMs - madeMs)) / linkMs,
      messagesPerBlock: perNodeAndBlock(network.sent - before.messages),
      bytesPerBlock: perNodeAndBlock(network.sentBytes - before.bytes),
      signatureChecksPerBlock: perNodeAndBlock(this.#signatureChecks - before.checks),
      events: this.agenda.done,
    }
  }

  /** Cuts the hosts into two halves for a while. @returns how long after the mending each host had a new block, at most. */
  partAndHeal(partedMs: number): number {
    const { agenda } = this
    this.#runTo(WARM_UP_HEIGHTS)
    const { network } = this.#cluster
    const between = network.pairs.filter(([from, to]) => from % 2 !== to % 2)
    for (const [from, to] of between) network.cut(from, to)
    agenda.run(agenda.nowMs + partedMs)
    const heights = this.#heights()
    for (const [from, to] of between) network.mend(from, to)
    const healedMs = agenda.nowMs
    this.#runTo(Math.max(...heights) + 1)
    return agenda.nowMs - healedMs
  }

  #hosts(): number[] {
    return this.#cluster.live().map(({ machine }) => machine.host)
  }

  #heights(): number[] {
    return this.#hosts().map((host) => this.#judge.seenOn(host).length)
  }

  #runTo(height: number): void {
    const { agenda } = this
    const isThere = (): boolean => {
      this.#fillPools()
      return this.#judge.height >= height && this.#heights().every((own) => own >= height)
    }
    agenda.run(agenda.nowMs + HOUR_MS, isThere)
    if (!isThere()) throw new Error(`height ${this.#judge.height} in an hour, and not ${height}`)
  }

  /** With more transactions than the blocks to come can carry, no view is idle (R14). */
  #fillPools(): void {
    const padding = this.#network.transactionBytes - TRANSACTION_HEAD_BYTES
    const wanted = (this.#judge.height + BLOCKS_AHEAD) * BLOCK_TRANSACTIONS
    while (this.#submitted < wanted) {
      const transaction = makeTransaction(this.#submitted++, HEIGHTS_FOR_EVER, padding)
      for (const process of this.#cluster.live()) process.submit(transaction)
    }
  }
}

/** Remembers when each block became final on each host. */
class SeeingJudge extends Judge {
  readonly #seenByHost = new Map<number, SeenBlock[]>()
  agenda = new Agenda()

  seenOn(host: number): readonly SeenBlock[] {
    return this.#seenByHost.get(host) ?? NOTHING_SEEN
  }

  override committed(host: number, blocks: readonly FinalBlock[], finalization: Certificate | null): void {
    super.committed(host, blocks, finalization)
    const finalMs = this.agenda.nowMs
    const seen = this.#seenByHost.get(host) ?? []
    this.#seenByHost.set(host, seen)
    for (const { block } of blocks) seen.push({ madeMs: block.header.timestamp - WALL_START_MS, finalMs })
  }
}

/** Nobody waits for anything but messages: the interval is as good as none, and empty blocks are made at once. */
function quickTiming(linkMs: number): Timing {
  const timeoutBaseMs = 6 * linkMs
  return {
    intervalMs: 1,
    idleIntervalMs: 0,
    timeoutBaseMs,
    timeoutMaxMs: 8 * timeoutBaseMs,
    driftMs: timeoutBaseMs / 2,
    retransmitMs: Math.min(1_000, 1.5 * timeoutBaseMs),
    syncMs: DISK_MS,
    commitMs: DISK_MS,
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
