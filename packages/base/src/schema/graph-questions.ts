/**
 * What nodes say to each other about graphs (PC-6): which graphs a node keeps in its index, a question for the statements
 * of a graph at a height, a query to be checked, and the signed receipt of its answer.
 * @module
 */
import { ContainerType } from '@chainsafe/ssz'
import type { ValueOf } from '@chainsafe/ssz'
import { bytesToUtf8, concatBytes, utf8ToBytes } from '../bytes.ts'
import { hashOf } from '../hash.ts'
import type { Hash } from '../hash.ts'
import type { Signer, Verify } from '../ed25519.ts'
import { isIri } from '../rdf/iri.ts'
import { fail, ok } from '../result.ts'
import type { Result } from '../result.ts'
import { GRAPH_ID_BYTES } from './graph-state.ts'
import { bytesUpTo, Bytes32, Bytes64, Counter, decode, U8 } from './types.ts'

/** Graphs that a node can say it holds, unless it holds all. */
export const HELD_GRAPHS_MAX = 1_024
/** Of a query. */
export const QUERY_BYTES_MAX = 65_536
/** Of the patterns of one question. */
export const PATTERN_BYTES_MAX = 262_144
const DATASET_BYTES_MAX = 262_144

/** `graphs`: ids (`graphId`), one after the other. */
export const HeldGraphs = new ContainerType(
  { all: U8, graphs: bytesUpTo(HELD_GRAPHS_MAX * GRAPH_ID_BYTES) },
  { typeName: 'HeldGraphs' },
)
export type HeldGraphs = ValueOf<typeof HeldGraphs>

/** `patterns`: lines of subject, predicate and object with a tab between; what is empty is not asked for. */
export const MatchQuestion = new ContainerType(
  { height: Counter, graph: bytesUpTo(1_024), patterns: bytesUpTo(PATTERN_BYTES_MAX) },
  { typeName: 'MatchQuestion' },
)
export type MatchQuestion = ValueOf<typeof MatchQuestion>

/** `dataset`: 1 when the graphs are given, as IRIs each on a line; 0 when the query says, or all are meant. */
const AskedQueryType = new ContainerType(
  {
    query: bytesUpTo(QUERY_BYTES_MAX),
    dataset: U8,
    defaultGraphs: bytesUpTo(DATASET_BYTES_MAX),
    namedGraphs: bytesUpTo(DATASET_BYTES_MAX),
  },
  { typeName: 'AskedQuery' },
)

const CheckQuestionType = new ContainerType(
  { height: Counter, asked: AskedQueryType },
  { typeName: 'CheckQuestion' },
)

/** A query with its dataset: what a receipt is about. */
export interface AskedQuery {
  readonly query: string
  /** IRIs; null: as the query says, or all graphs together. Both are null or none is. */
  readonly defaultGraphs: readonly string[] | null
  readonly namedGraphs: readonly string[] | null
}

/**
 * What a node signs about an answer: this query, asked of the graphs after block `height`, has the answer with this
 * hash. Two receipts that differ in nothing but `result` and signer show that one of the signers is wrong.
 */
export const AnswerReceipt = new ContainerType(
  {
    /** Hash of block 0. */
    genesis: Bytes32,
    /** `queryHash`. */
    query: Bytes32,
    height: Counter,
    /** After that block. */
    stateRoot: Bytes32,
    /** `answerHash` of the canonical lines. */
    result: Bytes32,
    /** The node's key: its peer id is made of it. */
    signer: Bytes32,
    signature: Bytes64,
  },
  { typeName: 'AnswerReceipt' },
)
export type AnswerReceipt = ValueOf<typeof AnswerReceipt>

const QUERY_DOMAIN = utf8ToBytes('althing/query/1\0')
const RESULT_DOMAIN = utf8ToBytes('althing/answer/1\0')
const RECEIPT_DOMAIN = utf8ToBytes('althing/receipt/1\0')

export const decodeHeldGraphs = (bytes: Uint8Array): Result<HeldGraphs> =>
  decode(HeldGraphs, bytes, HeldGraphs.maxSize)
export const decodeMatchQuestion = (bytes: Uint8Array): Result<MatchQuestion> =>
  decode(MatchQuestion, bytes, MatchQuestion.maxSize)
export const decodeAnswerReceipt = (bytes: Uint8Array): Result<AnswerReceipt> =>
  decode(AnswerReceipt, bytes, AnswerReceipt.maxSize)

export function encodeCheckQuestion(height: number, asked: AskedQuery): Uint8Array {
  return CheckQuestionType.serialize({ height, asked: askedFields(asked) })
}

export function decodeCheckQuestion(
  bytes: Uint8Array,
): Result<{ readonly height: number; readonly asked: AskedQuery }> {
  const question = decode(CheckQuestionType, bytes, CheckQuestionType.maxSize)
  if (!question.ok) return question
  const { height, asked } = question.value
  const [query, defaultGraphs, namedGraphs] = [asked.query, asked.defaultGraphs, asked.namedGraphs].map(
    bytesToUtf8,
  )
  if (query == null || defaultGraphs == null || namedGraphs == null) {
    return fail('MALFORMED', 'a query is not UTF-8')
  }
  const [defaults, named] = [linesOf(defaultGraphs), linesOf(namedGraphs)]
  const isEmpty = defaults.length + named.length === 0
  if (asked.dataset > 1 || (asked.dataset === 0 && !isEmpty) || ![...defaults, ...named].every(isIri)) {
    return fail('MALFORMED', 'the graphs of a query are not IRIs, each on a line')
  }
  const isGiven = asked.dataset === 1
  const given = { query, defaultGraphs: isGiven ? defaults : null, namedGraphs: isGiven ? named : null }
  return ok({ height, asked: given })
}

export function queryHash(asked: AskedQuery): Hash {
  return hashOf(QUERY_DOMAIN, AskedQueryType.serialize(askedFields(asked)))
}

/** @param lines canonical and sorted, as `canonicalAnswer` of the client makes them. */
export function answerHash(lines: readonly string[]): Hash {
  return hashOf(RESULT_DOMAIN, utf8ToBytes(lines.map((line) => `${line}\n`).join('')))
}

export function signReceipt(
  fields: Omit<AnswerReceipt, 'signer' | 'signature'>,
  signer: Signer,
): AnswerReceipt {
  const unsigned = { ...fields, signer: signer.publicKey, signature: new Uint8Array(Bytes64.lengthBytes) }
  return { ...unsigned, signature: signer.sign(receiptBytes(unsigned)) }
}

export function isReceiptSigned(receipt: AnswerReceipt, verify: Verify): boolean {
  return verify(receipt.signer, receiptBytes(receipt), receipt.signature)
}

/** All but the signature, which is last. */
function receiptBytes(receipt: AnswerReceipt): Uint8Array {
  const bytes = AnswerReceipt.serialize(receipt)
  return concatBytes(RECEIPT_DOMAIN, bytes.subarray(0, bytes.length - Bytes64.lengthBytes))
}

function askedFields({ query, defaultGraphs, namedGraphs }: AskedQuery): ValueOf<typeof AskedQueryType> {
  return {
    query: utf8ToBytes(query),
    dataset: defaultGraphs === null ? 0 : 1,
    defaultGraphs: utf8ToBytes((defaultGraphs ?? []).join('\n')),
    namedGraphs: utf8ToBytes((namedGraphs ?? []).join('\n')),
  }
}

function linesOf(text: string): string[] {
  return text === '' ? [] : text.split('\n')
}
