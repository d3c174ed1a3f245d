/**
 * The book of records as the bytes of a file. Pure.
 * @module
 */
import { ContainerType, ListCompositeType } from '@chainsafe/ssz'
import { bytesUpTo, concatBytes, Counter, decode, equalBytes, fail, U32, utf8ToBytes } from '@althing/base'
import type { Result } from '@althing/base'
import { PEER_RECORD_BYTES_MAX } from './peer-record.ts'

export interface StoredRecord {
  /** As it was signed; whoever reads it checks it again. */
  readonly encoded: Uint8Array
  readonly lastSeenMs: number
  readonly failures: number
}

const MAGIC = utf8ToBytes('althing peers 1\n')
const COUNT_MAX = 65_536
const BYTES_MAX = 64 * 1024 * 1024

const Entries = new ListCompositeType(
  new ContainerType({ encoded: bytesUpTo(PEER_RECORD_BYTES_MAX), lastSeenMs: Counter, failures: U32 }),
  COUNT_MAX,
  { typeName: 'PeerFile' },
)

/** @param stored at most 65,536. */
export function encodeRecordFile(stored: readonly StoredRecord[]): Uint8Array {
  return concatBytes(MAGIC, Entries.serialize([...stored]))
}

export function decodeRecordFile(bytes: Uint8Array): Result<StoredRecord[]> {
  if (!equalBytes(bytes.subarray(0, MAGIC.length), MAGIC)) return fail('MALFORMED', 'not a file of peers')
  return decode(Entries, bytes.subarray(MAGIC.length), BYTES_MAX)
}
