/**
 * What nodes of a user's own chain say to each other: schemas and bounded, strict decoding (SSZ, like all wire objects). Pure.
 * Blocks and transactions are opaque; ids are texts of the user's making.
 * @module
 */
import { ContainerType, ListBasicType, ListCompositeType } from '@chainsafe/ssz'
import type { Type } from '@chainsafe/ssz'
import {
  bytesToUtf8,
  bytesUpTo,
  bytesWithin,
  Bytes32,
  Counter,
  decode,
  fail,
  ok,
  U16,
  utf8ToBytes,
} from '@althing/base'
import type { Result } from '@althing/base'
import { SHORT_ID_BYTES } from './compact-block.ts'
import type { CompactBlock } from './compact-block.ts'
import { MESSAGE_BYTES_MAX } from './kinds.ts'

/** Blocks of one range request at most (PO-5). */
export const RANGE_BLOCKS_MAX = 100
export const BLOCK_TRANSACTIONS_MAX = 0xffff
/** Of an id, in UTF-8. */
export const ID_BYTES_MAX = 128
export const LOCATOR_IDS_MAX = 64
/** Transactions of one message of gossip. */
export const MESSAGE_TRANSACTIONS_MAX = 1024
/** What any message other than blocks and their parts has at most. */
export const QUESTION_BYTES_MAX = 192 * 1024

/** A chain whose blocks have no list of transactions puts everything into the header. */
export interface Block {
  readonly header: Uint8Array
  /** Each as it is gossiped; at most 65,535. */
  readonly transactions: readonly Uint8Array[]
}

/** A block by name. The genesis has height 0. */
export interface BlockRef {
  /** 1 to 128 bytes of UTF-8, different for different headers. */
  readonly id: string
  readonly height: number
}

/** What a node says of its chain: a claim. */
export interface ChainStatus {
  readonly tip: BlockRef
  readonly finalizedHeight: number
  /** The lowest height whose block it has, besides the genesis. */
  readonly lowestHeight: number
}

const Id = bytesUpTo(ID_BYTES_MAX)
const RefBody = new ContainerType({ id: Id, height: Counter }, { typeName: 'BlockRef' })
const StatusBody = new ContainerType(
  { tip: RefBody, finalizedHeight: Counter, lowestHeight: Counter },
  { typeName: 'ChainStatus' },
)
const IdBody = new ContainerType({ id: Id }, { typeName: 'BlockRequest' })
const RangeBody = new ContainerType({ from: Counter, count: U16 }, { typeName: 'BlockRangeRequest' })
const LocatorBody = new ContainerType(
  { ids: new ListCompositeType(Id, LOCATOR_IDS_MAX) },
  { typeName: 'Locator' },
)
const TransactionList = new ListCompositeType(bytesWithin(MESSAGE_BYTES_MAX), BLOCK_TRANSACTIONS_MAX)
const TransactionsBody = new ListCompositeType(bytesWithin(MESSAGE_BYTES_MAX), MESSAGE_TRANSACTIONS_MAX, {
  typeName: 'Transactions',
})
const BlockBody = new ContainerType(
  { header: bytesWithin(MESSAGE_BYTES_MAX), transactions: TransactionList },
  { typeName: 'Block' },
)
const BlocksBody = new ContainerType(
  { blocks: new ListCompositeType(BlockBody, RANGE_BLOCKS_MAX) },
  { typeName: 'Blocks' },
)
const PartsRequestBody = new ContainerType(
  { id: Id, indexes: new ListBasicType(U16, BLOCK_TRANSACTIONS_MAX) },
  { typeName: 'BlockPartsRequest' },
)
const PartsBody = new ContainerType({ transactions: TransactionList }, { typeName: 'BlockParts' })
const CompactBody = new ContainerType(
  {
    header: bytesWithin(MESSAGE_BYTES_MAX),
    bodyHash: Bytes32,
    shortIds: bytesUpTo(SHORT_ID_BYTES * BLOCK_TRANSACTIONS_MAX),
  },
  { typeName: 'CompactBlock' },
)

