/**
 * Performs what the core of the synchronisation decides: asks, applies, tells. It decides nothing.
 * @module
 */
import type { Clock, Log } from '@althing/base'
import { Alarm } from '../alarm.ts'
import type { Message, Network } from '../network-types.ts'
import { decodeChainStatus, LOCATOR_IDS_MAX } from '../protocol/chain-messages.ts'
import type { BlockRef } from '../protocol/chain-messages.ts'
import { ChainSync } from '../protocol/chain-sync.ts'
import type { RangeVerdict, SyncEffect, SyncInput, SyncStrategy } from '../protocol/chain-sync-effect.ts'
import type { Scheduler } from '../system.ts'
import type { BlockImport } from './block-import.ts'
import type { ChainLimits } from './chain-config.ts'
import { chainFailed } from './chain-error.ts'
import type { ChainEvent } from './chain-events.ts'
import type { BlockStore, Consensus } from './ports.ts'
import type { BlockWithInfo, Questions } from './questions.ts'

interface SynchroniserSetup {
  readonly network: Network
  readonly limits: ChainLimits
  readonly checkpoint: BlockRef | null
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly log: Log
  readonly blockStore: BlockStore
  readonly consensus: Consensus
  readonly imports: BlockImport
  readonly questions: Questions
  readonly emit: (event: ChainEvent) => void
  /** The block is on its way already. */
  readonly isUnderWay: (id: string) => boolean
}

/** What is being caught up with. */
export interface SyncView {
  readonly strategy: SyncStrategy
  readonly peer: string
  /** Height that the peer claims. */
  readonly claimed: number
}

type Effect = SyncEffect<BlockWithInfo>
type Ask<Kind extends Effect['kind']> = Extract<Effect, { kind: Kind }>

export class ChainSynchroniser {
  readonly #setup: SynchroniserSetup
  readonly #core: ChainSync<BlockWithInfo>
  readonly #alarm: Alarm
  /** The first is being handled: what its effects bring about waits until they are performed. */
  readonly #inputs: SyncInput<BlockWithInfo>[] = []
  readonly #stopListening: () => void
  #view: SyncView | null = null
  #isStopped = false

