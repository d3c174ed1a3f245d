/**
 * The second way in (VC-1): a user's own chain, plugged into the network by its four parts.
 * @module
 */
import { assert, silentLog } from '@althing/base'
import type { Clock, Log } from '@althing/base'
import { stopOnAbort } from '../abort.ts'
import { Alarm } from '../alarm.ts'
import { startNetwork } from '../network.ts'
import type { Network, NetworkEvent } from '../network-types.ts'
import type { NetworkConfig } from '../config.ts'
import { encodeChainStatus } from '../protocol/chain-messages.ts'
import type { Block, BlockRef, ChainStatus, RangeRequest } from '../protocol/chain-messages.ts'
import type { Status } from '../protocol/hello.ts'
import { systemClock, systemRandom, systemScheduler } from '../system.ts'
import { answerQuestions } from './answers.ts'
import { BlockGossip } from './block-gossip.ts'
import { BlockImport } from './block-import.ts'
import type { ChainParts } from './block-import.ts'
import { chainKinds, checkChainLimits } from './chain-config.ts'
import type { ChainLimits, EnhancedNetworkConfig } from './chain-config.ts'
import { ChainError, chainFailed } from './chain-error.ts'
import type { ChainEvent, EnhancedNetworkEvent } from './chain-events.ts'
import { ChainSynchroniser } from './chain-synchroniser.ts'
import type { SyncView } from './chain-synchroniser.ts'
import type { BlockInfo, Consensus, Transaction } from './ports.ts'
import { Questions } from './questions.ts'
import type { Answer } from './questions.ts'
import { TransactionGossip } from './transaction-gossip.ts'

export interface EnhancedNetwork {
  /** The first way in, for peers, and for kinds of your own. */
  readonly network: Network
  /** The best chain, as the peers are told. */
  status(): Promise<ChainStatus>
  /** What is being caught up with; null when nothing is. */
  readonly sync: SyncView | null
  /**
   * A block made here: judged and stored like any other, then announced.
   * @throws {ChainError} `BLOCK_INVALID`; `BLOCK_NOT_TAKEN`, above all when its parent is not stored.
   */
  submitBlock(block: Block): Promise<BlockRef>
  /**
   * Into the mempool and to everyone.
   * @returns its id; also when it is waiting or in a block already.
   * @throws {ChainError} `TRANSACTION_INVALID`, `TRANSACTION_NOT_TAKEN`.
   */
  submitTransaction(bytes: Uint8Array): Promise<string>
  /** To everyone: transactions that the chain put into its mempool by itself. */
  tellTransactions(transactions: readonly Transaction[]): void
  /**
   * A chain that moves its tip by itself did so, upwards along these blocks, the last of which is the tip now. The stores have done their
   * part already. Resolves when the network has taken note.
   */
  advanced(added: readonly BlockInfo[]): Promise<void>
  /**
   * Not judged yet, except that the header has this id.
   * @throws {ChainError} `BLOCK_NOT_FOUND`, `INVALID_MESSAGE`; {NetworkError} as `Network.request`.
   */
  requestBlock(peer: string, id: string): Promise<Block>
  /**
   * Blocks of the peer's best chain, each the parent of the next, not judged yet. Fewer is normal, also none: the chain may be shorter,
   * and an answer is bounded in bytes.
   * @throws as `requestBlock`; `BLOCK_NOT_FOUND` below the lowest height that the peer has.
   */
  requestBlocks(peer: string, range: RangeRequest): Promise<Block[]>
  /** A claim. @throws as `requestBlock`. */
  requestStatus(peer: string): Promise<ChainStatus>
  /** @returns how to stop listening. */
  subscribe(listener: (event: EnhancedNetworkEvent) => void): () => void
  /** Takes in what is on its way, says goodbye to all peers and frees everything. Safe to call twice. */
  stop(): Promise<void>
}

/**
 * @param chain the genesis is in the block store already.
 * @throws {NetworkError} as `startNetwork`; what the chain throws.
 */
