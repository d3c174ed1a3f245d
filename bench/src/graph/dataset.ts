/**
 * Real statements to measure with: those of three published vocabularies (GS1 Web Vocabulary, PROV-O, schema.org), as often
 * as a benchmark needs them, each time in graphs of another name.
 * @module
 */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { formatOfFile, readRdf } from '@althing/client/rdf'
import type { StatementGroup } from '@althing/client/rdf'

const NAMES = ['gs1', 'prov', 'schema'] as const

/** About 38,000 statements; those that were connected by blank nodes together. */
export async function readVocabularies(): Promise<StatementGroup[]> {
  const require = createRequire(import.meta.url)
  const groups: StatementGroup[] = []
  for (const name of NAMES) {
    const file = join(dirname(require.resolve(`@vocabulary/${name}`)), `${name}.nq`)
    groups.push(...(await readRdf(await readFile(file), { format: formatOfFile(file) })).groups)
  }
  return groups
}

/** The groups again and again until there are at least `count` statements; each round has graphs of its own. */
export function* repeated(groups: readonly StatementGroup[], count: number): Generator<StatementGroup> {
  let statements = 0
  for (let round = 0; ; round++) {
    for (const group of groups) {
      if (statements >= count) return
      yield group.map(({ graph, statement }) => ({ graph: `urn:bench:${round}:${graph}`, statement }))
      statements += group.length
    }
  }
}
