/**
 * Transactions: an account's signed order to the chain. An operation is a module id and bounded bytes, so a new
 * module changes no schema.
 * @module
 */
import { ContainerType, ListCompositeType } from '@chainsafe/ssz'
import type { ValueOf } from '@chainsafe/ssz'
import { bytesToUtf8, concatBytes, equalBytes, utf8ToBytes } from '../bytes.ts'
import { sha256 } from '../hash.ts'
import type { Hash } from '../hash.ts'
import type { Signer } from '../ed25519.ts'
import { fail, ok } from '../result.ts'
import type { Result } from '../result.ts'
import { Amount, bytesWithin, Bytes32, Counter, decode, U16 } from './types.ts'

export const TRANSACTION_VERSION = 1
/** Of one encoded transaction. */
export const TRANSACTION_BYTES_MAX = 131_072
export const OPERATIONS_MAX = 64
export const OPERATION_BYTES_MAX = 98_304
const WITNESS_BYTES_MAX = 8_192

/** The first byte of a witness says how the sender is proved. */
export const WITNESS_ED25519 = 0
export const WITNESS_MULTISIG = 1

export const Operation = new ContainerType(
  { module: U16, body: bytesWithin(OPERATION_BYTES_MAX) },
  { typeName: 'Operation' },
)
export type Operation = ValueOf<typeof Operation>

export const TransactionBody = new ContainerType(
  {
    version: U16,
    /** Hash of the genesis block: which chain this is for. */
    genesis: Bytes32,
    /** Account id: an Ed25519 public key, or the hash of a multi-signature policy. */
    sender: Bytes32,
    /** The number of transactions of this sender before this one. */
    nonce: Counter,
    /** The last height at which this may be included. */
    validUntil: Counter,
    fee: Amount,
    operations: new ListCompositeType(Operation, OPERATIONS_MAX),
  },
  { typeName: 'TransactionBody' },
)
export type TransactionBody = ValueOf<typeof TransactionBody>

export const Transaction = new ContainerType(
  {
    body: TransactionBody,
    /** Who says so: 0x00 ‖ Ed25519 signature, or 0x01 ‖ `MultisigWitness`. */
    witness: bytesWithin(WITNESS_BYTES_MAX),
  },
  { typeName: 'Transaction' },
)
export type Transaction = ValueOf<typeof Transaction>

/** The SHA-256 of the encoded, signed transaction. */
export type TransactionId = Hash

const SIGN_TAG = utf8ToBytes('althing/tx/1\0')

/** Binds the network id and (inside the body) the genesis. */
export function transactionSignBytes(body: TransactionBody, networkId: string): Uint8Array {
  const network = utf8ToBytes(networkId)
  return concatBytes(SIGN_TAG, Uint8Array.of(network.length), network, TransactionBody.serialize(body))
}

/** The inverse of `transactionSignBytes`. */
export function readTransactionMessage(
  message: Uint8Array,
): Result<{ readonly networkId: string; readonly body: TransactionBody }> {
  const length = message[SIGN_TAG.length] ?? 0
  const bodyAt = SIGN_TAG.length + 1 + length
  const networkId = bytesToUtf8(message.subarray(SIGN_TAG.length + 1, bodyAt))
  if (!equalBytes(message.subarray(0, SIGN_TAG.length), SIGN_TAG) || networkId === null)
    return fail('MALFORMED', 'these are not the signed bytes of a transaction')
  const body = decode(TransactionBody, message.subarray(bodyAt), TRANSACTION_BYTES_MAX)
  return body.ok ? ok({ networkId, body: body.value }) : body
}

export function signTransaction(body: TransactionBody, networkId: string, signer: Signer): Uint8Array {
  const signature = signer.sign(transactionSignBytes(body, networkId))
  return Transaction.serialize({ body, witness: concatBytes(Uint8Array.of(WITNESS_ED25519), signature) })
}

export function decodeTransaction(bytes: Uint8Array): Result<Transaction> {
  return decode(Transaction, bytes, TRANSACTION_BYTES_MAX)
}

export function transactionId(encoded: Uint8Array): TransactionId {
  return sha256(encoded)
}
