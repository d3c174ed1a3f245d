import { decodeTransaction, hashToHex, ok, transactionId } from '@althing/base'
import type { HashHex, Result, Transaction, TransactionId } from '@althing/base'

/** A transaction with the bytes that it came in and what follows from them. Its signature may not be checked yet. */
export interface ReceivedTransaction {
  readonly id: TransactionId
  readonly idHex: HashHex
  /** Encoded, as in a block. */
  readonly bytes: Uint8Array
  readonly transaction: Transaction
}

/** Decodes untrusted bytes. @param id of these bytes, where it is known already. @returns `TOO_LARGE` or `MALFORMED`. */
export function receiveTransaction(
  bytes: Uint8Array,
  id = transactionId(bytes),
): Result<ReceivedTransaction> {
  const transaction = decodeTransaction(bytes)
  if (!transaction.ok) return transaction
  return ok({ id, idHex: hashToHex(id), bytes, transaction: transaction.value })
}
