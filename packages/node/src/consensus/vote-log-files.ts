/**
 * The vote log as files, with fsyncs that nobody waits for in this thread.
 * @module
 */
import { fdatasync } from 'node:fs'
import { promisify } from 'node:util'
import type { RestoredLog, VoteLogIdentity } from '@althing/chain'
import type { VoteLogWriter } from './driver.ts'
import { openSegments } from './vote-log-segments.ts'
import type { SegmentFiles } from './vote-log-segments.ts'

const syncFile = promisify(fdatasync)

export interface OpenedVoteLog {
  readonly log: RestoredLog
  readonly files: VoteLogFiles
  /** Why the log that was found could not be trusted; null when it could. */
  readonly damage: string | null
}

export class VoteLogFiles implements VoteLogWriter {
  readonly #segments: SegmentFiles
  #syncing: Promise<void> = Promise.resolve()

  constructor(segments: SegmentFiles) {
    this.#segments = segments
  }

  append(record: Uint8Array): void {
    this.#segments.append(record)
  }

  startSegment(sequence: number, bytes: Uint8Array): void {
    const close = this.#segments.startSegment(sequence, bytes)
    this.#syncing.then(close, close)
  }

  sync(): Promise<void> {
    const { end } = this.#segments
    this.#syncing = this.#syncing.then(() => syncFile(end.file)).then(() => this.#segments.noteSynced(end))
    return this.#syncing
  }

  forget(belowSequence: number): void {
    this.#segments.forget(belowSequence)
  }

  async close(): Promise<void> {
    await this.#syncing.catch(() => {}) // whoever called `sync` was told
    this.#segments.close()
  }
}

/** As `openSegments`. */
export function openVoteLogFiles(folder: string, identity: VoteLogIdentity): OpenedVoteLog {
  const { log, segments, damage } = openSegments(folder, identity)
  return { log, files: new VoteLogFiles(segments), damage }
}
