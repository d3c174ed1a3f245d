/**
 * Operations of the built-in modules. The body of an operation is one byte that says which operation of its module it
 * is, then the SSZ of its fields.
 * The limits are checked after decoding and not by the schema, so that a key that is too long is told apart from bytes
 * that are none of ours; the body as a whole is bounded already (OPERATION_BYTES_MAX).
 * @module
 */
import { ContainerType } from '@chainsafe/ssz'
import type { Type, ValueOf } from '@chainsafe/ssz'
import { concatBytes } from '../bytes.ts'
import { fail, ok } from '../result.ts'
import type { Fault, Result } from '../result.ts'
import type { GraphOperationFault, GraphOperationFaultCode } from './graph-operations.ts'
import { OPERATION_BYTES_MAX } from './transaction.ts'
import type { Operation } from './transaction.ts'
import { Amount, AMOUNT_MAX, bytesWithin, Bytes32, decode } from './types.ts'

/** Module ids. Ids from MODULE_USER_MIN on are free for modules that a user registers. */
export const MODULE_ACCOUNTS = 1
export const MODULE_KV = 2
/** Reserved. */
export const MODULE_GRAPH = 3
export const MODULE_AUTHORITIES = 4
export const MODULE_TASKS = 5
export const MODULE_USER_MIN = 1024

const ACCOUNTS_TRANSFER = 0

const KV_PUT = 0
const KV_DELETE = 1
const KV_GRANT = 2
const KV_REVOKE = 3

/** A key has 1 to this many bytes, of any kind. */
export const KV_KEY_BYTES_MAX = 256
export const KV_VALUE_BYTES_MAX = 65_536

const Field = bytesWithin(OPERATION_BYTES_MAX)

/** Moves money; the recipient's account is made if there is none. */
export const Transfer = new ContainerType(
  {
    /** Account id. */
    to: Bytes32,
    /** 1 to 2^64 − 1. */
    amount: Amount,
  },
  { typeName: 'Transfer' },
)
export type Transfer = ValueOf<typeof Transfer>

/** Writes a value. Whoever writes a free key first owns it. */
export const KvPut = new ContainerType({ key: Field, value: Field }, { typeName: 'KvPut' })
export type KvPut = ValueOf<typeof KvPut>

/** Frees a key: entry, owner and grants go. Only its owner may. */
export const KvDelete = new ContainerType({ key: Field }, { typeName: 'KvDelete' })
export type KvDelete = ValueOf<typeof KvDelete>

/** Lets another account write the value of a key. Only its owner may. */
export const KvGrant = new ContainerType({ key: Field, account: Bytes32 }, { typeName: 'KvGrant' })
export type KvGrant = ValueOf<typeof KvGrant>

/** Takes a grant back. Only the key's owner may. */
export const KvRevoke = new ContainerType({ key: Field, account: Bytes32 }, { typeName: 'KvRevoke' })
export type KvRevoke = ValueOf<typeof KvRevoke>

export type AccountsOperation = { readonly kind: 'transfer' } & Transfer

export type KvOperation =
  | ({ readonly kind: 'put' } & KvPut)
  | ({ readonly kind: 'delete' } & KvDelete)
  | ({ readonly kind: 'grant' } & KvGrant)
  | ({ readonly kind: 'revoke' } & KvRevoke)

export type OperationFaultCode =
  | 'OPERATION_MALFORMED'
  | 'AMOUNT_INVALID'
  | 'KEY_EMPTY'
  | 'KEY_TOO_LONG'
  | 'VALUE_TOO_LARGE'

export type OperationFault = Fault & { readonly code: OperationFaultCode }

/** The fields given to a builder make no operation that any chain would take. */
export class OperationError extends Error {
  override readonly name = 'OperationError'
  readonly code: OperationFaultCode | GraphOperationFaultCode

  constructor(fault: OperationFault | GraphOperationFault) {
    super(fault.message)
    this.code = fault.code
  }
}

/** @throws {OperationError} `AMOUNT_INVALID`, `OPERATION_MALFORMED` (an account id that is not 32 bytes). */
export function transfer(fields: Transfer): Operation {
  assertAccount(fields.to)
  return build(MODULE_ACCOUNTS, ACCOUNTS_TRANSFER, Transfer, fields, checkTransfer)
}

/** @throws {OperationError} `KEY_EMPTY`, `KEY_TOO_LONG`, `VALUE_TOO_LARGE`. */
export function kvPut(fields: KvPut): Operation {
  return build(MODULE_KV, KV_PUT, KvPut, fields, checkPut)
}

