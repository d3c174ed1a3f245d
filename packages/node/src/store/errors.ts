/**
 * What can be wrong with a data folder, and what a person can do about it.
 * @module
 */

export type StoreErrorCode =
  | 'STORE_CORRUPT'
  | 'STORE_FULL'
  | 'STORE_LOCKED'
  | 'STORE_UNREADABLE'
  | 'STORE_VERSION_UNKNOWN'
  | 'STORE_WRONG_NETWORK'

export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly code: StoreErrorCode

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

export function corrupt(file: string, what: string, cause?: unknown): StoreError {
  const advice =
    'Move the file away and start again: the node then fetches the chain from its peers. ' +
    'If it was the only copy, keep the file and restore a backup.'
  return new StoreError('STORE_CORRUPT', `${file} cannot be used: ${what}. ${advice}`, { cause })
}

const fullCodes = new Set<unknown>([
  'ENOSPC',
  'EDQUOT',
  'EFBIG',
  /** The numbers that LMDB passes on from the system: EFBIG, ENOSPC, EDQUOT on Linux and macOS, and its own MDB_MAP_FULL. */
  27,
  28,
  122,
  69,
  -30792,
])
const accessCodes = new Set<unknown>(['EACCES', 'EPERM', 'EROFS', 1, 13, 30])

/** Says in our terms what LMDB or the file system reported. */
export function storeErrorOf(file: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error
  const { code, message } = error as { code?: unknown; message?: string }
  if (fullCodes.has(code)) {
    return new StoreError(
      'STORE_FULL',
      `${file} cannot grow: no space is left on the disk, or a quota is reached. Nothing was lost; free some space and start the node again.`,
      { cause: error },
    )
  }
  if (accessCodes.has(code)) {
    return new StoreError(
      'STORE_UNREADABLE',
      `${file} cannot be opened for reading and writing (${message ?? String(code)}). Run the node as the owner of its data folder, or give it access.`,
      { cause: error },
    )
  }
  return corrupt(file, message ?? String(error), error)
}
