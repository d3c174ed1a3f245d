/**
 * States of the model as numbers, so that millions of them fit. Each authority that occurs gets a number when it is
 * seen first; a state is the numbers of its authorities in descending order, since who is who does not matter (the
 * symmetry that divides the number of states by up to n!).
 * @module
 */
import { NO_VOTES } from './rules.ts'
import type { BlockKind, Rules, ViewVotes } from './rules.ts'

/**
 * Its votes by view; the first is of view 1. The view that it is in is left out: whoever entered a view and has not
 * voted there could as well enter it later, when it votes. For the same reason a restart, which resumes in the highest
 * view voted in (R12), changes nothing.
 */
export type Authority = readonly ViewVotes[]

/**
 * What a notarize vote in some view is for: a new block on what was notarized first in view `on` (0 is the anchor), or
 * once more the boundary block that was notarized first in view `again`. A view has at most one notarized block, or
 * the search has ended, so a view names a block.
 */
export type Ballot =
  | { readonly on: number; readonly block: number; readonly again?: never }
  | { readonly again: number }

/** Numbers for the ballots of one view, from 0. */
export class Ballots {
  readonly #view: number
  readonly #blocks: readonly BlockKind[]

  constructor(view: number, blocks: readonly BlockKind[]) {
    this.#view = view
    this.#blocks = blocks
  }

  get count(): number {
    return this.#view * this.#blocks.length + this.#view - 1
  }

  numberOf(ballot: Ballot): number {
    if (ballot.again !== undefined) return this.#view * this.#blocks.length + ballot.again - 1
    return ballot.on * this.#blocks.length + ballot.block
  }

  at(number: number): Ballot {
    const blocks = this.#blocks.length
    if (number >= this.#view * blocks) return { again: number - this.#view * blocks + 1 }
    return { on: Math.floor(number / blocks), block: number % blocks }
  }
}

const STATE_BITS = 52

export class Encoding {
  readonly #rules: Rules
  /** Numbers of authorities are below this. */
  readonly #radix: number
  readonly #authorities: Authority[] = []
  readonly #numberByCode = new Map<number, number>()
  readonly #ballotBits: readonly number[]

  constructor(rules: Rules) {
    this.#rules = rules
    this.#radix = 2 ** Math.floor(STATE_BITS / rules.honest)
    this.#ballotBits = Array.from(
      { length: rules.views },
      (_, index) => new Ballots(index + 1, rules.blocks).count,
    )
  }

  /** The state in which nobody has done anything. */
  get first(): number {
    const silent = this.numberOf(Array.from({ length: this.#rules.views }, () => NO_VOTES))
    return this.join(Array.from({ length: this.#rules.honest }, () => silent))
  }

  numberOf(authority: Authority): number {
    let code = 0
    for (const [index, { notarized, nullified, finalized }] of authority.entries()) {
      code =
        (code * 2 ** this.#ballotBits[index]! + notarized) * 4 + Number(nullified) * 2 + Number(finalized)
    }
    const known = this.#numberByCode.get(code)
    if (known !== undefined) return known
    if (this.#authorities.length === this.#radix) throw new RangeError('too many authorities for a number')
    this.#numberByCode.set(code, this.#authorities.length)
    return this.#authorities.push(authority) - 1
  }

  authority(number: number): Authority {
    return this.#authorities[number]!
  }

  /** One number for a state. @param numbers of its authorities; they are put in order. */
  join(numbers: number[]): number {
    numbers.sort((a, b) => b - a)
    return numbers.reduce((state, number) => state * this.#radix + number, 0)
  }

  split(state: number): number[] {
    const numbers: number[] = []
    for (let rest = state; numbers.length < this.#rules.honest; rest = Math.floor(rest / this.#radix)) {
      numbers.push(rest % this.#radix)
    }
    return numbers
  }
}

const EMPTY = -1

/** A set of non-negative safe integers that may outgrow what `Set` can hold (16.7 million). */
export class NumberSet {
  #slots = new Float64Array(1 << 16).fill(EMPTY)
  #size = 0

  get size(): number {
    return this.#size
  }

  /** @returns whether it was not there. */
  add(value: number): boolean {
    const slot = slotOf(this.#slots, value)
    if (this.#slots[slot] === value) return false
    this.#slots[slot] = value
    this.#size += 1
    if (this.#size * 2 > this.#slots.length) this.#grow()
    return true
  }

  #grow(): void {
    const grown = new Float64Array(this.#slots.length * 2).fill(EMPTY)
    for (const value of this.#slots) if (value !== EMPTY) grown[slotOf(grown, value)] = value
    this.#slots = grown
  }
}

/** Where the value is, or where it would go. */
function slotOf(slots: Float64Array, value: number): number {
  const mask = slots.length - 1
  const mixed = Math.imul(value % 0x1_0000_0000, 0x9e37_79b1) ^ Math.imul(value / 0x1_0000_0000, 0x85eb_ca6b)
  let slot = (mixed ^ (mixed >>> 15)) & mask
  while (slots[slot] !== EMPTY && slots[slot] !== value) slot = (slot + 1) & mask
  return slot
}
