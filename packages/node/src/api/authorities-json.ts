/**
 * Who the authorities are, as JSON.
 * @module
 */
import { bytesToHex, Evidence } from '@althing/base'
import type { AuthorityChange } from '@althing/base'
import type { AuthoritiesJson, EvidenceListJson, ProposalJson } from '@althing/client'
import type { AuthorityState } from '@althing/ledger'

export function authoritiesJson(state: AuthorityState, height: number): AuthoritiesJson {
  const { boundary, protocol } = state
  return {
    height,
    epoch: state.epoch,
    first_height: state.firstHeight,
    anchor: state.anchor && bytesToHex(state.anchor),
    quorum_weight: state.quorumWeight,
    authorities: state.members.map(({ key, weight, missedTotal, misses, bond, rejoin, offence }, index) => ({
      index,
      public_key: bytesToHex(key),
      weight,
      missed_total: missedTotal,
      misses,
      bond: bond.toString(),
      rejoin: rejoin && { epoch: rejoin.epoch, height: rejoin.height },
      offence,
    })),
    proposals: state.proposals.map(
      ({ id, proposer, change, proposedAt, expires, approvedAt, voters, weight }) => ({
        id: bytesToHex(id),
        proposer: bytesToHex(proposer),
        change: changeJson(change),
        proposed_at: proposedAt,
        expires,
        approved_at: approvedAt,
        voters: voters.map(bytesToHex),
        weight,
      }),
    ),
    candidates: state.candidates.map(({ key, heartbeatAt, staleAt }) => ({
      public_key: bytesToHex(key),
      heartbeat_at: heartbeatAt,
      stale_at: staleAt,
    })),
    bonds: state.bonds.map(({ key, amount }) => ({ public_key: bytesToHex(key), amount: amount.toString() })),
    unbondings: state.unbondings.map(({ key, amount, epoch }) => ({
      public_key: bytesToHex(key),
      amount: amount.toString(),
      epoch,
    })),
    next_boundary: {
      earliest: boundary.earliest,
      latest: boundary.latest,
      rejoin_pending: boundary.rejoinPending,
      removal_pending: boundary.removalPending,
    },
    protocol,
  }
}

function changeJson(change: AuthorityChange): ProposalJson['change'] {
  switch (change.kind) {
    case 'activate':
      return change
    case 'changeKey':
      return {
        kind: change.kind,
        public_key: bytesToHex(change.key),
        new_key: bytesToHex(change.newKey),
      }
    case 'remove':
      return { kind: change.kind, public_key: bytesToHex(change.key) }
    default:
      return { kind: change.kind, public_key: bytesToHex(change.key), weight: change.weight }
  }
}

export function evidenceJson(known: readonly Evidence[]): EvidenceListJson {
  return {
    evidence: known.map((one) => ({
      epoch: one.first.epoch,
      view: one.first.view,
      authority: one.first.signer,
      proof: Buffer.from(Evidence.serialize(one)).toString('base64'),
    })),
  }
}
