/**
 * The three stores of a chain in memory: for tests, for a first version of a chain, and to read how they are meant.
 * @module
 */
import { assert } from '@althing/base'
import type { Block } from '../protocol/chain-messages.ts'
import type { BlockInfo, BlockStore, BranchChange, Mempool, Transaction, TransactionStore } from './ports.ts'

/** Keeps everything. */
export function createMemoryBlockStore(genesis: BlockInfo, block: Block): Required<BlockStore> {
  const blockById = new Map([[genesis.id, block]])
  let lowest = genesis.height
  /** Of the best chain, from `lowest` up. */
  let ids = [genesis.id]
  return {
    has: (id) => blockById.has(id),
    get: (id) => blockById.get(id) ?? null,
    put(info, block) {
      blockById.set(info.id, block)
    },
    idAt: (height) => ids[height - lowest] ?? null,
    switchTo({ removed, added }: BranchChange) {
      ids.length -= removed.length
      assert(ids.at(-1) === (added[0]?.parentId ?? ids.at(-1)), 'the branches leave the same block')
      ids.push(...added.map(({ id }) => id))
    },
    lowestHeight: () => lowest,
    beginAt(info, block) {
      blockById.set(info.id, block)
      lowest = info.height
      ids = [info.id]
    },
  }
}

export function createMemoryTransactionStore(): TransactionStore {
  const bytesById = new Map<string, Uint8Array>()
  return {
    has: (id) => bytesById.has(id),
    get: (id) => bytesById.get(id) ?? null,
    add(_block: BlockInfo, transactions: readonly Transaction[]) {
      for (const { id, bytes } of transactions) bytesById.set(id, bytes)
    },
    remove(_block: BlockInfo, transactions: readonly Transaction[]) {
      for (const { id } of transactions) bytesById.delete(id)
    },
  }
}

/** Takes what comes first, until it is full. */
export function createMemoryMempool({ countMax = 10_000 }: { readonly countMax?: number } = {}): Mempool {
  const bytesById = new Map<string, Uint8Array>()
  return {
    has: (id) => bytesById.has(id),
    get: (id) => bytesById.get(id) ?? null,
    add(id, bytes) {
      if (bytesById.has(id)) return true
      if (bytesById.size >= countMax) return false
      bytesById.set(id, bytes)
      return true
    },
    remove(id) {
      bytesById.delete(id)
    },
    ids: () => bytesById.keys(),
  }
}
