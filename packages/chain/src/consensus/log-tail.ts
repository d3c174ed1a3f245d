/**
 * Which segment of the vote log is written to, and which ones may go. The log stays bounded while blocks become final
 * (P16), and the newest own votes are never lost: a segment goes only when the durable floor has passed all of it, and
 * from then on the block store gives the floor (P15). Each epoch begins a segment of its own. Pure.
 * @module
 */
import { assert } from '@althing/base'
import { comparePositions, encodeRecord, encodeSegmentStart, positionOf } from './vote-log.ts'
import type { RejoinMarker, RestoredLog, VoteLogIdentity, VoteLogRecord, VotePosition } from './vote-log.ts'
import type { Effect } from './types.ts'

interface Segment {
  readonly sequence: number
  bytes: number
  /** Of its records; `NOWHERE` when it has none. A halt never becomes old. */
  highest: VotePosition
}

const NOWHERE: VotePosition = { epoch: 0, view: 0 }

export class LogTail {
  readonly #log: number
  readonly #segmentBytesMax: number
  readonly #identity: VoteLogIdentity
  readonly #segments: Segment[]
  #rejoin: RejoinMarker | null
  #signed: VotePosition

  /** @param log which of the node's vote logs this is. */
  constructor(log: number, segmentBytesMax: number, restored: RestoredLog) {
    this.#log = log
    this.#segmentBytesMax = segmentBytesMax
    this.#identity = restored.identity
    this.#rejoin = restored.rejoin
    this.#signed = restored.forgotten
    assert(restored.segments.length > 0, 'a vote log has at least one segment')
    this.#segments = restored.segments.map(({ sequence, bytes, records }) => {
      const segment: Segment = { sequence, bytes, highest: NOWHERE }
      for (const record of records) this.#note(segment, record)
      return segment
    })
  }

  /** R12: set while votes may have been lost and must not be given again. */
  get rejoin(): RejoinMarker | null {
    return this.#rejoin
  }

  /** The effects that put one record into the log. */
  append(record: VoteLogRecord): Effect[] {
    const last = this.#segments.at(-1)!
    const isOfOldEpoch = last.highest !== NOWHERE && last.highest.epoch < positionOf(record).epoch
    const effects = last.bytes > this.#segmentBytesMax || isOfOldEpoch ? [this.#startSegment()] : []
    const segment = this.#segments.at(-1)!
    const bytes = encodeRecord(record)
    segment.bytes += bytes.length
    this.#note(segment, record)
    return [...effects, { kind: 'append', log: this.#log, record: bytes }]
  }

  /**
   * R12: the anchor of this epoch commits to a value made after the loss. What was written while the marker was there
   * holds no vote, and goes with it. From now on the log forbids votes in the epochs before: the block store may not
   * have the end of the last one yet, and after a crash the node would be in it again.
   */
  rejoined(epoch: number): Effect[] {
    this.#rejoin = null
    this.#signed = { epoch, view: 0 }
    const started = this.#startSegment()
    return [started, ...this.#drop(this.#segments.length - 1)]
  }

  /** @param durable everything up to this position is decided by the block store. */
  forget(durable: VotePosition): Effect[] {
    const kept = this.#segments.findIndex(({ highest }) => comparePositions(highest, durable) > 0)
    return this.#drop(kept < 0 ? this.#segments.length - 1 : kept)
  }

  #startSegment(): Effect {
    const sequence = this.#segments.at(-1)!.sequence + 1
    const bytes = encodeSegmentStart(this.#identity, sequence, this.#signed, this.#rejoin)
    this.#segments.push({ sequence, bytes: bytes.length, highest: NOWHERE })
    return { kind: 'startSegment', log: this.#log, sequence, bytes }
  }

  /** Lets the first `count` segments go; never the last. */
  #drop(count: number): Effect[] {
    const dropped = Math.min(count, this.#segments.length - 1)
    if (dropped === 0) return []
    this.#segments.splice(0, dropped)
    return [{ kind: 'forget', log: this.#log, belowSequence: this.#segments[0]!.sequence }]
  }

  #note(segment: Segment, record: VoteLogRecord): void {
    const position = positionOf(record)
    if (comparePositions(position, segment.highest) > 0) segment.highest = position
    if (record.kind === 'vote' && comparePositions(position, this.#signed) > 0) this.#signed = position
  }
}
