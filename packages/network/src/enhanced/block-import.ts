/**
 * The one way of a block into the chain: judged, stored, weighed. One block at a time, parents first.
 * @module
 */
import { assert } from '@althing/base'
import type { Log } from '@althing/base'
import type { Block, BlockRef } from '../protocol/chain-messages.ts'
import type { ChainEvent } from './chain-events.ts'
import type { BlockInfo, BlockStore, Consensus, Mempool, Transaction, TransactionStore } from './ports.ts'

/** The user's own chain. */
export interface ChainParts {
  readonly blockStore: BlockStore
  readonly txStore: TransactionStore
  readonly mempool: Mempool
  readonly consensus: Consensus
}

export type ImportOutcome =
  | { readonly kind: 'imported' | 'known' | 'parentMissing' }
  | { readonly kind: 'invalid' | 'notNow'; readonly reason: string }

interface BlockImportSetup extends ChainParts {
  readonly checkpoint: BlockRef | null
  readonly log: Log
  readonly emit: (event: ChainEvent) => void
  readonly tipChanged: () => void
}

export class BlockImport {
  readonly #setup: BlockImportSetup
  /** The tip that the stores follow; the consensus may be ahead of it while a block is taken in. */
  #tip: BlockInfo
  #last: Promise<unknown> = Promise.resolve()
  /** Stored; where the chain failed after that, it is weighed again before the next block. */
  #unweighed: { readonly info: BlockInfo; readonly block: Block } | null = null
  #isStopped = false

  constructor(setup: BlockImportSetup) {
    this.#setup = setup
    this.#tip = setup.consensus.tip()
  }

  get tip(): BlockInfo {
    return this.#tip
  }

  /**
   * @param peer who gave it; null for a block made here.
   * @throws what the user's chain throws.
   */
  import(info: BlockInfo, block: Block, peer: string | null): Promise<ImportOutcome> {
    return this.#inTurn(() => this.#import(info, block, peer))
  }

  /**
   * Fast sync: the chain begins at this block.
   * @returns why it does not; null when it does.
   * @throws what the user's chain throws.
   */
  beginAt(info: BlockInfo, block: Block): Promise<string | null> {
    return this.#inTurn(() => this.#beginAt(info, block))
  }

