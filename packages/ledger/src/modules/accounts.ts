/**
 * Accounts: money and the transfer of it. Pure.
 * A1  money is neither made nor lost by a transfer
 * A2  an account enters the state only with an acceptable key, or as a multi-signature account (P22)
 * A3  the sum of all balances fits u64: genesis sees to it, and nothing makes money afterwards
 * @module
 */
import {
  Account,
  accountKey,
  AMOUNT_MAX,
  assert,
  AssertionError,
  bytesToHex,
  decodeAccount,
  decodeAccountsOperation,
  fail,
  isAcceptableAccount,
  MODULE_ACCOUNTS,
  ok,
} from '@althing/base'
import type { AccountsOperation, Fault, Result } from '@althing/base'
import type { Module } from '../module.ts'
import type { StateReader, StateWriter } from '../pending.ts'

export const accountsModule: Module<AccountsOperation> = {
  id: MODULE_ACCOUNTS,
  name: 'accounts',
  decode: decodeAccountsOperation,

  apply({ to, amount }, { sender, state }): Fault | null {
    const payer = readAccount(state, sender)
    assert(payer !== null, 'the sender of a transaction being applied has an account')
    if (payer.balance < amount) {
      const message = `a transfer of ${amount}; after the fee, account ${bytesToHex(sender)} has ${payer.balance}`
      return { code: 'BALANCE_TOO_LOW', message }
    }
    writeAccount(state, sender, { ...payer, balance: payer.balance - amount })
    return credit(state, to, amount)
  },
}

/** @returns null when the state holds no such account. */
export function readAccount(state: StateReader, id: Uint8Array): Account | null {
  const bytes = state.get(accountKey(id))
  if (bytes === null) return null
  const account = decodeAccount(bytes)
  if (account.ok) return account.value
  throw new AssertionError(`the state holds a malformed account ${bytesToHex(id)}`)
}

export function writeAccount(state: StateWriter, id: Uint8Array, account: Account): void {
  state.put(accountKey(id), Account.serialize(account))
}

/** Adds money to an account, making the account when there is none. */
export function credit(state: StateWriter, id: Uint8Array, amount: bigint): Fault | null {
  const account = readAccount(state, id)
  if (account === null) {
    const enters = checkAccountId(id)
    if (!enters.ok) return enters.fault
  }
  const { nonce, balance } = account ?? { nonce: 0, balance: 0n }
  assert(balance + amount <= AMOUNT_MAX, 'A3: the sum of all balances fits u64')
  writeAccount(state, id, { nonce, balance: balance + amount })
  return null
}

/** Whether an account may enter the state (A2). About 0.1 ms: ask only for accounts that the state does not hold. */
export function checkAccountId(id: Uint8Array): Result<void> {
  if (isAcceptableAccount(id)) return ok(undefined)
  const message = `account ${bytesToHex(id)} is an Ed25519 key that is not canonical or of small order`
  return fail('ACCOUNT_UNACCEPTABLE', message)
}
