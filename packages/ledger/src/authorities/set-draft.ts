/**
 * The next authority set, being put together from the present one. Pure.
 * D1  at most max(1, f) seats change hands, f counted in authorities (R11)
 * D2  unless it is a single one, those that change hands have together at most the weight f
 * D3  once a change has to wait, all after it wait too: nobody is overtaken for ever
 * D4  the set never becomes empty, never has a key twice, and its weights never add up to more than 2^53 − 1
 * @module
 */
import { AUTHORITIES_MAX, faultyWeightMax, totalWeight } from '@althing/base'
import type { Authority, AuthoritySet } from '@althing/base'
import { memberOf } from './records.ts'

export type SeatChange =
  | { readonly kind: 'enter'; readonly key: Uint8Array; readonly weight: number }
  | { readonly kind: 'leave'; readonly key: Uint8Array }
  /** In the same place; without a weight of its own the newcomer has the one of who left. */
  | {
      readonly kind: 'replace'
      readonly key: Uint8Array
      readonly by: Uint8Array
      readonly weight?: number
    }
  /** No seat changes hands, so it counts nothing. */
  | { readonly kind: 'weigh'; readonly key: Uint8Array; readonly weight: number }

/** `waiting`: for a later boundary. `impossible`: it does not fit the set, now or ever. */
export type SeatOutcome = 'done' | 'waiting' | 'impossible'

export class SetDraft {
  readonly #seatsMax: number
  readonly #weightMax: number
  #members: readonly Authority[]
  #seatsChanged = 0
  #weightChanged = 0
  #isExhausted = false

  constructor(present: AuthoritySet) {
    this.#members = present
    this.#seatsMax = churnMax(present)
    this.#weightMax = faultyWeightMax(present)
  }

  get set(): AuthoritySet {
    return this.#members
  }

  apply(change: SeatChange): SeatOutcome {
    const next = this.#after(change)
    if (next === null) return 'impossible'
    if (change.kind !== 'weigh' && !this.#takeSeat(this.#weightOf(change))) return 'waiting'
    this.#members = next
    return 'done'
  }

  /** D4. @returns null when the change cannot be. */
  #after(change: SeatChange): readonly Authority[] | null {
    const member = memberOf(this.#members, change.key)
    if (change.kind === 'enter') {
      const { key, weight } = change
      if (member !== undefined || this.#members.length === AUTHORITIES_MAX) return null
      return sound([...this.#members, { key, weight }])
    }
    if (member === undefined) return null
    if (change.kind === 'leave') {
      return this.#members.length === 1 ? null : this.#members.filter((each) => each !== member)
    }
    if (change.kind === 'weigh') return this.#with(member, { key: member.key, weight: change.weight })
    if (memberOf(this.#members, change.by) !== undefined) return null
    return this.#with(member, { key: change.by, weight: change.weight ?? member.weight })
  }

  #with(member: Authority, instead: Authority): readonly Authority[] | null {
    return sound(this.#members.map((each) => (each === member ? instead : each)))
  }

  /** D1, D2, D3. */
  #takeSeat(weight: number): boolean {
    const isFirst = this.#seatsChanged === 0
    const isHeavy = !isFirst && this.#weightChanged + weight > this.#weightMax
    if (this.#isExhausted || this.#seatsChanged === this.#seatsMax || isHeavy) {
      this.#isExhausted = true
      return false
    }
    this.#seatsChanged += 1
    this.#weightChanged += weight
    return true
  }

  #weightOf(change: Exclude<SeatChange, { kind: 'weigh' }>): number {
    const present = memberOf(this.#members, change.key)?.weight ?? 0
    return change.kind === 'leave' ? present : Math.max(present, change.weight ?? 0)
  }
}

/** Seats that may change hands at one boundary: max(1, f), f counted in authorities. */
export function churnMax(set: AuthoritySet): number {
  return Math.max(1, Math.floor((set.length - 1) / 3))
}

function sound(set: readonly Authority[]): readonly Authority[] | null {
  return Number.isSafeInteger(totalWeight(set)) ? set : null
}
