/**
 * The vote log as files, one a segment. The pure part, in the chain package, decides what is in them.
 * F1  bytes are in the file, in order, before `sync` returns; a segment is durable before the next one exists
 * F2  a torn tail is cut off before anything is appended
 * F3  segments go oldest first, so that a crash in between leaves a run without a hole
 * @module
 */
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fdatasync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { assert } from '@althing/base'
import { createVoteLog, replayVoteLog } from '@althing/chain'
import type { RestoredLog, VoteLogIdentity } from '@althing/chain'
import type { VoteLogWriter } from './driver.ts'

const syncFile = promisify(fdatasync)
const SEGMENT_NAME = /^(\d{8})\.votes$/

export interface VoteLogSegment {
  readonly sequence: number
  readonly bytes: Uint8Array
}

export interface OpenedVoteLog {
  readonly log: RestoredLog
  readonly files: VoteLogFiles
  /** Why the log that was found could not be trusted; null when it could. */
  readonly damage: string | null
}

export class VoteLogFiles implements VoteLogWriter {
  readonly #folder: string
  #sequence: number
  #file: number
  #syncing: Promise<void> = Promise.resolve()

  constructor(folder: string, sequence: number, file: number) {
    this.#folder = folder
    this.#sequence = sequence
    this.#file = file
  }

  append(record: Uint8Array): void {
    writeAll(this.#file, record)
  }

  startSegment(sequence: number, bytes: Uint8Array): void {
    assert(sequence === this.#sequence + 1, `segment ${sequence} follows ${this.#sequence}`)
    const done = this.#file
    fdatasyncSync(done)
    this.#file = createSegment(this.#folder, sequence, bytes)
    this.#sequence = sequence
    const close = (): void => closeSync(done)
    this.#syncing.then(close, close)
  }

  sync(): Promise<void> {
    const file = this.#file
    this.#syncing = this.#syncing.then(() => syncFile(file))
    return this.#syncing
  }

  forget(belowSequence: number): void {
    removeSegments(
      this.#folder,
      segmentsIn(this.#folder).filter((sequence) => sequence < belowSequence),
    )
  }

  async close(): Promise<void> {
    await this.#syncing.catch(() => {}) // whoever called `sync` was told
    try {
      fdatasyncSync(this.#file)
    } finally {
      closeSync(this.#file)
    }
  }
}

/** Puts a log that came from elsewhere into a folder without one, durably. @param segments in ascending order. */
export function placeVoteLogFiles(folder: string, segments: readonly VoteLogSegment[]): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  assert(segmentsIn(folder).length === 0, `${folder} holds a vote log already`)
  for (const { sequence, bytes } of segments) closeSync(createSegment(folder, sequence, bytes))
}

/** Makes the first segment, when the key is made. @throws when there is a log already. */
export function createVoteLogFiles(folder: string, identity: VoteLogIdentity): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  assert(segmentsIn(folder).length === 0, `${folder} holds a vote log already`)
  closeSync(createSegment(folder, 1, createVoteLog(identity)))
}

/**
 * Reads the log and opens it for appending. One that is lost or damaged is replaced by one that says so: the node
 * then signs no votes (R12).
 */
export function openVoteLogFiles(folder: string, identity: VoteLogIdentity): OpenedVoteLog {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const found = readVoteLogFiles(folder)
  const replay = replayVoteLog(identity, found)
  if (!replay.intact) return replaceLog(folder, identity, replay)
  const { log, tornBytes } = replay
  const last = log.segments.at(-1)!
  removeSegments(
    folder,
    segmentsIn(folder).filter((sequence) => sequence > last.sequence),
  )
  const file = openSync(segmentPath(folder, last.sequence), 'r+')
  if (tornBytes > 0) {
    ftruncateSync(file, last.bytes)
    fdatasyncSync(file)
  }
  closeSync(file)
  const files = new VoteLogFiles(folder, last.sequence, openSync(segmentPath(folder, last.sequence), 'a'))
  return { log, files, damage: null }
}

function replaceLog(
  folder: string,
  identity: VoteLogIdentity,
  { reason, nextSequence }: { reason: string; nextSequence: number },
): OpenedVoteLog {
  const bytes = createVoteLog(identity, { nonce: randomBytes(32), reason }, nextSequence)
  const file = createSegment(folder, nextSequence, bytes)
  removeSegments(
    folder,
    segmentsIn(folder).filter((sequence) => sequence < nextSequence),
  )
  const fresh = replayVoteLog(identity, [{ sequence: nextSequence, bytes }])
  assert(fresh.intact, 'a log just made is intact')
  return { log: fresh.log, files: new VoteLogFiles(folder, nextSequence, file), damage: reason }
}

/** The file, durable and open for appending. */
function createSegment(folder: string, sequence: number, bytes: Uint8Array): number {
  const file = openSync(segmentPath(folder, sequence), 'ax', 0o600)
  writeAll(file, bytes)
  fdatasyncSync(file)
  syncFolder(folder)
  return file
}

/** @param sequences in ascending order. */
function removeSegments(folder: string, sequences: readonly number[]): void {
  for (const sequence of sequences) {
    rmSync(segmentPath(folder, sequence), { force: true })
    syncFolder(folder)
  }
}

function syncFolder(folder: string): void {
  const directory = openSync(folder, 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written)
}

/** As they are in the folder, torn tail and all; none when there is no such folder. */
export function readVoteLogFiles(folder: string): VoteLogSegment[] {
  if (!existsSync(folder)) return []
  return segmentsIn(folder).map((sequence) => ({
    sequence,
    bytes: readFileSync(segmentPath(folder, sequence)),
  }))
}

/** In ascending order, whatever order the folder has. */
function segmentsIn(folder: string): number[] {
  const sequences = readdirSync(folder).flatMap((name) => {
    const match = SEGMENT_NAME.exec(name)
    return match === null ? [] : [Number(match[1])]
  })
  return sequences.sort((a, b) => a - b)
}

function segmentPath(folder: string, sequence: number): string {
  return join(folder, `${String(sequence).padStart(8, '0')}.votes`)
}
