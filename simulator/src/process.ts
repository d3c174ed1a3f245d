/**
 * One life of the node's program on a machine: the real consensus core, codec and vote log between simulated parts.
 * It does what the real driver does: append, fsync, and only then let what follows leave (R2).
 * @module
 */
import { assert, NULLIFY } from '@althing/base'
import type { Epoch, Signer, Verify } from '@althing/base'
import type * as chainModule from '@althing/chain'
import type {
  Consensus,
  ConsensusConfig,
  ConsensusMessage,
  ConsensusPorts,
  Effect,
  Input,
  Now,
  RestoredLog,
  VoteLogRecord,
} from '@althing/chain'
import type { Agenda } from './agenda.ts'
import { describeEffect, describeMessage } from './describe.ts'
import { SimulatedExecutor, SimulatedPool } from './executor.ts'
import type { Judge } from './judge.ts'
import type { Machine } from './machine.ts'
import type { Tally } from './milestones.ts'
import type { Timing } from './plan.ts'
import type { Prng } from './prng.ts'
import { KeySignatures } from './signature-book.ts'
import type { Trace } from './trace.ts'
import { Violation } from './violation.ts'
import type { Witness } from './witness.ts'

/** The code under test; a mutated copy of it can be given instead. */
export type ChainModule = typeof chainModule

/** What a process is given by the world. */
export interface Surroundings {
  readonly chain: ChainModule
  readonly config: ConsensusConfig
  readonly timing: Timing
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
  /** The power of this process's machine fails now. */
  powerFailed(process: Process): void
}

interface HeldEffect {
  readonly effect: Effect
  /** Position of the vote log that must be durable first. */
  readonly position: number
}

type Commit = Extract<Effect, { kind: 'commit' }>

const REJOIN_NONCE_BYTES = 32

export class Process {
  readonly machine: Machine
  readonly executor: SimulatedExecutor
  readonly core: Consensus
  readonly #pool = new SimulatedPool()
  readonly #world: Surroundings
  /** The process at the other end of each session. */
  readonly #peers = new Map<number, Process>()
  readonly #held: HeldEffect[] = []
  readonly #commits: Commit[] = []
  #syncing = false
  #alive = true
  #wakeAtMs = Number.POSITIVE_INFINITY
  #view = 0
  #viewEnteredAtMs = 0
  #idle = false

