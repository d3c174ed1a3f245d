/**
 * Proposals of the authorities and the votes on them. Pure.
 * V1  a proposal is decided by a quorum of the weight of the present set, whichever order the votes come in
 * V2  an authority has one proposal and one change of its own key at a time; a new one takes the place of the old
 * V3  a proposal without a quorum by its last height is gone
 * @module
 */
import {
  assert,
  authorityProposalId,
  bytesToHex,
  compareBytes,
  decodeAuthorityChange,
  encodeAuthorityChange,
  equalBytes,
  fail,
  isAcceptableKey,
  keyRotationSignBytes,
  ok,
  PROPOSALS_MAX,
  quorumWeight,
  ROTATION_STAKE,
} from '@althing/base'
import type {
  AuthorityChange,
  AuthorityRules,
  AuthoritySet,
  Fault,
  Hash,
  ProposalRecord,
  ProtocolRecord,
  Result,
} from '@althing/base'
import type { OperationContext } from '../module.ts'
import type { StateReader, StateWriter } from '../pending.ts'
import {
  changeAuthority,
  deleteVotes,
  memberOf,
  readAuthority,
  readEpoch,
  readProposals,
  readProtocol,
  readVotes,
  writeProposals,
  writeProtocol,
  writeVotes,
} from './records.ts'
import { isRemoving } from './rules.ts'

export function changeOf({ change }: ProposalRecord): AuthorityChange {
  const decoded = decodeAuthorityChange(change)
  assert(decoded.ok, 'the state holds changes that can be read')
  return decoded.value
}

export function propose(
  change: AuthorityChange,
  expires: number,
  rules: AuthorityRules,
  context: OperationContext,
): Fault | null {
  const { sender, state, height } = context
  const { set } = readEpoch(state)
  const fault = proposerFault(set, rules, context) ?? changeFault(change, set, rules, context)
  if (fault !== null) return fault
  if (expires <= height) {
    return { code: 'PROPOSAL_EXPIRY', message: `votes until height ${expires}; this is ${height} already` }
  }
  if (change.kind === 'activate' && change.height <= expires) {
    const message = `an activation at ${change.height}; expected above the last height of votes, ${expires}`
    return { code: 'PROPOSAL_EXPIRY', message }
  }
  const id = authorityProposalId(sender, change, expires)
  put(context, { id, change, expires, approvedAt: 0, isOwn: false })
  return count(state, id, [sender], set, height)
}

export function vote(id: Hash, { sender, state, height }: OperationContext): Fault | null {
  const { set } = readEpoch(state)
  if (memberOf(set, sender) === undefined) return notAuthority(sender)
  const proposal = readProposals(state).find((each) => equalBytes(each.id, id))
  if (proposal === undefined) {
    const message = `no proposal ${bytesToHex(id)} is open; it may be decided, expired or replaced`
    return { code: 'PROPOSAL_UNKNOWN', message }
  }
  if (proposal.approvedAt > 0) {
    const message = `proposal ${bytesToHex(id)} was approved at height ${proposal.approvedAt}`
    return { code: 'PROPOSAL_DECIDED', message }
  }
  const voters = readVotes(state, id)
  if (voters.some((voter) => equalBytes(voter, sender))) {
    return { code: 'VOTE_EXISTS', message: `${bytesToHex(sender)} voted for it already` }
  }
  return count(state, id, [...voters, sender], set, height)
}

/** The sender's own key; the transaction is its consent. */
export function rotateKey(
  newKey: Uint8Array,
  possession: Uint8Array,
  rules: AuthorityRules,
  context: OperationContext,
): Fault | null {
  const { sender, state, height, nonce, genesis, verify } = context
  const { set } = readEpoch(state)
  const fault = ownRotationFault(set, rules, context) ?? newKeyFault(newKey, set, rules, state)
  if (fault !== null) return fault
  if (!verify(newKey, keyRotationSignBytes(genesis, sender, newKey, nonce), possession)) {
    const message = `the new key ${bytesToHex(newKey)} did not sign for this chain, key and nonce ${nonce}`
    return { code: 'POSSESSION_INVALID', message }
  }
  const change: AuthorityChange = { kind: 'changeKey', key: sender, newKey }
  const expires = height + rules.epochBlocksMax
  const id = authorityProposalId(sender, change, expires)
  put(context, { id, change, expires, approvedAt: height, isOwn: true })
  changeAuthority(state, newKey, { heartbeatAt: height })
  return null
}

