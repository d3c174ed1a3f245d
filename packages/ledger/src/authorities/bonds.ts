/**
 * Money that authorities put at stake. Pure.
 * B1  money is neither made nor lost by bonding and unbonding; a slash moves it to the fee sink, or burns it when
 *     genesis names none
 * B2  what was unbonded stays owed for as long as double signatures of that time can be punished
 * @module
 */
import {
  assert,
  BONDS_MAX,
  bytesToHex,
  compareBytes,
  equalBytes,
  isZeroHash,
  ROTATION_STAKE,
  UNBONDINGS_MAX,
} from '@althing/base'
import type { AuthorityRules, EpochRecord, Fault } from '@althing/base'
import type { OperationContext } from '../module.ts'
import { credit, readAccount, writeAccount } from '../modules/accounts.ts'
import type { StateReader, StateWriter } from '../pending.ts'
import { memberOf, readBonds, readUnbondings, writeBonds, writeUnbondings } from './records.ts'

export function bondOf(state: StateReader, key: Uint8Array): bigint {
  return readBonds(state).find((bond) => equalBytes(bond.key, key))?.amount ?? 0n
}

export function bond(
  amount: bigint,
  rules: AuthorityRules,
  { state, sender }: OperationContext,
): Fault | null {
  if (rules.rotation !== ROTATION_STAKE) return stakeOff()
  const account = readAccount(state, sender)
  assert(account !== null, 'the sender of a transaction being applied has an account')
  if (account.balance < amount) {
    const message = `a bond of ${amount}; after the fee, account ${bytesToHex(sender)} has ${account.balance}`
    return { code: 'BALANCE_TOO_LOW', message }
  }
  const present = bondOf(state, sender)
  if (present + amount < rules.bondMin) {
    const message = `a bond of ${present + amount}; an authority needs at least ${rules.bondMin}`
    return { code: 'BOND_TOO_SMALL', message }
  }
  if (present === 0n && readBonds(state).length === BONDS_MAX) {
    return { code: 'BONDS_FULL', message: `${BONDS_MAX} keys have a bond, the most allowed` }
  }
  writeAccount(state, sender, { ...account, balance: account.balance - amount })
  setBond(state, sender, present + amount)
  return null
}

export function unbond(
  amount: bigint,
  rules: AuthorityRules,
  { epoch }: EpochRecord,
  { state, sender }: OperationContext,
): Fault | null {
  if (rules.rotation !== ROTATION_STAKE) return stakeOff()
  const present = bondOf(state, sender)
  if (present < amount)
    return { code: 'BOND_TOO_SMALL', message: `${amount} of a bond of ${present} cannot be taken` }
  const left = present - amount
  if (left > 0n && left < rules.bondMin) {
    const message = `it would leave a bond of ${left}; take all, or leave at least ${rules.bondMin}`
    return { code: 'BOND_TOO_SMALL', message }
  }
  const unbondings = readUnbondings(state)
  const same = unbondings.find((each) => each.epoch === epoch && equalBytes(each.key, sender))
  if (same === undefined && unbondings.length === UNBONDINGS_MAX) {
    const message = `${UNBONDINGS_MAX} others wait for their money, the most allowed; try again in a later epoch`
    return { code: 'BONDS_FULL', message }
  }
  setBond(state, sender, left)
  const owed = { key: sender, amount: amount + (same?.amount ?? 0n), epoch }
  writeUnbondings(state, [...unbondings.filter((each) => each !== same), owed])
  return null
}

/**
 * Takes `percent` of all that the key has at stake, rounded up.
 * @returns what was taken.
 */
export function slash(state: StateWriter, key: Uint8Array, percent: number, feeSink: Uint8Array): bigint {
  const part = (amount: bigint): bigint => (amount * BigInt(percent) + 99n) / 100n
  let taken = part(bondOf(state, key))
  setBond(state, key, bondOf(state, key) - taken)
  const unbondings = readUnbondings(state).map((each) => {
    if (!equalBytes(each.key, key)) return each
    taken += part(each.amount)
    return { ...each, amount: each.amount - part(each.amount) }
  })
  writeUnbondings(
    state,
    unbondings.filter(({ amount }) => amount > 0n),
  )
  if (taken > 0n && !isZeroHash(feeSink)) {
    const fault = credit(state, feeSink, taken)
    assert(fault === null, 'genesis has a fee sink that can be an account')
  }
  return taken
}

/** A key has taken the place of another: what was at stake goes with it. */
export function moveBonds(state: StateWriter, from: Uint8Array, to: Uint8Array): void {
  const amount = bondOf(state, from)
  if (amount > 0n) {
    setBond(state, from, 0n)
    setBond(state, to, bondOf(state, to) + amount)
  }
  const unbondings = readUnbondings(state)
  if (!unbondings.some(({ key }) => equalBytes(key, from))) return
  writeUnbondings(
    state,
    unbondings.map((each) => (equalBytes(each.key, from) ? { ...each, key: to } : each)),
  )
}

/** Pays out what is no longer owed in the epoch that begins now. Who stays an authority without a bond waits (B2). */
export function releaseUnbonded(
  state: StateWriter,
  { epoch, set }: EpochRecord,
  rules: AuthorityRules,
): void {
  const unbondings = readUnbondings(state)
  const isDue = (each: (typeof unbondings)[number]): boolean =>
    each.epoch + rules.accountabilityEpochs < epoch &&
    (memberOf(set, each.key) === undefined || bondOf(state, each.key) >= rules.bondMin)
  const due = unbondings.filter(isDue)
  if (due.length === 0) return
  for (const { key, amount } of due) {
    const fault = credit(state, key, amount)
    assert(fault === null, 'who had a bond has an account, or a key that may have one')
  }
  writeUnbondings(
    state,
    unbondings.filter((each) => !due.includes(each)),
  )
}

function setBond(state: StateWriter, key: Uint8Array, amount: bigint): void {
  const others = readBonds(state).filter((each) => !equalBytes(each.key, key))
  const bonds = amount === 0n ? others : [...others, { key, amount }]
  writeBonds(
    state,
    bonds.sort((a, b) => compareBytes(a.key, b.key)),
  )
}

function stakeOff(): Fault {
  return { code: 'STAKE_OFF', message: 'the authorities of this chain are not chosen by stake' }
}
