/**
 * Operations on the graph of the chain (PC-5): MODULE_GRAPH. A graph is named by an IRI and has an owner; its statements are
 * lines of canonical N-Quads without the graph, which the operation names once.
 * @module
 */
import { ContainerType } from '@chainsafe/ssz'
import type { Type } from '@chainsafe/ssz'
import { bytesToUtf8, concatBytes, utf8ToBytes } from '../bytes.ts'
import { isIri } from '../rdf/iri.ts'
import { readCanonicalQuad, STATEMENT_BYTES_MAX } from '../rdf/statement.ts'
import type { Statement, StatementFaultCode } from '../rdf/statement.ts'
import { fail, ok } from '../result.ts'
import type { Fault, Result } from '../result.ts'
import { MODULE_GRAPH, OperationError } from './operations.ts'
import { OPERATION_BYTES_MAX } from './transaction.ts'
import type { Operation } from './transaction.ts'
import { bytesWithin, Bytes32, decode } from './types.ts'

const GRAPH_CREATE = 0
const GRAPH_INSERT = 1
const GRAPH_DELETE = 2
const GRAPH_GRANT = 3
const GRAPH_REVOKE = 4

/** Of a graph's IRI, in UTF-8. */
export const GRAPH_NAME_BYTES_MAX = 1_024
/** Of one operation. */
export const GRAPH_STATEMENTS_MAX = 2_048
/** Graphs of such names are kept for the chain itself. */
export const GRAPH_NAME_RESERVED = 'urn:althing:'

const Field = bytesWithin(OPERATION_BYTES_MAX)

/**
 * Makes a graph, which the sender then owns. `shapes` is SHACL as lines of canonical N-Quads without a graph; whatever
 * is in the graph conforms to them from then on. Empty: no gate.
 */
const GraphCreate = new ContainerType({ graph: Field, shapes: Field }, { typeName: 'GraphCreate' })
/** Lines of canonical N-Quads without a graph, each ended by a line feed. */
const GraphStatements = new ContainerType(
  { graph: Field, statements: Field },
  { typeName: 'GraphStatements' },
)
const GraphAccess = new ContainerType({ graph: Field, account: Bytes32 }, { typeName: 'GraphAccess' })

export type GraphOperationFaultCode =
  | 'OPERATION_MALFORMED'
  | 'GRAPH_NAME_INVALID'
  | 'GRAPH_NAME_RESERVED'
  | 'STATEMENTS_MISSING'
  | 'STATEMENTS_TOO_MANY'
  | StatementFaultCode

export type GraphOperationFault = Fault & { readonly code: GraphOperationFaultCode }

export type GraphOperation =
  | { readonly kind: 'create'; readonly graph: string; readonly shapes: readonly Statement[] }
  | { readonly kind: 'insert' | 'delete'; readonly graph: string; readonly statements: readonly Statement[] }
  | { readonly kind: 'grant' | 'revoke'; readonly graph: string; readonly account: Uint8Array }

/** @param shapes statements without graph and full stop, as `statementText` makes them; see `GraphCreate`. */
export function graphCreate(fields: {
  readonly graph: string
  readonly shapes?: readonly string[]
}): Operation {
  return build(GRAPH_CREATE, GraphCreate, {
    graph: utf8ToBytes(fields.graph),
    shapes: statementLines(fields.shapes ?? []),
  })
}

/**
 * Adds statements to a graph. One that is there already stays as it is.
 * @param statements without graph and full stop, as `statementText` makes them; 1 to GRAPH_STATEMENTS_MAX.
 * @throws {OperationError} with the codes of `decodeGraphOperation`.
 */
export function graphInsert(fields: {
  readonly graph: string
  readonly statements: readonly string[]
}): Operation {
  return build(GRAPH_INSERT, GraphStatements, {
    graph: utf8ToBytes(fields.graph),
    statements: statementLines(fields.statements),
  })
}

/** Takes statements out of a graph; those that are not there are no fault. As `graphInsert`. */
export function graphDelete(fields: {
  readonly graph: string
  readonly statements: readonly string[]
}): Operation {
  return build(GRAPH_DELETE, GraphStatements, {
    graph: utf8ToBytes(fields.graph),
    statements: statementLines(fields.statements),
  })
}

/** Lets another account insert and delete statements. Only the graph's owner may. */
export function graphGrant(fields: { readonly graph: string; readonly account: Uint8Array }): Operation {
  return build(GRAPH_GRANT, GraphAccess, accessFields(fields))
}

/** Takes a grant back. Only the graph's owner may. */
export function graphRevoke(fields: { readonly graph: string; readonly account: Uint8Array }): Operation {
  return build(GRAPH_REVOKE, GraphAccess, accessFields(fields))
}

/**
 * Reads the body of an operation of MODULE_GRAPH. Faults: `OPERATION_MALFORMED`, `GRAPH_NAME_INVALID`,
 * `GRAPH_NAME_RESERVED`, `STATEMENTS_MISSING`, `STATEMENTS_TOO_MANY`, and those of `readCanonicalQuad`, with the line
 * within the operation.
 */
