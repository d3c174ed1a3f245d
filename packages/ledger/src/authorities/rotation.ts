/**
 * How the set changes by itself at an epoch's end, by the policy that genesis chose. Pure functions of chain state (P8).
 * @module
 */
import { compareBytes, equalBytes, ROTATION_PERFORMANCE, ROTATION_STAKE } from '@althing/base'
import type { AuthorityRecord, AuthorityRules, AuthoritySet, Bond } from '@althing/base'
import { memberOf } from './records.ts'
import type { SetDraft } from './set-draft.ts'

/** What the policies look at. */
export interface RotationInputs {
  readonly rules: AuthorityRules
  /** Of the block that ends the epoch. */
  readonly height: number
  readonly recordOf: (key: Uint8Array) => AuthorityRecord
  readonly bonds: readonly Bond[]
  /** Whether a key that is not in the set may enter: it gave a sign of life, and never signed twice. */
  readonly mayEnter: (key: Uint8Array) => boolean
}

/** Makes the changes that the policy asks for, as far as the draft has room for them. */
export function rotate(draft: SetDraft, inputs: RotationInputs): void {
  const { rotation } = inputs.rules
  if (rotation === ROTATION_PERFORMANCE) dismissAbsent(draft, inputs)
  if (rotation === ROTATION_STAKE) followBonds(draft, inputs)
}

/** Turns missed in the blocks of the window that ends at `height`; only the last MISSES_MAX are known. */
export function missedWithin(
  { misses }: AuthorityRecord,
  height: number,
  { windowBlocks }: AuthorityRules,
): number {
  return misses.filter((missedAt) => missedAt + windowBlocks > height).length
}

/** Who missed the most goes first; at most f, and never below the floor. */
function dismissAbsent(draft: SetDraft, { rules, height, recordOf }: RotationInputs): void {
  const absent = draft.set
    .map(({ key }) => ({ key, missed: missedWithin(recordOf(key), height, rules) }))
    .filter(({ missed }) => missed >= rules.missedMax)
    .sort((a, b) => b.missed - a.missed || compareBytes(a.key, b.key))
    .slice(0, Math.floor((draft.set.length - 1) / 3))
  for (const { key } of absent) {
    if (draft.set.length > rules.setMin) draft.apply({ kind: 'leave', key })
  }
}

/** Those with the largest bonds take the seats; who leaves and who comes in its place count as one change. */
function followBonds(draft: SetDraft, { rules, bonds, mayEnter }: RotationInputs): void {
  const ranked = bonds
    .filter(({ key, amount }) => amount >= rules.bondMin && (isIn(draft.set, key) || mayEnter(key)))
    .sort((a, b) => (a.amount === b.amount ? compareBytes(a.key, b.key) : a.amount > b.amount ? -1 : 1))
    .slice(0, rules.setMax)
  const weightOf = (key: Uint8Array): number => {
    const amount = bonds.find((bond) => equalBytes(bond.key, key))?.amount ?? 0n
    return Math.max(1, Number(amount / rules.weightUnit))
  }
  const coming = ranked.filter(({ key }) => !isIn(draft.set, key))
  const going = draft.set
    .filter(({ key }) => !ranked.some((bond) => equalBytes(bond.key, key)))
    .sort((a, b) => weightOf(a.key) - weightOf(b.key) || compareBytes(a.key, b.key))
  for (const { key } of going) {
    const newcomer = coming.shift()
    if (newcomer !== undefined) {
      draft.apply({ kind: 'replace', key, by: newcomer.key, weight: weightOf(newcomer.key) })
    } else if (draft.set.length > rules.setMin) draft.apply({ kind: 'leave', key })
  }
  for (const { key } of coming) {
    if (draft.set.length < rules.setMax) draft.apply({ kind: 'enter', key, weight: weightOf(key) })
  }
  for (const { key } of draft.set) draft.apply({ kind: 'weigh', key, weight: weightOf(key) })
}

function isIn(set: AuthoritySet, key: Uint8Array): boolean {
  return memberOf(set, key) !== undefined
}
