/**
 * Accountability: sees every message of everybody, and names the keys that signed what no honest authority signs.
 * O10  when more than f authorities corrupt the chain into two, at least f + 1 are named, and none that is honest
 * @module
 */
import {
  bytesToHex,
  certificateSigners,
  headerHash,
  isContradiction,
  isVoteKind,
  NOTARIZE,
  NULLIFY,
  ZERO_HASH,
} from '@althing/base'
import type { Certificate, Epoch, Vote } from '@althing/base'
import type { ConsensusMessage } from '@althing/chain'

export class Witness {
  readonly #epoch: Epoch
  readonly #votesByPlace = new Map<string, Vote[]>()
  readonly #culprits = new Set<number>()
  readonly #seen = new WeakSet<Certificate>()

  /** @param epoch the only one: its authorities are the ones that can be corrupt. */
  constructor(epoch: Epoch) {
    this.#epoch = epoch
  }

  /** Indices of the authorities whose signatures contradict each other. */
  get culprits(): ReadonlySet<number> {
    return this.#culprits
  }

  /** The message is of a process that signs with its own keys only. */
  see(message: ConsensusMessage, leaderOf: (view: number) => number): void {
    switch (message.kind) {
      case 'vote':
        return this.#vote(message.vote)
      case 'certificate':
        return this.#certificate(message.certificate)
      case 'chain':
        return this.#certificate(message.reply.finalization)
      case 'proposal': {
        const { view, block, signature, parentCertificate, nullCertificates } = message.proposal
        const { epoch, anchor } = this.#epoch
        const hash = headerHash(block.header)
        this.#vote({ kind: NOTARIZE, epoch, anchor, view, hash, signer: leaderOf(view), signature })
        for (const certificate of [...parentCertificate, ...nullCertificates]) this.#certificate(certificate)
        return
      }
      default:
    }
  }

  #certificate(certificate: Certificate): void {
    if (this.#seen.has(certificate)) return
    this.#seen.add(certificate)
    const { epoch, anchor, set } = this.#epoch
    const { kind, view } = certificate
    const hash = kind === NULLIFY ? ZERO_HASH : certificate.hash
    const signers = certificateSigners(certificate, set.length) ?? []
    for (const [position, signer] of signers.entries()) {
      const signature = certificate.signatures[position]!
      if (isVoteKind(kind)) this.#vote({ kind, epoch, anchor, view, hash, signer, signature })
    }
  }

  #vote(vote: Vote): void {
    const place = `${vote.view} ${vote.signer}`
    const votes = this.#votesByPlace.get(place) ?? []
    this.#votesByPlace.set(place, votes)
    const isKnown = (other: Vote): boolean =>
      other.kind === vote.kind && bytesToHex(other.hash) === bytesToHex(vote.hash)
    if (votes.some(isKnown)) return
    if (votes.some((other) => isContradiction(other, vote))) this.#culprits.add(vote.signer)
    votes.push(vote)
  }
}
