/**
 * Blocks as they travel: announced in compact form, completed from the mempool and by whoever announced them, judged, relayed.
 * @module
 */
import type { Random } from '@althing/base'
import type { Message, Network, Verdict } from '../network-types.ts'
import { decodeCompactBlock, encodeCompactBlock } from '../protocol/chain-messages.ts'
import type { Block, BlockRef } from '../protocol/chain-messages.ts'
import { BlockAssembly, compactBlock, isWhole } from '../protocol/compact-block.ts'
import type { CompactBlock } from '../protocol/compact-block.ts'
import type { BlockImport, ChainParts } from './block-import.ts'
import { transactionsOf } from './block-import.ts'
import type { ChainLimits } from './chain-config.ts'
import type { ChainEvent } from './chain-events.ts'
import type { BlockInfo } from './ports.ts'
import type { Questions } from './questions.ts'

/** Blocks of the own branch that are looked through for the transactions of one of another. */
const SIBLINGS_MAX = 3

interface BlockGossipSetup extends ChainParts {
  readonly network: Network
  readonly limits: ChainLimits
  readonly random: Random
  readonly imports: BlockImport
  readonly questions: Questions
  readonly emit: (event: ChainEvent) => void
  /** The peer says that it has this block, and it did not come by gossip. */
  readonly claimed: (peer: string, block: BlockRef) => void
}

export class BlockGossip {
  readonly #setup: BlockGossipSetup
  readonly #assembliesByPeer = new Map<string, number>()
  readonly #underWay = new Map<string, Promise<unknown>>()

  constructor(setup: BlockGossipSetup) {
    this.#setup = setup
    setup.network.handleGossip('chain.block', (message) => this.#received(message))
  }

  /** It is being completed: nothing else need fetch it. */
  isUnderWay(id: string): boolean {
    return this.#underWay.has(id)
  }

  /** A block made here, and stored. */
  announce(info: BlockInfo, block: Block): void {
    const { network, consensus } = this.#setup
    const ids = transactionsOf(block, consensus).map(({ id }) => id)
    network.publish('chain.block', encodeCompactBlock(compactBlock(block, info.id, ids)))
  }

  async #received({ from, body }: Message): Promise<Verdict> {
    const { consensus, blockStore, emit, limits } = this.#setup
    const compact = decodeCompactBlock(body)
    if (!compact.ok) return 'reject'
    const info = consensus.readHeader(compact.value.header)
    if (!info.ok) return 'reject'
    const block = info.value
    const assemblies = this.#assembliesByPeer.get(from) ?? 0
    if (assemblies >= limits.assembliesPerPeerMax) return this.#leave(from, block)
    this.#assembliesByPeer.set(from, assemblies + 1)
    try {
      // The same block in other words: one of the two senders lies, so the other has its turn.
      while (this.#underWay.has(block.id)) await this.#underWay.get(block.id)
      if (await blockStore.has(block.id)) return consensus.tip().id === block.id ? 'accept' : 'ignore'
      emit({ kind: 'blockReceived', peer: from, block })
      return (await this.#takeOnce(from, block, compact.value)) ?? this.#leave(from, block)
    } finally {
      const left = this.#assembliesByPeer.get(from)! - 1
      if (left === 0) this.#assembliesByPeer.delete(from)
      else this.#assembliesByPeer.set(from, left)
    }
  }

  async #takeOnce(from: string, info: BlockInfo, compact: CompactBlock): Promise<Verdict | null> {
    const taking = this.#take(from, info, compact).finally(() => this.#underWay.delete(info.id))
    // What it throws is the caller's to see, not of those who only wait.
    this.#underWay.set(
      info.id,
      taking.catch(() => {}),
    )
    return taking
  }

