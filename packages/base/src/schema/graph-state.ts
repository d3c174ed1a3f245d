/**
 * The graph in the state of the chain (PC-5). Its statements are entries of their own:
 *
 *     0x22 ‖ graph (16) ‖ subject (8) ‖ statement (24)
 *
 * each part the first bytes of the SHA-256 of a text: the graph's IRI, the subject as canonical N-Quads writes it, the whole
 * statement. So all statements of a graph are one range of keys, and so are those of a subject in it; and the keys
 * follow from the statement alone, so that its presence or absence is one proof.
 * Two statements of one key are out of reach (2^96 hashes); two subjects of one range are not, so readers look at the
 * subject itself.
 * @module
 */
import { ContainerType } from '@chainsafe/ssz'
import type { ValueOf } from '@chainsafe/ssz'
import { concatBytes, utf8ToBytes } from '../bytes.ts'
import { sha256 } from '../hash.ts'
import { STATEMENT_BYTES_MAX, statementText } from '../rdf/statement.ts'
import type { Statement } from '../rdf/statement.ts'
import type { Result } from '../result.ts'
import { GRAPH_NAME_BYTES_MAX } from './graph-operations.ts'
import { STATE_CHAIN } from './state.ts'
import { bytesUpTo, Bytes32, Counter, decode, U16 } from './types.ts'

/** The rules by which operations of MODULE_GRAPH are read and applied; a chain's genesis state names one version. */
export const GRAPH_RULES_VERSION = 1

export const STATE_GRAPH = 0x20
export const STATE_GRAPH_GRANT = 0x21
export const STATE_STATEMENT = 0x22
export const STATE_GRAPH_SHAPES = 0x23
/** Statements by predicate and object: for graphs with a gate only. */
export const STATE_STATEMENT_OBJECT = 0x24

export const GRAPH_ID_BYTES = 16
const TERM_ID_BYTES = 8
const STATEMENT_ID_BYTES = 24
/** All statement keys of one graph and subject start with the same bytes, so many. */
export const SUBJECT_PREFIX_BYTES = 1 + GRAPH_ID_BYTES + TERM_ID_BYTES

/** Where the version of the graph's rules is kept. */
export const graphRulesKey: Uint8Array = Uint8Array.of(STATE_CHAIN, STATE_GRAPH)

export const GraphRules = new ContainerType({ version: U16 }, { typeName: 'GraphRules' })
export type GraphRules = ValueOf<typeof GraphRules>

/** What the state holds about a graph. */
export const GraphRecord = new ContainerType(
  {
    /** Account id of who made it. */
    owner: Bytes32,
    /** Height of the block that made it. */
    height: Counter,
    /** How many statements are in it. */
    statements: Counter,
    /** SHA-256 of the shapes that gate it, as they were sent; zero when it has no gate. */
    shapes: Bytes32,
    /** Its IRI, in UTF-8. */
    name: bytesUpTo(GRAPH_NAME_BYTES_MAX),
  },
  { typeName: 'GraphRecord' },
)
export type GraphRecord = ValueOf<typeof GraphRecord>

export const GraphGrant = new ContainerType(
  {
    /** Height of the block that granted it. */
    since: Counter,
  },
  { typeName: 'GraphGrant' },
)
export type GraphGrant = ValueOf<typeof GraphGrant>

export const StatementEntry = new ContainerType(
  {
    /** Height of the block that inserted the statement. */
    height: Counter,
    /** Account id of who signed that. */
    sender: Bytes32,
    /** Canonical N-Quads without graph and full stop, in UTF-8. */
    text: bytesUpTo(STATEMENT_BYTES_MAX),
  },
  { typeName: 'StatementEntry' },
)
export type StatementEntry = ValueOf<typeof StatementEntry>

export const decodeGraphRules = (bytes: Uint8Array): Result<GraphRules> =>
  decode(GraphRules, bytes, GraphRules.maxSize)
export const decodeGraphRecord = (bytes: Uint8Array): Result<GraphRecord> =>
  decode(GraphRecord, bytes, GraphRecord.maxSize)
export const decodeGraphGrant = (bytes: Uint8Array): Result<GraphGrant> =>
  decode(GraphGrant, bytes, GraphGrant.maxSize)
export const decodeStatementEntry = (bytes: Uint8Array): Result<StatementEntry> =>
  decode(StatementEntry, bytes, StatementEntry.maxSize)

/** @param graph its IRI. */
export function graphId(graph: string): Uint8Array {
  return sha256(utf8ToBytes(graph)).subarray(0, GRAPH_ID_BYTES)
}

export function graphKey(id: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(STATE_GRAPH), id)
}

export function graphShapesKey(id: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(STATE_GRAPH_SHAPES), id)
}

/** Without an account: the common beginning of the keys of all grants of a graph. */
export function graphGrantKey(id: Uint8Array, account: Uint8Array = new Uint8Array(0)): Uint8Array {
  return concatBytes(Uint8Array.of(STATE_GRAPH_GRANT), id, account)
}

/** The common beginning of the keys of all statements of a graph. */
export function graphPrefix(id: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(STATE_STATEMENT), id)
}

/** The common beginning of the keys of all statements about a subject in a graph. @param subject as canonical N-Quads writes it. */
export function subjectPrefix(id: Uint8Array, subject: string): Uint8Array {
  return concatBytes(Uint8Array.of(STATE_STATEMENT), id, termId(subject))
}

/** @param text of the statement, in UTF-8, for who has it already. */
export function statementKey(
  id: Uint8Array,
  statement: Statement,
  text: Uint8Array = utf8ToBytes(statementText(statement)),
): Uint8Array {
  const key = new Uint8Array(SUBJECT_PREFIX_BYTES + STATEMENT_ID_BYTES)
  key[0] = STATE_STATEMENT
  key.set(id, 1)
  key.set(subjectId(statement.subject), 1 + GRAPH_ID_BYTES)
  key.set(statementId(text), SUBJECT_PREFIX_BYTES)
  return key
}

/**
 * The common beginning of the keys under which a graph with a gate notes the statements with this predicate and object.
 * The value is the subject, as canonical N-Quads writes it.
 */
export function objectPrefix(id: Uint8Array, predicate: string, object: string): Uint8Array {
  return concatBytes(Uint8Array.of(STATE_STATEMENT_OBJECT), id, termId(`${predicate} ${object}`))
}

export function statementObjectKey(id: Uint8Array, statement: Statement): Uint8Array {
  const { predicate, object } = statement
  return concatBytes(objectPrefix(id, predicate, object), statementId(utf8ToBytes(statementText(statement))))
}

/** The smallest key after all that start with `prefix`, which is not all 0xff. */
export function prefixEnd(prefix: Uint8Array): Uint8Array {
  const end = prefix.slice()
  let at = end.length - 1
  while (end[at] === 0xff) at--
  end[at]! += 1
  return end.subarray(0, at + 1)
}

function termId(term: string): Uint8Array {
  return sha256(utf8ToBytes(term)).subarray(0, TERM_ID_BYTES)
}

/** Of the subject asked for last: statements about one mostly come together. */
let latest: { readonly subject: string; readonly id: Uint8Array } | null = null

function subjectId(subject: string): Uint8Array {
  if (latest?.subject !== subject) latest = { subject, id: termId(subject) }
  return latest.id
}

/** @param text of the statement, in UTF-8. */
function statementId(text: Uint8Array): Uint8Array {
  return sha256(text).subarray(0, STATEMENT_ID_BYTES)
}
