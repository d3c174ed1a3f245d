/**
 * Which changes of graphs somebody wants to know of, and what a block changed, taken apart. Pure.
 * @module
 */
import type { IndexedBlock } from '../sparql/source.ts'

/** What is absent may be anything. */
export interface GraphPattern {
  /** IRI. */
  readonly graph?: string
  /** IRI of the subject. */
  readonly subject?: string
  /** IRI of the predicate. */
  readonly predicate?: string
}

/** What a final block changed in one graph. Statements are canonical N-Quads without graph and full stop. */
export interface GraphChanged {
  readonly kind: 'graphChanged'
  readonly height: number
  /** IRI. */
  readonly graph: string
  readonly inserted: readonly string[]
  readonly deleted: readonly string[]
}

/** @returns of each graph that the block changed, in the order of the first change. */
export function changesOfBlock({ height, deleted, inserted }: IndexedBlock): GraphChanged[] {
  const byGraph = new Map<string, { inserted: string[]; deleted: string[] }>()
  const sort = (lines: string, kind: 'inserted' | 'deleted'): void => {
    for (const line of lines.split('\n')) {
      if (line === '') continue
      const graphAt = line.lastIndexOf(' <')
      const graph = line.slice(graphAt + 2, -'> .'.length)
      let changed = byGraph.get(graph)
      if (changed === undefined) byGraph.set(graph, (changed = { inserted: [], deleted: [] }))
      changed[kind].push(line.slice(0, graphAt))
    }
  }
  sort(deleted, 'deleted')
  sort(inserted, 'inserted')
  return [...byGraph].map(([graph, changed]) => ({ kind: 'graphChanged', height, graph, ...changed }))
}

/** @returns the part of the change that fits the pattern; null when none does. */
export function fittingPart(change: GraphChanged, pattern: GraphPattern): GraphChanged | null {
  if (pattern.graph !== undefined && pattern.graph !== change.graph) return null
  if (pattern.subject === undefined && pattern.predicate === undefined) return change
  const isFitting = (statement: string): boolean => fits(statement, pattern)
  const inserted = change.inserted.filter(isFitting)
  const deleted = change.deleted.filter(isFitting)
  return inserted.length + deleted.length === 0 ? null : { ...change, inserted, deleted }
}

function fits(statement: string, { subject, predicate }: GraphPattern): boolean {
  if (subject !== undefined && !statement.startsWith(`<${subject}> `)) return false
  return predicate === undefined || statement.startsWith(`<${predicate}> `, statement.indexOf(' ') + 1)
}

/** About the memory that it takes. */
export function charactersOf({ inserted, deleted }: GraphChanged): number {
  return [...inserted, ...deleted].reduce((sum, { length }) => sum + length, 0)
}
