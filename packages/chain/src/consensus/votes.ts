/**
 * Votes of the views above the floor, and the certificates that they make. Pure.
 * I1  one vote per kind, signer and view is counted: the first that verified (R13)
 * I2  only verified votes come in; `check` says beforehand whether verifying is worth its price
 * @module
 */
import { equalBytes, isContradiction, makeCertificate, quorumWeight } from '@althing/base'
import type { Certificate, Epoch, Vote, VoteKind } from '@althing/base'

/** What the tally knows about a vote before its signature is looked at. */
export type VoteStanding = 'new' | 'held' | 'second'

interface ViewVotes {
  readonly bySigner: readonly [Map<number, Vote>, Map<number, Vote>, Map<number, Vote>]
  /** Signers whose fault in this view is on record. */
  readonly exposed: Set<number>
}

export class VoteTally {
  readonly #epoch: Epoch
  readonly #quorum: number
  readonly #byView = new Map<number, ViewVotes>()

  constructor(epoch: Epoch) {
    this.#epoch = epoch
    this.#quorum = quorumWeight(epoch.set)
  }

  /** `second`: another vote of this kind by this signer is held; this one would be evidence, and is not counted. */
  check(vote: Vote): VoteStanding {
    const votes = this.#byView.get(vote.view)
    const held = votes?.bySigner[vote.kind as VoteKind].get(vote.signer)
    if (held === undefined) return 'new'
    return equalBytes(held.hash, vote.hash) || votes!.exposed.has(vote.signer) ? 'held' : 'second'
  }

  /** Counts a verified vote. @returns the certificate that it completes, once per kind, view and hash. */
  count(vote: Vote): Certificate | null {
    const kind = vote.kind as VoteKind
    const votes = this.#at(vote.view)
    const bySigner = votes.bySigner[kind]
    if (bySigner.has(vote.signer)) return null
    bySigner.set(vote.signer, vote)
    const signatures = new Map<number, Uint8Array>()
    let weight = 0
    for (const [signer, other] of bySigner) {
      if (!equalBytes(other.hash, vote.hash)) continue
      weight += this.#weightOf(signer)
      signatures.set(signer, other.signature)
    }
    if (weight < this.#quorum || weight - this.#weightOf(vote.signer) >= this.#quorum) return null
    return makeCertificate(
      { kind, epoch: vote.epoch, view: vote.view, hash: vote.hash },
      this.#epoch.set.length,
      signatures,
    )
  }

  /**
   * Two same-view signatures of this verified vote's signer that no honest authority makes: N/N or F/F with different
   * hashes, U with F. Each signer is reported once per view.
   */
  evidence(vote: Vote): { first: Vote; second: Vote } | null {
    const votes = this.#at(vote.view)
    if (votes.exposed.has(vote.signer)) return null
    const first = contradicted(votes, vote)
    if (first === undefined) return null
    votes.exposed.add(vote.signer)
    return { first, second: vote }
  }

  /** Whether such a vote of this signer is held. */
  hasVoted(kind: VoteKind, view: number, signer: number): boolean {
    return this.#byView.get(view)?.bySigner[kind].has(signer) ?? false
  }

  forgetUpTo(floor: number): void {
    for (const view of this.#byView.keys()) if (view <= floor) this.#byView.delete(view)
  }

  #at(view: number): ViewVotes {
    let votes = this.#byView.get(view)
    if (votes === undefined) {
      votes = { bySigner: [new Map(), new Map(), new Map()], exposed: new Set() }
      this.#byView.set(view, votes)
    }
    return votes
  }

  #weightOf(signer: number): number {
    return this.#epoch.set[signer]!.weight
  }
}

function contradicted({ bySigner }: ViewVotes, vote: Vote): Vote | undefined {
  return bySigner
    .map((votes) => votes.get(vote.signer))
    .find((held) => held !== undefined && isContradiction(held, vote))
}
