/**
 * The vote log: what an authority must not forget (R2), as bytes. Pure; the shell owns the files.
 * A log is a run of segments. A segment is MAGIC, then records, of which the first is its header.
 * record: length u32be ‖ complement of length u32be ‖ CRC-32 of kind and body u32be ‖ kind u8 ‖ body ‖ END
 * where length counts kind and body. A crash keeps some sectors of what was written since the last fsync and leaves
 * zeros in place of the others, in no order. No complete record ends in zero, so a torn tail is told apart from damage:
 * any flipped bit in complete records is found and makes the log not intact (R12). A record spoilt by a lost sector is
 * the start of a torn tail too, but not if a later record says that it was fsynced. Only the last segment can have a
 * torn tail, because the shell fsyncs a segment before it starts the next.
 * @module
 */
import { ContainerType, ListCompositeType } from '@chainsafe/ssz'
import type { Type, ValueOf } from '@chainsafe/ssz'
import {
  assert,
  Block,
  Bytes32,
  bytesToUtf8,
  bytesUpTo,
  Certificate,
  concatBytes,
  Counter,
  decode,
  equalBytes,
  hashToHex,
  isZeroHash,
  u64ToBytes,
  unreachable,
  utf8ToBytes,
  Vote,
  ZERO_HASH,
} from '@althing/base'
import type { Hash } from '@althing/base'
import { crc32 } from './crc32.ts'

const MAGIC = utf8ToBytes('ALTHVL\0\x01')
const RECORD_HEAD_BYTES = 12
const RECORD_END = 0xa7
/** Larger than any block; a length above it is damage. */
const RECORD_BYTES_MAX = 16_777_216
const REASON_BYTES_MAX = 512

const SegmentHeader = new ContainerType(
  {
    /** Hash of the genesis block: which chain the votes are for. */
    genesis: Bytes32,
    /** Whose votes they are. */
    key: Bytes32,
    /** One more than that of the segment before. */
    sequence: Counter,
    /** The highest own vote in any segment before this one; 0, 0 when none. */
    signedEpoch: Counter,
    signedView: Counter,
    /** The R12 marker: zero when votes are signed; else no vote is, and this is the nonce to rejoin with. */
    rejoinNonce: Bytes32,
    /** Why the marker was set; UTF-8. */
    rejoinReason: bytesUpTo(REASON_BYTES_MAX),
  },
  { typeName: 'SegmentHeader' },
)
type SegmentHeader = ValueOf<typeof SegmentHeader>

const HaltBody = new ContainerType(
  { reason: bytesUpTo(REASON_BYTES_MAX), proof: new ListCompositeType(Certificate, 2) },
  { typeName: 'Halt' },
)

export type VoteLogRecord =
  | { readonly kind: 'block'; readonly block: Block }
  | { readonly kind: 'certificate'; readonly certificate: Certificate }
  | { readonly kind: 'vote'; readonly vote: Vote }
  /** R7: terminal. The proof is two finalizations that contradict each other, as far as there are such. */
  | { readonly kind: 'halt'; readonly reason: string; readonly proof: readonly Certificate[] }

const CODE = { header: 1, block: 2, certificate: 3, vote: 4, halt: 5, synced: 6 } as const
/** What a disk writes whole or not at all. */
const SECTOR_BYTES = 512
/** A length of zero: no record begins with it. */
const ZEROS_OF_NO_RECORD = 4
const SYNCED_BODY_BYTES = 8

/** Whose log it is. */
export interface VoteLogIdentity {
  readonly genesis: Hash
  readonly key: Uint8Array
}

/** R12: a node that lost its votes signs none until it has rejoined. */
export interface RejoinMarker {
  /** 32 fresh random bytes. */
  readonly nonce: Uint8Array
  readonly reason: string
}

/** A position in the order of votes: by epoch, then view. */
export interface VotePosition {
  readonly epoch: number
  readonly view: number
}

/** Where a record stands. A halt is never passed. */
export function positionOf(record: VoteLogRecord): VotePosition {
  switch (record.kind) {
    case 'block':
      return record.block.header
    case 'certificate':
      return record.certificate
    case 'vote':
      return record.vote
    case 'halt':
      return { epoch: Number.POSITIVE_INFINITY, view: 0 }
    default:
      return unreachable(record)
  }
}

