/**
 * What the store needs of a database: sorted tables of bytes, and one atomic, durable write.
 * @module
 */

export const tables = [
  /** What the folder is of: version, network, genesis. */
  'meta',
  /** height → SSZ `Block` */
  'blocks',
  /** block hash → height */
  'hashes',
  /** height → SSZ `Certificate` */
  'finalizations',
  /** transaction id → height, index, receipt */
  'transactions',
  /** height → root page and counters */
  'versions',
  /** id → bytes, for the state tree */
  'pages',
  'values',
  /** height, sequence → ids that no version from this height on uses */
  'stale',
] as const
export type Table = (typeof tables)[number]

/** A null value removes the key, which may be absent. */
export type Write = readonly [table: Table, key: Uint8Array, value: Uint8Array | null]

export interface Entry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

export interface EngineRange {
  /** Bytewise order; from the greatest key down when `reverse`. */
  readonly reverse?: boolean
  readonly limit?: number
}

export interface Engine {
  get(table: Table, key: Uint8Array): Uint8Array | undefined
  has(table: Table, key: Uint8Array): boolean
  entries(table: Table, range?: EngineRange): Iterable<Entry>
  /**
   * All or nothing. Resolves when durable; what was written can be read from then on.
   * @throws {StoreError} nothing was written.
   */
  write(writes: readonly Write[]): Promise<void>
  close(): Promise<void>
}
