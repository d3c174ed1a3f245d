/**
 * The files of one machine, as a power loss finds them: what was fsynced stays; of what was written since, some sectors
 * stay and others are zeros, in no order, or the file ends early; a name in a folder that was not fsynced is there or
 * is not. A program that ends without a power loss loses nothing that it wrote.
 * @module
 */
import { posix } from 'node:path'
import { assert } from '@althing/base'
import type { VoteLogDisk } from 'althing/vote-log'
import type { Prng } from './prng.ts'

/** The power failed within a call. */
export class PowerFailure extends Error {
  override readonly name = 'PowerFailure'
}

/** As the operating system says it. */
export class DiskFull extends Error {
  override readonly name = 'DiskFull'
  readonly code = 'ENOSPC'
}

interface Inode {
  /** Has room for more than `length`. */
  bytes: Uint8Array
  length: number
  /** These are on the disk itself. */
  durableLength: number
  /** These an fsync has put there. */
  syncedLength: number
  /** Durable bytes after `durableLength` that a truncation took away and no fsync has followed. */
  truncated: Uint8Array | null
}

type Open = { readonly inode: Inode } | { readonly folder: string }

const SECTOR_BYTES = 512
/** More than most segments become. */
const SEGMENT_ROOM_BYTES = 4_096

export class SimulatedDisk implements VoteLogDisk {
  readonly #prng: Prng
  readonly #folders = new Set<string>()
  #inodeByPath = new Map<string, Inode>()
  /** As a power loss leaves it. */
  #durableByPath = new Map<string, Inode>()
  readonly #openByFile = new Map<number, Open>()
  #files = 0
  /** Nothing more can be written. */
  isFull: () => boolean = () => false
  /** Asked before each call that changes something. */
  powerFails: () => boolean = () => false

  constructor(prng: Prng) {
    this.#prng = prng
  }

  mkdirSync(path: string): void {
    this.#folders.add(path)
  }

  existsSync(path: string): boolean {
    return this.#folders.has(path)
  }

