/**
 * What the state says about authorities: anybody who has a proof of `currentEpochKey` knows who they are.
 * Heights and epochs of things that have not happened are 0 where that cannot be one.
 * @module
 */
import { BooleanType, ContainerType, ListBasicType, ListCompositeType } from '@chainsafe/ssz'
import type { ValueOf } from '@chainsafe/ssz'
import { concatBytes, u64ToBytes } from '../bytes.ts'
import { AuthorityChangeRecord } from './authority-operations.ts'
import { MISSES_MAX } from './authority-rules.ts'
import { AUTHORITIES_MAX, AuthoritySet } from './block.ts'
import { STATE_AUTHORITY, STATE_CHAIN } from './state.ts'
import { Amount, Bytes32, Counter, U16 } from './types.ts'

const PAST_EPOCH = 0
const PROPOSAL_VOTES = 1
const AUTHORITY = 2

export const currentEpochKey: Uint8Array = Uint8Array.of(STATE_CHAIN, 1)
export const authorityRulesKey: Uint8Array = Uint8Array.of(STATE_CHAIN, 2)
export const proposalsKey: Uint8Array = Uint8Array.of(STATE_CHAIN, 3)
export const protocolKey: Uint8Array = Uint8Array.of(STATE_CHAIN, 4)
export const bondsKey: Uint8Array = Uint8Array.of(STATE_CHAIN, 5)
export const unbondingsKey: Uint8Array = Uint8Array.of(STATE_CHAIN, 6)

export function pastEpochKey(epoch: number): Uint8Array {
  return concatBytes(Uint8Array.of(STATE_AUTHORITY, PAST_EPOCH), u64ToBytes(epoch))
}

export function proposalVotesKey(proposal: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(STATE_AUTHORITY, PROPOSAL_VOTES), proposal)
}

export function authorityKey(key: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(STATE_AUTHORITY, AUTHORITY), key)
}

/** The epoch that the next block is of; also kept of past epochs, for evidence. */
export const EpochRecord = new ContainerType(
  {
    epoch: Counter,
    firstHeight: Counter,
    /** Hash of the block before the first one; zero until the first one is executed. */
    anchor: Bytes32,
    set: AuthoritySet,
    /** An authority waits for the next epoch (R12). */
    rejoinPending: new BooleanType(),
    /** An authority signed twice, and has to leave. */
    removalPending: new BooleanType(),
  },
  { typeName: 'EpochRecord' },
)
export type EpochRecord = ValueOf<typeof EpochRecord>

/** What is remembered of one key. */
export const AuthorityRecord = new ContainerType(
  {
    /** Height of its last heartbeat. */
    heartbeatAt: Counter,
    /** Height of its last proposal. */
    proposedAt: Counter,
    /** Height, epoch and nonce of its last rejoin (R12). */
    rejoinedAt: Counter,
    rejoinEpoch: Counter,
    rejoinNonce: Bytes32,
    /** Turns missed since it entered the set. */
    missedTotal: Counter,
    /** Heights of the blocks that came after its last missed turns, ascending. */
    misses: new ListBasicType(Counter, MISSES_MAX),
    /** Height, epoch and view of the first double signature that was proved. */
    offendedAt: Counter,
    offenceEpoch: Counter,
    offenceView: Counter,
    /** The key that took its place; zero when none did. */
    successor: Bytes32,
  },
  { typeName: 'AuthorityRecord' },
)
export type AuthorityRecord = ValueOf<typeof AuthorityRecord>

export const ProposalRecord = new ContainerType(
  {
    id: Bytes32,
    proposer: Bytes32,
    change: AuthorityChangeRecord,
    /** Height of the block that carried it. */
    proposedAt: Counter,
    /** The last height at which votes count. */
    expires: Counter,
    /** Height at which it had a quorum. */
    approvedAt: Counter,
    /** A change of the proposer's own key, which needs no votes. */
    isOwn: new BooleanType(),
  },
  { typeName: 'ProposalRecord' },
)
export type ProposalRecord = ValueOf<typeof ProposalRecord>

/** Each authority has at most one proposal and one change of its own key. */
export const PROPOSALS_MAX = 2 * AUTHORITIES_MAX
export const ProposalList = new ListCompositeType(ProposalRecord, PROPOSALS_MAX, { typeName: 'ProposalList' })

/** Keys of the authorities that voted for one proposal, in the order of their votes. */
export const ProposalVotes = new ListCompositeType(Bytes32, AUTHORITIES_MAX, { typeName: 'ProposalVotes' })

/** The version of blocks, and the one that follows. */
export const ProtocolRecord = new ContainerType(
  {
    version: U16,
    /** 0 when none is decided; else blocks from `nextHeight` on have it. */
    nextVersion: U16,
    nextHeight: Counter,
  },
  { typeName: 'ProtocolRecord' },
)
export type ProtocolRecord = ValueOf<typeof ProtocolRecord>

export const BONDS_MAX = 1_024
export const Bond = new ContainerType({ key: Bytes32, amount: Amount }, { typeName: 'Bond' })
export type Bond = ValueOf<typeof Bond>
/** In the order of their keys. */
export const BondList = new ListCompositeType(Bond, BONDS_MAX, { typeName: 'BondList' })

/** Money that was taken from a bond and is not free yet. */
export const Unbonding = new ContainerType(
  {
    key: Bytes32,
    amount: Amount,
    /** In which it was taken. */
    epoch: Counter,
  },
  { typeName: 'Unbonding' },
)
export type Unbonding = ValueOf<typeof Unbonding>
export const UNBONDINGS_MAX = 1_024
/** In the order in which they were begun. */
export const UnbondingList = new ListCompositeType(Unbonding, UNBONDINGS_MAX, { typeName: 'UnbondingList' })
