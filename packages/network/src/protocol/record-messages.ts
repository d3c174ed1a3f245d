/**
 * What nodes tell each other about records: one that is news, and an answer with several. Pure.
 * @module
 */
import { ListCompositeType } from '@chainsafe/ssz'
import { bytesUpTo, decode } from '@althing/base'
import type { Result } from '@althing/base'
import type { KindSpec } from './kinds.ts'
import { PEER_RECORD_BYTES_MAX } from './peer-record.ts'

/** In one answer. */
export const RECORDS_MAX = 16
const ANSWER_BYTES_MAX = RECORDS_MAX * (4 + PEER_RECORD_BYTES_MAX)

export const RECORD_KINDS = {
  /** A record that the receiver may not have: of the sender, or passed on. */
  'records.news': { id: 160, lane: 'low', maxBytes: PEER_RECORD_BYTES_MAX },
  /** Asks for records of others; answered with a list of them. */
  'records.ask': { id: 161, lane: 'low', maxBytes: ANSWER_BYTES_MAX },
} as const satisfies Record<string, KindSpec>

const Answer = new ListCompositeType(bytesUpTo(PEER_RECORD_BYTES_MAX), RECORDS_MAX, {
  typeName: 'PeerRecords',
})

/** @param records encoded; at most `RECORDS_MAX`. */
export function encodeRecords(records: readonly Uint8Array[]): Uint8Array {
  return Answer.serialize([...records])
}

/** The records are not checked yet. */
export function decodeRecords(bytes: Uint8Array): Result<Uint8Array[]> {
  return decode(Answer, bytes, ANSWER_BYTES_MAX)
}
