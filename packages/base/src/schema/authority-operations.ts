/**
 * Operations of MODULE_AUTHORITIES: how the set of authorities, and the version of the protocol, are changed.
 * @module
 */
import { ContainerType } from '@chainsafe/ssz'
import type { Type, ValueOf } from '@chainsafe/ssz'
import { concatBytes, u64ToBytes, utf8ToBytes } from '../bytes.ts'
import { hashOf, isZeroHash, ZERO_HASH } from '../hash.ts'
import type { Hash } from '../hash.ts'
import { fail, ok } from '../result.ts'
import type { Result } from '../result.ts'
import { Evidence } from './evidence.ts'
import { MODULE_AUTHORITIES, OperationError } from './operations.ts'
import type { OperationFault } from './operations.ts'
import type { Operation } from './transaction.ts'
import { Amount, Bytes32, Bytes64, Counter, decode, U16, U8 } from './types.ts'

const PROPOSE = 0
const VOTE = 1
const HEARTBEAT = 2
const REJOIN = 3
const EVIDENCE = 4
const ROTATE_KEY = 5
const BOND = 6
const UNBOND = 7

const ADD = 0
const REMOVE = 1
const CHANGE_KEY = 2
const CHANGE_WEIGHT = 3
const ACTIVATE = 4

/** A change that authorities vote on, as it travels; a field that its kind does not have is zero. */
export const AuthorityChangeRecord = new ContainerType(
  {
    kind: U8,
    /** The authority that it is about. */
    key: Bytes32,
    newKey: Bytes32,
    weight: Counter,
    version: U16,
    height: Counter,
  },
  { typeName: 'AuthorityChange' },
)
export type AuthorityChangeRecord = ValueOf<typeof AuthorityChangeRecord>

/** What authorities vote on. */
export type AuthorityChange =
  /** A new member, with a weight of at least 1. */
  | { readonly kind: 'add'; readonly key: Uint8Array; readonly weight: number }
  | { readonly kind: 'remove'; readonly key: Uint8Array }
  /** The member with `key` has `newKey` from then on: for a key that was lost. */
  | { readonly kind: 'changeKey'; readonly key: Uint8Array; readonly newKey: Uint8Array }
  | { readonly kind: 'changeWeight'; readonly key: Uint8Array; readonly weight: number }
  /** Blocks from `height` on have this version. */
  | { readonly kind: 'activate'; readonly version: number; readonly height: number }

export const AuthorityPropose = new ContainerType(
  {
    change: AuthorityChangeRecord,
    /** The last height at which votes for it count. */
    expires: Counter,
  },
  { typeName: 'AuthorityPropose' },
)
export type AuthorityPropose = ValueOf<typeof AuthorityPropose>

export const AuthorityVote = new ContainerType({ proposal: Bytes32 }, { typeName: 'AuthorityVote' })
export type AuthorityVote = ValueOf<typeof AuthorityVote>

export const AuthorityRejoin = new ContainerType({ nonce: Bytes32 }, { typeName: 'AuthorityRejoin' })
export type AuthorityRejoin = ValueOf<typeof AuthorityRejoin>

export const AuthorityRotateKey = new ContainerType(
  {
    newKey: Bytes32,
    /** By the new key, of `keyRotationSignBytes`. */
    possession: Bytes64,
  },
  { typeName: 'AuthorityRotateKey' },
)
export type AuthorityRotateKey = ValueOf<typeof AuthorityRotateKey>

export const AuthorityBond = new ContainerType({ amount: Amount }, { typeName: 'AuthorityBond' })
export type AuthorityBond = ValueOf<typeof AuthorityBond>

/** In each, the sender of the transaction is the authority, or who wants to become one. */
export type AuthorityOperation =
  | { readonly kind: 'propose'; readonly change: AuthorityChange; readonly expires: number }
  | ({ readonly kind: 'vote' } & AuthorityVote)
  | { readonly kind: 'heartbeat' }
  | ({ readonly kind: 'rejoin' } & AuthorityRejoin)
  | { readonly kind: 'evidence'; readonly evidence: Evidence }
  | ({ readonly kind: 'rotateKey' } & AuthorityRotateKey)
  | ({ readonly kind: 'bond' } & AuthorityBond)
  | ({ readonly kind: 'unbond' } & AuthorityBond)

