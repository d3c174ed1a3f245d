/**
 * The smallest ledger that the mempool and the executor can run on: accounts with nonce and balance, fees burned, and
 * operations that do nothing, or fail when their body is empty. Accounts are named by one letter.
 * @module
 */
import assert from 'node:assert/strict'
import { equalBytes, fail, hashOf, ok, sha256, Transaction, utf8ToBytes } from '@althing/base'
import type { Hash, Result, TransactionBody } from '@althing/base'
import { receiveTransaction } from '../src/index.ts'
import type {
  AccountView,
  AdmissionView,
  Ledger,
  LedgerBatch,
  Receipt,
  ReceivedTransaction,
} from '../src/index.ts'

export const GENESIS: Hash = hashOf(utf8ToBytes('toy genesis'))

export type ToyState = ReadonlyMap<string, AccountView>

export function idOf(name: string): Uint8Array {
  const id = new Uint8Array(32)
  id.set(utf8ToBytes(name))
  return id
}

const nameOf = (id: Uint8Array): string => String.fromCharCode(id[0]!)

export function stateOf(accounts: Readonly<Record<string, AccountView>>): ToyState {
  return new Map(Object.entries(accounts))
}

export class ToyLedger implements Ledger<ToyState> {
  root(state: ToyState): Hash {
    const lines = [...state].map(([name, { nonce, balance }]) => `${name} ${nonce} ${balance}`)
    return sha256(utf8ToBytes(lines.toSorted().join('\n')))
  }

  account(state: ToyState, id: Uint8Array): AccountView {
    return state.get(nameOf(id)) ?? { nonce: 0, balance: 0n }
  }

  check(state: ToyState, { body }: Transaction, height: number): Result<void> {
    if (!equalBytes(body.genesis, GENESIS)) return fail('WRONG_NETWORK', 'another chain')
    if (height > body.validUntil) return fail('EXPIRED', `height ${height}`)
    if (body.fee < 1n && !this.isFree(state, { body })) return fail('FEE_TOO_LOW', `${body.fee}`)
    const account = this.account(state, body.sender)
    if (body.nonce < account.nonce) return fail('NONCE_USED', `${body.nonce}`)
    return account.balance < body.fee ? fail('BALANCE_TOO_LOW', `${account.balance}`) : ok(undefined)
  }

  /** `z` pays nothing when it wants to. */
  isFree(_state: ToyState, { body }: Pick<Transaction, 'body'>): boolean {
    return body.fee === 0n && nameOf(body.sender) === 'z'
  }

  blockVersion(): number {
    return 1
  }

  lastRejoin(): null {
    return null
  }

  begin(state: ToyState, { height }: { readonly height: number }): LedgerBatch<ToyState> {
    const accounts = new Map(state)
    return {
      account: (id) => this.account(accounts, id),
      apply: (transaction): Result<Receipt> => {
        const { body } = transaction
        const checked = this.check(accounts, transaction, height)
        if (!checked.ok) return checked
        const { nonce, balance } = this.account(accounts, body.sender)
        if (body.nonce > nonce) return fail('NONCE_GAP', `${body.nonce} after ${nonce}`)
        accounts.set(nameOf(body.sender), { nonce: nonce + 1, balance: balance - body.fee })
        const isFailing = body.operations.some((operation) => operation.body.length === 0)
        return ok(
          isFailing
            ? { ok: false, fault: { code: 'TOY_FAILED', message: 'an empty operation' } }
            : { ok: true },
        )
      },
      end: () => ({ state: accounts, nextSet: null }),
    }
  }
}

/** @param over fields other than: nonce 0, fee 1, one operation of 10 bytes. */
export function encode(sender: string, over: Partial<TransactionBody> & { bytes?: number } = {}): Uint8Array {
  const { bytes = 10, ...fields } = over
  const body: TransactionBody = {
    version: 1,
    genesis: GENESIS,
    sender: idOf(sender),
    nonce: 0,
    validUntil: 1_000_000,
    fee: 1n,
    operations: [{ module: 1, body: new Uint8Array(bytes) }],
    ...fields,
  }
  return Transaction.serialize({ body, witness: new Uint8Array(65) })
}

export function received(
  sender: string,
  over: Partial<TransactionBody> & { bytes?: number } = {},
): ReceivedTransaction {
  const result = receiveTransaction(encode(sender, over))
  assert.ok(result.ok)
  return result.value
}

/** The final state as the pool sees it. @param height of the final block. */
export function viewOf(state: ToyState, height = 0): AdmissionView {
  const ledger = new ToyLedger()
  return {
    height: height + 1,
    account: (id) => ledger.account(state, id),
    check: (transaction) => ledger.check(state, transaction, height + 1),
    isFree: (transaction) => ledger.isFree(state, transaction),
  }
}

/** A transaction as `sender nonce`. */
export function label({ transaction: { body } }: ReceivedTransaction): string {
  return `${nameOf(body.sender)}${body.nonce}`
}
