/**
 * Proof that one authority signed twice in one view (consensus rules, Evidence): two votes that no honest authority
 * makes both, N/N or F/F with different hashes, or U with F. N and then U is legal, and so is F for another block than N.
 * Whoever knows the epoch's authority set can check it; nobody needs to be trusted.
 * @module
 */
import { ContainerType } from '@chainsafe/ssz'
import type { ValueOf } from '@chainsafe/ssz'
import { compareBytes, equalBytes } from '../bytes.ts'
import type { Verify } from '../ed25519.ts'
import { isZeroHash } from '../hash.ts'
import { fail, ok } from '../result.ts'
import type { Result } from '../result.ts'
import { isVoteKind, NOTARIZE, NULLIFY, Vote, voteSignBytes } from './consensus.ts'
import type { Epoch } from './consensus.ts'

export const Evidence = new ContainerType({ first: Vote, second: Vote }, { typeName: 'Evidence' })
export type Evidence = ValueOf<typeof Evidence>
/** Of an evidence file or message. */
export const EVIDENCE_BYTES_MAX = Evidence.maxSize

/** The two votes in their one order, by kind and then hash, so that the same proof is the same bytes for everybody. */
export function makeEvidence(a: Vote, b: Vote): Evidence {
  const order = a.kind - b.kind || compareBytes(a.hash, b.hash)
  return order <= 0 ? { first: a, second: b } : { first: b, second: a }
}

/** Whether no honest authority makes both votes; signatures are not looked at. */
export function isContradiction(a: Vote, b: Vote): boolean {
  if (a.signer !== b.signer || a.view !== b.view || a.epoch !== b.epoch || !equalBytes(a.anchor, b.anchor))
    return false
  if (a.kind === b.kind) return a.kind !== NULLIFY && !equalBytes(a.hash, b.hash)
  return a.kind !== NOTARIZE && b.kind !== NOTARIZE
}

/** What a vote is, before its signature is looked at. Faults: `VOTE_KIND`, `VOTE_EPOCH`, `VOTE_SIGNER`, `VOTE_HASH`. */
export function checkVoteForm(vote: Vote, { epoch, anchor, set }: Epoch): Result<Vote> {
  if (!isVoteKind(vote.kind)) return fail('VOTE_KIND', `a vote of kind ${vote.kind}; known: 0, 1, 2`)
  if (vote.epoch !== epoch || !equalBytes(vote.anchor, anchor))
    return fail('VOTE_EPOCH', `a vote of epoch ${vote.epoch} on another anchor than that of epoch ${epoch}`)
  if (vote.signer >= set.length)
    return fail('VOTE_SIGNER', `a vote of authority ${vote.signer}; there are ${set.length}`)
  if ((vote.kind === NULLIFY) !== isZeroHash(vote.hash))
    return fail('VOTE_HASH', 'a vote whose hash does not fit its kind')
  return ok(vote)
}

/** Faults: those of `checkVoteForm` and `VOTE_SIGNATURE`. */
export function verifyVote(vote: Vote, epoch: Epoch, verify: Verify): Result<Vote> {
  const checked = checkVoteForm(vote, epoch)
  if (!checked.ok || !isVoteKind(vote.kind)) return checked
  const signed = voteSignBytes(vote.kind, vote.anchor, vote.epoch, vote.view, vote.hash)
  if (verify(epoch.set[vote.signer]!.key, signed, vote.signature)) return checked
  return fail('VOTE_SIGNATURE', `a vote that authority ${vote.signer} did not sign`)
}

/**
 * @returns the index of the authority that is guilty.
 * Faults: `EVIDENCE_LEGAL`, and those of `verifyVote`.
 */
export function verifyEvidence({ first, second }: Evidence, epoch: Epoch, verify: Verify): Result<number> {
  if (!isContradiction(first, second))
    return fail('EVIDENCE_LEGAL', 'an honest authority may sign both votes: they prove nothing')
  for (const vote of [first, second]) {
    const verified = verifyVote(vote, epoch, verify)
    if (!verified.ok) return verified
  }
  return ok(first.signer)
}
