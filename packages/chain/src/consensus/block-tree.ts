/**
 * The blocks above the finalized tip, and the final ones that are not durable yet. Pure.
 * A block is *connected* when its ancestry reaches the finalized tip and every block of it is present and executed.
 * I1  the tip only moves up, to a descendant
 * I2  a block is executed at most once, after its parent
 * I3  blocks from peers that are not connected are bounded in number and bytes
 * @module
 */
import { assert, BLOCK_VERSION, endsEpoch, hashToHex } from '@althing/base'
import type { Block, BlockHash, Certificate, HashHex } from '@althing/base'
import type { Executor, FinalBlock, FinalBlocks } from '../ports.ts'

export interface TreeBlock extends FinalBlock {
  readonly key: HashHex
}

interface Node extends TreeBlock {
  readonly bytes: number
  /** Whether the vote log has it already. */
  readonly isLogged: boolean
  state: 'known' | 'connected' | 'invalid'
  fault: string
}

/** How a block stands to the finalized tip. */
export type Connection =
  | { readonly state: 'connected' }
  /** It is the tip or below it. */
  | { readonly state: 'final' }
  /** It is not a descendant of the tip: it can never become final here. */
  | { readonly state: 'forked' }
  | { readonly state: 'missing'; readonly hash: BlockHash }
  | { readonly state: 'invalid'; readonly reason: string }
  | { readonly state: 'versionUnknown'; readonly height: number; readonly version: number }

const WAITING_BLOCKS_MAX = 256
const WAITING_BYTES_MAX = 67_108_864

export class BlockTree {
  readonly #executor: Executor
  readonly #finalBlocks: FinalBlocks
  #epoch = 0
  readonly #nodes = new Map<HashHex, Node>()
  /** Final, not durable yet. */
  readonly #unflushedByHeight = new Map<number, TreeBlock>()
  readonly #unflushedByKey = new Map<HashHex, TreeBlock>()
  readonly #unflushedFinalizations = new Map<number, Certificate>()
  #tip: TreeBlock
  #waitingBytes = 0
  #waitingCount = 0

  constructor(executor: Executor, finalBlocks: FinalBlocks) {
    this.#executor = executor
    this.#finalBlocks = finalBlocks
    const tip = finalBlocks.byHeight(finalBlocks.height)
    assert(tip !== undefined, `the block store has no block at its own height ${finalBlocks.height}`)
    this.#tip = { ...tip, key: hashToHex(tip.hash) }
  }

  /** The block that ended the epoch before is the tip. */
  enterEpoch(epoch: number): void {
    this.#epoch = epoch
  }

  /** The finalized tip; durable or about to be. */
  get tip(): TreeBlock {
    return this.#tip
  }

  /** The tip, or a block above it whether connected or not. */
  get(key: HashHex): TreeBlock | undefined {
    return key === this.#tip.key ? this.#tip : this.#nodes.get(key)
  }