export async function startEnhancedNetwork(
  config: EnhancedNetworkConfig,
  chain: ChainParts,
): Promise<EnhancedNetwork> {
  const limits = checkChainLimits(config)
  if (config.checkpoint !== undefined) {
    const canBegin = chain.consensus.beginAt !== undefined && chain.blockStore.beginAt !== undefined
    assert(canBegin, 'checkpoint needs beginAt of consensus and blockStore')
  }
  const lowestHeight = await chain.blockStore.lowestHeight()
  const network = await startNetwork({
    ...(config as Omit<NetworkConfig, 'status' | 'kinds'>),
    kinds: { ...config.kinds, ...chainKinds(limits) },
    status: () => peerStatus(chain.consensus, lowestHeight),
  })
  const node = new ChainNetwork(config, limits, network, chain, lowestHeight)
  try {
    await node.begin()
  } catch (error) {
    await node.stop()
    throw error
  }
  stopOnAbort(config.signal, () => void node.stop())
  return node
}

class ChainNetwork implements EnhancedNetwork {
  readonly network: Network
  readonly #chain: ChainParts
  readonly #limits: ChainLimits
  readonly #clock: Clock
  readonly #log: Log
  readonly #imports: BlockImport
  readonly #questions: Questions
  readonly #blockGossip: BlockGossip
  readonly #transactionGossip: TransactionGossip
  readonly #synchroniser: ChainSynchroniser
  readonly #statusAlarm: Alarm
  readonly #listeners = new Set<(event: EnhancedNetworkEvent) => void>()
  /** As of the last time that the store was asked. */
  #lowestHeight: number
  #stopping: Promise<void> | null = null

