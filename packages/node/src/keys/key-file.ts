/**
 * Files that hold an Ed25519 seed: of a node (its network identity), an authority, or an account. One key per file.
 * JSON: `type` ("ed25519"), `public_key` and `seed` (hexadecimal). Only the owner may read such a file.
 * @module
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { link, mkdir, open, rm } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { bytesToHex, equalBytes, hexToBytes, portableSigner, SEED_BYTES } from '@althing/base'

export type KeyFileErrorCode =
  | 'KEY_EXISTS'
  | 'KEY_EXPOSED'
  | 'KEY_MALFORMED'
  | 'KEY_MISSING'
  | 'KEY_UNREADABLE'

export class KeyFileError extends Error {
  override readonly name = 'KeyFileError'
  readonly code: KeyFileErrorCode

  constructor(code: KeyFileErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** A key pair. The seed is shown neither by JSON nor when the object is printed or logged. */
export class SecretKey {
  readonly publicKey: Uint8Array
  readonly #seed: Uint8Array

  /** @param seed 32 secret bytes. */
  constructor(seed: Uint8Array) {
    this.publicKey = portableSigner(seed).publicKey
    this.#seed = seed
  }

  get seed(): Uint8Array {
    return this.#seed
  }
}

const KEY_FILE_BYTES_MAX = 4096
const OTHERS_MAY = 0o077

/** @throws {KeyFileError} `KEY_MISSING`, `KEY_EXPOSED`, `KEY_UNREADABLE`, `KEY_MALFORMED`; none names what is in the file. */
export async function readKeyFile(file: string): Promise<SecretKey> {
  return parseKey(file, await readPrivately(file))
}

/** A file with a secret, which only its owner may read. @throws {KeyFileError} as `readKeyFile`. */
export async function readPrivately(file: string): Promise<string> {
  try {
    await using handle = await open(file, 'r')
    const { mode, size } = await handle.stat()
    if (process.platform !== 'win32' && (mode & OTHERS_MAY) !== 0) {
      const rights = (mode & 0o777).toString(8).padStart(4, '0')
      throw new KeyFileError(
        'KEY_EXPOSED',
        `The key file ${file} may be used by others (mode ${rights}). Run: chmod 600 '${file}'`,
      )
    }
    if (size > KEY_FILE_BYTES_MAX) {
      throw malformed(file, `it has ${size} bytes, more than a key file can have`)
    }
    return await handle.readFile('utf8')
  } catch (error) {
    throw keyFileErrorOf(file, error)
  }
}

function parseKey(file: string, text: string): SecretKey {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    // The cause would quote the file, and with it the seed.
    throw malformed(file, text.trim() === '' ? 'it is empty' : 'it is not JSON; it may be cut off')
  }
  const { type, public_key: publicKey, seed } = (parsed ?? {}) as Record<string, unknown>
  if (type !== 'ed25519') throw malformed(file, 'its "type" is not "ed25519"')
  const seedBytes = typeof seed === 'string' ? hexToBytes(seed) : null
  if (seedBytes?.length !== SEED_BYTES) throw malformed(file, 'its "seed" is not 64 hexadecimal digits')
  const key = new SecretKey(seedBytes)
  const publicBytes = typeof publicKey === 'string' ? hexToBytes(publicKey) : null
  if (publicBytes === null || !equalBytes(publicBytes, key.publicKey)) {
    throw malformed(file, 'its "public_key" is not that of its seed')
  }
  return key
}

function malformed(file: string, what: string): KeyFileError {
  return new KeyFileError(
    'KEY_MALFORMED',
    `The key file ${file} cannot be used: ${what}. Restore it from a backup; a new key is a new identity.`,
  )
}

function keyFileErrorOf(file: string, error: unknown): unknown {
  if (error instanceof KeyFileError) return error
  const { code, message } = error as NodeJS.ErrnoException
  if (code === undefined) return error
  if (code === 'ENOENT') {
    return new KeyFileError(
      'KEY_MISSING',
      `There is no key file ${file}. Name the right one, or make one: althing key new`,
      { cause: error },
    )
  }
  return new KeyFileError('KEY_UNREADABLE', `The key file ${file} cannot be read or written: ${message}`, {
    cause: error,
  })
}

/**
 * Writes a key into a new file: whole and durable, or not at all. Folders above it are made.
 * @param seed 32 secret bytes; fresh randomness when absent.
 * @throws {KeyFileError} `KEY_EXISTS`: a key is never overwritten; `KEY_UNREADABLE`.
 */
export async function createKeyFile(
  file: string,
  seed: Uint8Array = randomBytes(SEED_BYTES),
): Promise<SecretKey> {
  const key = new SecretKey(seed)
  const content = { type: 'ed25519', public_key: bytesToHex(key.publicKey), seed: bytesToHex(key.seed) }
  const draft = `${file}.${randomUUID()}`
  try {
    await mkdir(dirname(file), { recursive: true })
    await writeDurably(draft, `${JSON.stringify(content, null, 2)}\n`)
    try {
      await link(draft, file)
    } finally {
      await rm(draft)
    }
    await using folder = await open(dirname(file), 'r')
    await syncFolder(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      throw new KeyFileError('KEY_EXISTS', `There is a file ${file} already; a key is never overwritten.`, {
        cause: error,
      })
    }
    throw keyFileErrorOf(file, error)
  }
  return key
}

async function writeDurably(file: string, text: string): Promise<void> {
  await using handle = await open(file, 'wx', 0o600)
  await handle.writeFile(text)
  await handle.sync()
}

/** So that the new name outlives a power failure, where folders can be synced. */
async function syncFolder(folder: FileHandle): Promise<void> {
  if (process.platform !== 'win32') await folder.sync()
}
