/**
 * The segments of a vote log as files, one each. The pure part, in the chain package, decides what is in them.
 * F1  bytes are in the file, in order, before they are fsynced; a segment is durable before the next one exists
 * F2  a torn tail is cut off before anything is appended
 * F3  segments go oldest first, so that a crash in between leaves a run without a hole
 * F4  what an earlier process wrote is durable before this one goes by it: only the power keeps what is not fsynced
 * F5  what is durable is said so in the file, so that damage is not taken for a torn tail
 * @module
 */
import { randomBytes } from 'node:crypto'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { assert } from '@althing/base'
import * as chain from '@althing/chain'
import type { RestoredLog, VoteLogIdentity } from '@althing/chain'

const SEGMENT_NAME = /^(\d{8})\.votes$/

export interface VoteLogSegment {
  readonly sequence: number
  readonly bytes: Uint8Array
}

/** The calls of `node:fs` that a vote log is made with. */
export interface VoteLogDisk {
  mkdirSync(path: string, options: { recursive: true; mode: number }): unknown
  existsSync(path: string): boolean
  readdirSync(path: string): string[]
  openSync(path: string, flags: 'ax' | 'a' | 'r+' | 'r', mode?: number): number
  closeSync(file: number): void
  readFileSync(path: string): Uint8Array
  /** @returns how many bytes were written. */
  writeSync(file: number, bytes: Uint8Array, offset: number): number
  ftruncateSync(file: number, bytes: number): void
  fdatasyncSync(file: number): void
  fsyncSync(file: number): void
  rmSync(path: string, options: { force: true }): void
}

/** What the files are made with; others than these in simulations. */
export interface VoteLogPorts {
  readonly disk: VoteLogDisk
  readonly codec: Pick<typeof chain, 'createVoteLog' | 'encodeSynced' | 'replayVoteLog'>
  /** 32 fresh random bytes. */
  readonly nonce: () => Uint8Array
}

const NODE_PORTS: VoteLogPorts = { disk: fs, codec: chain, nonce: () => randomBytes(32) }

export interface OpenedSegments {
  readonly log: RestoredLog
  readonly segments: SegmentFiles
  /** Why the log that was found could not be trusted; null when it could. */
  readonly damage: string | null
}

/** How far a segment is written. */
export interface SegmentEnd {
  readonly file: number
  readonly bytes: number
}

export class SegmentFiles {
  readonly #folder: string
  readonly #ports: VoteLogPorts
  #sequence: number
  #end: SegmentEnd

  /** @param end of the last segment, all of it durable. */
  constructor(folder: string, ports: VoteLogPorts, sequence: number, end: SegmentEnd) {
    this.#folder = folder
    this.#ports = ports
    this.#sequence = sequence
    this.#end = end
    this.noteSynced(end)
  }

  /** Of the last segment: what an fsync of its file that begins now makes durable. */
  get end(): SegmentEnd {
    return this.#end
  }

