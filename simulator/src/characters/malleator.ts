import type { Certificate, Proposal } from '@althing/base'
import type { ConsensusMessage } from '@althing/chain'
import type { Prng } from '../prng.ts'
import type { Addressed, Character, CharacterTools, Seat, Sent } from './character.ts'

/** Passes proposals on with what their signature does not cover changed (R4), and spoils signatures in certificates. */
export class Malleator implements Character {
  readonly #prng: Prng

  constructor({ prng }: CharacterTools) {
    this.#prng = prng
  }

  outgoing(_seat: Seat, _to: number, message: ConsensusMessage): readonly Sent[] {
    if (message.kind !== 'certificate' || !this.#prng.chance(0.3)) return [{ message }]
    return [{ message: { kind: 'certificate', certificate: spoiled(message.certificate) } }]
  }

  incoming(_seat: Seat, message: ConsensusMessage, hosts: number): readonly Addressed[] {
    if (message.kind !== 'proposal' || !this.#prng.chance(0.5)) return []
    const proposal = this.#malleated(message.proposal)
    return [{ to: this.#prng.below(hosts), message: { kind: 'proposal', proposal } }]
  }

  #malleated(proposal: Proposal): Proposal {
    const { block, parentCertificate, nullCertificates } = proposal
    switch (this.#prng.below(4)) {
      case 0:
        return { ...proposal, parentCertificate: [], nullCertificates: [] }
      case 1:
        return { ...proposal, parentCertificate: parentCertificate.map(spoiled) }
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