  /** @returns null when it cannot be taken now. */
  async #take(from: string, info: BlockInfo, compact: CompactBlock): Promise<Verdict | null> {
    const { consensus, blockStore, imports, network, emit } = this.#setup
    if (!(await blockStore.has(info.parentId))) return null
    const judgement = await consensus.judgeHeader(info, compact.header)
    if (judgement.verdict === 'notNow') return null
    if (judgement.verdict === 'invalid') {
      emit({ kind: 'blockRejected', peer: from, block: info, reason: judgement.reason })
      return this.#blame(from, info, judgement.reason)
    }
    const block = await this.#complete(from, info, compact)
    if (block === null) return null
    const outcome = await imports.import(info, block, from)
    switch (outcome.kind) {
      case 'imported':
        network.reward(from, 'validBlock')
        return 'accept'
      case 'known':
        return 'accept'
      case 'invalid':
        return this.#blame(from, info, outcome.reason)
      case 'parentMissing':
      case 'notNow':
        return null
    }
  }

  /** Not relayed, and dearer than any other message that no honest node sends. */
  #blame(from: string, { id }: BlockInfo, reason: string): Verdict {
    this.#setup.network.penalise(from, 'invalidBlock', `block ${id}: ${reason}`)
    return 'ignore'
  }

  /** To the synchronisation, which asks again later and elsewhere. */
  #leave(from: string, block: BlockInfo): Verdict {
    this.#setup.claimed(from, block)
    return 'ignore'
  }

  async #complete(from: string, info: BlockInfo, compact: CompactBlock): Promise<Block | null> {
    const { mempool } = this.#setup
    const inSiblings = await this.#transactionsBeside(info)
    const known = [...inSiblings.keys(), ...mempool.ids()]
    const read = (id: string) => inSiblings.get(id) ?? mempool.get(id)
    const assembly = new BlockAssembly(compact, info.id, known, read)
    if (assembly.missing.length === 0) {
      const block = assembly.complete([])
      if (block !== null) return block
    }
    for (const peer of this.#candidates(from)) {
      const block = await this.#askFor(peer, info, compact, assembly)
      if (block !== null) return block
    }
    return null
  }

  /** Those of our own blocks at its height and a little above, where it is of another branch: most are the same, and wait no more. */
  async #transactionsBeside({ height }: BlockInfo): Promise<Map<string, Uint8Array>> {
    const { blockStore, consensus } = this.#setup
    const bytesById = new Map<string, Uint8Array>()
    for (let at = height; at < height + SIBLINGS_MAX; at++) {
      const id = await blockStore.idAt(at)
      const block = id === null ? null : await blockStore.get(id)
      if (block === null) break
      for (const { id, bytes } of transactionsOf(block, consensus)) bytesById.set(id, bytes)
    }
    return bytesById
  }

  async #askFor(
    peer: string,
    { id }: BlockInfo,
    compact: CompactBlock,
    assembly: BlockAssembly,
  ): Promise<Block | null> {
    const { network, questions } = this.#setup
    const indexes = assembly.missing
    if (indexes.length > 0) {
      const parts = await questions.parts(peer, { id, indexes })
      const block = parts.ok ? assembly.complete(parts.value) : null
      if (block !== null || !parts.ok) return block
    }
    // A short id matched by chance, or the peer gave the wrong parts: the whole block tells.
    const whole = await questions.block(peer, id)
    if (whole.ok && isWhole(compact, whole.value.block)) return whole.value.block
    if (whole.ok || whole.isFault)
      network.penalise(peer, 'wrongAnswer', `cannot show the block ${id} that it announced`)
    return null
  }

  /** Who announced it, and a few others at random: a withholder must not be able to keep it from us. */
  #candidates(from: string): string[] {
    const { network, limits, random } = this.#setup
    const others = network
      .peers()
      .filter(({ id }) => id !== from)
      .map(({ id }) => ({ id, order: random.next() }))
      .sort((a, b) => a.order - b.order)
    return [from, ...others.map(({ id }) => id)].slice(0, limits.partsAskedMax)
  }
}