/** Negative when `a` comes first. */
export function comparePositions(a: VotePosition, b: VotePosition): number {
  return a.epoch === b.epoch ? a.view - b.view : a.epoch - b.epoch
}

/** What the core starts from. */
export interface RestoredLog {
  readonly identity: VoteLogIdentity
  /** Set: the node is an observer. */
  readonly rejoin: RejoinMarker | null
  /** No vote above this was in the segments that are gone. */
  readonly forgotten: VotePosition
  /** In order; never empty. Appends go to the last. */
  readonly segments: readonly RestoredSegment[]
}

export interface RestoredSegment {
  readonly sequence: number
  /** Its size, without a torn tail. */
  readonly bytes: number
  readonly records: readonly VoteLogRecord[]
}

export type VoteLogReplay =
  /** @param tornBytes to cut off the end of the last segment before anything is appended. */
  | { readonly intact: true; readonly log: RestoredLog; readonly tornBytes: number }
  /**
   * Votes may be lost. Make a new log with a `RejoinMarker` as segment `nextSequence`, fsync it, then remove the others.
   * @param reason a sentence for the operator and for the marker.
   */
  | { readonly intact: false; readonly reason: string; readonly nextSequence: number }

/**
 * The first segment of a log, made with the key and fsynced before the key is used: from then on a missing log means
 * that votes were lost. @param rejoin for a log that replaces a lost or damaged one (R12).
 */
export function createVoteLog(identity: VoteLogIdentity, rejoin?: RejoinMarker, sequence = 1): Uint8Array {
  return encodeSegmentStart(identity, sequence, { epoch: 0, view: 0 }, rejoin ?? null)
}

/** The bytes that a segment starts with. @param signed the highest own vote in any segment before. */
export function encodeSegmentStart(
  identity: VoteLogIdentity,
  sequence: number,
  signed: VotePosition,
  rejoin: RejoinMarker | null,
): Uint8Array {
  assert(rejoin === null || !isZeroHash(rejoin.nonce), 'a rejoin nonce must not be zero')
  const body = SegmentHeader.serialize({
    genesis: identity.genesis,
    key: identity.key,
    sequence,
    signedEpoch: signed.epoch,
    signedView: signed.view,
    rejoinNonce: rejoin?.nonce ?? ZERO_HASH,
    rejoinReason: encodeReason(rejoin?.reason ?? ''),
  })
  return concatBytes(MAGIC, frame(CODE.header, body))
}

export function encodeRecord(record: VoteLogRecord): Uint8Array {
  switch (record.kind) {
    case 'block':
      return frame(CODE.block, Block.serialize(record.block))
    case 'certificate':
      return frame(CODE.certificate, Certificate.serialize(record.certificate))
    case 'vote':
      return frame(CODE.vote, Vote.serialize(record.vote))
    case 'halt': {
      const reason = encodeReason(record.reason)
      return frame(CODE.halt, HaltBody.serialize({ reason, proof: [...record.proof] }))
    }
    default:
      return unreachable(record)
  }
}

/** What the shell writes after an fsync: the first `bytes` of the segment are durable. It holds nothing for the core. */
export function encodeSynced(bytes: number): Uint8Array {
  return frame(CODE.synced, u64ToBytes(bytes))
}

/**
 * Reads a whole log back. @param segments all that are on disk, in any order.
 * A last segment whose very start is torn was never used: it counts as a torn tail of the log.
 */