/** Whether a key is about to enter the set by a proposal. */
export function isProposed(state: StateReader, key: Uint8Array): boolean {
  return readProposals(state).some((proposal) => {
    const newcomer = newcomerOf(changeOf(proposal))
    return newcomer !== null && equalBytes(newcomer, key)
  })
}

/** The key that a change brings into the set; null when it brings none. */
export function newcomerOf(change: AuthorityChange): Uint8Array | null {
  if (change.kind === 'add') return change.key
  return change.kind === 'changeKey' ? change.newKey : null
}

/** V3. To be called at the end of each block. */
export function dropExpired(state: StateWriter, height: number): void {
  const proposals = readProposals(state)
  const isOver = ({ approvedAt, expires }: ProposalRecord): boolean => approvedAt === 0 && expires <= height
  if (proposals.some(isOver)) dropProposals(state, proposals.filter(isOver))
}

export function dropProposals(state: StateWriter, dropped: readonly ProposalRecord[]): void {
  const isDropped = (proposal: ProposalRecord): boolean =>
    dropped.some(({ id }) => equalBytes(id, proposal.id))
  for (const { id } of dropped) deleteVotes(state, id)
  writeProposals(
    state,
    readProposals(state).filter((each) => !isDropped(each)),
  )
}

/** The set is a new one: open proposals of those who left go, and the votes of those who stayed are counted again. */
export function recount(state: StateWriter, set: AuthoritySet, height: number): void {
  const open = readProposals(state).filter(({ approvedAt }) => approvedAt === 0)
  const orphans = open.filter(({ proposer }) => memberOf(set, proposer) === undefined)
  if (orphans.length > 0) dropProposals(state, orphans)
  for (const { id } of open.filter((proposal) => !orphans.includes(proposal))) {
    const present = readVotes(state, id).filter((voter) => memberOf(set, voter) !== undefined)
    count(state, id, present, set, height)
  }
}

/** In the order in which they take effect, which the order of votes has no part in. */
export function approvedProposals(state: StateReader): readonly ProposalRecord[] {
  return readProposals(state)
    .filter(({ approvedAt }) => approvedAt > 0)
    .sort((a, b) => a.proposedAt - b.proposedAt || compareBytes(a.id, b.id))
}

/** The version of a block at `height`. */
export function versionAt({ version, nextVersion, nextHeight }: ProtocolRecord, height: number): number {
  return nextVersion > 0 && height >= nextHeight ? nextVersion : version
}

/** V1. */
function count(
  state: StateWriter,
  id: Hash,
  voters: readonly Uint8Array[],
  set: AuthoritySet,
  height: number,
): null {
  writeVotes(state, id, voters)
  if (weightOf(voters, set) < quorumWeight(set)) return null
  const proposals = readProposals(state)
  const proposal = proposals.find((each) => equalBytes(each.id, id))!
  const change = changeOf(proposal)
  if (change.kind === 'activate') {
    activate(state, change.version, change.height, height)
    dropProposals(state, [proposal])
    return null
  }
  deleteVotes(state, id)
  writeProposals(
    state,
    proposals.map((each) => (each === proposal ? { ...each, approvedAt: height } : each)),
  )
  return null
}

export function weightOf(voters: readonly Uint8Array[], set: AuthoritySet): number {
  return voters.reduce((sum, voter) => sum + (memberOf(set, voter)?.weight ?? 0), 0)
}

/** One that was voted meanwhile may have taken its place; then nothing happens. */
function activate(state: StateWriter, version: number, activationHeight: number, height: number): void {
  const present = versionAt(readProtocol(state), height)
  if (version !== present + 1) return
  writeProtocol(state, { version: present, nextVersion: version, nextHeight: activationHeight })
}

