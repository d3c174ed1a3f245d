/**
 * The store on disk: one LMDB file in the data folder.
 *
 * LMDB is opened without `overlappingSync`: a transaction is then flushed before it becomes visible, and the promise
 * of a write resolves after that. With it, the default, writes resolve and can be read before they are on disk.
 * @module
 */
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { open } from 'lmdb'
import type { Database, RootDatabase } from 'lmdb'
import { assert } from '@althing/base'
import { openChainStore } from './chain-store.ts'
import { checkDataFile } from './data-file.ts'
import { tables } from './engine.ts'
import type { Engine, EngineRange, Entry, Table, Write } from './engine.ts'
import { storeErrorOf } from './errors.ts'
import type { ChainStore, StoreOptions } from './types.ts'

/** The file is longer than what is in it by at least this and twice what a commit brings. Not disk: nothing is written. */
const ROOM_BYTES = 4 * 1024 ** 2
/** How much longer it is made at once. */
const GROWTH_BYTES = 16 * 1024 ** 2

/** Address space, not memory and not disk; LMDB takes more by itself when the file outgrows it. */
const MAP_BYTES = 1024 ** 3

type BinaryDatabase = Database<Uint8Array, Uint8Array>

/**
 * Opens the store in `folder`, and makes both when they are not there. The folder must be locked (`lockFolder`)
 * before: LMDB itself would let two nodes write.
 * @throws {StoreError} any code but `STORE_LOCKED`.
 */
export async function openLmdbStore(folder: string, options: StoreOptions): Promise<ChainStore> {
  const file = join(folder, 'chain.mdb')
  const engine = openEngine(file)
  try {
    return await openChainStore(engine, file, options)
  } catch (error) {
    await engine.close()
    throw error
  }
}

function openEngine(file: string): LmdbEngine {
  try {
    mkdirSync(dirname(file), { recursive: true })
    if (existsSync(file)) checkDataFile(file)
    return new LmdbEngine(file)
  } catch (error) {
    throw storeErrorOf(file, error)
  }
}

class LmdbEngine implements Engine {
  readonly #file: string
  readonly #root: RootDatabase<Uint8Array, Uint8Array>
  readonly #tables: Readonly<Record<Table, BinaryDatabase>>
  /** For looking at the length of the data file. */
  readonly #descriptor: number

  constructor(file: string) {
    const isNew = !existsSync(file)
    this.#file = file
    this.#root = open<Uint8Array, Uint8Array>({
      path: file,
      noSubdir: true,
      overlappingSync: false,
      mapSize: MAP_BYTES,
      maxDbs: tables.length,
      encoding: 'binary',
      keyEncoding: 'binary',
    })
    const opened = tables.map((name) => [
      name,
      this.#root.openDB({ name, encoding: 'binary', keyEncoding: 'binary' }),
    ])
    this.#tables = Object.fromEntries(opened) as Record<Table, BinaryDatabase>
    this.#descriptor = openSync(file, 'r+')
    if (isNew) syncFolder(dirname(file))
  }

  get(table: Table, key: Uint8Array): Uint8Array | undefined {
    return this.#read(() => this.#tables[table].getBinary(key))
  }

  has(table: Table, key: Uint8Array): boolean {
    return this.#read(() => this.#tables[table].doesExist(key))
  }

  *entries(table: Table, range: EngineRange = {}): Iterable<Entry> {
    try {
      yield* this.#tables[table].getRange(range)
    } catch (error) {
      throw storeErrorOf(this.#file, error)
    }
  }

  async write(writes: readonly Write[]): Promise<void> {
    try {
      this.#makeRoom(writes.reduce((sum, [, key, value]) => sum + key.length + (value?.length ?? 0), 0))
      await this.#root.batch(() => {
        for (const [table, key, value] of writes) {
          if (value === null) void this.#tables[table].remove(key)
          else void this.#tables[table].put(key, value)
        }
      })
      this.#extendTo(this.#usedBytes())
    } catch (error) {
      throw storeErrorOf(this.#file, await causeOf(error))
    }
  }

  async close(): Promise<void> {
    await this.#root.close()
    closeSync(this.#descriptor)
  }

  #read<Found>(read: () => Found): Found {
    try {
      return read()
    } catch (error) {
      throw storeErrorOf(this.#file, error)
    }
  }

  /**
   * LMDB does not write free pages at the end of the file, and a file that is shorter than LMDB says counts as cut off
   * (`checkDataFile`). So it is made long enough, durably, before a commit says anything: a loss of power in between
   * would leave a file that is whole and refused. Should a commit need more room than that, it is made afterwards.
   */
  #makeRoom(bytes: number): void {
    const length = this.#usedBytes() + 2 * bytes + ROOM_BYTES
    if (fstatSync(this.#descriptor).size < length) this.#extendTo(length + GROWTH_BYTES)
  }

  #extendTo(length: number): void {
    if (fstatSync(this.#descriptor).size >= length) return
    ftruncateSync(this.#descriptor, length)
    fdatasyncSync(this.#descriptor)
  }

  /** Up to the last page that LMDB counts, free or not. */
  #usedBytes(): number {
    const { lastPageNumber, pageSize } = this.#root.getStats() as { lastPageNumber: number; pageSize: number }
    assert(Number.isSafeInteger(lastPageNumber * pageSize), 'LMDB tells its last page and page size')
    return (lastPageNumber + 1) * pageSize
  }
}

/** A failed batch names its reason in a second promise. */
async function causeOf(error: unknown): Promise<unknown> {
  const { commitError } = error as { commitError?: Promise<never> }
  if (commitError === undefined) return error
  return commitError.catch((reason: unknown) => reason)
}

/** Makes the file's entry in its folder durable. */
function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