export function replayVoteLog(
  identity: VoteLogIdentity,
  segments: readonly { readonly sequence: number; readonly bytes: Uint8Array }[],
): VoteLogReplay {
  const ordered = [...segments].sort((a, b) => a.sequence - b.sequence)
  const nextSequence = (ordered.at(-1)?.sequence ?? 0) + 1
  const damaged = (reason: string): VoteLogReplay => ({ intact: false, reason, nextSequence })
  const restored: RestoredSegment[] = []
  let first: SegmentHeader | null = null
  let rejoin: RejoinMarker | null = null
  let tornBytes = 0
  for (const [position, { sequence, bytes }] of ordered.entries()) {
    const isLast = position === ordered.length - 1
    const name = `segment ${sequence} of the vote log`
    const read = readSegment(bytes)
    if (read.damage !== null) return damaged(`${name} is damaged at byte ${read.end}: ${read.damage}`)
    if (read.header === null) {
      if (!isLast || first === null) return damaged(`${name} has no complete header`)
      tornBytes = bytes.length
      break
    }
    const fault = headerFault(read.header, identity, sequence)
    if (fault !== null) return damaged(`${name} ${fault}`)
    if (read.end < bytes.length && !isLast) return damaged(`${name} ends within a record but is not the last`)
    const expected = (restored.at(-1)?.sequence ?? sequence - 1) + 1
    if (sequence !== expected) return damaged(`segment ${expected} of the vote log is missing`)
    first ??= read.header
    rejoin = markerOf(read.header)
    tornBytes = bytes.length - read.end
    restored.push({ sequence, bytes: read.end, records: read.records })
  }
  if (first === null) return damaged('there is no vote log')
  const forgotten = { epoch: first.signedEpoch, view: first.signedView }
  return { intact: true, tornBytes, log: { identity, rejoin, forgotten, segments: restored } }
}

interface SegmentRead {
  readonly header: SegmentHeader | null
  readonly records: VoteLogRecord[]
  /** Where the complete records end, or where the damage is. */
  readonly end: number
  readonly damage: string | null
}

function readSegment(bytes: Uint8Array): SegmentRead {
  let written = bytes.length
  while (written > 0 && bytes[written - 1] === 0) written -= 1
  const records: VoteLogRecord[] = []
  let header: SegmentHeader | null = null
  const stop = (end: number, damage: string | null): SegmentRead => ({ header, records, end, damage })
  const magic = bytes.subarray(0, Math.min(MAGIC.length, written))
  if (!equalBytes(magic, MAGIC.subarray(0, magic.length))) return stop(0, 'it does not start like a vote log')
  let offset = MAGIC.length
  while (offset < written) {
    const frameRead = readFrame(bytes.subarray(offset, written))
    if (frameRead === 'torn') break
    if (typeof frameRead === 'string') {
      const isTorn = hasLostSector(bytes, offset) && !isSyncedBeyond(bytes.subarray(offset, written), offset)
      return isTorn ? stop(header === null ? 0 : offset, null) : stop(offset, frameRead)
    }
    const { code, body } = frameRead
    if ((code === CODE.header) !== (header === null))
      return stop(offset, 'the header is not the first record')
    if (code === CODE.header) {
      const decoded = decode(SegmentHeader, body, RECORD_BYTES_MAX)
      if (!decoded.ok) return stop(offset, decoded.fault.message)
      header = decoded.value
    } else if (code !== CODE.synced) {
      const record = decodeRecord(code, body)
      if (typeof record === 'string') return stop(offset, record)
      records.push(record)
    }
    offset += RECORD_HEAD_BYTES + 1 + body.length + 1
  }
  return stop(header === null ? 0 : offset, null)
}

/** Whether a sector that the record at `offset` is in holds nothing but zeros, from the record's start on. */
function hasLostSector(bytes: Uint8Array, offset: number): boolean {
  const head = new DataView(bytes.buffer, bytes.byteOffset + offset, RECORD_HEAD_BYTES)
  const length = head.getUint32(0)
  const isHeadWhole = ~length >>> 0 === head.getUint32(4)
  const end = Math.min(bytes.length, offset + RECORD_HEAD_BYTES + (isHeadWhole ? length + 1 : 0))
  for (let sector = offset - (offset % SECTOR_BYTES); sector < end; sector += SECTOR_BYTES) {
    const part = bytes.subarray(Math.max(sector, offset), sector + SECTOR_BYTES)
    if (part.length >= ZEROS_OF_NO_RECORD && part.every((byte) => byte === 0)) return true
  }
  return false
}

