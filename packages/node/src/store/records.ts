/**
 * The bytes of the store's own records: keys that sort as their numbers do, and small fixed layouts.
 * @module
 */
import { assert, bytesToUtf8, concatBytes, u64ToBytes, utf8ToBytes } from '@althing/base'
import { corrupt } from './errors.ts'
import type { StoredState, StoredTransaction } from './types.ts'

/** Eight bytes, most significant first: bytewise order is numeric order. */
export const numberKey = u64ToBytes

/** @throws {StoreError} `STORE_CORRUPT` when the record ends before. */
export function numberAt(bytes: Uint8Array, offset: number): number {
  if (bytes.length < offset + 8) throw corrupt('The store', `a record has ${bytes.length} bytes, too few`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return view.getUint32(offset) * 0x1_0000_0000 + view.getUint32(offset + 4)
}

/** A version of the state, with the counters as they were then. */
export interface VersionRecord extends StoredState {
  readonly nextId: number
  readonly transactionCount: number
}

/** nextId u64be ‖ transactionCount u64be ‖ root page u64be ‖ root[32]. */
export function encodeVersion({ rootPage, root, nextId, transactionCount }: VersionRecord): Uint8Array {
  return concatBytes(numberKey(nextId), numberKey(transactionCount), numberKey(rootPage), root)
}

export function decodeVersion(height: number, bytes: Uint8Array): VersionRecord {
  return {
    height,
    rootPage: numberAt(bytes, 16),
    root: bytes.slice(24),
    nextId: numberAt(bytes, 0),
    transactionCount: numberAt(bytes, 8),
  }
}

/** height u64be ‖ index u32be ‖ (nothing when ok, else JSON of the fault). */
export function encodeTransaction(record: StoredTransaction): Uint8Array {
  const { ok, fault } = record.receipt
  assert(ok === (fault === undefined), 'a receipt has a fault exactly when it is not ok')
  const tail =
    fault === undefined ? new Uint8Array() : utf8ToBytes(JSON.stringify([fault.code, fault.message]))
  // From Node's pool of buffers: there are thousands of these in a commit, and memory of their own costs more than they hold.
  const bytes = Buffer.allocUnsafe(12 + tail.length)
  bytes.set(numberKey(record.height))
  bytes.writeUInt32BE(record.index, 8)
  bytes.set(tail, 12)
  return bytes
}

export function decodeTransactionRecord(bytes: Uint8Array): StoredTransaction {
  const height = numberAt(bytes, 0)
  const index = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(8)
  if (bytes.length === 12) return { height, index, receipt: { ok: true } }
  const text = bytesToUtf8(bytes.subarray(12))
  assert(text !== null, 'a receipt was written as UTF-8')
  const [code, message] = JSON.parse(text) as [string, string]
  return { height, index, receipt: { ok: false, fault: { code, message } } }
}

/** Ids of one kind that went stale at one height. */
export interface StaleChunk {
  readonly kind: 'pages' | 'values'
  readonly ids: readonly number[]
}

/** A chunk is what pruning works off at once. */
export const STALE_CHUNK_IDS_MAX = 512

export function staleChunks(stalePages: readonly number[], staleValues: readonly number[]): StaleChunk[] {
  const chunks: StaleChunk[] = []
  for (const [kind, all] of [
    ['pages', stalePages],
    ['values', staleValues],
  ] as const) {
    for (let from = 0; from < all.length; from += STALE_CHUNK_IDS_MAX) {
      chunks.push({ kind, ids: all.slice(from, from + STALE_CHUNK_IDS_MAX) })
    }
  }
  return chunks
}

export function staleKey(height: number, sequence: number): Uint8Array {
  return concatBytes(numberKey(height), numberKey(sequence))
}

export function encodeStaleChunk(chunk: StaleChunk): Uint8Array {
  const bytes = new Uint8Array(1 + 8 * chunk.ids.length)
  bytes[0] = chunk.kind === 'pages' ? 0 : 1
  for (const [i, id] of chunk.ids.entries()) bytes.set(numberKey(id), 1 + 8 * i)
  return bytes
}

export function decodeStaleChunk(bytes: Uint8Array): StaleChunk {
  const ids: number[] = []
  for (let offset = 1; offset < bytes.length; offset += 8) ids.push(numberAt(bytes, offset))
  return { kind: bytes[0] === 0 ? 'pages' : 'values', ids }
}
