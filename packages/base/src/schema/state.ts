/**
 * The state that the chain agrees on, as keys and values. The first byte of a key is its namespace, so that keys of
 * different kinds never meet. A client builds keys, asks for a proof of one, and reads the value with these.
 * @module
 */
import { ContainerType, ListCompositeType } from '@chainsafe/ssz'
import type { ValueOf } from '@chainsafe/ssz'
import { concatBytes } from '../bytes.ts'
import type { Result } from '../result.ts'
import { KV_VALUE_BYTES_MAX } from './operations.ts'
import { Amount, bytesUpTo, Bytes32, Counter, decode, U16, U8 } from './types.ts'

/** First byte of a state key. Namespaces from STATE_USER_MIN on are free for modules that a user registers. */
export const STATE_CHAIN = 0x00
export const STATE_ACCOUNT = 0x01
export const STATE_KV_ENTRY = 0x02
export const STATE_KV_GRANTS = 0x03
export const STATE_MEMBER = 0x04
export const STATE_AUTHORITY = 0x10
export const STATE_USER_MIN = 0x80

/** Where the rules of this chain are kept. */
export const parametersKey: Uint8Array = Uint8Array.of(STATE_CHAIN, 0)

export function accountKey(id: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(STATE_ACCOUNT), id)
}

export function kvEntryKey(key: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(STATE_KV_ENTRY), key)
}

export function kvGrantsKey(key: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(STATE_KV_GRANTS), key)
}

export function memberKey(account: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(STATE_MEMBER), account)
}

/** What genesis decides and every transaction is held to. */
export const Parameters = new ContainerType(
  {
    version: U16,
    /** POLICY_MEMBERS or POLICY_OPEN. */
    policy: U8,
    /** Who receives the fees: an account id, or zero to burn them. */
    feeSink: Bytes32,
    /** The least fee of a transaction. */
    feeMin: Amount,
  },
  { typeName: 'Parameters' },
)
export type Parameters = ValueOf<typeof Parameters>

export const Account = new ContainerType(
  {
    /** How many transactions of this account are in the chain; the nonce of its next one. */
    nonce: Counter,
    balance: Amount,
  },
  { typeName: 'Account' },
)
export type Account = ValueOf<typeof Account>

export const KvEntry = new ContainerType(
  {
    /** Account id of who wrote the key first. */
    owner: Bytes32,
    /** Height of the block that wrote this value. */
    height: Counter,
    value: bytesUpTo(KV_VALUE_BYTES_MAX),
  },
  { typeName: 'KvEntry' },
)
export type KvEntry = ValueOf<typeof KvEntry>

/** Writers of one key besides its owner. */
export const KV_GRANTS_MAX = 64

/** Account ids in the order they were granted. */
export const KvGrants = new ListCompositeType(Bytes32, KV_GRANTS_MAX, { typeName: 'KvGrants' })
export type KvGrants = readonly Uint8Array[]

export const Member = new ContainerType(
  {
    /** Height from which the account is a member. */
    since: Counter,
  },
  { typeName: 'Member' },
)
export type Member = ValueOf<typeof Member>

export const decodeParameters = (bytes: Uint8Array): Result<Parameters> =>
  decode(Parameters, bytes, Parameters.maxSize)
export const decodeAccount = (bytes: Uint8Array): Result<Account> => decode(Account, bytes, Account.maxSize)
export const decodeKvEntry = (bytes: Uint8Array): Result<KvEntry> => decode(KvEntry, bytes, KvEntry.maxSize)
export const decodeKvGrants = (bytes: Uint8Array): Result<KvGrants> =>
  decode(KvGrants, bytes, KvGrants.maxSize)
export const decodeMember = (bytes: Uint8Array): Result<Member> => decode(Member, bytes, Member.maxSize)
