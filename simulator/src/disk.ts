/**
 * Disks that tell pending from durable: what was written is read back by the running process, but a crash keeps only
 * what was synced and a random part of the rest.
 * @module
 */
import { concatBytes, hashToHex } from '@althing/base'
import type { BlockHash, Certificate } from '@althing/base'
import type { FinalBlock, FinalBlocks } from '@althing/chain'
import type { Prng } from './prng.ts'

interface Segment {
  readonly sequence: number
  parts: Uint8Array[]
  writtenBytes: number
  durableBytes: number
}

export interface LogSegment {
  readonly sequence: number
  readonly bytes: Uint8Array
}

/**
 * The vote log's files. A segment is started only after the one before it was synced, so only the last one that
 * exists can be torn.
 */
export class SimulatedLog {
  #segments: Segment[] = []
  #writtenBytes = 0
  #durableBytes = 0

  /** Bytes ever written, over all segments: a position to sync up to. */
  get writtenBytes(): number {
    return this.#writtenBytes
  }

  get durableBytes(): number {
    return this.#durableBytes
  }

  /** In all segments that exist. */
  get keptBytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.writtenBytes, 0)
  }

  startSegment(sequence: number, bytes: Uint8Array): void {
    this.#segments.push({ sequence, parts: [], writtenBytes: 0, durableBytes: 0 })
    this.append(bytes)
  }

  /** To the last segment. */
  append(bytes: Uint8Array): void {
    const last = this.#segments.at(-1)
    if (last === undefined) throw new RangeError('append to a vote log without segments')
    last.parts.push(bytes)
    last.writtenBytes += bytes.length
    this.#writtenBytes += bytes.length
  }

  /** What was written before `position` survives any crash from now on. */
  sync(position: number): void {
    let newBytes = position - this.#durableBytes
    this.#durableBytes = Math.max(this.#durableBytes, position)
    for (const segment of this.#segments) {
      if (newBytes <= 0) return
      const bytes = Math.min(newBytes, segment.writtenBytes - segment.durableBytes)
      segment.durableBytes += bytes
      newBytes -= bytes
    }
  }

  /** Removes the segments with a lower sequence. */
  forget(belowSequence: number): void {
    this.#segments = this.#segments.filter((segment) => segment.sequence >= belowSequence)
  }

  read(): LogSegment[] {
    return this.#segments.map(({ sequence, parts }) => ({ sequence, bytes: concatBytes(...parts) }))
  }

  /**
   * Keeps the durable bytes and a random prefix of the pending ones; the rest is gone or, as some file systems have
   * it, zeros.
   */
  crash(prng: Prng): void {
    const torn = this.#segments.findIndex((segment) => segment.writtenBytes > segment.durableBytes)
    const lost = this.#segments[torn]
    this.#durableBytes = this.#writtenBytes
    if (lost === undefined) return
    this.#segments.length = torn + 1
    const kept = lost.durableBytes + prng.below(lost.writtenBytes - lost.durableBytes + 1)
    const prefix = concatBytes(...lost.parts).slice(0, kept)
    replace(lost, prng.chance(0.3) ? concatBytes(prefix, new Uint8Array(prng.below(64))) : prefix)
    if (lost.writtenBytes === 0) this.#segments.pop()
  }

  /** All segments are gone. */
  erase(): void {
    this.#segments = []
  }

  /** One bit flips in the first half of a segment, so before the tail. @returns false when there is nothing to rot. */
  rot(prng: Prng): boolean {
    const segment = this.#segments.findLast(({ writtenBytes }) => writtenBytes > 0)
    if (segment === undefined) return false
    const bytes = concatBytes(...segment.parts)
    bytes[prng.below(Math.ceil(bytes.length / 2))]! ^= 1 << prng.below(8)
    replace(segment, bytes)
    return true
  }

  /** Drops the last bytes of the last segment: a torn tail. */
  cutTail(bytes: number): void {
    const last = this.#segments.at(-1)!
    replace(last, concatBytes(...last.parts).slice(0, last.writtenBytes - bytes))
    if (last.writtenBytes === 0) this.#segments.pop()
  }
}

function replace(segment: Segment, bytes: Uint8Array): void {
  segment.parts = [bytes]
  segment.writtenBytes = bytes.length
  segment.durableBytes = bytes.length
}

interface FinalEntry extends FinalBlock {
  finalization: Certificate | undefined
}

/** Final blocks; a batch is durable as a whole or not at all. */
export class SimulatedBlockStore implements FinalBlocks {
  readonly #entries: FinalEntry[]
  readonly #heightByHash = new Map<string, number>()

  /** @param genesis block 0; final from the start. */
  constructor(genesis: FinalBlock) {
    this.#entries = [{ ...genesis, finalization: undefined }]
    this.#heightByHash.set(hashToHex(genesis.hash), 0)
  }

  get height(): number {
    return this.#entries.length - 1
  }

  byHeight(height: number): FinalBlock | undefined {
    return this.#entries[height]
  }

  byHash(hash: BlockHash): FinalBlock | undefined {
    const height = this.#heightByHash.get(hashToHex(hash))
    return height === undefined ? undefined : this.#entries[height]
  }

  finalizationAt(height: number): Certificate | undefined {
    return this.#entries[height]?.finalization
  }

  /** @param blocks the next heights, in order. @param finalization of the last of them. */
  commit(blocks: readonly FinalBlock[], finalization: Certificate | null): void {
    for (const { block, hash } of blocks) {
      if (block.header.height !== this.height + 1) {
        throw new RangeError(`commit of height ${block.header.height} on height ${this.height}`)
      }
      this.#entries.push({ block, hash, finalization: undefined })
      this.#heightByHash.set(hashToHex(hash), block.header.height)
    }
    this.#entries[this.height]!.finalization = finalization ?? undefined
  }
}
