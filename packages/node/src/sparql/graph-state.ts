/**
 * Which graphs and statements there are after a block: a state on disk, and what a few blocks after it changed.
 * @module
 */
import { graphId, quadLine, readCanonicalQuad, statementKey } from '@althing/base'
import { graphsOf, statementsOf } from '@althing/ledger'
import type { GraphSource } from '@althing/ledger'
import type { IndexedBlock } from './source.ts'

export class GraphState {
  readonly #source: GraphSource
  /** Of lines that the blocks changed: whether they are there now. */
  readonly #isThere = new Map<string, boolean>()
  /** By how many statements the blocks changed a graph. */
  readonly #growth = new Map<string, number>()

  constructor(source: GraphSource, blocks: readonly IndexedBlock[]) {
    this.#source = source
    for (const { deleted, inserted } of blocks) {
      for (const line of linesOf(deleted)) this.#note(line, false)
      for (const line of linesOf(inserted)) this.#note(line, true)
    }
  }

  /** @param text of a statement. */
  has(graph: string, text: string): boolean {
    const changed = this.#isThere.get(quadLine(text, `<${graph}>`))
    if (changed !== undefined) return changed
    const statement = readCanonicalQuad(quadLine(text, null))
    return statement.ok && this.#source.get(statementKey(graphId(graph), statement.value)) !== null
  }

  /**
   * All statements of a graph about a subject.
   * @param subject as canonical N-Quads writes it.
   * @returns null when there are more than `max`.
   */
  about(graph: string, subject: string, max: number): readonly string[] | null {
    const end = ` <${graph}> .`
    const texts: string[] = []
    for (const { text } of statementsOf(this.#source, graph, { subject })) {
      if (this.#isThere.get(text + end) === undefined && texts.push(text) > max) return null
    }
    for (const [line, isThere] of this.#isThere) {
      const isAbout = isThere && line.startsWith(`${subject} `) && line.endsWith(end)
      if (isAbout && texts.push(line.slice(0, -end.length)) > max) return null
    }
    return texts
  }

  /** IRIs of the graphs that have statements. */
  graphs(): readonly string[] {
    const growth = new Map(this.#growth)
    const names: string[] = []
    for (const { name, statements } of graphsOf(this.#source)) {
      if (statements + (growth.get(name) ?? 0) > 0) names.push(name)
      growth.delete(name)
    }
    for (const [name, statements] of growth) if (statements > 0) names.push(name)
    return names
  }

  #note(line: string, isThere: boolean): void {
    this.#isThere.set(line, isThere)
    const graph = line.slice(line.lastIndexOf(' <') + 2, -'> .'.length)
    this.#growth.set(graph, (this.#growth.get(graph) ?? 0) + (isThere ? 1 : -1))
  }
}

function linesOf(text: string): string[] {
  return text === '' ? [] : text.slice(0, -1).split('\n')
}
