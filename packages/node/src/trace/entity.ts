/**
 * Which IRIs are the same thing, and what is said of it (PC-6). Pure.
 * E1  same are those that `owl:sameAs` connects, and those that share a value of an identifying property
 * E2  the class follows from the statements alone: from whichever of its IRIs one starts
 * E3  no more IRIs than the limit; that there were more is said
 * @module
 */
import type { Found } from './relations.ts'

export const SAME_AS = 'http://www.w3.org/2002/07/owl#sameAs'

export class EntityClass {
  readonly #iriMax: number
  readonly #identifying: ReadonlySet<string>
  readonly #iris: Set<string>
  readonly #links = new Map<string, Found>()
  #frontier: string[]
  #isTruncated = false

  /** @param identifying IRIs of properties whose values belong to one thing only. */
  constructor(iri: string, identifying: ReadonlySet<string>, iriMax: number) {
    this.#iriMax = iriMax
    this.#identifying = identifying
    this.#iris = new Set([iri])
    this.#frontier = [iri]
  }

  /** IRIs whose links are wanted; null when the class is complete. */
  get asked(): readonly string[] | null {
    return this.#frontier.length === 0 ? null : this.#frontier
  }

  /**
   * @param found all `owl:sameAs` with one of the asked as subject or object, all identifying statements about them, and all
   * identifying statements that share predicate and value with these.
   */
  answer(found: readonly Found[]): void {
    const next: string[] = []
    for (const statement of [...found].sort(inOrder)) {
      const { subject, predicate, object } = statement
      const isSame = predicate === SAME_AS && !object.startsWith('"')
      if (!isSame && !this.#identifying.has(predicate)) continue
      this.#links.set(textOf(statement), statement)
      for (const iri of isSame ? [subject, object] : [subject]) this.#add(iri, next)
    }
    this.#frontier = next
  }

  /** Sorted. */
  get iris(): readonly string[] {
    return [...this.#iris].sort()
  }

  get links(): readonly Found[] {
    const isIn = ({ subject }: Found): boolean => this.#iris.has(subject)
    const links = [...this.#links.values()].filter(isIn)
    // An identifier that only one of them has connects nothing.
    const holders = Map.groupBy(links, ({ predicate, object }) => `${predicate} ${object}`)
    const connects = (link: Found): boolean =>
      link.predicate === SAME_AS ||
      new Set(holders.get(`${link.predicate} ${link.object}`)!.map(({ subject }) => subject)).size > 1
    return links.filter(connects).sort(inOrder)
  }

  get isTruncated(): boolean {
    return this.#isTruncated
  }

  #add(iri: string, next: string[]): void {
    if (this.#iris.has(iri)) return
    if (this.#iris.size === this.#iriMax) {
      this.#isTruncated = true
      return
    }
    this.#iris.add(iri)
    next.push(iri)
  }
}

export interface Conflict {
  readonly predicate: string
  readonly values: readonly Found[]
}

/** @param functional IRIs of properties that have one value for one thing. */
export function conflictsOf(statements: readonly Found[], functional: ReadonlySet<string>): Conflict[] {
  const byPredicate = Map.groupBy(
    statements.filter(({ predicate }) => functional.has(predicate)),
    ({ predicate }) => predicate,
  )
  const conflicts: Conflict[] = []
  for (const [predicate, values] of byPredicate) {
    if (new Set(values.map(({ object }) => object)).size > 1) {
      conflicts.push({ predicate, values: [...values].sort(inOrder) })
    }
  }
  return conflicts.sort((a, b) => (a.predicate < b.predicate ? -1 : 1))
}

function textOf({ graph, subject, predicate, object }: Found): string {
  return `${subject} ${predicate} ${object} ${graph}`
}

function inOrder(a: Found, b: Found): number {
  const [left, right] = [textOf(a), textOf(b)]
  return left < right ? -1 : Number(left > right)
}
