/**
 * What changes in the state when a chain goes on as another one, with fewer authorities (docs/recover.md). Pure.
 * C1  accounts, keys, grants and graphs stay as they are
 * C2  epochs, proposals, signs of life and offences begin anew: they speak of heights that the new chain does not have
 * C3  no money is lost: bonds, and what is being taken from them, go back to the accounts, but for what those who remain
 *     have bonded
 * @module
 */
import { bondsKey, equalBytes, proposalsKey, STATE_AUTHORITY, unbondingsKey } from '@althing/base'
import type { Genesis } from '@althing/base'
import { credit } from '../modules/accounts.ts'
import { PendingChanges } from '../pending.ts'
import type { LedgerTree } from '../pending.ts'
import { authoritiesAtGenesis } from './genesis.ts'
import { readBonds, readProtocol, readUnbondings, writeBonds, writeProtocol } from './records.ts'

/**
 * The state under block 0 of the new chain.
 * @param state of the old chain.
 * @param genesis of the new one; its allocations and members are not looked at: the state has them.
 */
export function recoveredState<State>(tree: LedgerTree<State>, state: State, genesis: Genesis): State {
  const changes = new PendingChanges(tree, state)
  const bonds = readBonds(changes)
  const owed = [...bonds, ...readUnbondings(changes)]
  const [start, end] = [Uint8Array.of(STATE_AUTHORITY), Uint8Array.of(STATE_AUTHORITY + 1)]
  for (const { key } of tree.entries(state, start, end)) changes.delete(key)
  for (const key of [proposalsKey, bondsKey, unbondingsKey]) changes.delete(key)
  for (const { key, value } of authoritiesAtGenesis(genesis)) if (value !== null) changes.put(key, value)
  const kept = readBonds(changes).map(({ key, amount }) => {
    const had = bonds.find((bond) => equalBytes(bond.key, key))?.amount ?? 0n
    return { key, amount: amount < had ? amount : had }
  })
  writeBonds(changes, kept)
  const unpaid = new Map(kept.map(({ key, amount }) => [key.toString(), amount]))
  for (const { key, amount } of owed) {
    const held = unpaid.get(key.toString()) ?? 0n
    const part = held < amount ? held : amount
    unpaid.set(key.toString(), held - part)
    if (amount > part) credit(changes, key, amount - part)
  }
  writeProtocol(changes, { version: readProtocol(changes).version, nextVersion: 0, nextHeight: 0 })
  changes.keep()
  return changes.apply()
}