export function encodeChainStatus({ tip, finalizedHeight, lowestHeight }: ChainStatus): Uint8Array {
  return StatusBody.serialize({ tip: { ...tip, id: utf8ToBytes(tip.id) }, finalizedHeight, lowestHeight })
}

export function decodeChainStatus(bytes: Uint8Array): Result<ChainStatus> {
  const decoded = decode(StatusBody, bytes, QUESTION_BYTES_MAX)
  if (!decoded.ok) return decoded
  const { tip, finalizedHeight, lowestHeight } = decoded.value
  const id = idText(tip.id)
  return id === null ? badId() : ok({ tip: { id, height: tip.height }, finalizedHeight, lowestHeight })
}

export function encodeBlockRequest(id: string): Uint8Array {
  return IdBody.serialize({ id: utf8ToBytes(id) })
}

export function decodeBlockRequest(bytes: Uint8Array): Result<string> {
  const decoded = decode(IdBody, bytes, QUESTION_BYTES_MAX)
  if (!decoded.ok) return decoded
  const id = idText(decoded.value.id)
  return id === null ? badId() : ok(id)
}

export interface RangeRequest {
  readonly from: number
  /** 1 to `RANGE_BLOCKS_MAX`. */
  readonly count: number
}

export function encodeRangeRequest(range: RangeRequest): Uint8Array {
  return RangeBody.serialize(range)
}

export function decodeRangeRequest(bytes: Uint8Array): Result<RangeRequest> {
  const decoded = decode(RangeBody, bytes, QUESTION_BYTES_MAX)
  if (!decoded.ok) return decoded
  const { count } = decoded.value
  if (count >= 1 && count <= RANGE_BLOCKS_MAX) return decoded
  return fail('MALFORMED', `a range of ${count} blocks; 1 to ${RANGE_BLOCKS_MAX} are answered`)
}

/** @param ids of blocks on the own best chain, from the tip downwards. */
export function encodeLocator(ids: readonly string[]): Uint8Array {
  return LocatorBody.serialize({ ids: ids.map(utf8ToBytes) })
}

export function decodeLocator(bytes: Uint8Array): Result<string[]> {
  const decoded = decode(LocatorBody, bytes, QUESTION_BYTES_MAX)
  if (!decoded.ok) return decoded
  const ids: string[] = []
  for (const each of decoded.value.ids) {
    const id = idText(each)
    if (id === null) return badId()
    ids.push(id)
  }
  return ok(ids)
}

export function encodeBlock(block: Block): Uint8Array {
  return BlockBody.serialize({ header: block.header, transactions: [...block.transactions] })
}

export function decodeBlock(bytes: Uint8Array): Result<Block> {
  return decode(BlockBody, bytes, MESSAGE_BYTES_MAX)
}

export function encodeBlocks(blocks: readonly Block[]): Uint8Array {
  return BlocksBody.serialize({
    blocks: blocks.map(({ header, transactions }) => ({ header, transactions: [...transactions] })),
  })
}

export function decodeBlocks(bytes: Uint8Array): Result<Block[]> {
  const decoded = decode(BlocksBody, bytes, MESSAGE_BYTES_MAX)
  return decoded.ok ? ok(decoded.value.blocks) : decoded
}

/** What a block takes in a message, its place in a list included. */
export function blockBytes({ header, transactions }: Block): number {
  let bytes = BLOCK_OVERHEAD_BYTES + header.length
  for (const transaction of transactions) bytes += OFFSET_BYTES + transaction.length
  return bytes
}

const OFFSET_BYTES = 4
/** Two offsets of the block, and its own in a list. */
const BLOCK_OVERHEAD_BYTES = 3 * OFFSET_BYTES

export interface PartsRequest {
  readonly id: string
  /** Of transactions in the block, ascending. */
  readonly indexes: readonly number[]
}

export function encodePartsRequest({ id, indexes }: PartsRequest): Uint8Array {
  return PartsRequestBody.serialize({ id: utf8ToBytes(id), indexes: [...indexes] })
}