  /** @param signer null on a full node. */
  constructor(machine: Machine, signer: Signer | null, world: Surroundings) {
    this.machine = machine
    this.#world = world
    this.executor = new SimulatedExecutor(this.#pool, machine.store)
    this.core = makeCore(machine, signer, this.executor, world)
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
    return this.#world.config.epoch
  }

  /** In the authority set; -1 when not a member. */
  get index(): number {
    return this.machine.authority ?? -1
  }

  leaderOf(view: number): number {
    return this.#world.chain.leaderOf(view, this.epoch.set)
  }

  /** A message arrived. */
  receive(from: number, authority: number | null, message: ConsensusMessage): void {
    if (!this.#peers.has(from)) return
    const { agenda, trace } = this.#world
    trace.step(agenda.nowMs, this.machine.host, () => `gets from ${from}: ${describeMessage(message)}`)
    this.#handle({ kind: 'messageReceived', from: `${from}`, authority, message })
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

  /** The process ends without a word: pending bytes and commits are lost in part. */
  kill(): void {
    const { log, store } = this.machine
    const { prng, tally } = this.#world
    this.#alive = false
    if (log.writtenBytes > log.durableBytes) tally.reached('crashedBeforeSync')
    log.crash(prng)
    const durable = prng.below(this.#commits.length + 1)
    for (const commit of this.#commits.slice(0, durable)) store.commit(commit.blocks, commit.finalization)
    if (durable < this.#commits.length) tally.reached('commitLostInCrash')
  }

  /** R2: the position of the vote log that must be durable before an effect that the core orders now leaves. */
  protected positionToSync(): number {
    return this.machine.log.writtenBytes
  }

  #handle(input: Input): void {
    if (!this.#alive) return
    this.#order(input, this.core.handle(input, this.now))
  }

  /** @param input null at the start. */
  #order(input: Input | null, effects: readonly Effect[]): void {
    const { agenda, trace } = this.#world
    const { log, host } = this.machine
    const nowMs = agenda.nowMs
    for (const effect of effects) {
      trace.step(nowMs, host, () => describeEffect(effect))
      if (effect.kind === 'append' && this.machine.fullUntilMs > nowMs) return this.#diskFull(effect.record)
      if (effect.kind === 'append') log.append(effect.record)
      else if (effect.kind === 'startSegment') log.startSegment(effect.sequence, effect.bytes)
      else this.#held.push({ effect, position: this.positionToSync() })
    }
    this.#noteMilestones(input, effects)
    this.#release()
    this.#scheduleTick()
  }

  /** The record is cut short, and the program ends. */
  #diskFull(record: Uint8Array): void {
    const { prng, tally } = this.#world
    this.machine.log.append(record.subarray(0, prng.below(record.length)))
    tally.reached('diskWasFull')
    this.#world.powerFailed(this)
  }

  /** Performs, in order, the effects that need not wait for a sync; sees to it that a sync is under way for the rest. */
  #release(): void {
    const { log } = this.machine
    for (
      let next = this.#held[0];
      next !== undefined && next.position <= log.durableBytes;
      next = this.#held[0]
    ) {
      this.#held.shift()
      this.#perform(next.effect)
      if (!this.#alive) return
    }
    if (log.writtenBytes > log.durableBytes && !this.#syncing) this.#sync()
  }

  #sync(): void {
    const { agenda, prng, timing } = this.#world
    const { log } = this.machine
    const position = log.writtenBytes
    this.#syncing = true
    agenda.after(prng.between(0.1, timing.syncMs), () => {
      if (!this.#alive || this.#mayCrash()) return
      log.sync(position)
      this.#syncing = false
      if (!this.#mayCrash()) this.#release()
    })
  }

  #mayCrash(): boolean {
    if (!this.#world.prng.chance(this.#world.crashAtSyncRate())) return false
    this.#world.powerFailed(this)
    return true
  }

  #perform(effect: Effect): void {
    const { agenda, judge, prng, tally } = this.#world
    const { host, isHonest, log } = this.machine
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
          if (this.#alive) log.forget(effect.belowSequence)
        })
        break
      case 'charge':
        this.#world.charged(this, Number(effect.peer), effect.reason)
        break
      case 'event':
        this.#judgeEvent(effect.event)
        break
      default:
    }
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
        const { view } = effect.event
        if (view <= this.#view)
          throw new Violation(`O7: host ${this.machine.host} enters view ${view} from ${this.#view}`)
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
    const { agenda, tally } = this.#world
    const { idle } = this.core.view(this.machine.now(agenda.nowMs))
    if (idle && newView) tally.reached('idleEntered')
    if (!idle && this.#idle && !newView) tally.reached('idleLeft')
    this.#idle = idle
  }
}

/** What the program does before it starts: reads its vote log back, or makes one with a marker (R12). */
function makeCore(
  machine: Machine,
  signer: Signer | null,
  executor: SimulatedExecutor,
  world: Surroundings,
): Consensus {
  const { chain, config, judge, prng, verify } = world
  const ports: ConsensusPorts = { executor, finalBlocks: machine.store, verify, random: () => prng.next() }
  if (signer === null) return new chain.Consensus(config, ports, null)
  const signed = new KeySignatures()
  const watched: Signer = {
    publicKey: signer.publicKey,
    sign(message) {
      if (machine.isHonest) judge.signing(machine.host, machine.key!, signed, message)
      if (machine.voteLogLost)
        throw new Violation(`O3: host ${machine.host} signs although it lost its vote log (R12)`)
      return signer.sign(message)
    },
  }
  return new chain.Consensus(config, { ...ports, signer: watched }, restoreLog(machine, signer, world))
}

function restoreLog(machine: Machine, signer: Signer, { chain, prng, tally }: Surroundings): RestoredLog {
  const { log } = machine
  const identity = { genesis: machine.genesis.hash, key: signer.publicKey }
  const replay = chain.replayVoteLog(identity, log.read())
  if (replay.intact) {
    if (machine.voteLogLost && replay.log.rejoin === null)
      throw new Violation('R12: damage of the vote log was not found')
    if (replay.tornBytes > 0) {
      log.cutTail(replay.tornBytes)
      tally.reached('tornTailDiscarded')
    }
    const floor = machine.store.finalizationAt(machine.store.height)?.view ?? 0
    const records = replay.log.segments.flatMap((segment) => segment.records)
    const isAboveFloor = (record: VoteLogRecord): boolean =>
      record.kind === 'vote' && record.vote.view > floor
    if (records.some(isAboveFloor)) tally.reached('ownVotesReplayed')
    return replay.log
  }
  if (!machine.voteLogLost)
    throw new Violation(`R12: an intact vote log was taken for damaged: ${replay.reason}`)
  const marker = { nonce: prng.bytes(REJOIN_NONCE_BYTES), reason: replay.reason }
  log.startSegment(replay.nextSequence, chain.createVoteLog(identity, marker, replay.nextSequence))
  log.sync(log.writtenBytes)
  log.forget(replay.nextSequence)
  const renewed = chain.replayVoteLog(identity, log.read())
  assert(renewed.intact, 'a new vote log is intact')
  return renewed.log
}
