/**
 * Blocks, authority sets and the genesis. Header hashes are what authorities vote on; they commit to everything.
 * @module
 */
import { ContainerType, ListCompositeType } from '@chainsafe/ssz'
import type { ValueOf } from '@chainsafe/ssz'
import { concatBytes, utf8ToBytes } from '../bytes.ts'
import { hashOf, sha256, ZERO_HASH } from '../hash.ts'
import type { Hash } from '../hash.ts'
import { merkleRootOfList } from '../merkle.ts'
import type { Result } from '../result.ts'
import { AuthorityRules } from './authority-rules.ts'
import { Amount, bytesUpTo, Bytes32, Counter, decode, U16, U32, U8 } from './types.ts'
import { TRANSACTION_BYTES_MAX } from './transaction.ts'

export const BLOCK_VERSION = 1
export const AUTHORITIES_MAX = 256
export const BLOCK_TRANSACTIONS_MAX = 16_384
/** No configuration allows larger blocks: one must fit in one message (10 MB). */
export const BLOCK_BYTES_MAX = 8_388_608

export const Authority = new ContainerType({ key: Bytes32, weight: Counter }, { typeName: 'Authority' })
export type Authority = ValueOf<typeof Authority>

/** In the order of their indices. */
export const AuthoritySet = new ListCompositeType(Authority, AUTHORITIES_MAX)
export type AuthoritySet = readonly Authority[]

export const Header = new ContainerType(
  {
    version: U16,
    epoch: Counter,
    height: Counter,
    parent: Bytes32,
    view: Counter,
    /** Index in the epoch's authority set. */
    proposer: U16,
    /** Milliseconds since 1970, by the proposer's clock. */
    timestamp: Counter,
    /** Hash tree root of the list of transaction ids. */
    txRoot: Bytes32,
    /** Root of the state after this block. */
    stateRoot: Bytes32,
    /** Hash of the next authority set; zero when the epoch goes on. */
    nextSet: Bytes32,
  },
  { typeName: 'Header' },
)
export type Header = ValueOf<typeof Header>

export const Block = new ContainerType(
  {
    header: Header,
    /** Encoded transactions, opaque here: an id is the hash of these very bytes. */
    transactions: new ListCompositeType(bytesUpTo(TRANSACTION_BYTES_MAX), BLOCK_TRANSACTIONS_MAX),
    /** The next authority set in full; empty when header.nextSet is zero. */
    nextSet: AuthoritySet,
  },
  { typeName: 'Block' },
)
export type Block = ValueOf<typeof Block>
export type BlockHash = Hash

const HEADER_TAG = utf8ToBytes('althing/header/1\0')
const SET_TAG = utf8ToBytes('althing/set/1\0')
const GENESIS_TAG = utf8ToBytes('althing/genesis/1\0')

export function headerHash(header: Header): BlockHash {
  return sha256(concatBytes(HEADER_TAG, Header.serialize(header)))
}

/** Hash tree root of the ids as a list of at most `BLOCK_TRANSACTIONS_MAX`. */
export function transactionsRoot(ids: readonly Hash[]): Hash {
  return merkleRootOfList(ids, BLOCK_TRANSACTIONS_MAX)
}

export function authoritySetHash(set: AuthoritySet): Hash {
  return hashOf(SET_TAG, AuthoritySet.serialize([...set]))
}

export function decodeBlock(bytes: Uint8Array, bytesMax = BLOCK_BYTES_MAX): Result<Block> {
  return decode(Block, bytes, bytesMax)
}

/** The header alone, which stands first in an encoded block. @param encoded a block that was decoded before. */
export function headerOfEncoded(encoded: Uint8Array): Header {
  return Header.deserialize(encoded.subarray(0, Header.minSize))
}

export const Allocation = new ContainerType({ account: Bytes32, balance: Amount }, { typeName: 'Allocation' })
export type Allocation = ValueOf<typeof Allocation>

export const GENESIS_VERSION = 1
export const POLICY_MEMBERS = 0
export const POLICY_OPEN = 1

export const Genesis = new ContainerType(
  {
    version: U16,
    /** UTF-8, 1 to 64 bytes. */
    networkId: bytesUpTo(64),
    /** Milliseconds since 1970; the timestamp of block 0. */
    timestamp: Counter,
    authorities: AuthoritySet,
    allocations: new ListCompositeType(Allocation, 65_536),
    /** Accounts that may write under policy `members`. */
    members: new ListCompositeType(Bytes32, 65_536),
    /** 0: only members may write; 1: anyone with an account may. */
    policy: U8,
    /** Who receives the fees: an account id, or zero to burn them. */
    feeSink: Bytes32,
    /** The least fee of a transaction. */
    feeMin: Amount,
    /** Least time between the timestamps of two blocks, in milliseconds. */
    intervalMs: U32,
    /** How long an idle chain waits before an empty block, in milliseconds. */
    idleIntervalMs: U32,
    /** Of one encoded block. */
    blockBytesMax: U32,
    /** Epochs, evidence and rotation. */
    authorityRules: AuthorityRules,
  },
  { typeName: 'Genesis' },
)
export type Genesis = ValueOf<typeof Genesis>

export const GENESIS_BYTES_MAX = 16_777_216

/** @param stateRoot of the state that the allocations and members make. */
export function genesisHeader(genesis: Genesis, stateRoot: Hash): Header {
  return {
    version: BLOCK_VERSION,
    epoch: 0,
    height: 0,
    parent: hashOf(GENESIS_TAG, Genesis.serialize(genesis)),
    view: 0,
    proposer: 0,
    timestamp: genesis.timestamp,
    txRoot: transactionsRoot([]),
    stateRoot,
    nextSet: authoritySetHash(genesis.authorities),
  }
}

/** Whether `header` can be block 0 of `genesis`; its state root must be checked by who can compute it. */
export function isHeaderOfGenesis(header: Header, genesis: Genesis): boolean {
  const expected = genesisHeader(genesis, header.stateRoot)
  return headerHash(expected).every((byte, i) => byte === headerHash(header)[i])
}

export const NO_NEXT_SET: Hash = ZERO_HASH
