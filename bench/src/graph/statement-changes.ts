/**
 * What statements are in the state, as the ledger writes them, in batches that the tree takes. For measuring it alone.
 * @module
 */
import {
  graphId,
  parseStatement,
  StatementEntry,
  statementKey,
  compareBytes,
  utf8ToBytes,
} from '@althing/base'
import type { GraphStatement } from '@althing/client/rdf'
import type { StateChange } from '@althing/ledger'

/** About what a block of 1 MiB has. */
const BATCH = 5_000
const SENDER = new Uint8Array(32).fill(1)

/** Each batch in the order of its keys. */
export function statementChanges(statements: readonly GraphStatement[]): StateChange[][] {
  const batches: StateChange[][] = []
  const idByGraph = new Map<string, Uint8Array>()
  for (let from = 0; from < statements.length; from += BATCH) {
    const changes = statements.slice(from, from + BATCH).map(({ graph, statement }) => {
      let id = idByGraph.get(graph)
      if (id === undefined) idByGraph.set(graph, (id = graphId(graph)))
      const entry = { height: batches.length, sender: SENDER, text: utf8ToBytes(statement) }
      return { key: statementKey(id, parseStatement(statement)), value: StatementEntry.serialize(entry) }
    })
    batches.push(changes.sort((a, b) => compareBytes(a.key, b.key)))
  }
  return batches
}
