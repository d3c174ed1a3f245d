/**
 * What a genesis comes to: its state, its first block, and the hash that names the network.
 * @module
 */
import { bytesToUtf8, headerHash, genesisHeader } from '@althing/base'
import type { Block, Genesis, Hash } from '@althing/base'
import { genesisState, StateTree } from '@althing/ledger'
import { NodeError } from './errors.ts'
import type { Recovered } from './recovery/recovered.ts'
import type { ChainStore } from './store/types.ts'

export interface Chain {
  readonly genesis: Genesis
  readonly networkId: string
  /** Of block 0: the genesis hash. */
  readonly hash: Hash
  readonly block: Block
  /** Set when it goes on from another chain (docs/recover.md). */
  readonly recovered: Recovered | null
}

const NOTHING_STORED = { readPage: () => undefined, readValue: () => undefined }

/** @param genesis one without problems. */
export function chainOf(genesis: Genesis, recovered: Recovered | null = null): Chain {
  const tree = new StateTree(NOTHING_STORED, null)
  const root = recovered?.stateRoot ?? tree.root(genesisState(tree, tree.head, genesis))
  const header = genesisHeader(genesis, root)
  const block: Block = { header, transactions: [], nextSet: [...genesis.authorities] }
  return {
    genesis,
    networkId: bytesToUtf8(genesis.networkId) ?? '',
    hash: headerHash(header),
    block,
    recovered,
  }
}

/**
 * Block 0 and its state, when the store is new.
 * @throws {NodeError} `RECOVERY_NOT_ACCEPTED`: the state of a chain that goes on from another is not in its genesis.
 */
export async function writeGenesis(store: ChainStore, chain: Chain): Promise<void> {
  if (store.height >= 0) return
  if (chain.recovered !== null) {
    throw new NodeError(
      'RECOVERY_NOT_ACCEPTED',
      `Network "${chain.networkId}" goes on from "${chain.recovered.networkId}", whose state this data folder does not have. Run: althing recover accept`,
    )
  }
  const tree = new StateTree(store, null, { nextId: store.nextId })
  const commit = tree.commit(genesisState(tree, tree.head, chain.genesis))
  await store.commit({
    blocks: [{ block: chain.block, hash: chain.hash, receipts: [] }],
    finalization: null,
    tree: commit,
  })
}
