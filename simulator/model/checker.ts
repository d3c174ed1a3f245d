/**
 * Visits every state that the rules allow and looks at each (consensus rules, verification plan, point 2).
 * M1  at most one block is notarized in a view
 * M2  no view is both nullified and finalized
 * M3  what is notarized in a view after a finalized one extends or equals the finalized block
 * M4  nothing is notarized above a boundary block within its epoch (R11)
 * M5  never stuck: the honest authorities alone, given what the farthest of them holds, reach the next view (R5, R8)
 * @module
 */
import { NO_VOTES } from './rules.ts'
import type { Rules, ViewVotes } from './rules.ts'
import { Ballots, Encoding, NumberSet } from './state.ts'
import type { Authority, Ballot } from './state.ts'

export interface Outcome {
  readonly states: number
  readonly transitions: number
  /** What is wrong in the first bad state that was found, and the state; null when all states are good. */
  readonly violation: string | null
}

/** What exists in a state. By view; the first is of the anchor's view 0, in which nothing is voted. */
interface Certificates {
  /** Null where nothing is notarized. */
  readonly notarized: readonly (NotarizedBlock | null)[]
  readonly nullified: readonly boolean[]
  readonly finalized: readonly boolean[]
}

/** A block by the view in which it was notarized first. */
interface NotarizedBlock {
  readonly view: number
  readonly parent: NotarizedBlock | null
  readonly isBoundary: boolean
}

export function check(rules: Rules): Outcome {
  const model = new Model(rules)
  const encoding = new Encoding(rules)
  const seen = new NumberSet()
  const open = [encoding.first]
  seen.add(encoding.first)
  let transitions = 0
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    const numbers = encoding.split(state)
    const authorities = numbers.map((number) => encoding.authority(number))
    const held = model.certificates(authorities)
    const fault = held === null ? 'two blocks are notarized in one view' : model.fault(authorities, held)
    if (held === null || fault !== null) {
      return { states: seen.size, transitions, violation: `${fault}: ${JSON.stringify(authorities)}` }
    }
    for (const [index, authority] of authorities.entries()) {
      if (numbers.indexOf(numbers[index]!) !== index) continue
      for (const moved of model.moves(authority, held)) {
        transitions += 1
        const next = encoding.join(numbers.with(index, encoding.numberOf(moved)))
        if (seen.add(next)) open.push(next)
      }
    }
  }
  return { states: seen.size, transitions, violation: null }
}

class Model {
  readonly #rules: Rules
  /** Honest votes that a certificate needs, as all Byzantine ones are there. */
  readonly #honestVotes: number
  /** By view. */
  readonly #ballots: readonly Ballots[]

  constructor(rules: Rules) {
    this.#rules = rules
    this.#honestVotes = rules.quorum - rules.byzantine
    this.#ballots = Array.from({ length: rules.views + 1 }, (_, view) => new Ballots(view, rules.blocks))
  }