  /** Any block that is held, for a peer that asks. */
  find(hash: BlockHash): Block | undefined {
    const key = hashToHex(hash)
    return (this.get(key) ?? this.#finalBy(hash, key))?.block
  }

  finalByHeight(height: number): FinalBlock | undefined {
    return this.#unflushedByHeight.get(height) ?? this.#finalBlocks.byHeight(height)
  }

  /** The direct finalization of the block at this height, if there is one. */
  finalizationAt(height: number): Certificate | undefined {
    return this.#unflushedFinalizations.get(height) ?? this.#finalBlocks.finalizationAt(height)
  }

  isFinal(hash: BlockHash): boolean {
    return this.#finalBy(hash, hashToHex(hash)) !== undefined
  }

  /**
   * Takes a block whose body matches its header. It is not executed before somebody asks whether it is connected.
   * @param origin `executed` by `Executor.build` on a connected parent; `logged`: it comes from the vote log.
   */
  add(block: Block, hash: BlockHash, origin: 'peer' | 'executed' | 'logged' = 'peer'): void {
    const key = hashToHex(hash)
    if (this.get(key) !== undefined) return
    if (block.header.height <= this.#tip.block.header.height && this.#finalBy(hash, key) !== undefined) return
    const bytes = block.transactions.reduce((sum, transaction) => sum + transaction.length, 0)
    const state = origin === 'executed' ? 'connected' : 'known'
    this.#nodes.set(key, { block, hash, key, bytes, isLogged: origin === 'logged', state, fault: '' })
    if (origin !== 'peer') return
    this.#waitingCount += 1
    this.#waitingBytes += bytes
    while (this.#waitingCount > WAITING_BLOCKS_MAX || this.#waitingBytes > WAITING_BYTES_MAX)
      this.#dropHighestWaiting()
  }

  /**
   * Connects a block if it can be: executes what is not executed between it and the tip.
   * @param log called for each block that was executed and is not in the vote log, parents first.
   */
  connect(hash: BlockHash, log: (block: TreeBlock) => void): Connection {
    const path: Node[] = []
    let cursor = hash
    for (;;) {
      const key = hashToHex(cursor)
      if (key === this.#tip.key) break
      const node = this.#nodes.get(key)
      if (node === undefined) {
        if (this.#finalBy(cursor, key) === undefined) return { state: 'missing', hash: cursor }
        return path.length === 0 ? { state: 'final' } : { state: 'forked' }
      }
      if (node.state === 'connected') break
      if (node.state === 'invalid') return { state: 'invalid', reason: node.fault }
      path.push(node)
      cursor = node.block.header.parent
      const above = node.block.header.height - this.#tip.block.header.height
      if (above < 1 || (above === 1 && hashToHex(cursor) !== this.#tip.key)) return { state: 'forked' }
    }
    if (path.length === 0 && hashToHex(hash) === this.#tip.key) return { state: 'final' }
    for (const node of path.reverse()) {
      const { version, height } = node.block.header
      if (version > BLOCK_VERSION) return { state: 'versionUnknown', height, version }
      const fault = this.#execute(node)
      this.#settleWaiting(node)
      if (fault !== null) {
        node.state = 'invalid'
        node.fault = fault
        return { state: 'invalid', reason: fault }
      }
      node.state = 'connected'
      if (!node.isLogged) log(node)
    }
    return { state: 'connected' }
  }

  /** Whether the block is the tip or connected already; executes nothing. */
  isConnected(key: HashHex): boolean {
    return key === this.#tip.key || this.#nodes.get(key)?.state === 'connected'
  }

  /** Above the tip, in height order. */
  get connected(): TreeBlock[] {
    const connected = [...this.#nodes.values()].filter(({ state }) => state === 'connected')
    return connected.sort((a, b) => a.block.header.height - b.block.header.height)
  }

  /** Connected blocks from above the tip up to this one, in height order; empty for the tip. */
  pathFromTip(key: HashHex): TreeBlock[] {
    const path: TreeBlock[] = []
    for (let block = this.get(key); block !== undefined && block.key !== this.#tip.key;) {
      path.push(block)
      block = this.get(hashToHex(block.block.header.parent))
    }
    return path.reverse()
  }

  /** The highest block that is on the way of both to the tip. Both are the tip or connected. */
  commonAncestor(a: HashHex, b: HashHex): TreeBlock {
    const ofA = new Set(this.pathFromTip(a).map((block) => block.key))
    const shared = this.pathFromTip(b).filter((block) => ofA.has(block.key))
    return shared.at(-1) ?? this.#tip
  }

  /**
   * Makes a connected block the tip. @returns the blocks that became final, in height order.
   * @param finalization of this very block; null when it is final by a later one.
   */
  finalize(key: HashHex, finalization: Certificate | null): TreeBlock[] {
    const blocks = this.pathFromTip(key)
    const tip = blocks.at(-1)
    assert(tip !== undefined && this.isConnected(key), `finalized block ${key} is not connected`)
    for (const block of blocks) {
      this.#nodes.delete(block.key)
      this.#unflushedByHeight.set(block.block.header.height, block)
      this.#unflushedByKey.set(block.key, block)
    }
    if (finalization !== null) this.#unflushedFinalizations.set(tip.block.header.height, finalization)
    this.#tip = tip
    this.#prune()
    return blocks
  }

  /** Blocks up to `height` are durable: they are served from the store from now on. */
  committed(height: number): void {
    for (const [unflushed, block] of this.#unflushedByHeight) {
      if (unflushed > height) continue
      this.#unflushedByHeight.delete(unflushed)
      this.#unflushedByKey.delete(block.key)
      this.#unflushedFinalizations.delete(unflushed)
    }
  }

  #finalBy(hash: BlockHash, key: HashHex): FinalBlock | undefined {
    return this.#unflushedByKey.get(key) ?? this.#finalBlocks.byHash(hash)
  }

  /** What the hash commits to and every authority must have checked; the rest is for the vote (R4). */
  #execute(node: Node): string | null {
    const { header } = node.block
    const parent = this.get(hashToHex(header.parent))!.block.header
    if (header.epoch !== this.#epoch) return `epoch ${header.epoch}; expected ${this.#epoch}`
    const isOfEpoch = parent.height > 0 && parent.epoch === this.#epoch
    if (isOfEpoch && endsEpoch(parent)) return `its parent, block ${parent.height}, ended the epoch (R11)`
    if (header.height !== parent.height + 1) return `height ${header.height}; expected ${parent.height + 1}`
    const executed = this.#executor.execute(node.block, node.hash)
    return executed.ok ? null : executed.fault.message
  }

  /** After the tip moved: what does not descend from it goes. */
  #prune(): void {
    const dropped: BlockHash[] = []
    const kept = new Set([this.#tip.key])
    const ascending = [...this.#nodes.values()].sort((a, b) => a.block.header.height - b.block.header.height)
    for (const node of ascending) {
      const descends = kept.has(hashToHex(node.block.header.parent))
      const stays =
        node.state === 'connected' ? descends : node.block.header.height > this.#tip.block.header.height
      if (stays) {
        kept.add(node.key)
        continue
      }
      if (node.state === 'connected') dropped.push(node.hash)
      this.#settleWaiting(node)
      this.#nodes.delete(node.key)
    }
    if (dropped.length > 0) this.#executor.drop(dropped)
  }

  #settleWaiting(node: Node): void {
    if (!isWaiting(node)) return
    this.#waitingCount -= 1
    this.#waitingBytes -= node.bytes
  }

  /** The one farthest from the tip is the least useful, and the cheapest lie. */
  #dropHighestWaiting(): void {
    let highest: Node | undefined
    for (const node of this.#nodes.values()) {
      if (!isWaiting(node)) continue
      if (highest === undefined || node.block.header.height > highest.block.header.height) highest = node
    }
    assert(highest !== undefined, 'waiting blocks are counted but not held')
    this.#settleWaiting(highest)
    this.#nodes.delete(highest.key)
  }
}

/** What counts towards I3. */
function isWaiting(node: Node): boolean {
  return node.state === 'known' && !node.isLogged
}
