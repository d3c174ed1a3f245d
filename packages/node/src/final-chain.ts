/**
 * Brings final blocks to the disk: state, receipts, indexes and certificate in one atomic step, one step at a time.
 * @module
 */
import type { Clock } from '@althing/base'
import type { BlockExecutor, ExecutedBlock, FinalBlock, Mempool } from '@althing/chain'
import type { StateTree, StateVersion } from '@althing/ledger'
import type { CommitOrder } from './consensus/driver.ts'
import type { Statistics } from './statistics.ts'
import type { ChainStore } from './store/types.ts'
import type { TransactionIntake } from './transactions/intake.ts'

export interface FinalChainPorts {
  readonly store: ChainStore
  readonly tree: StateTree
  readonly executor: BlockExecutor<StateVersion>
  readonly mempool: Mempool
  readonly intake: TransactionIntake<StateVersion>
  readonly statistics: Statistics
  readonly clock: Clock
  /** What the block did to the graphs is final; in the order of heights. */
  graphChanged(block: ExecutedBlock<StateVersion>): void
  /** The blocks are final: on disk, flushed. */
  onFinal(blocks: readonly FinalBlock[]): void
}

/** Resolves when the blocks are final on disk. @throws {StoreError} when they cannot be written; nothing of them is. */
export async function commitFinal(ports: FinalChainPorts, order: CommitOrder): Promise<void> {
  const { store, tree, executor, mempool, intake, statistics, clock } = ports
  const acceptedAtMs: (number | undefined)[] = []
  const executed = order.blocks.map(({ hash }) => {
    const result = executor.finalize(hash)
    acceptedAtMs.push(...intake.committing(result.transactions))
    intake.left(mempool.committed(result.transactions, executor.admission))
    return result
  })
  const commit = tree.commit(executed.at(-1)!.state)
  await store.commit({
    blocks: order.blocks.map((block, i) => ({ ...block, receipts: executed[i]!.receipts })),
    finalization: order.finalization,
    tree: commit,
  })
  tree.written(commit.nextId)
  const nowMs = clock.monotonicMs()
  let transactions = 0
  for (const result of executed) {
    intake.committed(result.transactions)
    transactions += result.transactions.length
  }
  const latenciesMs = acceptedAtMs.flatMap((atMs) => (atMs === undefined ? [] : [nowMs - atMs]))
  statistics.blocksFinal(nowMs, transactions, latenciesMs)
  for (const block of executed) ports.graphChanged(block)
  ports.onFinal(order.blocks)
}
