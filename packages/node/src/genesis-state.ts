/**
 * What a genesis comes to: its state, its first block, and the hash that names the network.
 * @module
 */
import { bytesToUtf8, headerHash, genesisHeader } from '@althing/base'
import type { Block, Genesis, Hash } from '@althing/base'
import { genesisState, StateTree } from '@althing/ledger'
import type { ChainStore } from './store/types.ts'

export interface Chain {
  readonly genesis: Genesis
  readonly networkId: string
  /** Of block 0: the genesis hash. */
  readonly hash: Hash
  readonly block: Block
}

const NOTHING_STORED = { readPage: () => undefined, readValue: () => undefined }

/** @param genesis one without problems. */
export function chainOf(genesis: Genesis): Chain {
  const tree = new StateTree(NOTHING_STORED, null)
  const header = genesisHeader(genesis, tree.root(genesisState(tree, tree.head, genesis)))
  const block: Block = { header, transactions: [], nextSet: [...genesis.authorities] }
  return { genesis, networkId: bytesToUtf8(genesis.networkId) ?? '', hash: headerHash(header), block }
}

/** Block 0 and its state, when the store is new. */
export async function writeGenesis(store: ChainStore, chain: Chain): Promise<void> {
  if (store.height >= 0) return
  const tree = new StateTree(store, null, { nextId: store.nextId })
  const commit = tree.commit(genesisState(tree, tree.head, chain.genesis))
  await store.commit({
    blocks: [{ block: chain.block, hash: chain.hash, receipts: [] }],
    finalization: null,
    tree: commit,
  })
}
