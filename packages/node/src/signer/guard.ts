/**
 * What keeps a signer from signing twice, whatever it is asked, by however many nodes (PC-3). Pure.
 * It knows the highest view in which it signed, and what; a vote of an earlier one is refused, and in that view the
 * table of R1 holds. Asked again for a vote that it gave, it gives it again: an Ed25519 signature is the same each time.
 * @module
 */
import { equalBytes, fail, FINALIZE, hashToHex, NOTARIZE, NULLIFY, ok, ZERO_HASH } from '@althing/base'
import type { Hash, Result, VoteKind, VoteMessage } from '@althing/base'

/** The last position in which votes were signed. */
export interface GuardState {
  /** Which chain: hash of its genesis block. */
  readonly genesis: Hash
  readonly key: Uint8Array
  /** 0, 0 before the first vote; views start at 1. */
  readonly epoch: number
  readonly view: number
  /** Of the epoch; zero before the first vote. */
  readonly anchor: Hash
  /** Of the kinds of votes that were signed in that view, one bit each: 1 << kind. */
  readonly signed: number
  /** Zero when there is no such vote. */
  readonly notarized: Hash
  readonly finalized: Hash
}

export function newGuardState(genesis: Hash, key: Uint8Array): GuardState {
  const zero = { anchor: ZERO_HASH, notarized: ZERO_HASH, finalized: ZERO_HASH }
  return { genesis, key, epoch: 0, view: 0, signed: 0, ...zero }
}

/** Which votes of a view exclude a vote of a kind (R1). */
const EXCLUDED_BY: Readonly<Record<VoteKind, number>> = {
  [NOTARIZE]: bit(NOTARIZE) | bit(NULLIFY),
  [NULLIFY]: bit(NULLIFY) | bit(FINALIZE),
  [FINALIZE]: bit(FINALIZE) | bit(NULLIFY),
}

/**
 * @returns what must be durable before the vote is signed; the same object when it was signed before.
 * Faults: `VOTE_OTHER_CHAIN`, `VOTE_TOO_OLD`, `VOTE_TWICE`.
 */
export function judgeVote(state: GuardState, vote: VoteMessage): Result<GuardState> {
  const { epoch, view, kind, hash, anchor } = vote
  const isSameEpoch = epoch === state.epoch && state.view > 0
  const isForeign = epoch === 0 && !equalBytes(anchor, state.genesis)
  if (isForeign || (isSameEpoch && !equalBytes(anchor, state.anchor)))
    return fail('VOTE_OTHER_CHAIN', `a vote of epoch ${epoch} on another anchor than that of this chain`)
  if (epoch < state.epoch || (isSameEpoch && view < state.view)) {
    return fail(
      'VOTE_TOO_OLD',
      `a vote of epoch ${epoch}, view ${view}; this key has signed in epoch ${state.epoch}, view ${state.view}`,
    )
  }
  if (!isSameEpoch || view > state.view) {
    const fresh = newGuardState(state.genesis, state.key)
    return ok(withVote({ ...fresh, epoch, view, anchor }, kind, hash))
  }
  if ((state.signed & bit(kind)) !== 0 && equalBytes(hashOfKind(state, kind), hash)) return ok(state)
  if ((state.signed & EXCLUDED_BY[kind]) !== 0) {
    const text = `${NAME_BY_KIND[kind]} ${hashToHex(hash)}`
    return fail('VOTE_TWICE', `${text} in view ${view} contradicts what this key signed there`)
  }
  return ok(withVote(state, kind, hash))
}

const NAME_BY_KIND: Readonly<Record<VoteKind, string>> = {
  [NOTARIZE]: 'notarize',
  [NULLIFY]: 'nullify',
  [FINALIZE]: 'finalize',
}

function withVote(state: GuardState, kind: VoteKind, hash: Hash): GuardState {
  return {
    ...state,
    signed: state.signed | bit(kind),
    ...(kind === NOTARIZE && { notarized: hash }),
    ...(kind === FINALIZE && { finalized: hash }),
  }
}

function hashOfKind(state: GuardState, kind: VoteKind): Hash {
  if (kind === NULLIFY) return ZERO_HASH
  return kind === NOTARIZE ? state.notarized : state.finalized
}

function bit(kind: VoteKind): number {
  return 1 << kind
}
