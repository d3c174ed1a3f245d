/**
 * All that the state says about authorities, for nodes, the API and people. Pure.
 * @module
 */
import { bytesToHex, isZeroHash, quorumWeight } from '@althing/base'
import type {
  AuthorityChange,
  AuthorityRecord,
  AuthorityRules,
  AuthoritySet,
  Bond,
  Hash,
  Unbonding,
} from '@althing/base'
import type { StateReader } from '../pending.ts'
import { changeOf, newcomerOf, weightOf } from './proposals.ts'
import {
  memberOf,
  readAuthority,
  readBonds,
  readEpoch,
  readProposals,
  readProtocol,
  readRules,
  readUnbondings,
  readVotes,
} from './records.ts'

/** Of the epoch that the next block is of. */
export interface AuthorityState {
  readonly epoch: number
  readonly firstHeight: number
  /** Hash of the block that the epoch starts on; null until the first block of the epoch is in the state. */
  readonly anchor: Hash | null
  readonly set: AuthoritySet
  readonly quorumWeight: number
  readonly rules: AuthorityRules
  /** In the order of the set. */
  readonly members: readonly AuthorityMember[]
  readonly proposals: readonly OpenProposal[]
  /** Keys that may enter the set: by a proposal, a change of key, or a bond. */
  readonly candidates: readonly Candidate[]
  readonly bonds: readonly Bond[]
  readonly unbondings: readonly Unbonding[]
  readonly boundary: NextBoundary
  readonly protocol: Protocol
}

export interface AuthorityMember {
  readonly key: Uint8Array
  readonly weight: number
  /** Turns missed since it entered the set, with the keys it had before. */
  readonly missedTotal: number
  /** Heights of the blocks after its last missed turns, ascending; at most 64. */
  readonly misses: readonly number[]
  readonly bond: bigint
  readonly rejoin: Rejoin | null
  readonly offence: Offence | null
}

/** R12: final in `epoch`, so the key may sign again from `epoch + 1` on. */
export interface Rejoin {
  readonly nonce: Uint8Array
  readonly epoch: number
  readonly height: number
}

/** The first double signature that was proved. */
export interface Offence {
  readonly epoch: number
  readonly view: number
  /** Of the block with the proof. */
  readonly height: number
}

export interface OpenProposal {
  readonly id: Hash
  readonly proposer: Uint8Array
  readonly change: AuthorityChange
  readonly proposedAt: number
  /** The last height at which votes count. */
  readonly expires: number
  /** Null while it is voted on; then it waits for the end of an epoch. */
  readonly approvedAt: number | null
  /** A change of the proposer's own key: nobody votes. */
  readonly isOwn: boolean
  readonly voters: readonly Uint8Array[]
  /** Of the voters in the present set. */
  readonly weight: number
}

export interface Candidate {
  readonly key: Uint8Array
  /** Of its last heartbeat; null when there was none. */
  readonly heartbeatAt: number | null
  /** From this height on the heartbeat is too old to enter. */
  readonly staleAt: number | null
}

export interface NextBoundary {
  /** The first block that may end the epoch. */
  readonly earliest: number
  /** The block that ends it at the latest. */
  readonly latest: number
  readonly rejoinPending: boolean
  readonly removalPending: boolean
}

export interface Protocol {
  readonly version: number
  readonly next: { readonly version: number; readonly height: number } | null
}

export function authorityState(state: StateReader): AuthorityState {
  const { epoch, firstHeight, anchor, set, rejoinPending, removalPending } = readEpoch(state)
  const rules = readRules(state)
  const bonds = readBonds(state)
  const { version, nextVersion, nextHeight } = readProtocol(state)
  return {
    epoch,
    firstHeight,
    anchor: isZeroHash(anchor) ? null : anchor,
    set,
    quorumWeight: quorumWeight(set),
    rules,
    members: set.map(({ key, weight }) => memberView(state, key, weight, bonds)),
    proposals: proposalViews(state, set),
    candidates: candidateViews(state, set, rules, bonds),
    bonds,
    unbondings: readUnbondings(state),
    boundary: {
      earliest: firstHeight + rules.epochBlocksMin - 1,
      latest: firstHeight + rules.epochBlocksMax - 1,
      rejoinPending,
      removalPending,
    },
    protocol: { version, next: nextVersion === 0 ? null : { version: nextVersion, height: nextHeight } },
  }
}

function memberView(
  state: StateReader,
  key: Uint8Array,
  weight: number,
  bonds: readonly Bond[],
): AuthorityMember {
  const record = readAuthority(state, key)
  const hex = bytesToHex(key)
  return {
    key,
    weight,
    missedTotal: record.missedTotal,
    misses: record.misses,
    bond: bonds.find((bond) => bytesToHex(bond.key) === hex)?.amount ?? 0n,
    rejoin: rejoinOf(record),
    offence: offenceOf(record),
  }
}

function rejoinOf({ rejoinedAt, rejoinEpoch, rejoinNonce }: AuthorityRecord): Rejoin | null {
  return rejoinedAt === 0 ? null : { nonce: rejoinNonce, epoch: rejoinEpoch, height: rejoinedAt }
}

function offenceOf({ offendedAt, offenceEpoch, offenceView }: AuthorityRecord): Offence | null {
  return offendedAt === 0 ? null : { epoch: offenceEpoch, view: offenceView, height: offendedAt }
}

function proposalViews(state: StateReader, set: AuthoritySet): OpenProposal[] {
  return readProposals(state).map((proposal) => {
    const { id, proposer, proposedAt, expires, approvedAt, isOwn } = proposal
    const voters = readVotes(state, id)
    return {
      id,
      proposer,
      change: changeOf(proposal),
      proposedAt,
      expires,
      approvedAt: approvedAt === 0 ? null : approvedAt,
      isOwn,
      voters,
      weight: weightOf(voters, set),
    }
  })
}

function candidateViews(
  state: StateReader,
  set: AuthoritySet,
  rules: AuthorityRules,
  bonds: readonly Bond[],
): Candidate[] {
  const proposed = readProposals(state).flatMap((proposal) => newcomerOf(changeOf(proposal)) ?? [])
  const bonded = bonds.filter(({ amount }) => amount >= rules.bondMin).map(({ key }) => key)
  const keyByHex = new Map([...proposed, ...bonded].map((key) => [bytesToHex(key), key]))
  return [...keyByHex.values()]
    .filter((key) => memberOf(set, key) === undefined)
    .map((key) => {
      const { heartbeatAt } = readAuthority(state, key)
      const isHeard = heartbeatAt > 0
      return {
        key,
        heartbeatAt: isHeard ? heartbeatAt : null,
        staleAt: isHeard ? heartbeatAt + rules.heartbeatBlocks : null,
      }
    })
}
