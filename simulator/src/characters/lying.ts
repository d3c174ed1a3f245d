/**
 * Characters that say again, or make up, what others are to act on.
 * @module
 */
import type { ConsensusMessage } from '@althing/chain'
import type { Prng } from '../prng.ts'
import type { Addressed, Character, CharacterTools, Seat, Sent } from './character.ts'

/** What a lie may add to a height or a view, and its largest value: none may cost a peer more than a timeout (P17). */
const LIES = [1, 1_000, 2 ** 40] as const

/** Claims heights and views that do not exist, or that it is not behind, and answers requests for the chain with less. */
export class LiarAboutHeights implements Character {
  readonly #prng: Prng

  constructor({ prng }: CharacterTools) {
    this.#prng = prng
  }

  outgoing(_seat: Seat, _to: number, message: ConsensusMessage): readonly Sent[] {
    switch (message.kind) {
      case 'status': {
        const { status } = message
        const height = this.#lie(status.height)
        const view = this.#prng.chance(0.3) ? this.#lie(status.view) : status.view
        return [{ message: { kind: 'status', status: { ...status, height, view } } }]
      }
      case 'getChain':
        return [{ message: { kind: 'getChain', fromHeight: this.#lie(message.fromHeight) } }]
      case 'chain':
        return this.#chain(message)
      default:
        return [{ message }]
    }
  }

  incoming(): readonly Addressed[] {
    return []
  }

  #lie(truth: number): number {
    if (this.#prng.chance(0.2)) return truth
    return this.#prng.chance(0.3) ? this.#prng.below(truth + 1) : truth + this.#prng.pick(LIES)
  }

  #chain(message: Extract<ConsensusMessage, { kind: 'chain' }>): readonly Sent[] {
    const { blocks, path, finalization } = message.reply
    switch (this.#prng.below(4)) {
      case 0:
        return []
      case 1:
        return [{ message: { kind: 'chain', reply: { blocks: blocks.slice(1), path, finalization } } }]
      case 2:
        return [{ message: { kind: 'chain', reply: { blocks: blocks.slice(0, -1), path, finalization } } }]
      default:
        return [{ message }]
    }
  }
}

/** Messages that a replayer keeps. */
const KEPT = 400

/** Sends what it heard long ago again, to anybody, as it came. */
export class Replayer implements Character {
  readonly #prng: Prng
  readonly #kept: ConsensusMessage[] = []

  constructor({ prng }: CharacterTools) {
    this.#prng = prng
  }

  outgoing(_seat: Seat, _to: number, message: ConsensusMessage): readonly Sent[] {
    return [{ message }]
  }

  incoming(_seat: Seat, message: ConsensusMessage, hosts: number): readonly Addressed[] {
    // New messages take the place of old ones seldom, so that some are very old.
    if (this.#kept.length < KEPT) this.#kept.push(message)
    else if (this.#prng.chance(0.02)) this.#kept[this.#prng.below(KEPT)] = message
    if (!this.#prng.chance(0.3)) return []
    return [{ to: this.#prng.below(hosts), message: this.#prng.pick(this.#kept) }]
  }
}
