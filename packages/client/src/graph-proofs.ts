/**
 * Proofs about the graph, checked with a state root that is trusted: that a statement is in a graph or is not, which
 * statements there are about a subject, and what a graph as a whole hashes to. Runs in browsers. A `FinalHeader` of
 * `verifyFinal` has such a root.
 * @module
 */
import {
  bytesToUtf8,
  compareBytes,
  decodeStatementEntry,
  fail,
  graphId,
  graphPrefix,
  ok,
  prefixEnd,
  quadLine,
  readCanonicalQuad,
  statementKey,
  subjectPrefix,
  successor,
  verifyKey,
  verifyRange,
  verifySubtree,
} from '@althing/base'
import type { Hash, Result, StatementEntry } from '@althing/base'

export interface ProvedStatement {
  /** Canonical N-Quads without graph and full stop. */
  readonly text: string
  /** Of the block that inserted it. */
  readonly height: number
  /** Account id of who signed that. */
  readonly sender: Uint8Array
}

export interface ProvedStatements {
  /** All of the range, up to `after`. */
  readonly statements: readonly ProvedStatement[]
  /** State key after which the next piece starts; null when this one is the last. */
  readonly after: Uint8Array | null
}

export interface StatementsAsked {
  /** IRI. */
  readonly graph: string
  /** As canonical N-Quads writes it; default all subjects. */
  readonly subject?: string
  /** State key of the last statement of the piece before. */
  readonly after?: Uint8Array
}

/**
 * Whether a statement is in a graph. Faults: those of `readCanonicalQuad`, `PROOF_MALFORMED`, `PROOF_MISMATCH`.
 * @param statement canonical N-Quads without graph and full stop.
 * @returns null when it is proved not to be there.
 */
export function verifyStatement(
  stateRoot: Hash,
  graph: string,
  statement: string,
  proof: Uint8Array,
): Result<ProvedStatement | null> {
  const read = readCanonicalQuad(quadLine(statement, null))
  if (!read.ok) return read
  const proved = verifyKey(stateRoot, statementKey(graphId(graph), read.value), proof)
  if (!proved.ok) return proved
  return proved.value.value === null ? ok(null) : readEntry(proved.value.value)
}

/**
 * All statements of a graph, or those of one subject in it, a piece at a time. Faults: `PROOF_RANGE` (`after` is of another
 * range), `PROOF_MALFORMED`, `PROOF_MISMATCH`.
 */
export function verifyStatements(
  stateRoot: Hash,
  { graph, subject, after }: StatementsAsked,
  proof: Uint8Array,
): Result<ProvedStatements> {
  const { start, end } = statementRange({ graph, subject, after })
  if (compareBytes(start, end) >= 0) return fail('PROOF_RANGE', 'the key to go on from is of another range')
  const proved = verifyRange(stateRoot, start, end, proof)
  if (!proved.ok) return proved
  const statements: ProvedStatement[] = []
  for (const { value } of proved.value.entries) {
    const statement = readEntry(value)
    if (!statement.ok) return statement
    // Another subject can share the range, if somebody takes the trouble.
    if (subject === undefined || statement.value.text.startsWith(`${subject} `))
      statements.push(statement.value)
  }
  const { next, entries } = proved.value
  return ok({ statements, after: next === null ? null : (entries.at(-1)?.key ?? null) })
}

/** The state keys that hold the statements asked for: what a proof about them has to cover. */
export function statementRange({ graph, subject, after }: StatementsAsked): {
  readonly start: Uint8Array
  readonly end: Uint8Array
} {
  const id = graphId(graph)
  const prefix = subject === undefined ? graphPrefix(id) : subjectPrefix(id, subject)
  return { start: after === undefined ? prefix : successor(after), end: prefixEnd(prefix) }
}

/**
 * The root of a graph: one hash over its statements, with who inserted each and when; zero for a graph without any.
 * Faults: `PROOF_MALFORMED`, `PROOF_MISMATCH`.
 */
export function verifyGraphRoot(
  stateRoot: Hash,
  graph: string,
  proof: Uint8Array,
): Result<{ readonly hash: Hash }> {
  return verifySubtree(stateRoot, graphPrefix(graphId(graph)), proof)
}

function readEntry(bytes: Uint8Array): Result<ProvedStatement> {
  const entry = decodeStatementEntry(bytes)
  if (!entry.ok) return fail('PROOF_MALFORMED', entry.fault.message)
  const { text: utf8, height, sender }: StatementEntry = entry.value
  const text = bytesToUtf8(utf8)
  return text === null ? fail('PROOF_MALFORMED', 'a statement is not UTF-8') : ok({ text, height, sender })
}