  constructor(setup: SynchroniserSetup) {
    this.#setup = setup
    this.#core = new ChainSync(setup.limits, setup.imports.tip.height > 0 ? null : setup.checkpoint)
    this.#alarm = new Alarm(setup.clock, setup.scheduler, () => this.#handle({ kind: 'timePassed' }))
    setup.network.handle('chain.status', (message) => void this.#statusReceived(message))
    this.#stopListening = setup.network.subscribe((event) => {
      if (event.kind === 'peerDisconnected') this.#handle({ kind: 'peerLost', peer: event.peer })
    })
    this.tipChanged()
  }

  get view(): SyncView | null {
    return this.#view
  }

  stop(): void {
    this.#isStopped = true
    this.#stopListening()
    this.#alarm.cancel()
  }

  tipChanged(): void {
    const { imports, consensus } = this.#setup
    this.#handle({ kind: 'localHeadChanged', height: imports.tip.height, floor: consensus.finalizedHeight() })
  }

  blockStored(id: string): void {
    this.#handle({ kind: 'blockStored', id })
  }

  /** A peer says that it has this block, and those below it from `lowestHeight` on; null when it says nothing of that. */
  async claimed(peer: string, head: BlockRef, lowestHeight: number | null): Promise<void> {
    let known: boolean
    try {
      known = this.#setup.isUnderWay(head.id) || (await this.#setup.blockStore.has(head.id))
    } catch (error) {
      return chainFailed(this.#setup.log, 'the block store cannot be read', error)
    }
    const isConnected = this.#setup.network.peers().some(({ id }) => id === peer)
    if (isConnected) this.#handle({ kind: 'headClaimed', peer, head, lowestHeight, known })
  }

  async #statusReceived({ from, body }: Message): Promise<void> {
    const status = decodeChainStatus(body)
    if (status.ok) await this.claimed(from, status.value.tip, status.value.lowestHeight)
    else this.#setup.network.penalise(from, 'invalidMessage', 'a chain status that cannot be read')
  }

  #handle(input: SyncInput<BlockWithInfo>): void {
    this.#inputs.push(input)
    if (this.#inputs.length > 1) return
    while (this.#inputs.length > 0 && !this.#isStopped) {
      const effects = this.#core.handle(this.#inputs[0]!, this.#setup.clock.monotonicMs())
      for (const effect of effects) this.#perform(effect)
      this.#inputs.shift()
    }
    if (!this.#isStopped) this.#alarm.by(this.#core.nextDeadlineMs)
  }

  #perform(effect: Effect): void {
    const { network, emit, log } = this.#setup
    switch (effect.kind) {
      case 'askAncestor':
        return void this.#askAncestor(effect)
      case 'tryCheckpoint':
        return void this.#tryCheckpoint(effect)
      case 'askRange':
        return void this.#askRange(effect)
      case 'applyRange':
        return void this.#applyRange(effect)
      case 'penalise':
        return network.penalise(effect.peer, effect.offence, effect.reason)
      case 'syncStarted': {
        const { peer, strategy, why, claimed } = effect
        this.#view = { peer, strategy, claimed }
        log.info('sync started', { peer, strategy, why, claimed })
        return emit({ kind: 'syncRequested', peer, strategy, why, claimed })
      }
      case 'syncEnded': {
        const { peer, strategy, stored, problem } = effect
        this.#view = null
        log.info('sync ended', { peer, strategy, stored, problem })
        if (problem === null) return emit({ kind: 'syncCompleted', peer, strategy, stored })
        return emit({ kind: 'syncFailed', peer, strategy, stored, problem })
      }
      case 'checkpointGivenUp':
        log.warn('sync from the genesis instead of the checkpoint', { problem: effect.problem })
        return emit({ kind: 'syncFellBack', problem: effect.problem })
    }
  }

  async #askAncestor({ sessionId, peer }: Ask<'askAncestor'>): Promise<void> {
    let heightById: ReadonlyMap<string, number>
    try {
      heightById = await this.#locator()
    } catch (error) {
      const problem = 'this node cannot read its own chain'
      chainFailed(this.#setup.log, problem, error)
      return this.#handle({ kind: 'ancestorFailed', sessionId, isFault: false, problem })
    }
    const answer = await this.#setup.questions.firstCommon(peer, [...heightById.keys()])
    if (answer.ok) {
      this.#handle({ kind: 'ancestorFound', sessionId, height: heightById.get(answer.value)! })
    } else {
      this.#handle({ ...answer, kind: 'ancestorFailed', sessionId })
    }
  }

  /** Heights by id on the best chain, from the tip down: ten one by one, then doubling steps, then the lowest. */
  async #locator(): Promise<Map<string, number>> {
    const { blockStore, imports } = this.#setup
    const lowest = await blockStore.lowestHeight()
    const heightById = new Map<string, number>()
    let height = imports.tip.height
    let step = 1
    while (height > lowest && heightById.size < LOCATOR_IDS_MAX - 1) {
      const id = await blockStore.idAt(height)
      if (id !== null) heightById.set(id, height)
      if (heightById.size >= 10) step *= 2
      height -= step
    }
    const lowestId = await blockStore.idAt(lowest)
    if (lowestId !== null) heightById.set(lowestId, lowest)
    return heightById
  }

  async #tryCheckpoint({ sessionId, peer, checkpoint }: Ask<'tryCheckpoint'>): Promise<void> {
    const { questions, imports, log } = this.#setup
    const answer = await questions.block(peer, checkpoint.id)
    if (!answer.ok) {
      const problem = `${peer} does not give the block of the checkpoint: ${answer.problem}`
      return this.#handle({ kind: 'checkpointTried', sessionId, verdict: 'notGiven', problem })
    }
    const { info, block } = answer.value
    let problem: string | null =
      `the checkpoint is at height ${checkpoint.height}, its block at ${info.height}`
    try {
      if (info.height === checkpoint.height) problem = await imports.beginAt(info, block)
    } catch (error) {
      chainFailed(log, 'the chain cannot begin at the checkpoint', error)
      problem = 'this node failed to begin at the checkpoint'
    }
    if (problem === null) this.#handle({ kind: 'checkpointTried', sessionId, verdict: 'taken', problem: '' })
    else this.#handle({ kind: 'checkpointTried', sessionId, verdict: 'refused', problem })
  }

  async #askRange({ rangeId, peer, from, count }: Ask<'askRange'>): Promise<void> {
    const answer = await this.#setup.questions.range(peer, { from, count })
    if (!answer.ok) return this.#handle({ ...answer, kind: 'rangeFailed', rangeId })
    const bytes = answer.value.reduce((sum, { bytes }) => sum + bytes, 0)
    if (answer.value.length > 0) this.#setup.network.reward(peer, 'goodAnswer')
    this.#handle({ kind: 'rangeReceived', rangeId, blocks: answer.value, bytes })
  }

  async #applyRange({ rangeId, blocks, peer }: Ask<'applyRange'>): Promise<void> {
    let verdict: RangeVerdict = 'linked'
    let stored = 0
    let lastId: string | null = null
    try {
      for (const { info, block } of blocks) {
        const outcome = await this.#setup.imports.import(info, block, peer)
        if (outcome.kind === 'imported') stored++
        if (outcome.kind === 'imported' || outcome.kind === 'known') lastId = info.id
        else verdict = outcome.kind === 'notNow' ? 'notTaken' : outcome.kind
        if (verdict !== 'linked') break
      }
    } catch (error) {
      chainFailed(this.#setup.log, 'a synchronised block could not be stored', error)
      verdict = 'notTaken'
    }
    this.#handle({ kind: 'rangeApplied', rangeId, verdict, stored, lastId })
  }
}
