/**
 * One life of the node's program on a machine: the real consensus core, codec and vote log between simulated parts.
 * It does what the real driver does: append, fsync, and only then let what follows leave (R2).
 * @module
 */
import { leaderOf, NULLIFY } from '@althing/base'
import type { Epoch, HashHex, Verify } from '@althing/base'
import type * as chainModule from '@althing/chain'
import type { Consensus, ConsensusConfig, ConsensusMessage, Effect, Input, Now } from '@althing/chain'
import type { SegmentFiles } from 'althing/vote-log'
import type { Agenda } from './agenda.ts'
import { boot, seatOf } from './boot.ts'
import { DiskFull, PowerFailure } from './disk.ts'
import { describeEffect, describeReceipt } from './describe.ts'
import { SimulatedExecutor, SimulatedPool } from './executor.ts'
import type { Judge } from './judge.ts'
import type { LedgerRules } from './ledger-rules.ts'
import type { Machine } from './machine.ts'
import type { Tally } from './milestones.ts'
import type { Timing } from './plan.ts'
import type { Prng } from './prng.ts'
import type { Trace } from './trace.ts'
import { HEIGHTS_FOR_EVER, makeOrder } from './transactions.ts'
import { Violation } from './violation.ts'
import type { Witness } from './witness.ts'

/** The code under test; a mutated copy of it can be given instead. */
export type ChainModule = typeof chainModule

/** What a process is given by the world. */
export interface Surroundings {
  readonly chain: ChainModule
  readonly config: ConsensusConfig
  readonly timing: Timing
  readonly rules: LedgerRules
  readonly verify: Verify
  readonly agenda: Agenda
  readonly prng: Prng
  readonly judge: Judge
  /** Null where at most f authorities are Byzantine. */
  readonly witness: Witness | null
  readonly tally: Tally
  readonly trace: Trace
  /** Chance of a crash at each step of the path append, fsync, send. */
  crashAtSyncRate(): number
  /** Hands a message to the network. */
  transmit(from: Process, to: number, message: ConsensusMessage): void
  /** The core holds that this host must have known better. */
  charged(by: Process, host: number, reason: string): void
  /** The process ends now: the power failed, or its own disk failed it. */
  died(process: Process, by: Death): void
  /** Brings a transaction to the pools of the other hosts. */
  spread(transaction: Uint8Array): void
}

/** What ends a process: with the power goes what was not fsynced; a program leaves it to the operating system. */
export type Death = 'powerLoss' | 'programEnd'

interface HeldEffect {
  readonly effect: Effect
  /** So many records of the vote logs must be durable first. */
  readonly position: number
}

type Commit = Extract<Effect, { kind: 'commit' }>

/** The upper half of the numbers of transactions. */
const REJOIN_IDS = 0x8000_0000

export class Process {
  readonly machine: Machine
  readonly executor: SimulatedExecutor
  readonly core: Consensus
  readonly #logs: readonly SegmentFiles[]
  readonly #pool = new SimulatedPool()
  readonly #world: Surroundings
  /** The process at the other end of each session. */
  readonly #peers = new Map<number, Process>()
  readonly #held: HeldEffect[] = []
  readonly #commits: Commit[] = []
  /** Records appended so far, and how many of them are durable. */
  #appended = 0
  #durable = 0
  #syncing = false
  #alive = true
  #wakeAtMs = Number.POSITIVE_INFINITY
  #epoch = 0
  #view = 0
  #viewEnteredAtMs = 0
  #idle = false

