/**
 * Characters that say too little, or too late.
 * @module
 */
import { headerHash, NOTARIZE, NULLIFY, ZERO_HASH } from '@althing/base'
import type { Signer } from '@althing/base'
import type { ConsensusMessage } from '@althing/chain'
import type { Prng } from '../prng.ts'
import { signAnyVote } from './character.ts'
import type { Addressed, Character, CharacterTools, Seat, Sent } from './character.ts'

/** Sends nothing. */
export class Mute implements Character {
  outgoing(): readonly Sent[] {
    return []
  }

  incoming(): readonly Addressed[] {
    return []
  }
}

/**
 * Gives its vote for a block of its own to all but the block itself to few, answers hardly any request, and keeps
 * certificates to itself.
 */
export class Withholder implements Character {
  readonly #prng: Prng

  constructor({ prng }: CharacterTools) {
    this.#prng = prng
  }

  outgoing({ process, index }: Seat, _to: number, message: ConsensusMessage): readonly Sent[] {
    switch (message.kind) {
      case 'proposal': {
        const { block, view, epoch, signature } = message.proposal
        if (process.leaderOf(view) !== index || this.#prng.chance(0.4)) return [{ message }]
        const { anchor } = process.epoch
        const hash = headerHash(block.header)
        const vote = { kind: NOTARIZE, epoch, anchor, view, hash, signer: index, signature }
        return [{ message: { kind: 'vote', vote } }]
      }
      case 'block':
      case 'chain':
      case 'certificate':
        return this.#prng.chance(0.1) ? [{ message }] : []
      default:
        return [{ message }]
    }
  }

  incoming(): readonly Addressed[] {
    return []
  }
}

/** Each of its messages reaches about half of the hosts: others for each kind and view. */
export class SelectiveSender implements Character {
  readonly #salt: number

  constructor({ prng }: CharacterTools) {
    this.#salt = prng.uint32()
  }

  outgoing({ process }: Seat, to: number, message: ConsensusMessage): readonly Sent[] {
    const view = process.core.view(process.now).view
    const drawn = Math.imul((this.#salt ^ (view * 64 + to)) | 1, 0x9e3779b1) ^ message.kind.length
    return (drawn >>> 13) % 2 === 0 ? [{ message }] : []
  }

  incoming(): readonly Addressed[] {
    return []
  }
}

/** Nullifies every view in place of any other vote, sometimes views to come as well, and never proposes. */
export class Nuller implements Character {
  readonly #signer: Signer
  readonly #prng: Prng

  constructor({ signer, prng }: CharacterTools) {
    this.#signer = signer
    this.#prng = prng
  }

  outgoing(seat: Seat, _to: number, message: ConsensusMessage): readonly Sent[] {
    if (message.kind === 'proposal') {
      const { view } = message.proposal
      return seat.process.leaderOf(view) === seat.index ? [this.#nullify(seat, view)] : [{ message }]
    }
    if (message.kind !== 'vote') return [{ message }]
    const { view } = message.vote
    const sent = [this.#nullify(seat, view)]
    if (this.#prng.chance(0.2)) sent.push(this.#nullify(seat, view + 1 + this.#prng.below(3)))
    return sent
  }

  incoming(): readonly Addressed[] {
    return []
  }

  #nullify(seat: Seat, view: number): Sent {
    return { message: { kind: 'vote', vote: signAnyVote(seat, this.#signer, NULLIFY, view, ZERO_HASH) } }
  }
}

/** Its messages are held back for up to several views, in no order. */
export class Laggard implements Character {
  readonly #prng: Prng

  constructor({ prng }: CharacterTools) {
    this.#prng = prng
  }

  outgoing({ process }: Seat, _to: number, message: ConsensusMessage): readonly Sent[] {
    const { timeoutBaseMs } = process.timing
    const rounds = this.#prng.chance(0.8) ? 1 : 6
    return [{ message, delayMs: this.#prng.between(0, rounds * timeoutBaseMs) }]
  }

  incoming(): readonly Addressed[] {
    return []
  }
}
