/**
 * The pool and the final transactions as the network knows them.
 * @module
 */
import type { Mempool as Pool } from '@althing/chain'
import type { StateVersion } from '@althing/ledger'
import type { Mempool, TransactionStore } from '@althing/network'
import type { ChainStore } from '../store/types.ts'
import type { TransactionIntake } from '../transactions/intake.ts'
import type { ChainJudgement } from './judgement.ts'
import { hashOfId } from './travelling-block.ts'

const IN_BLOCK = { code: 'DUPLICATE', message: 'it is in a block' }

/** The pool takes what the account can pay and has the nonces for; the intake keeps the books of it. */
export function poolPart(
  pool: Pool,
  intake: TransactionIntake<StateVersion>,
  judgement: ChainJudgement,
): Mempool {
  return {
    has: (id) => intake.isKnown(id),
    get: (id) => pool.get(id)?.bytes ?? null,
    add(id, bytes) {
      return pool.has(id) || intake.add(judgement.received(bytes)).ok
    },
    remove: (id) => void pool.discard(id, IN_BLOCK),
    *ids() {
      for (const { idHex } of pool.transactions()) yield idHex
    },
  }
}

/** Blocks bring their transactions along when they are committed, so nothing is added or removed from outside. */
export function finalTransactions(store: ChainStore): TransactionStore {
  const stored = (id: string) => {
    const hash = hashOfId(id)
    return hash === null ? undefined : store.transaction(hash)
  }
  return {
    has: (id) => stored(id) !== undefined,
    get(id) {
      const found = stored(id)
      return found === undefined
        ? null
        : (store.byHeight(found.height)?.block.transactions[found.index] ?? null)
    },
    add() {},
    remove() {},
  }
}
