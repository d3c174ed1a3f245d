/**
 * Reading and writing what the state holds about authorities. Pure.
 * @module
 */
import {
  assert,
  AuthorityRecord,
  AuthorityRules,
  authorityKey,
  authorityRulesKey,
  BLOCK_VERSION,
  BondList,
  bondsKey,
  currentEpochKey,
  EpochRecord,
  equalBytes,
  pastEpochKey,
  ProposalList,
  proposalsKey,
  ProposalVotes,
  proposalVotesKey,
  protocolKey,
  ProtocolRecord,
  UnbondingList,
  unbondingsKey,
  ZERO_HASH,
} from '@althing/base'
import type { Authority, AuthoritySet, Bond, Hash, ProposalRecord, Unbonding } from '@althing/base'
import type { StateReader, StateWriter } from '../pending.ts'

interface Codec<T> {
  serialize(value: T): Uint8Array
  deserialize(bytes: Uint8Array): T
}

/** What the state holds was written by this module, so it can be read. */
function read<T>(state: StateReader, key: Uint8Array, codec: Codec<T>): T | null {
  const bytes = state.get(key)
  return bytes === null ? null : codec.deserialize(bytes)
}

export function readRules(state: StateReader): AuthorityRules {
  const rules = read(state, authorityRulesKey, AuthorityRules)
  assert(rules !== null, 'every state holds the rules that genesis wrote')
  return rules
}

export function readEpoch(state: StateReader): EpochRecord {
  const record = read(state, currentEpochKey, EpochRecord)
  assert(record !== null, 'every state holds the epoch that genesis began')
  return record
}

export function writeEpoch(state: StateWriter, record: EpochRecord): void {
  state.put(currentEpochKey, EpochRecord.serialize(record))
}

/** The present epoch or one that is still remembered; null for others. */
export function findEpoch(state: StateReader, epoch: number): EpochRecord | null {
  const current = readEpoch(state)
  return current.epoch === epoch ? current : read(state, pastEpochKey(epoch), EpochRecord)
}

const NEW_RECORD: AuthorityRecord = {
  heartbeatAt: 0,
  proposedAt: 0,
  rejoinedAt: 0,
  rejoinEpoch: 0,
  rejoinNonce: ZERO_HASH,
  missedTotal: 0,
  misses: [],
  offendedAt: 0,
  offenceEpoch: 0,
  offenceView: 0,
  successor: ZERO_HASH,
}

/** A key that nothing is known of has an empty record. */
export function readAuthority(state: StateReader, key: Uint8Array): AuthorityRecord {
  return read(state, authorityKey(key), AuthorityRecord) ?? NEW_RECORD
}

export function changeAuthority(state: StateWriter, key: Uint8Array, change: Partial<AuthorityRecord>): void {
  const record = { ...readAuthority(state, key), ...change }
  state.put(authorityKey(key), AuthorityRecord.serialize(record))
}

export function readProposals(state: StateReader): readonly ProposalRecord[] {
  return read(state, proposalsKey, ProposalList) ?? []
}

export function writeProposals(state: StateWriter, proposals: readonly ProposalRecord[]): void {
  if (proposals.length === 0) state.delete(proposalsKey)
  else state.put(proposalsKey, ProposalList.serialize([...proposals]))
}

export function readVotes(state: StateReader, proposal: Hash): readonly Uint8Array[] {
  return read(state, proposalVotesKey(proposal), ProposalVotes) ?? []
}

export function writeVotes(state: StateWriter, proposal: Hash, voters: readonly Uint8Array[]): void {
  state.put(proposalVotesKey(proposal), ProposalVotes.serialize([...voters]))
}

export function deleteVotes(state: StateWriter, proposal: Hash): void {
  state.delete(proposalVotesKey(proposal))
}

export function readProtocol(state: StateReader): ProtocolRecord {
  return read(state, protocolKey, ProtocolRecord) ?? { version: BLOCK_VERSION, nextVersion: 0, nextHeight: 0 }
}

export function writeProtocol(state: StateWriter, protocol: ProtocolRecord): void {
  state.put(protocolKey, ProtocolRecord.serialize(protocol))
}

export function readBonds(state: StateReader): readonly Bond[] {
  return read(state, bondsKey, BondList) ?? []
}

export function writeBonds(state: StateWriter, bonds: readonly Bond[]): void {
  if (bonds.length === 0) state.delete(bondsKey)
  else state.put(bondsKey, BondList.serialize([...bonds]))
}

export function readUnbondings(state: StateReader): readonly Unbonding[] {
  return read(state, unbondingsKey, UnbondingList) ?? []
}

export function writeUnbondings(state: StateWriter, unbondings: readonly Unbonding[]): void {
  if (unbondings.length === 0) state.delete(unbondingsKey)
  else state.put(unbondingsKey, UnbondingList.serialize([...unbondings]))
}

export function memberOf(set: AuthoritySet, key: Uint8Array): Authority | undefined {
  return set.find((member) => equalBytes(member.key, key))
}
