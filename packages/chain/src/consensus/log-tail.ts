/**
 * Which segment of the vote log is written to, and which ones may go. The log stays bounded while blocks become final
 * (P16), and the newest own votes are never lost: a segment goes only when the durable floor has passed all of it, and
 * from then on the block store gives the floor (P15). Pure.
 * @module
 */
import { assert } from '@althing/base'
import { positionOf } from './restore.ts'
import { encodeRecord, encodeSegmentStart } from './vote-log.ts'
import type { RejoinMarker, RestoredLog, VoteLogIdentity, VoteLogRecord, VotePosition } from './vote-log.ts'
import type { Effect } from './types.ts'

interface Segment {
  readonly sequence: number
  bytes: number
  /** Of its records of this epoch; 0 when it has none. A halt never becomes old. */
  highestView: number
}

export class LogTail {
  readonly #epoch: number
  readonly #segmentBytesMax: number
  readonly #identity: VoteLogIdentity
  readonly #rejoin: RejoinMarker | null
  readonly #segments: Segment[]
  #signed: VotePosition

  constructor(epoch: number, segmentBytesMax: number, log: RestoredLog) {
    this.#epoch = epoch
    this.#segmentBytesMax = segmentBytesMax
    this.#identity = log.identity
    this.#rejoin = log.rejoin
    this.#signed = log.forgotten
    assert(log.segments.length > 0, 'a vote log has at least one segment')
    this.#segments = log.segments.map(({ sequence, bytes, records }) => {
      const segment: Segment = { sequence, bytes, highestView: 0 }
      for (const record of records) this.#note(segment, record)
      return segment
    })
  }

  /** The effects that put one record into the log. */
  append(record: VoteLogRecord): Effect[] {
    const effects: Effect[] = []
    let segment = this.#segments.at(-1)!
    if (segment.bytes > this.#segmentBytesMax) {
      const sequence = segment.sequence + 1
      const bytes = encodeSegmentStart(this.#identity, sequence, this.#signed, this.#rejoin)
      segment = { sequence, bytes: bytes.length, highestView: 0 }
      this.#segments.push(segment)
      effects.push({ kind: 'startSegment', sequence, bytes })
    }
    const bytes = encodeRecord(record)
    segment.bytes += bytes.length
    this.#note(segment, record)
    effects.push({ kind: 'append', record: bytes })
    return effects
  }

  /** @param durableFloor view of the last finalization in the block store. */
  forget(durableFloor: number): Effect[] {
    const before = this.#segments.length
    while (this.#segments.length > 1 && this.#segments[0]!.highestView <= durableFloor) this.#segments.shift()
    if (this.#segments.length === before) return []
    return [{ kind: 'forget', belowSequence: this.#segments[0]!.sequence }]
  }

  #note(segment: Segment, record: VoteLogRecord): void {
    if (record.kind === 'halt') {
      segment.highestView = Number.POSITIVE_INFINITY
      return
    }
    const { epoch, view } = positionOf(record)
    if (epoch === this.#epoch) segment.highestView = Math.max(segment.highestView, view)
    if (record.kind !== 'vote') return
    const isNewer = epoch > this.#signed.epoch || (epoch === this.#signed.epoch && view > this.#signed.view)
    if (isNewer) this.#signed = { epoch, view }
  }
}