export function decodeGraphOperation(body: Uint8Array): Result<GraphOperation, GraphOperationFault> {
  switch (body[0]) {
    case GRAPH_CREATE:
      return readFields(GraphCreate, body, ({ graph, shapes }) =>
        shapes.length === 0
          ? ok({ kind: 'create', graph, shapes: [] })
          : map(readGraphStatements(shapes), (read) => ({ kind: 'create', graph, shapes: read })),
      )
    case GRAPH_INSERT:
    case GRAPH_DELETE: {
      const kind = body[0] === GRAPH_INSERT ? 'insert' : 'delete'
      return readFields(GraphStatements, body, ({ graph, statements }) =>
        map(readGraphStatements(statements), (read) => ({ kind, graph, statements: read })),
      )
    }
    case GRAPH_GRANT:
    case GRAPH_REVOKE: {
      const kind = body[0] === GRAPH_GRANT ? 'grant' : 'revoke'
      return readFields(GraphAccess, body, ({ graph, account }) => ok({ kind, graph, account }))
    }
    default:
      return fail(
        'OPERATION_MALFORMED',
        `operation ${body[0] ?? 'missing'} of module graph; known: 0 (create), 1 (insert), 2 (delete), 3 (grant), 4 (revoke)`,
      )
  }
}

/** Lines of canonical N-Quads without graphs. Faults as of `decodeGraphOperation`. */
export function readGraphStatements(bytes: Uint8Array): Result<readonly Statement[], GraphOperationFault> {
  const text = bytesToUtf8(bytes)
  if (text === null) return fail('OPERATION_MALFORMED', 'the statements are not UTF-8')
  if (text === '') return fail('STATEMENTS_MISSING', 'no statement; at least one expected')
  const lines = text.split('\n')
  if (lines.pop() !== '')
    return fail('QUAD_SYNTAX', `line ${lines.length + 1}: expected a line feed at its end`)
  if (lines.length > GRAPH_STATEMENTS_MAX) {
    return fail(
      'STATEMENTS_TOO_MANY',
      `${lines.length} statements; at most ${GRAPH_STATEMENTS_MAX} in an operation`,
    )
  }
  const statements: Statement[] = []
  for (const [index, line] of lines.entries()) {
    const quad = readCanonicalQuad(line, index + 1)
    if (!quad.ok) return quad
    const { graph, ...statement } = quad.value
    if (graph !== null) {
      return fail(
        'QUAD_GRAPH',
        `line ${index + 1}: names a graph; the operation names one for all its statements`,
      )
    }
    if (utf8Length(line) > STATEMENT_BYTES_MAX) {
      return fail('QUAD_TOO_LARGE', `line ${index + 1}: more than ${STATEMENT_BYTES_MAX} bytes`)
    }
    statements.push(statement)
  }
  return ok(statements)
}

function utf8Length(text: string): number {
  return text.length * 3 <= STATEMENT_BYTES_MAX ? text.length : utf8ToBytes(text).length
}

function readFields<Fields extends { readonly graph: Uint8Array }>(
  type: Type<Fields>,
  body: Uint8Array,
  then: (
    fields: Omit<Fields, 'graph'> & { readonly graph: string },
  ) => Result<GraphOperation, GraphOperationFault>,
): Result<GraphOperation, GraphOperationFault> {
  const fields = decode(type, body.subarray(1), OPERATION_BYTES_MAX)
  if (!fields.ok) return fail('OPERATION_MALFORMED', fields.fault.message)
  const graph = bytesToUtf8(fields.value.graph)
  const fault = graphNameFault(graph, fields.value.graph.length)
  return fault === null ? then({ ...fields.value, graph: graph! }) : { ok: false, fault }
}

/** Why no graph can have this name; null when one can. */
function graphNameFault(graph: string | null, bytes: number): GraphOperationFault | null {
  const message =
    graph === null || !isIri(graph)
      ? `the graph's name is no absolute IRI (RFC 3987): ${graph === null ? 'not UTF-8' : JSON.stringify(graph.slice(0, 200))}`
      : `the graph's name has ${bytes} bytes; at most ${GRAPH_NAME_BYTES_MAX} allowed`
  if (graph === null || !isIri(graph) || bytes > GRAPH_NAME_BYTES_MAX)
    return { code: 'GRAPH_NAME_INVALID', message }
  if (!graph.startsWith(GRAPH_NAME_RESERVED)) return null
  return {
    code: 'GRAPH_NAME_RESERVED',
    message: `names that start with ${GRAPH_NAME_RESERVED} are the chain's own`,
  }
}

function map<T, U>(
  result: Result<T, GraphOperationFault>,
  then: (value: T) => U,
): Result<U, GraphOperationFault> {
  return result.ok ? ok(then(result.value)) : result
}

function statementLines(statements: readonly string[]): Uint8Array {
  return utf8ToBytes(statements.map((statement) => `${statement} .\n`).join(''))
}

function accessFields({ graph, account }: { graph: string; account: Uint8Array }): {
  graph: Uint8Array
  account: Uint8Array
} {
  if (account.length !== Bytes32.lengthBytes) {
    const message = `an account id of ${account.length} bytes; expected ${Bytes32.lengthBytes}`
    throw new OperationError({ code: 'OPERATION_MALFORMED', message })
  }
  return { graph: utf8ToBytes(graph), account }
}

function build<T>(operation: number, type: Type<T>, fields: T): Operation {
  const body = concatBytes(Uint8Array.of(operation), type.serialize(fields))
  const read = decodeGraphOperation(body)
  if (!read.ok) throw new OperationError(read.fault)
  return { module: MODULE_GRAPH, body }
}
