/**
 * R1: the only place where the consensus key signs. What it has signed is held per view; what R1 forbids is not signed,
 * whatever the caller believes.
 * @module
 */
import { FINALIZE, NOTARIZE, NULLIFY, unreachable, voteSignBytes } from '@althing/base'
import type { Epoch, Hash, Vote, VoteKind, VoteSigner } from '@althing/base'

/** At most one of each kind in a view. */
export interface OwnVotes {
  readonly notarize?: Vote
  readonly nullify?: Vote
  readonly finalize?: Vote
}

/** What the guard asks of the state before it signs. */
export interface VoteContext {
  readonly view: number
  /** Whether a notarization of this block in this view is held and the block is connected; asked for F only. */
  readonly notarizedAndConnected: (hash: Hash) => boolean
}

export class SigningGuard {
  readonly #signer: VoteSigner
  readonly #epoch: Epoch
  readonly #index: number
  readonly #votesByView = new Map<number, OwnVotes>()
  #lockedBecause: string | null = null

  /** @param index of the signer's key in the epoch's set. */
  constructor(signer: VoteSigner, epoch: Epoch, index: number) {
    this.#signer = signer
    this.#epoch = epoch
    this.#index = index
  }

  /** Why nothing is signed any more (R7 halt, R12 marker); null when votes are signed. */
  get lockedBecause(): string | null {
    return this.#lockedBecause
  }

  /** Why votes wait: its signer, outside this process, is out of reach; null when it is not. */
  get waitsBecause(): string | null {
    return this.#signer.unavailableBecause ?? null
  }

  /** From now on nothing is signed. There is no way back while the process lives. */
  lock(reason: string): void {
    this.#lockedBecause ??= reason
  }

  /** Own votes of a view, in the order in which R1 allows them. */
  votesOf(view: number): OwnVotes {
    return this.#votesByView.get(view) ?? {}
  }

  /** The newest own finalize votes above `floor`, at most `count` (R9). */
  finalizesAbove(floor: number, count: number): Vote[] {
    const votes: Vote[] = []
    for (const [view, own] of this.#votesByView) if (view > floor && own.finalize) votes.push(own.finalize)
    return votes.sort((a, b) => b.view - a.view).slice(0, count)
  }

  /** Takes back a vote that the log gave. The first of a kind stays: a log has one. */
  restore(vote: Vote): void {
    const own = this.votesOf(vote.view)
    if (own[NAME_BY_KIND[vote.kind as VoteKind]] === undefined) this.#hold(vote, own)
  }

  /** R1. @returns null when the rule forbids the vote, or the signer does not give it; it is asked again then. */
  sign(kind: VoteKind, view: number, hash: Hash, context: VoteContext): Vote | null {
    if (this.#lockedBecause !== null || view !== context.view) return null
    const own = this.votesOf(view)
    if (!isAllowed(kind, own)) return null
    if (kind === FINALIZE && !context.notarizedAndConnected(hash)) return null
    const { epoch, anchor } = this.#epoch
    const signature = this.#signer.sign(voteSignBytes(kind, anchor, epoch, view, hash))
    if (signature === null) return null
    const vote: Vote = { kind, epoch, anchor, view, hash, signer: this.#index, signature }
    this.#hold(vote, own)
    return vote
  }

  /** Votes at or below the floor can never be asked for again. */
  forgetUpTo(floor: number): void {
    for (const view of this.#votesByView.keys()) if (view <= floor) this.#votesByView.delete(view)
  }

  #hold(vote: Vote, own: OwnVotes): void {
    const name = NAME_BY_KIND[vote.kind as VoteKind]
    this.#votesByView.set(vote.view, { ...own, [name]: vote })
  }
}

const NAME_BY_KIND = { [NOTARIZE]: 'notarize', [NULLIFY]: 'nullify', [FINALIZE]: 'finalize' } as const

/** The table of R1: which own votes of the view exclude which. */
function isAllowed(kind: VoteKind, own: OwnVotes): boolean {
  switch (kind) {
    case NOTARIZE:
      return !own.notarize && !own.nullify
    case NULLIFY:
      return !own.nullify && !own.finalize
    case FINALIZE:
      return !own.finalize && !own.nullify
    default:
      return unreachable(kind)
  }
}
