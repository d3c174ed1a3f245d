/**
 * Characters that break the rules. Each sits between the process of an authority, which follows the rules, and the
 * network, and signs with that authority's own key only.
 * @module
 */
import { FINALIZE, hashToHex, headerHash, NOTARIZE, NULLIFY, voteSignBytes, ZERO_HASH } from '@althing/base'
import type {
  Block,
  Certificate,
  Epoch,
  Hash,
  HashHex,
  Proposal,
  Signer,
  Vote,
  VoteKind,
} from '@althing/base'
import { leaderOf } from '@althing/chain'
import type { ConsensusMessage, HeaderDraft } from '@althing/chain'
import type { Tally } from './milestones.ts'
import type { Process } from './process.ts'
import type { Prng } from './prng.ts'

export interface ByzantineCharacter {
  /** What leaves for host `to` in place of `message`. */
  outgoing(process: Process, to: number, message: ConsensusMessage): readonly ConsensusMessage[]
  /** What it sends on its own, to host `to`, when `message` comes in. */
  incoming(message: ConsensusMessage, hosts: number): readonly { to: number; message: ConsensusMessage }[]
}

/** Sends nothing. */
export const mute: ByzantineCharacter = {
  outgoing: () => [],
  incoming: () => [],
}

/**
 * As leader it makes a second block and shows each host one of the two, both or none. Sometimes it is early and builds
 * beside the block that was just notarized, as if its view had come to nothing. Its votes come with others that
 * contradict them, or do not come.
 */
export class Equivocator implements ByzantineCharacter {
  readonly #epoch: Epoch
  readonly #index: number
  readonly #signer: Signer
  readonly #prng: Prng
  readonly #forkByView = new Map<number, Proposal>()
  readonly #blockByHash = new Map<HashHex, Block>()
  readonly #sideByRecipient = new Map<string, number>()
  /** Whether it builds beside the block notarized in a view, by that view. */
  readonly #isEarlyByView = new Map<number, boolean>()
  /** Views in which two blocks were shown. */
  readonly viewsForked = new Set<number>()

  constructor(epoch: Epoch, index: number, signer: Signer, prng: Prng) {
    this.#epoch = epoch
    this.#index = index
    this.#signer = signer
    this.#prng = prng
  }