  append(record: Uint8Array): void {
    const { file, bytes } = this.#end
    writeAll(this.#ports.disk, file, record)
    this.#end = { file, bytes: bytes + record.length }
  }

  /** An fsync that began there is over (F5). */
  noteSynced({ file, bytes }: SegmentEnd): void {
    if (file === this.#end.file) this.append(this.#ports.codec.encodeSynced(bytes))
  }

  /** The last segment is complete; this one follows it. @returns closes the file of the one before. */
  startSegment(sequence: number, bytes: Uint8Array): () => void {
    assert(sequence === this.#sequence + 1, `segment ${sequence} follows ${this.#sequence}`)
    const { disk } = this.#ports
    const done = this.#end.file
    disk.fdatasyncSync(done)
    this.#end = { file: createSegment(disk, this.#folder, sequence, bytes), bytes: bytes.length }
    this.#sequence = sequence
    return () => disk.closeSync(done)
  }

  forget(belowSequence: number): void {
    const { disk } = this.#ports
    const gone = segmentsIn(disk, this.#folder).filter((sequence) => sequence < belowSequence)
    removeSegments(disk, this.#folder, gone)
  }

  close(): void {
    const { disk } = this.#ports
    try {
      disk.fdatasyncSync(this.#end.file)
    } finally {
      disk.closeSync(this.#end.file)
    }
  }
}

/** Puts a log that came from elsewhere into a folder without one, durably. @param segments in ascending order. */
export function placeVoteLogFiles(folder: string, segments: readonly VoteLogSegment[]): void {
  const { disk } = NODE_PORTS
  disk.mkdirSync(folder, { recursive: true, mode: 0o700 })
  assert(segmentsIn(disk, folder).length === 0, `${folder} holds a vote log already`)
  for (const { sequence, bytes } of segments) disk.closeSync(createSegment(disk, folder, sequence, bytes))
}

/** Makes the first segment, when the key is made. @throws when there is a log already. */
export function createVoteLogFiles(
  folder: string,
  identity: VoteLogIdentity,
  { disk, codec }: VoteLogPorts = NODE_PORTS,
): void {
  disk.mkdirSync(folder, { recursive: true, mode: 0o700 })
  assert(segmentsIn(disk, folder).length === 0, `${folder} holds a vote log already`)
  disk.closeSync(createSegment(disk, folder, 1, codec.createVoteLog(identity)))
}

/**
 * Reads the log and opens it for appending. One that is lost or damaged is replaced by one that says so: the node
 * then signs no votes (R12).
 */
export function openSegments(
  folder: string,
  identity: VoteLogIdentity,
  ports: VoteLogPorts = NODE_PORTS,
): OpenedSegments {
  const { disk, codec } = ports
  disk.mkdirSync(folder, { recursive: true, mode: 0o700 })
  const replay = codec.replayVoteLog(identity, readSegments(disk, folder))
  if (!replay.intact) return replaceLog(folder, identity, replay, ports)
  const { log, tornBytes } = replay
  const last = log.segments.at(-1)!
  const unused = segmentsIn(disk, folder).filter((sequence) => sequence > last.sequence)
  removeSegments(disk, folder, unused)
  if (tornBytes > 0) {
    const torn = disk.openSync(segmentPath(folder, last.sequence), 'r+')
    disk.ftruncateSync(torn, last.bytes)
    disk.closeSync(torn)
  }
  const file = disk.openSync(segmentPath(folder, last.sequence), 'a')
  disk.fdatasyncSync(file) // F4
  const segments = new SegmentFiles(folder, ports, last.sequence, { file, bytes: last.bytes })
  return { log, segments, damage: null }
}

function replaceLog(
  folder: string,
  identity: VoteLogIdentity,
  { reason, nextSequence }: { reason: string; nextSequence: number },
  ports: VoteLogPorts,
): OpenedSegments {
  const { disk, codec, nonce } = ports
  const bytes = codec.createVoteLog(identity, { nonce: nonce(), reason }, nextSequence)
  const file = createSegment(disk, folder, nextSequence, bytes)
  const gone = segmentsIn(disk, folder).filter((sequence) => sequence < nextSequence)
  removeSegments(disk, folder, gone)
  const fresh = codec.replayVoteLog(identity, [{ sequence: nextSequence, bytes }])
  assert(fresh.intact, 'a log just made is intact')
  const segments = new SegmentFiles(folder, ports, nextSequence, { file, bytes: bytes.length })
  return { log: fresh.log, segments, damage: reason }
}

/** The file, durable and open for appending. */
function createSegment(disk: VoteLogDisk, folder: string, sequence: number, bytes: Uint8Array): number {
  const file = disk.openSync(segmentPath(folder, sequence), 'ax', 0o600)
  writeAll(disk, file, bytes)
  disk.fdatasyncSync(file)
  syncFolder(disk, folder)
  return file
}

/** @param sequences in ascending order. */
function removeSegments(disk: VoteLogDisk, folder: string, sequences: readonly number[]): void {
  for (const sequence of sequences) {
    disk.rmSync(segmentPath(folder, sequence), { force: true })
    syncFolder(disk, folder)
  }
}

function syncFolder(disk: VoteLogDisk, folder: string): void {
  const directory = disk.openSync(folder, 'r')
  try {
    disk.fsyncSync(directory)
  } finally {
    disk.closeSync(directory)
  }
}

function writeAll(disk: VoteLogDisk, file: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) written += disk.writeSync(file, bytes, written)
}

/** As they are in the folder, torn tail and all; none when there is no such folder. */
export function readVoteLogFiles(folder: string): VoteLogSegment[] {
  return readSegments(NODE_PORTS.disk, folder)
}

function readSegments(disk: VoteLogDisk, folder: string): VoteLogSegment[] {
  if (!disk.existsSync(folder)) return []
  return segmentsIn(disk, folder).map((sequence) => ({
    sequence,
    bytes: disk.readFileSync(segmentPath(folder, sequence)),
  }))
}

/** In ascending order, whatever order the folder has. */
function segmentsIn(disk: VoteLogDisk, folder: string): number[] {
  const sequences = disk.readdirSync(folder).flatMap((name) => {
    const match = SEGMENT_NAME.exec(name)
    return match === null ? [] : [Number(match[1])]
  })
  return sequences.sort((a, b) => a - b)
}

function segmentPath(folder: string, sequence: number): string {
  return join(folder, `${String(sequence).padStart(8, '0')}.votes`)
}