  constructor(
    config: EnhancedNetworkConfig,
    limits: ChainLimits,
    network: Network,
    chain: ChainParts,
    lowestHeight: number,
  ) {
    const {
      clock = systemClock,
      random = systemRandom,
      scheduler = systemScheduler,
      log = silentLog,
    } = config
    const checkpoint = config.checkpoint ?? null
    const emit = (event: ChainEvent) => this.#emit(event)
    this.network = network
    this.#lowestHeight = lowestHeight
    this.#chain = chain
    this.#limits = limits
    this.#clock = clock
    this.#log = log
    this.#imports = new BlockImport({ ...chain, checkpoint, log, emit, tipChanged: () => this.#tipChanged() })
    this.#questions = new Questions(network, chain.consensus, limits)
    const parts = { ...chain, network, limits, emit, imports: this.#imports, questions: this.#questions }
    this.#transactionGossip = new TransactionGossip({ ...parts, clock, scheduler })
    this.#blockGossip = new BlockGossip({
      ...parts,
      random,
      claimed: (peer, block) => void this.#synchroniser.claimed(peer, block, null),
    })
    this.#synchroniser = new ChainSynchroniser({
      ...parts,
      checkpoint,
      clock,
      scheduler,
      log,
      isUnderWay: (id) => this.#blockGossip.isUnderWay(id),
    })
    this.#statusAlarm = new Alarm(clock, scheduler, () => void this.#tryTellStatus())
    answerQuestions({ ...parts, rangeBytesMax: limits.rangeBytesMax, status: () => this.status() })
    network.subscribe((event) => this.#networkEvent(event))
  }

  /** @throws what the user's chain throws. */
  async begin(): Promise<void> {
    await this.#imports.recover()
    await this.#tryTellStatus()
  }

  get sync(): SyncView | null {
    return this.#synchroniser.view
  }

  async status(): Promise<ChainStatus> {
    const { consensus, blockStore } = this.#chain
    const { id, height } = this.#imports.tip
    this.#lowestHeight = await blockStore.lowestHeight()
    const finalizedHeight = consensus.finalizedHeight()
    return { tip: { id, height }, finalizedHeight, lowestHeight: this.#lowestHeight }
  }

  async submitBlock(block: Block): Promise<BlockRef> {
    const read = this.#chain.consensus.readHeader(block.header)
    if (!read.ok) throw new ChainError('BLOCK_INVALID', read.fault.message)
    const info = read.value
    const outcome = await this.#imports.import(info, block, null)
    switch (outcome.kind) {
      case 'imported':
        this.#blockGossip.announce(info, block)
        return info
      case 'known':
        return info
      case 'parentMissing':
        throw new ChainError('BLOCK_NOT_TAKEN', `its parent ${info.parentId} is not here`)
      case 'invalid':
        throw new ChainError('BLOCK_INVALID', outcome.reason)
      case 'notNow':
        throw new ChainError('BLOCK_NOT_TAKEN', outcome.reason)
    }
  }

  submitTransaction(bytes: Uint8Array): Promise<string> {
    return this.#transactionGossip.submit(bytes)
  }

  tellTransactions(transactions: readonly Transaction[]): void {
    this.#transactionGossip.tell(transactions)
  }

  async advanced(added: readonly BlockInfo[]): Promise<void> {
    for (const { id } of added) this.#synchroniser.blockStored(id)
    await this.#imports.advanced(added)
  }

  async requestBlock(peer: string, id: string): Promise<Block> {
    return valueOf(await this.#questions.block(peer, id), peer).block
  }

  async requestBlocks(peer: string, range: RangeRequest): Promise<Block[]> {
    return valueOf(await this.#questions.range(peer, range), peer).map(({ block }) => block)
  }

  async requestStatus(peer: string): Promise<ChainStatus> {
    return valueOf(await this.#questions.status(peer), peer)
  }

  subscribe(listener: (event: EnhancedNetworkEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    this.#synchroniser.stop()
    this.#statusAlarm.cancel()
    this.#transactionGossip.stop()
    await this.network.stop()
    await this.#imports.stop()
  }

  #networkEvent(event: NetworkEvent): void {
    if (event.kind === 'peerConnected') {
      void this.#tryTellStatus(event.peer.id)
      this.#transactionGossip.tellNewPeer(event.peer.id)
    }
    this.#emit(event)
  }

  #emit(event: EnhancedNetworkEvent): void {
    if (event.kind === 'blockValidated') this.#synchroniser.blockStored(event.block.id)
    for (const listener of this.#listeners) {
      try {
        listener(event)
      } catch (error) {
        chainFailed(this.#log, `a listener failed at ${event.kind}`, error)
      }
    }
  }

  #tipChanged(): void {
    this.#synchroniser.tipChanged()
    if (this.#stopping !== null) return
    this.network.setStatus(peerStatus(this.#chain.consensus, this.#lowestHeight))
    this.#statusAlarm.by(this.#clock.monotonicMs() + this.#limits.statusDelayMs)
  }

  async #tryTellStatus(peer?: string): Promise<void> {
    try {
      await this.#tellStatus(peer)
    } catch (error) {
      chainFailed(this.#log, 'the status of the chain cannot be read', error)
    }
    if (this.#stopping === null) this.#statusAlarm.by(this.#clock.monotonicMs() + this.#limits.statusRepeatMs)
  }

  /** @param peer all by default. */
  async #tellStatus(peer?: string): Promise<void> {
    const status = await this.status()
    if (this.#stopping !== null) return
    const body = encodeChainStatus(status)
    if (peer !== undefined) {
      this.network.send(peer, 'chain.status', body)
      return
    }
    this.network.setStatus(peerStatus(this.#chain.consensus, status.lowestHeight))
    this.network.broadcast('chain.status', body)
  }
}

/** What every peer is told, whatever its chain. */
function peerStatus(consensus: Consensus, lowestHeight: number): Status {
  const { height } = consensus.tip()
  return {
    height: consensus.headHeight?.() ?? height,
    finalizedHeight: consensus.finalizedHeight(),
    lowestHeight,
  }
}

/** @throws as the questions of `EnhancedNetwork`. */
function valueOf<T>(answer: Answer<T>, peer: string): T {
  if (answer.ok) return answer.value
  const { error, problem } = answer
  if (error !== null && error.remoteCode !== 'BLOCK_NOT_FOUND') throw error
  throw new ChainError(error === null ? 'INVALID_MESSAGE' : 'BLOCK_NOT_FOUND', problem, peer)
}