/** V2. */
function put(
  { sender, state, height }: OperationContext,
  fields: Pick<ProposalRecord, 'id' | 'expires' | 'approvedAt' | 'isOwn'> & {
    readonly change: AuthorityChange
  },
): void {
  const before = readProposals(state).filter(
    ({ proposer, isOwn, approvedAt }) =>
      isOwn === fields.isOwn && (isOwn || approvedAt === 0) && equalBytes(proposer, sender),
  )
  if (before.length > 0) dropProposals(state, before)
  const proposal: ProposalRecord = {
    ...fields,
    change: encodeAuthorityChange(fields.change),
    proposer: sender,
    proposedAt: height,
  }
  writeProposals(state, [...readProposals(state), proposal])
  changeAuthority(state, sender, { proposedAt: height })
}

function proposerFault(set: AuthoritySet, rules: AuthorityRules, context: OperationContext): Fault | null {
  const { sender, state } = context
  const isWaiting = readProposals(state).some(
    ({ proposer, isOwn, approvedAt }) => !isOwn && approvedAt > 0 && equalBytes(proposer, sender),
  )
  if (!isWaiting) return ownRotationFault(set, rules, context)
  const message = `an approved proposal of ${bytesToHex(sender)} waits for the end of the epoch`
  return { code: 'PROPOSAL_TOO_SOON', message }
}

function ownRotationFault(
  set: AuthoritySet,
  rules: AuthorityRules,
  { sender, state, height }: OperationContext,
): Fault | null {
  if (memberOf(set, sender) === undefined) return notAuthority(sender)
  const { proposedAt } = readAuthority(state, sender)
  const next = proposedAt + rules.epochBlocksMin
  if (proposedAt > 0 && height < next) {
    const message = `the last proposal of ${bytesToHex(sender)} was at height ${proposedAt}; the next may be at ${next}`
    return { code: 'PROPOSAL_TOO_SOON', message }
  }
  if (readProposals(state).length < PROPOSALS_MAX) return null
  return { code: 'PROPOSALS_FULL', message: `${PROPOSALS_MAX} proposals wait, the most allowed` }
}

function changeFault(
  change: AuthorityChange,
  set: AuthoritySet,
  rules: AuthorityRules,
  { state, height }: OperationContext,
): Fault | null {
  if (change.kind === 'activate') return versionFault(change.version, state, height)
  if (rules.rotation === ROTATION_STAKE) {
    return { code: 'CHANGE_NOT_ALLOWED', message: 'the authorities of this chain are chosen by stake alone' }
  }
  if (change.kind === 'add') return newKeyFault(change.key, set, rules, state)
  const isMember = memberOf(set, change.key) !== undefined
  if (!isMember) return impossible(`${bytesToHex(change.key)} is not an authority`)
  if (change.kind === 'changeKey') return newKeyFault(change.newKey, set, rules, state)
  if (change.kind === 'remove' && set.length === 1) return impossible('it is the last authority')
  return null
}

function versionFault(version: number, state: StateReader, height: number): Fault | null {
  const next = versionAt(readProtocol(state), height) + 1
  return version === next ? null : impossible(`version ${version}; the next one is ${next}`)
}

function newKeyFault(
  key: Uint8Array,
  set: AuthoritySet,
  rules: AuthorityRules,
  state: StateReader,
): Fault | null {
  if (memberOf(set, key) !== undefined) return impossible(`${bytesToHex(key)} is an authority already`)
  const checked = checkKey(key)
  if (!checked.ok) return checked.fault
  if (!isBarred(state, key, rules)) return null
  return { code: 'KEY_BARRED', message: `${bytesToHex(key)} signed twice once; it needs another key` }
}

/** Who signed twice never comes back with that key, unless genesis leaves double signatures without consequence. */
export function isBarred(state: StateReader, key: Uint8Array, rules: AuthorityRules): boolean {
  return isRemoving(rules) && readAuthority(state, key).offendedAt > 0
}

/** P22 */
function checkKey(key: Uint8Array): Result<void> {
  if (isAcceptableKey(key)) return ok(undefined)
  const message = `${bytesToHex(key)} is no acceptable Ed25519 key: not canonical, not on the curve or of small order`
  return fail('KEY_UNACCEPTABLE', message)
}

export function notAuthority(sender: Uint8Array): Fault {
  return { code: 'NOT_AUTHORITY', message: `${bytesToHex(sender)} is not an authority of this epoch` }
}

function impossible(message: string): Fault {
  return { code: 'CHANGE_IMPOSSIBLE', message }
}
