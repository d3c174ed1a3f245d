/**
 * Statements into as few transactions as possible, those that share a blank node in one.
 * @module
 */
import { GRAPH_STATEMENTS_MAX, graphDelete, graphInsert, OPERATIONS_MAX, utf8ToBytes } from '@althing/base'
import type { Operation } from '@althing/base'
import { RdfError } from './error.ts'
import type { StatementGroup } from './read.ts'

export interface PackedStatements {
  /** One for each graph. */
  readonly operations: readonly Operation[]
  readonly statements: number
}

export interface PackOptions {
  /** Of the operations of one transaction; default 65,536, so that blocks fill well. */
  readonly bytesMax?: number
  /** What the largest group may take, alone in its transaction; default 96,000. */
  readonly groupBytesMax?: number
}

const BYTES_MAX = 65_536
/** Below what one operation may have. */
const GROUP_BYTES_MAX = 96_000
/** A full stop and a line feed, after the statement. */
const LINE_END_BYTES = 3
const OPERATION_BYTES = 32

/** @throws {RdfError} `RDF_TOO_LARGE`, when what must stay together does not fit in a transaction. */
export function packStatements(
  groups: readonly StatementGroup[],
  kind: 'insert' | 'delete',
  { bytesMax = BYTES_MAX, groupBytesMax = GROUP_BYTES_MAX }: PackOptions = {},
): PackedStatements[] {
  const packed: PackedStatements[] = []
  let statementsByGraph = new Map<string, string[]>()
  let bytes = 0
  let count = 0
  const close = (): void => {
    if (count > 0) packed.push({ operations: operationsOf(statementsByGraph, kind), statements: count })
    statementsByGraph = new Map()
    bytes = 0
    count = 0
  }
  for (const group of groups) {
    const groupBytes = bytesOf(group)
    const isTooLarge =
      groupBytes > groupBytesMax ||
      group.length > GRAPH_STATEMENTS_MAX ||
      graphsOf(group).size > OPERATIONS_MAX
    if (isTooLarge) {
      const size = `${group.length} statements (${groupBytes} bytes) are connected by blank nodes`
      const most = `a transaction has room for ${GRAPH_STATEMENTS_MAX}, ${groupBytesMax} bytes and ${OPERATIONS_MAX} graphs`
      throw new RdfError('RDF_TOO_LARGE', `${size}; ${most}: give some of the nodes IRIs`)
    }
    const isFull =
      bytes + groupBytes > bytesMax ||
      count + group.length > GRAPH_STATEMENTS_MAX ||
      new Set([...statementsByGraph.keys(), ...graphsOf(group)]).size > OPERATIONS_MAX
    if (isFull) close()
    for (const { graph, statement } of group) {
      const statements = statementsByGraph.get(graph)
      if (statements === undefined) statementsByGraph.set(graph, [statement])
      else statements.push(statement)
    }
    bytes += groupBytes
    count += group.length
  }
  close()
  return packed
}

function operationsOf(
  statementsByGraph: ReadonlyMap<string, readonly string[]>,
  kind: 'insert' | 'delete',
): Operation[] {
  const build = kind === 'insert' ? graphInsert : graphDelete
  return [...statementsByGraph].map(([graph, statements]) => build({ graph, statements }))
}

/** As if each graph were named for itself: more than it will be. */
function bytesOf(group: StatementGroup): number {
  let bytes = 0
  for (const { statement } of group) bytes += utf8ToBytes(statement).length + LINE_END_BYTES
  for (const graph of graphsOf(group)) bytes += OPERATION_BYTES + utf8ToBytes(graph).length
  return bytes
}

function graphsOf(group: StatementGroup): ReadonlySet<string> {
  return new Set(group.map(({ graph }) => graph))
}