export function decodePartsRequest(bytes: Uint8Array): Result<PartsRequest> {
  const decoded = decode(PartsRequestBody, bytes, QUESTION_BYTES_MAX)
  if (!decoded.ok) return decoded
  const id = idText(decoded.value.id)
  const { indexes } = decoded.value
  if (id === null) return badId()
  // Ascending, so that no transaction is answered twice: a small question must not have an answer larger than the block.
  const isAscending = indexes.every((index, i) => i === 0 || index > indexes[i - 1]!)
  return isAscending ? ok({ id, indexes }) : fail('MALFORMED', 'indexes that do not ascend')
}

export function encodeParts(transactions: readonly Uint8Array[]): Uint8Array {
  return PartsBody.serialize({ transactions: [...transactions] })
}

export function decodeParts(bytes: Uint8Array): Result<Uint8Array[]> {
  const decoded = decode(PartsBody, bytes, MESSAGE_BYTES_MAX)
  return decoded.ok ? ok(decoded.value.transactions) : decoded
}

/** @param transactions at most `MESSAGE_TRANSACTIONS_MAX`. */
export function encodeTransactions(transactions: readonly Uint8Array[]): Uint8Array {
  return TransactionsBody.serialize([...transactions])
}

export function decodeTransactions(bytes: Uint8Array): Result<Uint8Array[]> {
  return decode(TransactionsBody, bytes, MESSAGE_BYTES_MAX)
}

/** Cuts transactions into messages of about `bytes` bytes: a larger transaction travels alone. */
export function transactionMessages(transactions: readonly Uint8Array[], bytes: number): Uint8Array[] {
  const messages: Uint8Array[] = []
  let part: Uint8Array[] = []
  let partBytes = 0
  const finish = (): void => {
    if (part.length > 0) messages.push(encodeTransactions(part))
    part = []
    partBytes = 0
  }
  for (const one of transactions) {
    if (part.length === MESSAGE_TRANSACTIONS_MAX || partBytes + one.length > bytes) finish()
    part.push(one)
    partBytes += one.length
  }
  finish()
  return messages
}

/** Besides the transactions themselves: where each begins. */
export const TRANSACTIONS_OVERHEAD_BYTES = OFFSET_BYTES * MESSAGE_TRANSACTIONS_MAX

export function encodeCompactBlock({ header, bodyHash, shortIds }: CompactBlock): Uint8Array {
  const joined = new Uint8Array(shortIds.length * SHORT_ID_BYTES)
  for (const [i, shortId] of shortIds.entries()) {
    for (let at = 0; at < SHORT_ID_BYTES; at++) joined[i * SHORT_ID_BYTES + at] = shortId.charCodeAt(at)
  }
  return CompactBody.serialize({ header, bodyHash, shortIds: joined })
}

export function decodeCompactBlock(bytes: Uint8Array): Result<CompactBlock> {
  const decoded = decode(CompactBody as Type<CompactBodyValue>, bytes, MESSAGE_BYTES_MAX)
  if (!decoded.ok) return decoded
  const { header, bodyHash, shortIds: joined } = decoded.value
  if (joined.length % SHORT_ID_BYTES !== 0) {
    return fail('MALFORMED', `short ids of ${joined.length} bytes, no multiple of ${SHORT_ID_BYTES}`)
  }
  const shortIds: string[] = []
  for (let at = 0; at < joined.length; at += SHORT_ID_BYTES) {
    shortIds.push(String.fromCharCode(...joined.subarray(at, at + SHORT_ID_BYTES)))
  }
  return ok({ header, bodyHash, shortIds })
}

interface CompactBodyValue {
  header: Uint8Array
  bodyHash: Uint8Array
  shortIds: Uint8Array
}

function idText(bytes: Uint8Array): string | null {
  return bytes.length === 0 ? null : bytesToUtf8(bytes)
}

function badId() {
  return fail('MALFORMED', 'an id that is empty or not UTF-8')
}
