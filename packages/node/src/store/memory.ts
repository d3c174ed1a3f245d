/**
 * A store without a disk, for tests and the simulator. Gone with the process.
 * @module
 */
import { assert } from '@althing/base'
import { openChainStore } from './chain-store.ts'
import { tables } from './engine.ts'
import type { Engine, EngineRange, Entry, Table, Write } from './engine.ts'
import type { ChainStore, StoreOptions } from './types.ts'

/** What survives the closing of a memory store: open it again on the same disk. */
export class MemoryDisk {
  readonly tables = new Map<Table, Map<string, Uint8Array>>(tables.map((name) => [name, new Map()]))
}

export function openMemoryStore(options: StoreOptions, disk = new MemoryDisk()): Promise<ChainStore> {
  return openChainStore(new MemoryEngine(disk), 'the memory store', options)
}

class MemoryEngine implements Engine {
  readonly #disk: MemoryDisk
  #closed = false

  constructor(disk: MemoryDisk) {
    this.#disk = disk
  }

  get(table: Table, key: Uint8Array): Uint8Array | undefined {
    return this.#table(table).get(textOf(key))
  }

  has(table: Table, key: Uint8Array): boolean {
    return this.#table(table).has(textOf(key))
  }

  *entries(table: Table, range: EngineRange = {}): Iterable<Entry> {
    const map = this.#table(table)
    const keys = [...map.keys()].sort()
    if (range.reverse === true) keys.reverse()
    for (const key of keys.slice(0, range.limit))
      yield { key: Buffer.from(key, 'latin1'), value: map.get(key)! }
  }

  async write(writes: readonly Write[]): Promise<void> {
    // As with a disk, the caller goes on before the write is done.
    await Promise.resolve()
    for (const [table, key, value] of writes) {
      if (value === null) this.#table(table).delete(textOf(key))
      else this.#table(table).set(textOf(key), value.slice())
    }
  }

  async close(): Promise<void> {
    this.#closed = true
  }

  #table(name: Table): Map<string, Uint8Array> {
    assert(!this.#closed, 'the store is open')
    return this.#disk.tables.get(name)!
  }
}

/** One character per byte, so that strings sort as the bytes do. */
function textOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')
}
