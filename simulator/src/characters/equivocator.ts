import { FINALIZE, hashToHex, headerHash, NOTARIZE, NULLIFY, ZERO_HASH } from '@althing/base'
import type { Block, Hash, HashHex, Proposal, Signer, Vote, VoteKind } from '@althing/base'
import type { ConsensusMessage, HeaderDraft } from '@althing/chain'
import type { Prng } from '../prng.ts'
import { signAnyVote } from './character.ts'
import type { Addressed, Character, CharacterTools, Seat, Sent } from './character.ts'

/**
 * As leader it makes a second block and shows each host one of the two, both or none. Sometimes it is early and builds
 * beside the block that was just notarized, as if its view had come to nothing. Its votes come with others that
 * contradict them, or do not come.
 */
export class Equivocator implements Character {
  readonly #signer: Signer
  readonly #prng: Prng
  /** Keys name epoch and view. */
  readonly #forkByView = new Map<string, Proposal>()
  readonly #blockByHash = new Map<HashHex, Block>()
  readonly #sideByRecipient = new Map<string, number>()
  /** Whether it builds beside the block notarized in a view. */
  readonly #isEarlyByView = new Map<string, boolean>()
  /** Places in which two blocks were shown. */
  readonly forked: { readonly epoch: number; readonly view: number }[] = []

  constructor({ signer, prng }: CharacterTools) {
    this.#signer = signer
    this.#prng = prng
  }

  outgoing(seat: Seat, to: number, message: ConsensusMessage): readonly Sent[] {
    if (message.kind === 'proposal' && message.proposal.block.header.proposer === seat.index) {
      return this.#proposals(seat, to, message.proposal)
    }
    if (message.kind === 'vote' && message.vote.signer === seat.index) return this.#votes(seat, message.vote)
    return [{ message }]
  }

  /** Gives out its second blocks, so that hosts that saw only one can connect the other. */
  incoming(_seat: Seat, message: ConsensusMessage, hosts: number): readonly Addressed[] {
    const block = message.kind === 'getBlock' ? this.#blockByHash.get(hashToHex(message.hash)) : undefined
    return block === undefined ? [] : [{ to: this.#prng.below(hosts), message: { kind: 'block', block } }]
  }

  #proposals(seat: Seat, to: number, proposal: Proposal): readonly Sent[] {
    const first: Sent = { message: { kind: 'proposal', proposal } }
    const { epoch, view } = proposal
    const known = this.#forkByView.get(placeOf(proposal))
    const fork = known ?? this.#forkOf(seat, proposal)
    if (fork === null) return [first]
    if (known === undefined) this.forked.push({ epoch, view })
    const second: Sent = { message: { kind: 'proposal', proposal: fork } }
    const recipient = `${placeOf(proposal)} ${to}`
    let side = this.#sideByRecipient.get(recipient)
    // Now and then it contradicts itself to the same host: one that has just restarted must not be fooled.
    if (side === undefined || this.#prng.chance(0.4)) side = this.#prng.below(8)
    this.#sideByRecipient.set(recipient, side)
    if (side < 3) return [first]
    if (side < 6) return [second]
    return side === 6 ? [second, first] : []
  }

  /** Another block in the same place. */
  #forkOf(seat: Seat, proposal: Proposal): Proposal | null {
    const { header, transactions } = proposal.block
    if (header.view !== proposal.view || !seat.process.executor.knows(header.parent)) return null
    const draft = { ...header, timestamp: header.timestamp + 1 }
    return this.#propose(seat, draft, transactions.slice(1), proposal)
  }

  /** A block of the next view beside the block that was just notarized. */
  #staleProposal(seat: Seat, notarized: Vote): Proposal | null {
    const { executor } = seat.process
    const view = notarized.view + 1
    const known = this.#forkByView.get(placeOf({ epoch: notarized.epoch, view }))
    if (known !== undefined || !executor.knows(notarized.hash)) return known ?? null
    const header = executor.headerOf(notarized.hash)
    if (!executor.knows(header.parent)) return null
    const draft = { ...header, view, proposer: seat.index }
    const hints = { epoch: notarized.epoch, view, parentCertificate: [], nullCertificates: [] }
    return this.#propose(seat, draft, [], hints)
  }

  #votes(seat: Seat, vote: Vote): readonly Sent[] {
    // A finalize vote that it keeps to itself makes the block beside the notarized one more dangerous.
    const stale = this.#isEarly(seat, vote) ? this.#staleProposal(seat, vote) : null
    if (stale !== null) return [{ message: { kind: 'proposal', proposal: stale } }]
    if (this.#prng.chance(0.15)) return []
    const votes = [vote]
    if (this.#prng.chance(0.3)) votes.push(...this.#contradictions(seat, vote))
    return this.#prng.shuffled(votes).map((each): Sent => ({ message: { kind: 'vote', vote: each } }))
  }

  /** Drawn once per view in which it leads next. */
  #isEarly(seat: Seat, vote: Vote): boolean {
    if (vote.kind !== FINALIZE || seat.process.leaderOf(vote.view + 1) !== seat.index) return false
    const isEarly = this.#isEarlyByView.get(placeOf(vote)) ?? this.#prng.chance(0.5)
    this.#isEarlyByView.set(placeOf(vote), isEarly)
    return isEarly
  }

  #contradictions(seat: Seat, vote: Vote): Vote[] {
    const { view, hash, kind } = vote
    const sign = (other: VoteKind, of: Hash): Vote => signAnyVote(seat, this.#signer, other, view, of)
    const fork = this.#forkByView.get(placeOf(vote))
    const other = fork === undefined ? null : headerHash(fork.block.header)
    const votes = [sign(NULLIFY, ZERO_HASH)]
    if (kind !== NULLIFY) votes.push(sign(FINALIZE, hash))
    if (other !== null) votes.push(sign(NOTARIZE, other), sign(FINALIZE, other))
    return votes
  }

  /** Signs a block for its view, and remembers it. */
  #propose(
    seat: Seat,
    draft: HeaderDraft,
    transactions: Uint8Array[],
    hints: Omit<Proposal, 'block' | 'signature'>,
  ): Proposal {
    const { block, hash } = seat.process.executor.buildWith(draft.parent, draft, transactions)
    const { signature } = signAnyVote(seat, this.#signer, NOTARIZE, draft.view, hash)
    const proposal = { ...hints, block, signature }
    this.#forkByView.set(placeOf(hints), proposal)
    this.#blockByHash.set(hashToHex(hash), block)
    return proposal
  }
}

function placeOf({ epoch, view }: { readonly epoch: number; readonly view: number }): string {
  return `${epoch} ${view}`
}
