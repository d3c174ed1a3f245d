/**
 * Transactions from users: read from the body of a request, handed in, and answered one by one.
 * @module
 */
import { hashToHex, transactionId } from '@althing/base'
import type { Fault } from '@althing/base'
import { SUBMIT_TRANSACTIONS_MAX } from '@althing/client'
import type { SubmissionJson, SubmissionsJson, TransactionJson } from '@althing/client'
import { ApiFault, failure, statusOfRefusal, success } from './answer.ts'
import type { ApiBackend } from './backend.ts'
import { transactionJson } from './json.ts'

/** Encoded transactions whose answer is still to come, in all requests together. */
const WAITING_BYTES_MAX = 32 * 1024 * 1024

export interface SubmissionAnswer {
  readonly status: number
  readonly body: unknown
}

export class Submissions {
  readonly #backend: ApiBackend
  #waitingBytes = 0

  constructor(backend: ApiBackend) {
    this.#backend = backend
  }

  /** @param body bytes of one transaction, or what JSON said. @throws {ApiFault} */
  async handle(body: unknown): Promise<SubmissionAnswer> {
    if (body instanceof Uint8Array) return this.#one(body)
    const { transaction, transactions } = isObject(body) ? body : {}
    if (transaction !== undefined && transactions === undefined) {
      return this.#one(readBase64('transaction', transaction))
    }
    if (Array.isArray(transactions) && transaction === undefined) return this.#many(transactions)
    throw new ApiFault('BODY_MALFORMED', 'expected {"transaction": base64} or {"transactions": [base64, …]}')
  }

  async #one(encoded: Uint8Array): Promise<SubmissionAnswer> {
    const [result] = await this.#submit([encoded])
    const id = transactionId(encoded)
    if (result!.ok)
      return { status: 202, body: success<TransactionJson>(transactionJson(id, { kind: 'pending' })) }
    return { status: statusOfRefusal(result!.fault), body: failure(result!.fault, { id: hashToHex(id) }) }
  }

  async #many(texts: readonly unknown[]): Promise<SubmissionAnswer> {
    if (texts.length < 1 || texts.length > SUBMIT_TRANSACTIONS_MAX) {
      const expected = `1 to ${SUBMIT_TRANSACTIONS_MAX}`
      throw new ApiFault(
        'BODY_MALFORMED',
        `transactions: found ${texts.length} of them, expected ${expected}`,
      )
    }
    const encoded = texts.map((text, i) => readBase64(`transactions[${i}]`, text))
    const results = await this.#submit(encoded)
    const data: SubmissionsJson = {
      results: encoded.map((bytes, i) => {
        const result = results[i]!
        return submissionJson(bytes, result.ok ? null : result.fault)
      }),
    }
    return { status: 202, body: success(data) }
  }

  async #submit(encoded: readonly Uint8Array[]): ReturnType<ApiBackend['submit']> {
    const bytes = encoded.reduce((sum, one) => sum + one.length, 0)
    if (this.#waitingBytes + bytes > WAITING_BYTES_MAX) {
      throw new ApiFault(
        'BUSY',
        'this node has as many transactions to look at as it can hold; send again in a moment',
      )
    }
    this.#waitingBytes += bytes
    try {
      return await this.#backend.submit(encoded)
    } finally {
      this.#waitingBytes -= bytes
    }
  }
}

function submissionJson(encoded: Uint8Array, fault: Fault | null): SubmissionJson {
  const error = fault === null ? null : { code: fault.code, message: fault.message, details: null }
  return { id: hashToHex(transactionId(encoded)), accepted: fault === null, error }
}

function isObject(
  body: unknown,
): body is { readonly transaction?: unknown; readonly transactions?: unknown } {
  return typeof body === 'object' && body !== null
}

const base64 = /^[A-Za-z0-9+/]*={0,2}$/

function readBase64(name: string, text: unknown): Uint8Array {
  if (typeof text !== 'string' || text.length % 4 !== 0 || !base64.test(text)) {
    throw new ApiFault('BODY_MALFORMED', `${name}: expected base64 of an encoded transaction`)
  }
  return Buffer.from(text, 'base64')
}