  /** @returns null when M1 does not hold. */
  certificates(authorities: readonly Authority[]): Certificates | null {
    const notarized: (NotarizedBlock | null)[] = [null]
    const nullified = [false]
    const finalized = [false]
    for (let view = 1; view <= this.#rules.views; view++) {
      const votes = authorities.map((authority) => votesIn(authority, view))
      let winner: NotarizedBlock | null = null
      for (let ballot = 0; ballot < this.#ballots[view]!.count; ballot++) {
        if (!this.#isMet(votes, (own) => (own.notarized & (1 << ballot)) !== 0)) continue
        if (winner !== null) return null
        winner = this.#blockOf(view, this.#ballots[view]!.at(ballot), notarized)
      }
      notarized.push(winner)
      nullified.push(this.#isMet(votes, (own) => own.nullified))
      finalized.push(this.#isMet(votes, (own) => own.finalized))
    }
    return { notarized, nullified, finalized }
  }

  /** M2 to M5. */
  fault(authorities: readonly Authority[], held: Certificates): string | null {
    for (const [view, block] of held.notarized.entries()) {
      if (held.finalized[view] && held.nullified[view]) return `view ${view} is nullified and finalized`
      if (block === null) continue
      if (block.parent?.isBoundary) return `a block is notarized above the boundary in view ${view}`
      for (let before = 1; before < view; before++) {
        if (held.finalized[before] && !descends(block, held.notarized[before]!))
          return `what is notarized in view ${view} conflicts with what is finalized in view ${before}`
      }
    }
    return this.#isStuck(authorities, held) ? 'the honest authorities are stuck' : null
  }

  /** Every vote that an honest authority may give next. */
  *moves(authority: Authority, held: Certificates): Generator<Authority> {
    const rules = this.#rules
    const present = Math.max(1, votedView(authority))
    for (let view = rules.votesInPast ? 1 : present; view <= rules.views; view++) {
      const own = this.#known(authority, view)
      if (view <= present || this.#enters(authority, view, held)) {
        if (rules.mayNullify(own)) yield voting(authority, view, { nullified: true })
        if (view >= present && rules.mayNotarize(own)) {
          const { notarized } = votesIn(authority, view)
          for (const ballot of this.#deserving(view, held)) {
            yield voting(authority, view, {
              notarized: notarized | (1 << this.#ballots[view]!.numberOf(ballot)),
            })
          }
        }
      }
      if (view >= present && this.#finalizes(own, view, held))
        yield voting(authority, view, { finalized: true })
    }
  }

  /** R5, R6: a notarization brings the finalize vote with it where R1 allows it. */
  #enters(authority: Authority, view: number, held: Certificates): boolean {
    if (held.nullified[view - 1]) return true
    const own = this.#known(authority, view - 1)
    const isNotarized = held.notarized[view - 1] !== null && this.#rules.followsNotarization(own)
    return isNotarized && !this.#rules.mayFinalize(own)
  }

  #finalizes(own: ViewVotes, view: number, held: Certificates): boolean {
    return (
      held.notarized[view] !== null && this.#rules.followsNotarization(own) && this.#rules.mayFinalize(own)
    )
  }

  /** R4, R11: what deserves a notarize vote in `view`. */
  *#deserving(view: number, held: Certificates): Generator<Ballot> {
    const rules = this.#rules
    for (let u = view - 1; u >= 0; u--) {
      const parent = held.notarized[u]!
      if (parent?.isBoundary) yield { again: parent.view }
      if (u === 0 || (parent !== null && (!parent.isBoundary || rules.extendsBoundary))) {
        for (const block of rules.blocks.keys()) yield { on: parent?.view ?? 0, block }
      }
      if (rules.reproposesOther && parent !== null) {
        for (const other of held.notarized)
          if (other?.isBoundary && other.view < view) yield { again: other.view }
      }
      if (rules.needsNullifications && !held.nullified[u]) return
    }
  }

  /** M5: all hear the certificate that brought the farthest into its view; then their timers run out. */
  #isStuck(authorities: readonly Authority[], held: Certificates): boolean {
    const top = Math.max(...authorities.map(reachedBy))
    if (top > this.#rules.views) return false
    const willing = authorities.filter((authority) => {
      const isThere =
        reachedBy(authority) === top ||
        held.nullified[top - 1] ||
        this.#rules.followsNotarization(votesIn(authority, top - 1))
      const own = votesIn(authority, top)
      return isThere && (own.nullified || this.#rules.mayNullify(own))
    })
    return willing.length < Math.min(this.#rules.quorum, authorities.length)
  }

  #known(authority: Authority, view: number): ViewVotes {
    return this.#rules.remembersVotes ? votesIn(authority, view) : NO_VOTES
  }

  #isMet(votes: readonly ViewVotes[], has: (own: ViewVotes) => boolean): boolean {
    return votes.filter(has).length >= this.#honestVotes
  }

  #blockOf(view: number, ballot: Ballot, notarized: readonly (NotarizedBlock | null)[]): NotarizedBlock {
    if (ballot.again !== undefined) return notarized[ballot.again]!
    return {
      view,
      parent: notarized[ballot.on]!,
      isBoundary: this.#rules.blocks[ballot.block] === 'boundary',
    }
  }
}

function descends(block: NotarizedBlock, ancestor: NotarizedBlock | null): boolean {
  for (let each: NotarizedBlock | null = block; each !== null; each = each.parent) {
    if (each.view === ancestor?.view) return true
  }
  return false
}

/** The highest view that it voted in; 0 for none. */
function votedView(authority: Authority): number {
  return authority.findLastIndex((own) => own.notarized !== 0 || own.nullified || own.finalized) + 1
}

/** The highest view that it must have entered; a finalize vote is given on leaving. */
function reachedBy(authority: Authority): number {
  const finalized = authority.findLastIndex((own) => own.finalized) + 1
  return Math.max(1, votedView(authority), finalized + 1)
}

function votesIn(authority: Authority, view: number): ViewVotes {
  return authority[view - 1]!
}

function voting(authority: Authority, view: number, change: Partial<ViewVotes>): Authority {
  return authority.with(view - 1, { ...votesIn(authority, view), ...change })
}