  /** The chain moved its tip by itself, upwards along these blocks, which its stores have. */
  advanced(added: readonly BlockInfo[]): Promise<void> {
    return this.#inTurn(async () => {
      const tip = added.at(-1)
      if (tip === undefined || tip.height <= this.#tip.height) return
      this.#tip = tip
      this.#setup.emit({ kind: 'tipChanged', tip, removed: [], added })
      this.#setup.tipChanged()
    })
  }

  /**
   * Brings the stores to the tip of the consensus, in case the process ended in between. To be called first.
   * @throws what the user's chain throws.
   */
  recover(): Promise<void> {
    return this.#inTurn(async () => {
      this.#tip = await this.#storedTip()
      await this.#follow(this.#setup.consensus.tip())
    })
  }

  /** Takes nothing more; resolves when nothing is on its way into the chain. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#last
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task)
    this.#last = result.catch(() => {})
    return result
  }

  async #import(info: BlockInfo, block: Block, peer: string | null): Promise<ImportOutcome> {
    const { blockStore, emit } = this.#setup
    if (this.#isStopped) return { kind: 'notNow', reason: 'this node stops' }
    await this.#weigh()
    if (await blockStore.has(info.id)) return { kind: 'known' }
    if (!(await blockStore.has(info.parentId))) return { kind: 'parentMissing' }
    const fault = await this.#judge(info, block)
    if (fault !== null) {
      emit({ kind: 'blockRejected', peer, block: info, reason: fault.reason })
      return fault
    }
    await blockStore.put(info, block)
    this.#unweighed = { info, block }
    emit({ kind: 'blockValidated', peer, block: info })
    await this.#weigh()
    return { kind: 'imported' }
  }

  async #weigh(): Promise<void> {
    if (this.#unweighed === null) return
    const { info, block } = this.#unweighed
    await this.#follow(await this.#setup.consensus.blockStored(info, block))
    this.#unweighed = null
  }

  async #judge(info: BlockInfo, block: Block): Promise<Extract<ImportOutcome, { reason: string }> | null> {
    const { consensus, checkpoint } = this.#setup
    if (checkpoint !== null && info.height === checkpoint.height && info.id !== checkpoint.id) {
      return {
        kind: 'invalid',
        reason: `block ${checkpoint.id} at height ${info.height} is trusted, not this one`,
      }
    }
    const onHeader = await consensus.judgeHeader(info, block.header)
    const judgement = onHeader.verdict === 'valid' ? await consensus.judgeBlock(info, block) : onHeader
    return judgement.verdict === 'valid' ? null : { kind: judgement.verdict, reason: judgement.reason }
  }

  async #follow(tip: BlockInfo): Promise<void> {
    if (tip.id === this.#tip.id) return
    const { blockStore, txStore, mempool, emit, tipChanged, log } = this.#setup
    const removed: BlockInfo[] = []
    const added: BlockInfo[] = []
    let from = this.#tip
    let to = tip
    while (from.id !== to.id) {
      if (from.height >= to.height) {
        removed.push(from)
        from = await this.#info(from.parentId)
      } else {
        added.unshift(to)
        to = await this.#info(to.parentId)
      }
    }
    const returned: Transaction[] = []
    for (const info of removed) {
      const transactions = await this.#transactions(info)
      await txStore.remove(info, transactions)
      returned.unshift(...transactions)
    }
    for (const info of added) {
      const transactions = await this.#transactions(info)
      await txStore.add(info, transactions)
      for (const { id } of transactions) mempool.remove(id)
    }
    await blockStore.switchTo({ removed, added })
    this.#tip = tip
    await this.#takeBack(returned)
    if (removed.length > 0)
      log.info('fork resolved', { tip: tip.id, removed: removed.length, added: added.length })
    emit({ kind: 'tipChanged', tip, removed, added })
    tipChanged()
  }

  async #storedTip(): Promise<BlockInfo> {
    const { blockStore } = this.#setup
    let common = this.#tip
    while ((await blockStore.idAt(common.height)) !== common.id) common = await this.#info(common.parentId)
    let id = common.id
    for (let height = common.height + 1; ; height++) {
      const next = await blockStore.idAt(height)
      if (next === null) return id === common.id ? common : this.#info(id)
      id = next
    }
  }

  /** Transactions of blocks that left the best chain wait for another block. */
  async #takeBack(transactions: readonly Transaction[]): Promise<void> {
    const { consensus, mempool, txStore } = this.#setup
    const waiting: Transaction[] = []
    for (const one of transactions) if (!(await txStore.has(one.id))) waiting.push(one)
    if (waiting.length === 0) return
    const judgements = await consensus.judgeTransactions(waiting)
    for (const [i, { id, bytes }] of waiting.entries())
      if (judgements[i]!.verdict === 'valid') mempool.add(id, bytes)
  }

  async #beginAt(info: BlockInfo, block: Block): Promise<string | null> {
    const { blockStore, consensus, emit } = this.#setup
    assert(consensus.beginAt !== undefined, 'a checkpoint needs beginAt of consensus')
    assert(blockStore.beginAt !== undefined, 'a checkpoint needs beginAt of blockStore')
    if (this.#tip.height > 0) return 'the chain went past its genesis meanwhile'
    const judgement = await consensus.beginAt(info, block)
    if (judgement.verdict !== 'valid') return judgement.reason
    await blockStore.beginAt(info, block)
    this.#tip = info
    emit({ kind: 'tipChanged', tip: info, removed: [], added: [info] })
    this.#setup.tipChanged()
    return null
  }

  async #info(id: string): Promise<BlockInfo> {
    const block = await this.#block(id)
    const info = this.#setup.consensus.readHeader(block.header)
    assert(info.ok, `the stored block ${id} cannot be read`)
    return info.value
  }

  async #transactions({ id }: BlockInfo): Promise<Transaction[]> {
    return transactionsOf(await this.#block(id), this.#setup.consensus)
  }

  async #block(id: string): Promise<Block> {
    const block = await this.#setup.blockStore.get(id)
    assert(block !== null, `block ${id} was stored and is gone`)
    return block
  }
}

/** Of a block that was judged valid. */
export function transactionsOf(block: Block, consensus: Consensus): Transaction[] {
  return block.transactions.map((bytes) => {
    const id = consensus.transactionId(bytes)
    assert(id.ok, 'a transaction of a valid block has an id')
    return { id: id.value, bytes }
  })
}