  /** @throws {PowerFailure} @throws {DiskFull} */
  constructor(machine: Machine, world: Surroundings) {
    this.machine = machine
    this.#world = world
    const { rules, config } = world
    this.executor = new SimulatedExecutor(this.#pool, rules, config.epoch.set, machine.store)
    const { core, logs } = boot(machine, this.executor, world)
    this.core = core
    this.#logs = logs
  }

  /** Called once, when the process can reach the network. */
  start(): void {
    const { machine } = this
    if (machine.isHonest)
      this.#world.judge.hostStarted(machine.host, machine.store.byHeight(machine.store.height)!)
    this.#order(null, this.core.start(this.now))
  }

  get isAlive(): boolean {
    return this.#alive
  }

  get now(): Now {
    return this.machine.now(this.#world.agenda.nowMs)
  }

  get timing(): Timing {
    return this.#world.timing
  }

  get epoch(): Epoch {
    return this.core.epoch
  }

  /** In the authority set; -1 when not a member. */
  get index(): number {
    return seatOf(this.machine, this.epoch).index
  }

  /** That it votes with in this epoch; null when not a member. */
  get key(): HashHex | null {
    return seatOf(this.machine, this.epoch).key
  }

  leaderOf(view: number): number {
    return leaderOf(view, this.epoch.set)
  }

  /** A message arrived. */
  receive(from: Machine, message: ConsensusMessage): void {
    const { host } = from
    if (!this.#peers.has(host)) return
    const { agenda, trace } = this.#world
    trace.step(agenda.nowMs, this.machine.host, message, host, describeReceipt)
    const { index } = seatOf(from, this.epoch)
    const authority = index < 0 ? null : index
    this.#handle({ kind: 'messageReceived', from: `${host}`, authority, message })
  }

  /** A session with a process on another host; it replaces one with an earlier process there. */
  connect(peer: Process): void {
    const { host, store } = peer.machine
    this.disconnect(this.#peers.get(host))
    this.#peers.set(host, peer)
    this.#handle({ kind: 'peerConnected', peer: `${host}`, height: store.height })
  }

  /** The end of a session was noticed. */
  disconnect(peer: Process | undefined): void {
    if (peer === undefined || this.#peers.get(peer.machine.host) !== peer) return
    this.#peers.delete(peer.machine.host)
    this.#handle({ kind: 'peerDisconnected', peer: `${peer.machine.host}` })
  }

  /** @param transaction is gone after a crash. */
  submit(transaction: Uint8Array): void {
    this.#pool.add(transaction)
    this.#handle({ kind: 'poolChanged' })
  }

  /** The process ends without a word: what it wrote and ordered last is lost in part. */
  kill(by: Death): void {
    const { disk, store } = this.machine
    const { prng, tally } = this.#world
    this.#alive = false
    if (this.#appended > this.#durable) tally.reached('crashedBeforeSync')
    if (by === 'powerLoss') disk.losePower()
    const durable = prng.below(this.#commits.length + 1)
    for (const commit of this.#commits.slice(0, durable)) store.commit(commit.blocks, commit.finalization)
    if (durable < this.#commits.length) tally.reached('commitLostInCrash')
  }

  /** R2: how many records must be durable before an effect that the core orders now leaves. */
  protected positionToSync(): number {
    return this.#appended
  }

  #handle(input: Input): void {
    if (!this.#alive) return
    this.#order(input, this.core.handle(input, this.now))
  }

  /** @param input null at the start. */
  #order(input: Input | null, effects: readonly Effect[]): void {
    const { agenda, trace } = this.#world
    const { host } = this.machine
    const nowMs = agenda.nowMs
    for (const effect of effects) {
      trace.step(nowMs, host, effect, host, describeEffect)
      if (effect.kind !== 'append' && effect.kind !== 'startSegment')
        this.#held.push({ effect, position: this.positionToSync() })
      else if (!this.#write(effect)) return
    }
    this.#noteMilestones(input, effects)
    this.#release()
    this.#scheduleTick()
  }

  /** @returns false when the process has died of it. */
  #write(effect: Extract<Effect, { kind: 'append' | 'startSegment' }>): boolean {
    return this.#onDisk(() => {
      const log = this.#logs[effect.log]!
      if (effect.kind === 'append') log.append(effect.record)
      else log.startSegment(effect.sequence, effect.bytes)()
      this.#appended++
    })
  }

  /** @returns false when the disk has failed, and the process with it. */
  #onDisk(act: () => void): boolean {
    try {
      act()
      return true
    } catch (error) {
      if (error instanceof PowerFailure) this.#world.died(this, 'powerLoss')
      else if (error instanceof DiskFull) {
        this.#world.tally.reached('diskWasFull')
        this.#world.died(this, 'programEnd')
      } else throw error
      return false
    }
  }

  /** Performs, in order, the effects that need not wait for a sync; sees to it that a sync is under way for the rest. */
  #release(): void {
    for (
      let next = this.#held[0];
      next !== undefined && next.position <= this.#durable;
      next = this.#held[0]
    ) {
      this.#held.shift()
      this.#perform(next.effect)
      if (!this.#alive) return
    }
    if (this.#appended > this.#durable && !this.#syncing) this.#sync()
  }

  #sync(): void {
    const { agenda, prng, timing } = this.#world
    const appended = this.#appended
    const ends = this.#logs.map((log) => log.end)
    this.#syncing = true
    agenda.after(prng.between(0.1, timing.syncMs), () => {
      if (!this.#alive || this.#mayCrash()) return
      for (const { file, bytes } of ends) this.machine.disk.syncUpTo(file, bytes)
      this.#durable = appended
      if (!this.#onDisk(() => ends.forEach((end, log) => this.#logs[log]!.noteSynced(end)))) return
      this.#syncing = false
      if (!this.#mayCrash()) this.#release()
    })
  }

  #mayCrash(): boolean {
    const { prng } = this.#world
    if (!prng.chance(this.#world.crashAtSyncRate())) return false
    this.#world.died(this, prng.chance(0.5) ? 'powerLoss' : 'programEnd')
    return true
  }

  #perform(effect: Effect): void {
    const { agenda, judge, prng, tally } = this.#world
    const { host, isHonest } = this.machine
    switch (effect.kind) {
      case 'broadcast':
        for (const peer of this.#peers.keys()) {
          if (this.#mayCrash()) {
            tally.reached('crashedBetweenSends')
            return
          }
          this.#world.transmit(this, peer, effect.message)
        }
        break
      case 'send':
        this.#world.transmit(this, Number(effect.to), effect.message)
        break
      case 'commit':
        if (isHonest) judge.committed(host, effect.blocks, effect.finalization)
        this.#commits.push(effect)
        if (this.#commits.length === 1) this.#commitNext()
        break
      case 'forget':
        agenda.after(prng.between(0, 500), () => {
          if (this.#alive) this.#onDisk(() => this.#logs[effect.log]!.forget(effect.belowSequence))
        })
        break
      case 'charge':
        this.#world.charged(this, Number(effect.peer), effect.reason)
        break
      case 'submitRejoin':
        this.#submitRejoin(effect.key, effect.nonce)
        break
      case 'event':
        this.#judgeEvent(effect.event)
        break
      default:
    }
  }

  #submitRejoin(key: Uint8Array, nonce: Uint8Array): void {
    const id = (REJOIN_IDS | new DataView(nonce.buffer, nonce.byteOffset).getUint32(0)) >>> 0
    const transaction = makeOrder(id, HEIGHTS_FOR_EVER, { kind: 'rejoin', key, nonce })
    this.#pool.add(transaction)
    this.#world.spread(transaction)
  }

  #judgeEvent(event: Extract<Effect, { kind: 'event' }>['event']): void {
    const { host, isHonest } = this.machine
    if (!isHonest) return
    if (event.kind === 'halted') this.#world.judge.halted(host, event.reason)
    if (event.kind === 'versionUnknown') throw new Violation(`O6: host ${host} met version ${event.version}`)
    if (event.kind !== 'evidenceFound') return
    this.#world.judge.evidenceFound(host, event.first)
    this.#world.tally.reached('evidenceFound')
  }

  #commitNext(): void {
    const commit = this.#commits[0]
    if (commit === undefined) return
    const { agenda, prng, timing } = this.#world
    agenda.after(prng.between(0.1, timing.commitMs), () => {
      if (!this.#alive) return
      this.machine.store.commit(commit.blocks, commit.finalization)
      for (const block of commit.blocks) this.executor.finalize(block)
      this.#commits.shift()
      this.#handle({ kind: 'committed', height: this.machine.store.height })
      this.#commitNext()
    })
  }

  /** Ticks come at the core's next deadline; one that came to nothing is harmless. */
  #scheduleTick(): void {
    const { agenda } = this.#world
    const atMs = Math.max(agenda.nowMs, this.machine.simulatedMsAt(this.core.nextDeadlineMs()))
    if (!this.#alive || atMs >= this.#wakeAtMs || atMs === Number.POSITIVE_INFINITY) return
    this.#wakeAtMs = atMs
    agenda.at(atMs, () => {
      if (this.#wakeAtMs !== atMs) return
      this.#wakeAtMs = Number.POSITIVE_INFINITY
      this.#handle({ kind: 'tick' })
    })
  }

  #noteMilestones(input: Input | null, effects: readonly Effect[]): void {
    if (!this.machine.isHonest) return
    const { agenda, tally } = this.#world
    const viewBefore = this.#view
    const isChain = input?.kind === 'messageReceived' && input.message.kind === 'chain'
    for (const effect of effects) {
      if (effect.kind === 'event' && effect.event.kind === 'viewEntered') {
        const { epoch, view } = effect.event
        const isLater = epoch > this.#epoch || (epoch === this.#epoch && view > this.#view)
        if (!isLater)
          throw new Violation(`O7: host ${this.machine.host} enters view ${epoch}.${view} from ${this.#view}`)
        if (epoch > this.#epoch) tally.reached('epochEntered')
        this.#epoch = epoch
        this.#view = view
        this.#viewEnteredAtMs = agenda.nowMs
      } else if (effect.kind === 'event' && effect.event.kind === 'reorg') {
        tally.reached('reorg')
      } else if (effect.kind === 'commit') {
        if (isChain) tally.reached('caughtUpByChain')
        if (effect.finalization === null) tally.reached('cappedChainUsed')
        else if (effect.finalization.view + 1 < viewBefore) tally.reached('lateFinalization')
      } else if (effect.kind === 'broadcast' && effect.message.kind === 'vote') {
        const { kind, view } = effect.message.vote
        const atOnce = view === this.#view && this.#viewEnteredAtMs === agenda.nowMs
        if (kind === NULLIFY && atOnce) tally.reached('silentLeaderSkipped')
      }
    }
    if (this.#idle || this.#view !== viewBefore) this.#noteIdle(this.#view !== viewBefore)
  }

  #noteIdle(newView: boolean): void {
    const { tally } = this.#world
    const idle = this.core.isIdle
    if (idle && newView) tally.reached('idleEntered')
    if (!idle && this.#idle && !newView) tally.reached('idleLeft')
    this.#idle = idle
  }
}
