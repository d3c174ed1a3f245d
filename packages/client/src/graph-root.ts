/**
 * The root of a graph from its statements alone: whoever has all of them, and the proved root, knows that they are these
 * and no others, whichever way they came. Runs in browsers.
 * @module
 */
import {
  compareBytes,
  divergingBit,
  fail,
  graphId,
  innerHash,
  leafHash,
  ok,
  quadLine,
  readCanonicalQuad,
  sha256,
  StatementEntry,
  statementKey,
  utf8ToBytes,
  ZERO_HASH,
} from '@althing/base'
import type { Hash, Result } from '@althing/base'
import type { ProvedStatement } from './graph-proofs.ts'

/**
 * As `verifyGraphRoot` proves it. Takes some microseconds a statement.
 * Faults: those of `readCanonicalQuad`, `STATEMENT_DUPLICATE`.
 * @param graph IRI.
 * @param statements in any order.
 */
export function graphRootOf(graph: string, statements: Iterable<ProvedStatement>): Result<Hash> {
  const id = graphId(graph)
  const leaves: { readonly key: Uint8Array; readonly hash: Hash }[] = []
  for (const { text, height, sender } of statements) {
    const read = readCanonicalQuad(quadLine(text, null))
    if (!read.ok) return read
    const key = statementKey(id, read.value)
    const entry = StatementEntry.serialize({ height, sender, text: utf8ToBytes(text) })
    leaves.push({ key, hash: leafHash(key, sha256(entry)) })
  }
  leaves.sort((a, b) => compareBytes(a.key, b.key))
  // Trees that wait for what is to the right of them, with the bit that tells the two apart.
  const waiting: { readonly hash: Hash; readonly bits: number }[] = []
  let root: Hash = ZERO_HASH
  for (const [i, { key, hash }] of leaves.entries()) {
    const next = leaves[i + 1]
    const bits = next === undefined ? -1 : divergingBit(key, next.key)
    if (next !== undefined && bits === -1) return fail('STATEMENT_DUPLICATE', 'a statement is there twice')
    root = hash
    for (let left = waiting.at(-1); left !== undefined && left.bits > bits; left = waiting.at(-1)) {
      root = innerHash(key, left.bits, left.hash, root)
      waiting.pop()
    }
    if (next !== undefined) waiting.push({ hash: root, bits })
  }
  return ok(root)
}
