/**
 * Traces a thing through its steps (PC-6): backwards to where it comes from, forwards to what became of it. Pure.
 * T1  each thing is visited once, in breadth: a cycle ends where it closes, and shows
 * T2  no more things and levels than the limits; what was left out is said
 * T3  the same statements give the same trace, in whatever order they are found
 * @module
 */
import { FACTS, isTakingApart, labelOf, RELATIONS } from './relations.ts'
import type { Found } from './relations.ts'

export type Direction = 'back' | 'forth'

export interface TraceLimits {
  /** Levels from the thing that was asked for. */
  readonly depthMax: number
  readonly thingsMax: number
}

export interface Thing {
  readonly iri: string
  readonly depth: number
  readonly label: string | null
  /** Types, times, places, business steps. */
  readonly facts: readonly Found[]
  /** Who did it, or whom it is attributed to. */
  readonly agents: readonly Found[]
  /** Events that observed it. */
  readonly seen: readonly Found[]
}

/** One step, in the direction of the trace. */
export interface Step {
  readonly from: string
  readonly to: string
  /** The statement that says so. */
  readonly by: Found
  /** `to` was reached before: another way to it, or a cycle. */
  readonly isKnown: boolean
}

export interface Trace {
  readonly root: string
  readonly direction: Direction
  readonly things: readonly Thing[]
  readonly steps: readonly Step[]
  /** Things that were not followed further, since the limits were reached. */
  readonly cut: readonly string[]
}

/**
 * Takes turns with whoever can read: `asked` says what is wanted, `answer` takes what was found.
 */
export class Tracer {
  readonly #root: string
  readonly #direction: Direction
  readonly #limits: TraceLimits
  readonly #depthByThing = new Map<string, number>()
  readonly #things: Thing[] = []
  readonly #steps: Step[] = []
  readonly #cut = new Set<string>()
  #frontier: string[]
  #depth = 0

  constructor(root: string, direction: Direction, limits: TraceLimits) {
    this.#root = root
    this.#direction = direction
    this.#limits = limits
    this.#frontier = [root]
    this.#depthByThing.set(root, 0)
  }

  /** @returns null when the trace is complete. */
  get asked(): readonly string[] | null {
    return this.#frontier.length === 0 ? null : this.#frontier
  }

  /** @param found all statements with one of the asked as subject, and all relations with one of them as object. */
  answer(found: readonly Found[]): void {
    const sorted = [...found].sort(inOrder)
    const isAsked = new Set(this.#frontier)
    const bySubject = Map.groupBy(sorted, ({ subject }) => subject)
    const next: string[] = []
    const seen = sorted.filter(({ predicate }) => RELATIONS.get(predicate) === 'seen')
    const seenByThing = Map.groupBy(seen, ({ object }) => object)
    for (const iri of this.#frontier) {
      this.#things.push(this.#thing(iri, bySubject.get(iri) ?? [], seenByThing.get(iri) ?? []))
    }
    for (const statement of sorted) {
      const step = this.#stepOf(statement, isAsked, bySubject.get(statement.subject) ?? [])
      if (step !== null) this.#take(step, statement, next)
    }
    this.#frontier = next
    this.#depth++
  }

  get trace(): Trace {
    return {
      root: this.#root,
      direction: this.#direction,
      things: this.#things,
      steps: this.#steps,
      cut: [...this.#cut],
    }
  }

  #thing(iri: string, said: readonly Found[], seen: readonly Found[]): Thing {
    const facts = said.filter(({ predicate }) => FACTS.includes(predicate))
    const agents = said.filter(({ predicate }) => RELATIONS.get(predicate) === 'agent')
    return { iri, depth: this.#depth, label: labelOf(facts), facts, agents, seen }
  }

  #stepOf(
    { subject, predicate, object }: Found,
    isAsked: ReadonlySet<string>,
    aboutSubject: readonly Found[],
  ): { readonly from: string; readonly to: string } | null {
    const kind = RELATIONS.get(predicate)
    if (kind !== 'back' && kind !== 'forth') return null
    if (object.startsWith('"') || isTakingApart(aboutSubject)) return null
    const [from, to] = kind === this.#direction ? [subject, object] : [object, subject]
    return isAsked.has(from) ? { from, to } : null
  }

  #take({ from, to }: { readonly from: string; readonly to: string }, by: Found, next: string[]): void {
    const isKnown = this.#depthByThing.has(to)
    if (!isKnown) {
      if (this.#depth === this.#limits.depthMax || this.#depthByThing.size === this.#limits.thingsMax) {
        this.#cut.add(from)
        return
      }
      this.#depthByThing.set(to, this.#depth + 1)
      next.push(to)
    }
    this.#steps.push({ from, to, by, isKnown })
  }
}

function inOrder(a: Found, b: Found): number {
  return (
    compare(a.subject, b.subject) ||
    compare(a.predicate, b.predicate) ||
    compare(a.object, b.object) ||
    compare(a.graph, b.graph)
  )
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