  readdirSync(folder: string): string[] {
    const names = [...this.#inodeByPath.keys()].filter((path) => posix.dirname(path) === folder)
    return this.#prng.shuffled(names.map((path) => posix.basename(path)))
  }

  openSync(path: string, flags: 'ax' | 'a' | 'r+' | 'r'): number {
    const file = ++this.#files
    if (this.#folders.has(path)) {
      this.#openByFile.set(file, { folder: path })
      return file
    }
    let inode = this.#inodeByPath.get(path)
    if (flags === 'ax') {
      assert(inode === undefined, `${path} exists`)
      this.#mayFail()
      inode = {
        bytes: new Uint8Array(SEGMENT_ROOM_BYTES),
        length: 0,
        durableLength: 0,
        syncedLength: 0,
        truncated: null,
      }
      this.#inodeByPath.set(path, inode)
    }
    assert(inode !== undefined, `${path} does not exist`)
    this.#openByFile.set(file, { inode })
    return file
  }

  closeSync(file: number): void {
    this.#openByFile.delete(file)
  }

  readFileSync(path: string): Uint8Array {
    const { bytes, length } = this.#inodeByPath.get(path)!
    return bytes.slice(0, length)
  }

  /** To the end of the file. A full disk takes a part. @throws {DiskFull} */
  writeSync(file: number, bytes: Uint8Array, offset: number): number {
    this.#mayFail()
    const inode = this.#inodeOf(file)!
    const rest = bytes.length - offset
    const taken = this.isFull() ? this.#prng.below(rest) : rest
    if (taken === 0 && rest > 0) throw new DiskFull('no space left on device')
    reserve(inode, taken)
    inode.bytes.set(bytes.subarray(offset, offset + taken), inode.length)
    inode.length += taken
    return taken
  }

  ftruncateSync(file: number, length: number): void {
    this.#mayFail()
    const inode = this.#inodeOf(file)!
    if (length < inode.durableLength) {
      inode.truncated = inode.bytes.slice(length, inode.durableLength)
      inode.durableLength = length
    }
    inode.length = length
    inode.syncedLength = Math.min(length, inode.syncedLength)
  }

  fdatasyncSync(file: number): void {
    this.#mayFail()
    this.syncUpTo(file, Number.POSITIVE_INFINITY)
  }

  /** What an fsync does that began when the file had this length. A file that was closed meanwhile is synced. */
  syncUpTo(file: number, length: number): void {
    const inode = this.#inodeOf(file)
    if (inode === undefined) return
    inode.durableLength = Math.max(inode.durableLength, Math.min(length, inode.length))
    inode.syncedLength = Math.max(inode.syncedLength, inode.durableLength)
    inode.truncated = null
  }

  fsyncSync(file: number): void {
    const open = this.#openByFile.get(file)
    if (open === undefined || !('folder' in open)) return this.fdatasyncSync(file)
    this.#mayFail()
    const isElsewhere = ([path]: readonly [string, Inode]): boolean => posix.dirname(path) !== open.folder
    const others = [...this.#durableByPath].filter(isElsewhere)
    this.#durableByPath = new Map([
      ...others,
      ...[...this.#inodeByPath].filter((entry) => !isElsewhere(entry)),
    ])
  }

  rmSync(path: string): void {
    this.#mayFail()
    this.#inodeByPath.delete(path)
  }

  /** In a folder and those below it, in all. */
  bytesIn(folder: string): number {
    return this.#inodesIn(folder).reduce((sum, { length }) => sum + length, 0)
  }

  losePower(): void {
    this.#openByFile.clear()
    const paths = new Set([...this.#durableByPath.keys(), ...this.#inodeByPath.keys()])
    const found = new Map<string, Inode>()
    for (const path of paths) {
      const durable = this.#durableByPath.get(path)
      const written = this.#inodeByPath.get(path)
      const inode = durable === written || this.#prng.chance(0.5) ? durable : written
      if (inode !== undefined) found.set(path, inode)
    }
    for (const inode of new Set(found.values())) this.#tear(inode)
    this.#inodeByPath = found
    this.#durableByPath = new Map(found)
  }

  /** All that is in the folder is gone. */
  erase(folder: string): void {
    for (const paths of [this.#inodeByPath, this.#durableByPath])
      for (const path of paths.keys()) if (posix.dirname(path) === folder) paths.delete(path)
  }

  /** One bit of what was fsynced flips, in the first half of a file of the folder. @returns false when there is none. */
  flipBit(folder: string): boolean {
    const inode = this.#prng.shuffled(this.#inodesIn(folder)).find(({ syncedLength }) => syncedLength > 1)
    if (inode === undefined) return false
    inode.bytes[this.#prng.below(inode.syncedLength >> 1)]! ^= 1 << this.#prng.below(8)
    return true
  }

  #inodesIn(folder: string): Inode[] {
    return [...this.#inodeByPath].flatMap(([path, inode]) => (posix.dirname(path) === folder ? [inode] : []))
  }

  #inodeOf(file: number): Inode | undefined {
    const open = this.#openByFile.get(file)
    return open !== undefined && 'inode' in open ? open.inode : undefined
  }

  #mayFail(): void {
    if (this.powerFails()) throw new PowerFailure('the power failed')
  }

  /** What is left of what was not fsynced. */
  #tear(inode: Inode): void {
    const prng = this.#prng
    const { truncated, durableLength } = inode
    if (truncated !== null && prng.chance(0.5)) {
      inode.length = durableLength
      reserve(inode, truncated.length)
      inode.bytes.set(truncated, durableLength)
      inode.length += truncated.length
    } else if (inode.length > durableLength) {
      if (prng.chance(0.5)) this.#loseSectors(inode)
      else inode.length = durableLength + prng.below(inode.length - durableLength + 1)
      if (prng.chance(0.3)) this.#addZeros(inode, prng.below(64))
    }
    inode.truncated = null
    inode.durableLength = inode.length
  }

  /** Each is written or not. */
  #loseSectors({ bytes, length, durableLength }: Inode): void {
    for (let at = durableLength - (durableLength % SECTOR_BYTES); at < length; at += SECTOR_BYTES) {
      const end = Math.min(at + SECTOR_BYTES, length)
      if (this.#prng.chance(0.4)) bytes.fill(0, Math.max(at, durableLength), end)
    }
  }

  #addZeros(inode: Inode, count: number): void {
    reserve(inode, count)
    inode.bytes.fill(0, inode.length, inode.length + count)
    inode.length += count
  }
}

/** Makes room for more. */
function reserve(inode: Inode, count: number): void {
  const needed = inode.length + count
  if (needed <= inode.bytes.length) return
  const larger = new Uint8Array(Math.max(needed, 2 * inode.bytes.length))
  larger.set(inode.bytes.subarray(0, inode.length))
  inode.bytes = larger
}