/** Whether a record among these bytes, wherever it begins, says that more than the first `offset` of the segment was durable. */
function isSyncedBeyond(bytes: Uint8Array, offset: number): boolean {
  for (let at = 0; at + RECORD_HEAD_BYTES + 1 + SYNCED_BODY_BYTES < bytes.length; at++) {
    const read = readFrame(bytes.subarray(at))
    if (typeof read === 'string' || read.code !== CODE.synced || read.body.length !== SYNCED_BODY_BYTES)
      continue
    const { buffer, byteOffset } = read.body
    if (new DataView(buffer, byteOffset).getBigUint64(0) > BigInt(offset)) return true
  }
  return false
}

/** @returns the record at the start of `bytes`; `torn` when it is not complete; else what is wrong with it. */
function readFrame(bytes: Uint8Array): { code: number; body: Uint8Array } | string {
  if (bytes.length < RECORD_HEAD_BYTES) return 'torn'
  const head = new DataView(bytes.buffer, bytes.byteOffset, RECORD_HEAD_BYTES)
  const length = head.getUint32(0)
  if (~length >>> 0 !== head.getUint32(4)) return 'the length of a record does not match its complement'
  if (length === 0 || length > RECORD_BYTES_MAX) return `a record of ${length} bytes`
  const end = RECORD_HEAD_BYTES + length
  if (bytes.length < end + 1) return 'torn'
  if (bytes[end] !== RECORD_END) return 'a record without its end mark'
  const content = bytes.subarray(RECORD_HEAD_BYTES, end)
  if (crc32(content) !== head.getUint32(8)) return 'the checksum of a record does not match'
  return { code: content[0]!, body: content.subarray(1) }
}

function decodeRecord(code: number, body: Uint8Array): VoteLogRecord | string {
  switch (code) {
    case CODE.block:
      return record(Block, body, (block) => ({ kind: 'block', block }))
    case CODE.certificate:
      return record(Certificate, body, (certificate) => ({ kind: 'certificate', certificate }))
    case CODE.vote:
      return record(Vote, body, (vote) => ({ kind: 'vote', vote }))
    case CODE.halt:
      return record(HaltBody, body, ({ reason, proof }) => ({
        kind: 'halt',
        reason: decodeReason(reason),
        proof,
      }))
    default:
      return `a record of unknown kind ${code}; written by a newer release?`
  }
}

function record<T>(
  type: Type<T>,
  body: Uint8Array,
  toRecord: (value: T) => VoteLogRecord,
): VoteLogRecord | string {
  const decoded = decode(type, body, RECORD_BYTES_MAX)
  return decoded.ok ? toRecord(decoded.value) : decoded.fault.message
}

function frame(code: number, body: Uint8Array): Uint8Array {
  const length = 1 + body.length
  const bytes = new Uint8Array(RECORD_HEAD_BYTES + length + 1)
  const content = bytes.subarray(RECORD_HEAD_BYTES, RECORD_HEAD_BYTES + length)
  content[0] = code
  content.set(body, 1)
  const head = new DataView(bytes.buffer)
  head.setUint32(0, length)
  head.setUint32(4, ~length >>> 0)
  head.setUint32(8, crc32(content))
  bytes[bytes.length - 1] = RECORD_END
  return bytes
}

function headerFault(header: SegmentHeader, identity: VoteLogIdentity, sequence: number): string | null {
  if (!equalBytes(header.genesis, identity.genesis)) {
    return `is of another chain: genesis ${hashToHex(header.genesis)}, expected ${hashToHex(identity.genesis)}`
  }
  if (!equalBytes(header.key, identity.key)) {
    return `is of another key: ${hashToHex(header.key)}, expected ${hashToHex(identity.key)}`
  }
  return header.sequence === sequence ? null : `says that it is segment ${header.sequence}`
}

function markerOf(header: SegmentHeader): RejoinMarker | null {
  if (isZeroHash(header.rejoinNonce)) return null
  return { nonce: header.rejoinNonce, reason: decodeReason(header.rejoinReason) }
}

function encodeReason(reason: string): Uint8Array {
  return utf8ToBytes(reason.slice(0, REASON_BYTES_MAX / 4))
}

function decodeReason(bytes: Uint8Array): string {
  return bytesToUtf8(bytes) ?? 'unreadable'
}
