/**
 * What a state holds of the graph, for nodes, APIs and indexes: graphs, their grants and their statements, a piece at a
 * time. Graphs come in the order of their keys, which is none that means anything. Pure.
 * @module
 */
import {
  assert,
  bytesToUtf8,
  decodeGraphGrant,
  decodeGraphRecord,
  decodeStatementEntry,
  equalBytes,
  GRAPH_ID_BYTES,
  graphGrantKey,
  graphId,
  graphKey,
  graphPrefix,
  isZeroHash,
  prefixEnd,
  STATE_GRAPH,
  subjectPrefix,
  successor,
  utf8ToBytes,
} from '@althing/base'
import type { GraphRecord, Result } from '@althing/base'
import type { StateEntry } from '../tree/index.ts'

/** One state, read-only. */
export interface GraphSource {
  get(key: Uint8Array): Uint8Array | null
  /** The entries from `start` to before `end`, in key order. */
  entries(start: Uint8Array, end: Uint8Array): Iterable<StateEntry>
}

export interface GraphView {
  /** IRI. */
  readonly name: string
  /** Account id. */
  readonly owner: Uint8Array
  /** Of the block that made it. */
  readonly height: number
  /** How many statements are in it. */
  readonly statements: number
  /** Whether shapes gate it. */
  readonly isGated: boolean
}

export interface GrantView {
  /** Account id. */
  readonly account: Uint8Array
  /** Height of the block that granted it. */
  readonly since: number
}

export interface StatementView {
  /** Canonical N-Quads without graph and full stop. */
  readonly text: string
  /** Of the block that inserted it. */
  readonly height: number
  /** Account id of who signed that. */
  readonly sender: Uint8Array
  /** State key: after this one the next piece starts. */
  readonly key: Uint8Array
}

export interface StatementRange {
  /** As canonical N-Quads writes it; default all subjects. */
  readonly subject?: string
  /** State key of the last statement that is known already. */
  readonly after?: Uint8Array
}

/** @param after IRI of the last graph that is known already. */
export function* graphsOf(source: GraphSource, after?: string): Generator<GraphView, void, undefined> {
  const prefix = Uint8Array.of(STATE_GRAPH)
  const start = after === undefined ? prefix : successor(graphKey(graphId(after)))
  for (const { value } of source.entries(start, prefixEnd(prefix))) yield showGraph(value)
}

/** @returns null when there is no graph of this name. */
export function graphOf(source: GraphSource, name: string): GraphView | null {
  const bytes = source.get(graphKey(graphId(name)))
  if (bytes === null) return null
  const graph = showGraph(bytes)
  return graph.name === name ? graph : null
}

/** Who besides the owner may write to a graph. */
export function* grantsOf(source: GraphSource, graph: string): Generator<GrantView, void, undefined> {
  const prefix = graphGrantKey(graphId(graph))
  for (const { key, value } of source.entries(prefix, prefixEnd(prefix))) {
    const { since } = read(decodeGraphGrant(value))
    yield { account: key.slice(1 + GRAPH_ID_BYTES), since }
  }
}

/** The statements of a graph, or those of one subject in it. */
export function* statementsOf(
  source: GraphSource,
  graph: string,
  { subject, after }: StatementRange = {},
): Generator<StatementView, void, undefined> {
  const id = graphId(graph)
  const prefix = subject === undefined ? graphPrefix(id) : subjectPrefix(id, subject)
  for (const { key, value } of source.entries(
    after === undefined ? prefix : successor(after),
    prefixEnd(prefix),
  )) {
    const { text: bytes, height, sender } = read(decodeStatementEntry(value))
    const text = readText(bytes)
    // Another subject can share the range, if somebody takes the trouble.
    if (subject === undefined || text.startsWith(`${subject} `)) yield { text, height, sender, key }
  }
}

/** Whether the state holds a graph's record under this name, and not another one of the same id. */
export function isGraphNamed(record: GraphRecord, name: string): boolean {
  return equalBytes(record.name, utf8ToBytes(name))
}

function showGraph(bytes: Uint8Array): GraphView {
  const { name, owner, height, statements, shapes } = read(decodeGraphRecord(bytes))
  return { name: readText(name), owner, height, statements, isGated: !isZeroHash(shapes) }
}

function readText(bytes: Uint8Array): string {
  const text = bytesToUtf8(bytes)
  assert(text !== null, 'texts in the state are UTF-8')
  return text
}

function read<T>(result: Result<T>): T {
  assert(result.ok, 'what the graph module wrote into the state can be read')
  return result.value
}
