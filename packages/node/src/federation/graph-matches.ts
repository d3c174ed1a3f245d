/**
 * The statements of one graph that patterns match, after exactly one block: what a holder answers.
 * The index is of the newest height, so what the blocks since then changed is taken back. What they deleted is all
 * given, whether or not a pattern matches it: more than was asked for does no harm.
 * @module
 */
import { assert } from '@althing/base'
import { QueryFault } from '../sparql/fault.ts'
import type { GraphIndex } from '../sparql/index.ts'
import type { IndexedBlock } from '../sparql/source.ts'
import { matchQuery } from './pattern.ts'
import type { Pattern } from './pattern.ts'

const N_TRIPLES = 'application/n-triples'
/** For a block that is final elsewhere already. */
const BEHIND_MS = 2_000
const LOOK_MS = 20

export interface Matches {
  /** Canonical N-Quads without graph and full stop. */
  readonly texts: readonly string[]
}

export class GraphMatches {
  readonly #index: GraphIndex

  constructor(index: GraphIndex) {
    this.#index = index
  }

  /**
   * @param client whose questions are counted together.
   * @throws {QueryFault} `GRAPH_ELSEWHERE` when the graph is not held here, and as `GraphIndex.query`.
   */
  async of(graph: string, patterns: readonly Pattern[], height: number, client: string): Promise<Matches> {
    const { graphs } = this.#index
    if (!graphs.holds(graph)) throw new QueryFault('GRAPH_ELSEWHERE', `<${graph}> is not held here`)
    await this.#reach(height)
    const query = matchQuery(graph, patterns)
    const newest = await this.#ask(query, null, client)
    const changes =
      newest.height >= height
        ? graphs.changes(height, newest.height)?.map(reversed).toReversed()
        : graphs.changes(newest.height, height)
    const texts = new Set(textsOf(newest.text))
    if (changes == null) return { texts: textsOf((await this.#ask(query, height, client)).text) }
    const end = ` <${graph}> .`
    for (const { deleted, inserted } of changes) {
      for (const text of textsOf(deleted, end)) texts.delete(text)
      for (const text of textsOf(inserted, end)) texts.add(text)
    }
    return { texts: [...texts] }
  }

  /** @throws {QueryFault} `HEIGHT_NOT_KEPT` when the block is not final here in time. */
  async #reach(height: number): Promise<void> {
    const { graphs } = this.#index
    for (let waitedMs = 0; graphs.height < height; waitedMs += LOOK_MS) {
      if (waitedMs >= BEHIND_MS) {
        throw new QueryFault(
          'HEIGHT_NOT_KEPT',
          `block ${height} is not final here; the newest is ${graphs.height}`,
          BEHIND_MS,
        )
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
  }

  #ask(query: string, height: number | null, client: string): Promise<{ text: string; height: number }> {
    return this.#index.query({
      query,
      mediaType: N_TRIPLES,
      defaultGraphs: null,
      namedGraphs: null,
      unionDefault: false,
      height,
      client,
    })
  }
}

function reversed({ height, deleted, inserted }: IndexedBlock): IndexedBlock {
  return { height, deleted: inserted, inserted: deleted }
}

/** @param end of the lines; others are left out. */
function textsOf(lines: string, end = ' .'): string[] {
  if (lines === '') return []
  assert(lines.endsWith('\n'), 'lines of N-Quads end in a line feed')
  return lines
    .slice(0, -1)
    .split('\n')
    .filter((line) => line.endsWith(end))
    .map((line) => line.slice(0, -end.length))
}