  outgoing(process: Process, to: number, message: ConsensusMessage): readonly ConsensusMessage[] {
    if (message.kind === 'proposal' && message.proposal.block.header.proposer === this.#index) {
      return this.#proposals(process, to, message.proposal)
    }
    if (message.kind === 'vote' && message.vote.signer === this.#index)
      return this.#votes(process, message.vote)
    return [message]
  }

  /** Gives out its second blocks, so that hosts that saw only one can connect the other. */
  incoming(message: ConsensusMessage, hosts: number): readonly { to: number; message: ConsensusMessage }[] {
    const block = message.kind === 'getBlock' ? this.#blockByHash.get(hashToHex(message.hash)) : undefined
    return block === undefined ? [] : [{ to: this.#prng.below(hosts), message: { kind: 'block', block } }]
  }

  #proposals(process: Process, to: number, proposal: Proposal): readonly ConsensusMessage[] {
    const first: ConsensusMessage = { kind: 'proposal', proposal }
    const fork = this.#forkByView.get(proposal.view) ?? this.#forkOf(process, proposal)
    if (fork === null) return [first]
    this.viewsForked.add(proposal.view)
    const second: ConsensusMessage = { kind: 'proposal', proposal: fork }
    const recipient = `${proposal.view} ${to}`
    let side = this.#sideByRecipient.get(recipient)
    // Now and then it contradicts itself to the same host: one that has just restarted must not be fooled.
    if (side === undefined || this.#prng.chance(0.4)) side = this.#prng.below(8)
    this.#sideByRecipient.set(recipient, side)
    if (side < 3) return [first]
    if (side < 6) return [second]
    return side === 6 ? [second, first] : []
  }

  /** Another block in the same place. */
  #forkOf(process: Process, proposal: Proposal): Proposal | null {
    const { header, transactions } = proposal.block
    if (!process.executor.knows(header.parent)) return null
    const draft = { ...header, timestamp: header.timestamp + 1 }
    return this.#propose(process, draft, transactions.slice(1), proposal)
  }

  /** A block of the next view beside the block that was just notarized. */
  #staleProposal(process: Process, notarized: Vote): Proposal | null {
    const { executor } = process
    const known = this.#forkByView.get(notarized.view + 1)
    if (known !== undefined || !executor.knows(notarized.hash)) return known ?? null
    const header = executor.headerOf(notarized.hash)
    if (!executor.knows(header.parent)) return null
    const view = notarized.view + 1
    const draft = { ...header, view, proposer: this.#index }
    const hints = { epoch: notarized.epoch, view, parentCertificate: [], nullCertificates: [] }
    return this.#propose(process, draft, [], hints)
  }

  #votes(process: Process, vote: Vote): readonly ConsensusMessage[] {
    // A finalize vote that it keeps to itself makes the block beside the notarized one more dangerous.
    const stale = this.#isEarly(vote) ? this.#staleProposal(process, vote) : null
    if (stale !== null) return [{ kind: 'proposal', proposal: stale }]
    if (this.#prng.chance(0.15)) return []
    const votes = [vote]
    if (this.#prng.chance(0.3)) votes.push(...this.#contradictions(vote))
    return this.#prng.shuffled(votes).map((each): ConsensusMessage => ({ kind: 'vote', vote: each }))
  }

  /** Drawn once per view in which it leads next. */
  #isEarly({ kind, view }: Vote): boolean {
    if (kind !== FINALIZE || leaderOf(view + 1, this.#epoch.set) !== this.#index) return false
    const isEarly = this.#isEarlyByView.get(view) ?? this.#prng.chance(0.5)
    this.#isEarlyByView.set(view, isEarly)
    return isEarly
  }

  #contradictions({ view, hash, kind }: Vote): Vote[] {
    const fork = this.#forkByView.get(view)
    const other = fork === undefined ? null : headerHash(fork.block.header)
    const votes = [this.#sign(NULLIFY, view, ZERO_HASH)]
    if (kind !== NULLIFY) votes.push(this.#sign(FINALIZE, view, hash))
    if (other !== null) votes.push(this.#sign(NOTARIZE, view, other), this.#sign(FINALIZE, view, other))
    return votes
  }

  /** Signs a block for its view, and remembers it. */
  #propose(
    { executor }: Process,
    draft: HeaderDraft,
    transactions: Uint8Array[],
    hints: Omit<Proposal, 'block' | 'signature'>,
  ): Proposal {
    const { block, hash } = executor.buildWith(draft.parent, draft, transactions)
    const proposal = { ...hints, block, signature: this.#sign(NOTARIZE, draft.view, hash).signature }
    this.#forkByView.set(draft.view, proposal)
    this.#blockByHash.set(hashToHex(hash), block)
    return proposal
  }

  #sign(kind: VoteKind, view: number, hash: Hash): Vote {
    const { epoch, anchor } = this.#epoch
    const signature = this.#signer.sign(voteSignBytes(kind, anchor, epoch, view, hash))
    return { kind, epoch, anchor, view, hash, signer: this.#index, signature }
  }
}

/** What the status of a malleator claims on top of the truth. */
const CLAIMED_HEIGHTS = 1_000

/**
 * Passes proposals on with what their signature does not cover changed (R4), spoils signatures in certificates,
 * claims heights that do not exist, and leaves requests unanswered.
 */
export class Malleator implements ByzantineCharacter {
  readonly #prng: Prng
  readonly #tally: Tally

  constructor(prng: Prng, tally: Tally) {
    this.#prng = prng
    this.#tally = tally
  }

  outgoing(_process: Process, _to: number, message: ConsensusMessage): readonly ConsensusMessage[] {
    switch (message.kind) {
      case 'status':
        if (!this.#prng.chance(0.3)) return [message]
        return [
          { kind: 'status', status: { ...message.status, height: message.status.height + CLAIMED_HEIGHTS } },
        ]
      case 'certificate':
        if (!this.#prng.chance(0.3)) return [message]
        return [{ kind: 'certificate', certificate: spoiled(message.certificate) }]
      case 'chain':
      case 'block':
        return this.#prng.chance(0.5) ? [message] : []
      default:
        return [message]
    }
  }

  incoming(message: ConsensusMessage, hosts: number): readonly { to: number; message: ConsensusMessage }[] {
    if (message.kind !== 'proposal' || !this.#prng.chance(0.5)) return []
    this.#tally.reached('hintsMalleated')
    const proposal = this.#malleated(message.proposal)
    return [{ to: this.#prng.below(hosts), message: { kind: 'proposal', proposal } }]
  }

  #malleated(proposal: Proposal): Proposal {
    const { block, parentCertificate, nullCertificates } = proposal
    switch (this.#prng.below(4)) {
      case 0:
        return { ...proposal, parentCertificate: [], nullCertificates: [] }
      case 1:
        return {
          ...proposal,
          parentCertificate: parentCertificate.map((certificate) => spoiled(certificate)),
        }
      case 2:
        return { ...proposal, nullCertificates: [...nullCertificates, ...parentCertificate] }
      default:
        return {
          ...proposal,
          block: { ...block, transactions: [...block.transactions, this.#prng.bytes(20)] },
        }
    }
  }
}

function spoiled(certificate: Certificate): Certificate {
  const signatures = certificate.signatures.map((signature, position) =>
    position === 0 ? signature.map((byte) => byte ^ 1) : signature,
  )
  return { ...certificate, signatures }
}