/** @throws {OperationError} `OPERATION_MALFORMED` when the change has a weight, version or height of 0. */
export function authorityPropose(fields: { change: AuthorityChange; expires: number }): Operation {
  const change = encodeAuthorityChange(fields.change)
  const decoded = decodeAuthorityChange(change)
  if (!decoded.ok) throw new OperationError({ code: 'OPERATION_MALFORMED', message: decoded.fault.message })
  return build(PROPOSE, AuthorityPropose, { change, expires: fields.expires })
}

/** For a proposal; `authorityProposalId` says its id. There is no vote against: it expires instead. */
export function authorityVote(fields: AuthorityVote): Operation {
  return build(VOTE, AuthorityVote, fields)
}

/** A sign of life of a key that is about to enter the set. */
export function authorityHeartbeat(): Operation {
  return { module: MODULE_AUTHORITIES, body: Uint8Array.of(HEARTBEAT) }
}

/** From an authority that lost its vote log (R12). @param fields.nonce fresh and random, not zero. */
export function authorityRejoin(fields: AuthorityRejoin): Operation {
  return build(REJOIN, AuthorityRejoin, fields)
}

/** Two contradicting votes of one authority. */
export function authorityEvidence(evidence: Evidence): Operation {
  return build(EVIDENCE, Evidence, evidence)
}

/** The sender's own key is replaced at the next end of an epoch: by its consent, so without a vote. */
export function authorityRotateKey(fields: AuthorityRotateKey): Operation {
  return build(ROTATE_KEY, AuthorityRotateKey, fields)
}

/** Adds to the sender's bond. */
export function authorityBond(fields: AuthorityBond): Operation {
  return build(BOND, AuthorityBond, fields)
}

/** Takes from the sender's bond; the money comes back when it can no longer be owed for double signatures. */
export function authorityUnbond(fields: AuthorityBond): Operation {
  return build(UNBOND, AuthorityBond, fields)
}

/** Reads the body of an operation of MODULE_AUTHORITIES. */
export function decodeAuthorityOperation(body: Uint8Array): Result<AuthorityOperation, OperationFault> {
  switch (body[0]) {
    case PROPOSE: {
      const read = fieldsOf(AuthorityPropose, body)
      if (!read.ok) return read
      const change = decodeAuthorityChange(read.value.change)
      return change.ok ? ok({ kind: 'propose', change: change.value, expires: read.value.expires }) : change
    }
    case VOTE:
      return tagged('vote', fieldsOf(AuthorityVote, body))
    case HEARTBEAT:
      if (body.length === 1) return ok({ kind: 'heartbeat' })
      return malformed(`a heartbeat of ${body.length} bytes; expected 1`)
    case REJOIN: {
      const read = fieldsOf(AuthorityRejoin, body)
      if (read.ok && isZeroHash(read.value.nonce)) return malformed('a nonce of zero')
      return tagged('rejoin', read)
    }
    case EVIDENCE: {
      const read = fieldsOf(Evidence, body)
      return read.ok ? ok({ kind: 'evidence', evidence: read.value }) : read
    }
    case ROTATE_KEY:
      return tagged('rotateKey', fieldsOf(AuthorityRotateKey, body))
    case BOND:
      return tagged('bond', amountOf(body))
    case UNBOND:
      return tagged('unbond', amountOf(body))
    default:
      return malformed(`operation ${body[0] ?? 'missing'} of module authorities; known: 0 to ${UNBOND}`)
  }
}

