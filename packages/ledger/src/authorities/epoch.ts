/**
 * The end of an epoch, decided by chain state alone (R11, P8). Pure.
 * X1  no epoch is shorter than `epochBlocksMin` blocks or longer than `epochBlocksMax`
 * X2  in between it ends when a removal or an approved change can take effect, or an authority waits to rejoin (R12)
 * X3  a key enters only with a heartbeat within the last `heartbeatBlocks` blocks
 * X4  what does not fit into one boundary (D1 to D3) waits for the next
 * @module
 */
import { assert, compareBytes, pastEpochKey, EpochRecord, ZERO_HASH } from '@althing/base'
import type { AuthorityChange, AuthorityRules, AuthoritySet, Hash, ProposalRecord } from '@althing/base'
import type { StateReader, StateWriter } from '../pending.ts'
import { moveBonds, releaseUnbonded } from './bonds.ts'
import { noteMissedTurns } from './missed-turns.ts'
import {
  approvedProposals,
  changeOf,
  dropExpired,
  dropProposals,
  isBarred,
  newcomerOf,
  recount,
} from './proposals.ts'
import { changeAuthority, memberOf, readAuthority, readBonds, readEpoch, writeEpoch } from './records.ts'
import { rotate } from './rotation.ts'
import { isRemoving } from './rules.ts'
import { SetDraft } from './set-draft.ts'
import type { SeatChange } from './set-draft.ts'

/** Where the block stands, as far as authorities care. */
export interface EpochContext {
  readonly height: number
  readonly epoch: number
  readonly view: number
  readonly parent: Hash
  readonly parentView: number
}

/** What a block does before its transactions: notes the anchor of a new epoch, and who missed a turn. */
export function beginBlock(state: StateWriter, context: EpochContext): void {
  const epoch = readEpoch(state)
  assert(
    context.epoch === epoch.epoch,
    `a block of epoch ${context.epoch} on a state of epoch ${epoch.epoch}`,
  )
  if (context.height === epoch.firstHeight) writeEpoch(state, { ...epoch, anchor: context.parent })
  noteMissedTurns(state, epoch, context, context.height)
}

/** What a block does after its transactions. @returns the next set when the block ends its epoch. */
export function endBlock(
  state: StateWriter,
  { height }: EpochContext,
  rules: AuthorityRules,
): AuthoritySet | null {
  dropExpired(state, height)
  const epoch = readEpoch(state)
  const length = height - epoch.firstHeight + 1
  if (length < rules.epochBlocksMin) return null
  const plan = planChanges(state, epoch, rules, height)
  const isDue = length >= rules.epochBlocksMax || epoch.rejoinPending || plan.isUrgent
  return isDue ? endEpoch(state, epoch, plan, rules, height) : null
}

/** What the boundary would do if it were now, leaving rotation aside. */
interface Plan {
  readonly draft: SetDraft
  /** Whether something decided would take effect. */
  readonly isUrgent: boolean
  readonly takenOut: readonly ProposalRecord[]
  readonly replaced: readonly Extract<AuthorityChange, { kind: 'changeKey' }>[]
}

function planChanges(state: StateReader, epoch: EpochRecord, rules: AuthorityRules, height: number): Plan {
  const draft = new SetDraft(epoch.set)
  const takenOut: ProposalRecord[] = []
  const replaced: Extract<AuthorityChange, { kind: 'changeKey' }>[] = []
  let isUrgent = false
  for (const key of offenders(state, epoch, rules)) {
    if (draft.apply({ kind: 'leave', key }) === 'done') isUrgent = true
  }
  for (const proposal of approvedProposals(state)) {
    const change = changeOf(proposal)
    const newcomer = newcomerOf(change)
    const isBarredNow = newcomer !== null && isBarred(state, newcomer, rules)
    if (newcomer !== null && !isBarredNow && !isAlive(state, newcomer, rules, height)) {
      if (height > proposal.expires) takenOut.push(proposal)
      continue
    }
    const outcome = isBarredNow ? 'impossible' : draft.apply(seatChange(change))
    if (outcome === 'waiting') continue
    takenOut.push(proposal)
    if (outcome === 'impossible') continue
    isUrgent = true
    if (change.kind === 'changeKey') replaced.push(change)
  }
  return { draft, isUrgent, takenOut, replaced }
}

function endEpoch(
  state: StateWriter,
  epoch: EpochRecord,
  { draft, takenOut, replaced }: Plan,
  rules: AuthorityRules,
  height: number,
): AuthoritySet {
  rotate(draft, {
    rules,
    height,
    recordOf: (key) => readAuthority(state, key),
    bonds: readBonds(state),
    mayEnter: (key) => isAlive(state, key, rules, height) && !isBarred(state, key, rules),
  })
  for (const { key, newKey } of replaced) handOver(state, key, newKey)
  const { set } = draft
  for (const { key } of epoch.set) {
    if (memberOf(set, key) === undefined) changeAuthority(state, key, { missedTotal: 0, misses: [] })
  }
  if (takenOut.length > 0) dropProposals(state, takenOut)

  const next: EpochRecord = {
    epoch: epoch.epoch + 1,
    firstHeight: height + 1,
    anchor: ZERO_HASH,
    set: [...set],
    rejoinPending: false,
    removalPending: offenders(state, { ...epoch, set: [...set] }, rules).length > 0,
  }
  state.put(pastEpochKey(epoch.epoch), EpochRecord.serialize(epoch))
  const forgotten = next.epoch - rules.accountabilityEpochs - 1
  if (forgotten >= 0) state.delete(pastEpochKey(forgotten))
  writeEpoch(state, next)
  recount(state, set, height)
  releaseUnbonded(state, next, rules)
  return set
}

/** What is known of the old key goes on with the new one. */
function handOver(state: StateWriter, key: Uint8Array, newKey: Uint8Array): void {
  const { missedTotal, misses } = readAuthority(state, key)
  changeAuthority(state, newKey, { missedTotal, misses })
  changeAuthority(state, key, { successor: newKey })
  moveBonds(state, key, newKey)
}

/** Members that signed twice, in the order in which it was found out. */
function offenders(
  state: StateReader,
  { set, removalPending }: EpochRecord,
  rules: AuthorityRules,
): Uint8Array[] {
  if (!removalPending || !isRemoving(rules)) return []
  return set
    .map(({ key }) => ({ key, offendedAt: readAuthority(state, key).offendedAt }))
    .filter(({ offendedAt }) => offendedAt > 0)
    .sort((a, b) => a.offendedAt - b.offendedAt || compareBytes(a.key, b.key))
    .map(({ key }) => key)
}

/** X3 */
function isAlive(state: StateReader, key: Uint8Array, rules: AuthorityRules, height: number): boolean {
  const { heartbeatAt } = readAuthority(state, key)
  return heartbeatAt > 0 && heartbeatAt + rules.heartbeatBlocks > height
}

function seatChange(change: AuthorityChange): SeatChange {
  switch (change.kind) {
    case 'add':
      return { kind: 'enter', key: change.key, weight: change.weight }
    case 'remove':
      return { kind: 'leave', key: change.key }
    case 'changeKey':
      return { kind: 'replace', key: change.key, by: change.newKey }
    case 'changeWeight':
      return { kind: 'weigh', key: change.key, weight: change.weight }
    case 'activate':
      throw new Error('an activation takes effect when it is approved')
  }
}
