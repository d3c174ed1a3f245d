/**
 * A node's answers about graphs, checked: every field agrees with what its proof shows. Runs in browsers.
 * @module
 */
import { bytesToHex, equalBytes, fail, hexToBytes, ok } from '@althing/base'
import type { Hash, Result } from '@althing/base'
import { verifyGraphRoot, verifyStatement, verifyStatements } from './graph-proofs.ts'
import type { ProvedStatement } from './graph-proofs.ts'
import type { GraphDetailsJson, StatementJson, StatementProofJson, StatementsJson } from './graph-types.ts'
import { verifyStateProof } from './verify.ts'
import type { FinalHeader, Trusted } from './verify.ts'

/**
 * The root of a graph: two nodes that show the same one hold the same statements.
 * Faults: `ANSWER_NOT_PROVED`, and those of `verifyStateProof` and `verifyGraphRoot`.
 */
export function verifyGraph(
  graph: string,
  answer: GraphDetailsJson,
  trusted: Trusted,
): Result<{ readonly root: Hash; readonly at: FinalHeader }> {
  const proof = verifyStateProof(answer.proof, answer.height, trusted)
  if (!proof.ok) return proof
  const { at, state } = proof.value
  const proved = verifyGraphRoot(at.header.stateRoot, graph, state)
  if (!proved.ok) return proved
  if (bytesToHex(proved.value.hash) !== answer.root) return notProved('root')
  return ok({ root: proved.value.hash, at })
}

/**
 * That these are all statements of the graph, or of the subject in it, after `after` and up to `next`.
 * Faults: `PROOF_MISSING`, `ANSWER_NOT_PROVED`, and those of `verifyStateProof` and `verifyStatements`.
 */
export function verifyStatementsOf(
  asked: { readonly graph: string; readonly subject?: string; readonly after?: string },
  answer: StatementsJson,
  trusted: Trusted,
): Result<{ readonly statements: readonly ProvedStatement[]; readonly at: FinalHeader }> {
  if (answer.proof === null) return fail('PROOF_MISSING', 'the answer carries no proof')
  const proof = verifyStateProof(answer.proof, answer.height, trusted)
  if (!proof.ok) return proof
  const { at, state } = proof.value
  const after = asked.after === undefined ? undefined : (hexToBytes(asked.after) ?? undefined)
  const { graph, subject } = asked
  const range = { graph, ...(subject !== undefined && { subject }), ...(after !== undefined && { after }) }
  const proved = verifyStatements(at.header.stateRoot, range, state)
  if (!proved.ok) return proved
  const { statements, after: last } = proved.value
  const isSame =
    statements.length === answer.statements.length &&
    statements.every((statement, i) => isShown(statement, answer.statements[i]!))
  if (!isSame) return notProved('statements')
  if (answer.next !== (last === null ? null : bytesToHex(last))) return notProved('next')
  return ok({ statements, at })
}

/** Presence or absence. Faults: `ANSWER_NOT_PROVED`, and those of `verifyStateProof` and `verifyStatement`. */
export function verifyStatementOf(
  asked: { readonly graph: string; readonly statement: string },
  answer: StatementProofJson,
  trusted: Trusted,
): Result<{ readonly statement: ProvedStatement | null; readonly at: FinalHeader }> {
  const proof = verifyStateProof(answer.proof, answer.height, trusted)
  if (!proof.ok) return proof
  const { at, state } = proof.value
  const proved = verifyStatement(at.header.stateRoot, asked.graph, asked.statement, state)
  if (!proved.ok) return proved
  const statement = proved.value
  const isSame =
    statement === null
      ? answer.statement === null && !answer.exists
      : answer.exists && answer.statement !== null && isShown(statement, answer.statement)
  return isSame ? ok({ statement, at }) : notProved('statement')
}

function isShown(proved: ProvedStatement, shown: StatementJson): boolean {
  const sender = hexToBytes(shown.sender)
  return (
    proved.text === shown.text &&
    proved.height === shown.height &&
    sender !== null &&
    equalBytes(proved.sender, sender)
  )
}

function notProved(field: string): Result<never> {
  return fail('ANSWER_NOT_PROVED', `the answer's ${field} is not what its proof shows`)
}