export function encodeAuthorityChange(change: AuthorityChange): AuthorityChangeRecord {
  const record = { key: ZERO_HASH, newKey: ZERO_HASH, weight: 0, version: 0, height: 0 }
  switch (change.kind) {
    case 'add':
      return { ...record, kind: ADD, key: change.key, weight: change.weight }
    case 'remove':
      return { ...record, kind: REMOVE, key: change.key }
    case 'changeKey':
      return { ...record, kind: CHANGE_KEY, key: change.key, newKey: change.newKey }
    case 'changeWeight':
      return { ...record, kind: CHANGE_WEIGHT, key: change.key, weight: change.weight }
    case 'activate':
      return { ...record, kind: ACTIVATE, version: change.version, height: change.height }
  }
}

/** Each change has one record: a field that is set though its kind has none is a fault. */
export function decodeAuthorityChange(
  record: AuthorityChangeRecord,
): Result<AuthorityChange, OperationFault> {
  const { kind, key, newKey, weight, version, height } = record
  const has = [!isZeroHash(key), !isZeroHash(newKey), weight > 0, version > 0, height > 0]
  const form = FORMS[kind]
  if (form === undefined) return malformed(`a change of kind ${kind}; known: 0 to ${ACTIVATE}`)
  const wrong = FIELDS.find((_, i) => has[i] !== form.includes(FIELDS[i]!))
  if (wrong !== undefined)
    return malformed(`a change of kind ${kind} has ${form.join(', ')} and nothing else; see ${wrong}`)
  switch (kind) {
    case ADD:
      return ok({ kind: 'add', key, weight })
    case REMOVE:
      return ok({ kind: 'remove', key })
    case CHANGE_KEY:
      return ok({ kind: 'changeKey', key, newKey })
    case CHANGE_WEIGHT:
      return ok({ kind: 'changeWeight', key, weight })
    default:
      return ok({ kind: 'activate', version, height })
  }
}

const FIELDS = ['key', 'newKey', 'weight', 'version', 'height'] as const
const FORMS: readonly (readonly (typeof FIELDS)[number][])[] = [
  ['key', 'weight'],
  ['key'],
  ['key', 'newKey'],
  ['key', 'weight'],
  ['version', 'height'],
]

const PROPOSAL_TAG = utf8ToBytes('althing/proposal/1\0')
const ROTATION_TAG = utf8ToBytes('althing/rotate-key/1\0')

/** What votes refer to: it commits to all of the proposal, so a vote can count for nothing else. */
export function authorityProposalId(proposer: Uint8Array, change: AuthorityChange, expires: number): Hash {
  const content = AuthorityPropose.serialize({ change: encodeAuthorityChange(change), expires })
  return hashOf(PROPOSAL_TAG, proposer, content)
}

/** What the new key signs to show that it is there. @param nonce of the transaction that carries it. */
export function keyRotationSignBytes(
  genesis: Hash,
  key: Uint8Array,
  newKey: Uint8Array,
  nonce: number,
): Uint8Array {
  return concatBytes(ROTATION_TAG, genesis, key, newKey, u64ToBytes(nonce))
}

function build<T>(operation: number, type: Type<T>, fields: T): Operation {
  return { module: MODULE_AUTHORITIES, body: concatBytes(Uint8Array.of(operation), type.serialize(fields)) }
}

function fieldsOf<T>(
  type: Type<T> & { readonly maxSize: number },
  body: Uint8Array,
): Result<T, OperationFault> {
  const read = decode(type, body.subarray(1), type.maxSize)
  return read.ok ? read : malformed(read.fault.message)
}

function amountOf(body: Uint8Array): Result<AuthorityBond, OperationFault> {
  const read = fieldsOf(AuthorityBond, body)
  if (!read.ok || read.value.amount > 0n) return read
  return fail('AMOUNT_INVALID', 'an amount of 0; expected at least 1')
}

function tagged<Kind extends string, T extends object>(
  kind: Kind,
  read: Result<T, OperationFault>,
): Result<{ readonly kind: Kind } & T, OperationFault> {
  return read.ok ? ok({ kind, ...read.value }) : read
}

function malformed(message: string): Result<never, OperationFault> {
  return fail('OPERATION_MALFORMED', message)
}