/** @throws {OperationError} `KEY_EMPTY`, `KEY_TOO_LONG`. */
export function kvDelete(fields: KvDelete): Operation {
  return build(MODULE_KV, KV_DELETE, KvDelete, fields, checkKey)
}

/** @throws {OperationError} `KEY_EMPTY`, `KEY_TOO_LONG`, `OPERATION_MALFORMED` (an account id that is not 32 bytes). */
export function kvGrant(fields: KvGrant): Operation {
  assertAccount(fields.account)
  return build(MODULE_KV, KV_GRANT, KvGrant, fields, checkKey)
}

/** @throws {OperationError} `KEY_EMPTY`, `KEY_TOO_LONG`, `OPERATION_MALFORMED` (an account id that is not 32 bytes). */
export function kvRevoke(fields: KvRevoke): Operation {
  assertAccount(fields.account)
  return build(MODULE_KV, KV_REVOKE, KvRevoke, fields, checkKey)
}

/** Reads the body of an operation of MODULE_ACCOUNTS. */
export function decodeAccountsOperation(body: Uint8Array): Result<AccountsOperation, OperationFault> {
  if (body[0] !== ACCOUNTS_TRANSFER) return unknownOperation('accounts', body, '0 (transfer)')
  return read('transfer', Transfer, body, checkTransfer)
}

/** Reads the body of an operation of MODULE_KV. */
export function decodeKvOperation(body: Uint8Array): Result<KvOperation, OperationFault> {
  switch (body[0]) {
    case KV_PUT:
      return read('put', KvPut, body, checkPut)
    case KV_DELETE:
      return read('delete', KvDelete, body, checkKey)
    case KV_GRANT:
      return read('grant', KvGrant, body, checkKey)
    case KV_REVOKE:
      return read('revoke', KvRevoke, body, checkKey)
    default:
      return unknownOperation('kv', body, '0 (put), 1 (delete), 2 (grant), 3 (revoke)')
  }
}

type Check<T> = (value: T) => OperationFault | null

function checkTransfer({ amount }: Transfer): OperationFault | null {
  if (amount >= 1n && amount <= AMOUNT_MAX) return null
  return { code: 'AMOUNT_INVALID', message: `a transfer of ${amount}; expected 1 to ${AMOUNT_MAX}` }
}

function checkKey({ key }: { key: Uint8Array }): OperationFault | null {
  if (key.length === 0)
    return { code: 'KEY_EMPTY', message: `an empty key; expected 1 to ${KV_KEY_BYTES_MAX} bytes` }
  if (key.length <= KV_KEY_BYTES_MAX) return null
  return {
    code: 'KEY_TOO_LONG',
    message: `a key of ${key.length} bytes; at most ${KV_KEY_BYTES_MAX} allowed`,
  }
}

function checkPut(put: KvPut): OperationFault | null {
  const fault = checkKey(put)
  if (fault !== null || put.value.length <= KV_VALUE_BYTES_MAX) return fault
  const message = `a value of ${put.value.length} bytes; at most ${KV_VALUE_BYTES_MAX} allowed`
  return { code: 'VALUE_TOO_LARGE', message }
}

function assertAccount(id: Uint8Array): void {
  if (id.length === Bytes32.lengthBytes) return
  const message = `an account id of ${id.length} bytes; expected ${Bytes32.lengthBytes}`
  throw new OperationError({ code: 'OPERATION_MALFORMED', message })
}

function build<T>(module: number, operation: number, type: Type<T>, fields: T, check: Check<T>): Operation {
  const fault = check(fields)
  if (fault !== null) throw new OperationError(fault)
  return { module, body: concatBytes(Uint8Array.of(operation), type.serialize(fields)) }
}

function read<Kind extends string, T extends object>(
  kind: Kind,
  type: Type<T>,
  body: Uint8Array,
  check: Check<T>,
): Result<{ readonly kind: Kind } & T, OperationFault> {
  const fields = decode(type, body.subarray(1), OPERATION_BYTES_MAX)
  if (!fields.ok) return fail('OPERATION_MALFORMED', fields.fault.message)
  const fault = check(fields.value)
  return fault === null ? ok({ kind, ...fields.value }) : { ok: false, fault }
}

function unknownOperation(module: string, body: Uint8Array, known: string): Result<never, OperationFault> {
  return fail('OPERATION_MALFORMED', `operation ${body[0] ?? 'missing'} of module ${module}; known: ${known}`)
}
