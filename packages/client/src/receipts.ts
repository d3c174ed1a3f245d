/**
 * Receipts: what a node signs about an answer to a query, so that whoever asked several nodes can show who said what.
 * A receipt proves who answered, and not that the answer is right. Runs in browsers.
 * @module
 */
import {
  answerHash,
  bytesToHex,
  decodeAnswerReceipt,
  equalBytes,
  escapeText,
  fail,
  isReceiptSigned,
  ok,
  queryHash,
  verifyPortable,
} from '@althing/base'
import type { AnswerReceipt, AskedQuery, Hash, Result } from '@althing/base'
import { base64ToBytes } from './encoding.ts'

interface ResultTerm {
  readonly type: string
  readonly value: string
  readonly datatype?: string
  readonly 'xml:lang'?: string
}

interface Results {
  readonly boolean?: boolean
  readonly results?: { readonly bindings: readonly Readonly<Record<string, ResultTerm>>[] }
}

/**
 * The lines that the hash of a receipt is over: rows with their variables in order, or statements; sorted.
 * @param mediaType SPARQL results in JSON, N-Triples or N-Quads.
 * @returns null for another type, and for answers with blank nodes, whose names mean nothing elsewhere.
 */
export function canonicalAnswer(mediaType: string, text: string): readonly string[] | null {
  const lines = linesOf(mediaType, text)
  return lines?.every((line) => line !== null) === true ? lines.sort() : null
}

/**
 * That a node signed this answer. Faults: `RECEIPT_MALFORMED`, `RECEIPT_UNSIGNED`, `RECEIPT_OTHER_CHAIN`,
 * `RECEIPT_OTHER_QUERY`, `RECEIPT_OTHER_ANSWER`.
 * @param encoded base64, as in X-Althing-Receipt.
 * @param expected what was asked; `answer` when the receipt has to be of this answer.
 */
export function verifyReceipt(
  encoded: string,
  expected: {
    readonly genesisHash: Hash
    readonly asked: AskedQuery
    readonly answer?: { readonly mediaType: string; readonly text: string }
  },
): Result<AnswerReceipt> {
  const bytes = base64ToBytes(encoded.trim())
  const receipt = bytes === null ? null : decodeAnswerReceipt(bytes)
  if (!receipt?.ok) return fail('RECEIPT_MALFORMED', 'not a receipt')
  const { value } = receipt
  if (!isReceiptSigned(value, verifyPortable)) {
    return fail('RECEIPT_UNSIGNED', `the signature of ${bytesToHex(value.signer)} does not hold`)
  }
  if (!equalBytes(value.genesis, expected.genesisHash)) {
    return fail('RECEIPT_OTHER_CHAIN', `a receipt of the chain ${bytesToHex(value.genesis)}`)
  }
  if (!equalBytes(value.query, queryHash(expected.asked))) {
    return fail('RECEIPT_OTHER_QUERY', 'a receipt of another query, or of another choice of graphs')
  }
  if (expected.answer !== undefined) {
    const lines = canonicalAnswer(expected.answer.mediaType, expected.answer.text)
    if (lines === null || !equalBytes(value.result, answerHash(lines))) {
      return fail('RECEIPT_OTHER_ANSWER', 'a receipt of another answer')
    }
  }
  return ok(value)
}

function linesOf(mediaType: string, text: string): (string | null)[] | null {
  if (mediaType === 'application/sparql-results+json') {
    const { boolean, results } = JSON.parse(text) as Results
    return results === undefined ? [String(boolean)] : results.bindings.map(rowLine)
  }
  if (mediaType !== 'application/n-triples' && mediaType !== 'application/n-quads') return null
  const lines = text.split('\n').filter((line) => line !== '')
  return lines.map((line) => (/(?:^|> )_:/.test(line) ? null : line))
}

function rowLine(row: Readonly<Record<string, ResultTerm>>): string | null {
  const parts: string[] = []
  for (const name of Object.keys(row).sort()) {
    const term = termText(row[name]!)
    if (term === null) return null
    parts.push(`?${name}=${term}`)
  }
  return parts.join(' ')
}

function termText({ type, value, datatype, 'xml:lang': language }: ResultTerm): string | null {
  if (type === 'uri') return `<${value}>`
  if (type !== 'literal' && type !== 'typed-literal') return null
  const text = `"${escapeText(value)}"`
  if (language !== undefined) return `${text}@${language}`
  return datatype === undefined ? text : `${text}^^<${datatype}>`
}
