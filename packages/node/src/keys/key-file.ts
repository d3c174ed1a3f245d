/**
 * Files that hold an Ed25519 seed: of a node (its network identity), an authority, or an account. One key per file.
 * JSON: `type` ("ed25519"), `public_key`, and either `seed` (hexadecimal) or `encryption`: the seed under a passphrase.
 * `exported`, a date: the key has moved to another machine with its votes, and is not used here any more. Only the owner
 * may read such a file.
 * @module
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { link, mkdir, open, rename, rm } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import {
  bytesToHex,
  equalBytes,
  hexToBytes,
  portableSigner,
  PUBLIC_KEY_BYTES,
  SEED_BYTES,
} from '@althing/base'
import { openSeed, readSealedSeed, sealSeed } from './key-encryption.ts'
import type { SealedSeed } from './key-encryption.ts'

export type KeyFileErrorCode =
  | 'KEY_EXISTS'
  | 'KEY_EXPORTED'
  | 'KEY_EXPOSED'
  | 'KEY_LOCKED'
  | 'KEY_MALFORMED'
  | 'KEY_MISSING'
  | 'KEY_UNREADABLE'
  | 'PASSPHRASE_UNUSABLE'
  | 'PASSPHRASE_WRONG'

/** Asked only for a key that has one. @throws {KeyFileError} `KEY_LOCKED`, `PASSPHRASE_UNUSABLE`. */
export type AskPassphrase = (file: string) => Promise<string>

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

/** What a key file says without its passphrase. */
export interface KeyFile {
  readonly publicKey: Uint8Array
  readonly secret: { readonly seed: Uint8Array } | { readonly sealed: SealedSeed }
  /** When it was exported with its votes; null when it may be used. */
  readonly exportedAt: string | null
}

/**
 * @param ask for the passphrase of a key that has one.
 * @throws {KeyFileError} `KEY_MISSING`, `KEY_EXPOSED`, `KEY_UNREADABLE`, `KEY_MALFORMED`, `KEY_EXPORTED`, `KEY_LOCKED`,
 * `PASSPHRASE_WRONG`; none names what is in the file.
 */
export async function readKeyFile(file: string, ask: AskPassphrase = nobody): Promise<SecretKey> {
  const key = await openKeyFile(file)
  if (key.exportedAt !== null) throw exported(file, key.exportedAt)
  return unlockKey(file, key, ask)
}

/** The file as it is: whose key, and how it is kept. @throws {KeyFileError} but for those of the passphrase. */
export async function openKeyFile(file: string): Promise<KeyFile> {
  const text = await readPrivately(file)
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch {
    // The cause would quote the file, and with it the seed.
    throw malformed(file, text.trim() === '' ? 'it is empty' : 'it is not JSON; it may be cut off')
  }
  return parseKeyFile(file, content)
}

/** @throws {KeyFileError} `KEY_LOCKED`, `PASSPHRASE_WRONG`. */
export async function unlockKey(file: string, key: KeyFile, ask: AskPassphrase): Promise<SecretKey> {
  if ('seed' in key.secret) return new SecretKey(key.secret.seed)
  const seed = await openSeed(key.secret.sealed, key.publicKey, await ask(file))
  if (seed !== null) return new SecretKey(seed)
  throw new KeyFileError(
    'PASSPHRASE_WRONG',
    `The passphrase does not open the key file ${file}: it is another one, or the file was changed.`,
  )
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

/** There is nobody to ask. */
export const nobody: AskPassphrase = (file) => {
  throw new KeyFileError(
    'KEY_LOCKED',
    `The key file ${file} is protected by a passphrase, and there is no terminal to ask at. Name a file that has it (node.passphrase_file, --passphrase-file or ALTHING_PASSPHRASE_FILE), or set ALTHING_PASSPHRASE.`,
  )
}

/** @param file for messages only. @throws {KeyFileError} `KEY_MALFORMED`. */
export function parseKeyFile(file: string, content: unknown): KeyFile {
  const { type, public_key, seed, encryption, exported: at } = (content ?? {}) as Record<string, unknown>
  if (type !== 'ed25519') throw malformed(file, 'its "type" is not "ed25519"')
  const exportedAt = at === undefined ? null : typeof at === 'string' ? at : 'an unknown date'
  const publicKey = typeof public_key === 'string' ? hexToBytes(public_key) : null
  if (encryption !== undefined) {
    const sealed = readSealedSeed(encryption)
    if (typeof sealed === 'string') throw malformed(file, sealed)
    if (publicKey?.length !== PUBLIC_KEY_BYTES)
      throw malformed(file, 'its "public_key" is not 64 hexadecimal digits')
    return { publicKey, secret: { sealed }, exportedAt }
  }
  const seedBytes = typeof seed === 'string' ? hexToBytes(seed) : null
  if (seedBytes?.length !== SEED_BYTES) throw malformed(file, 'its "seed" is not 64 hexadecimal digits')
  const key = new SecretKey(seedBytes)
  if (publicKey === null || !equalBytes(publicKey, key.publicKey)) {
    throw malformed(file, 'its "public_key" is not that of its seed')
  }
  return { publicKey: key.publicKey, secret: { seed: seedBytes }, exportedAt }
}

function exported(file: string, at: string): KeyFileError {
  return new KeyFileError(
    'KEY_EXPORTED',
    `The key of ${file} was exported on ${at} and may be signing on another machine: here it signs nothing. Bring it back with: althing key import`,
  )
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
 * @param passphrase null: the seed is in the file as it is.
 * @throws {KeyFileError} `KEY_EXISTS`: a key is never overwritten; `KEY_UNREADABLE`.
 */
export async function createKeyFile(
  file: string,
  seed: Uint8Array = randomBytes(SEED_BYTES),
  passphrase: string | null = null,
): Promise<SecretKey> {
  const key = new SecretKey(seed)
  await addKeyFile(file, await keyFileOf(key, passphrase))
  return key
}

/** How a key is kept. */
export async function keyFileOf(key: SecretKey, passphrase: string | null): Promise<KeyFile> {
  const { publicKey, seed } = key
  const secret = passphrase === null ? { seed } : { sealed: await sealSeed(seed, publicKey, passphrase) }
  return { publicKey, secret, exportedAt: null }
}

/** Writes a new file. @throws {KeyFileError} `KEY_EXISTS`, `KEY_UNREADABLE`. */
export async function addKeyFile(file: string, key: KeyFile): Promise<void> {
  await writeKeyFile(file, key, async (draft) => {
    try {
      await link(draft, file)
    } finally {
      await rm(draft)
    }
  })
}

/**
 * Writes the file anew: at every moment the old one or the new one is there, whole. The old bytes may stay on the disk
 * where they were. @throws {KeyFileError} `KEY_UNREADABLE`.
 */
export function replaceKeyFile(file: string, key: KeyFile): Promise<void> {
  return writeKeyFile(file, key, (draft) => rename(draft, file))
}

/** What the file has, for JSON. */
export function keyFileContent({ publicKey, secret, exportedAt }: KeyFile): object {
  return {
    type: 'ed25519',
    public_key: bytesToHex(publicKey),
    ...('seed' in secret ? { seed: bytesToHex(secret.seed) } : { encryption: secret.sealed }),
    ...(exportedAt !== null && { exported: exportedAt }),
  }
}

async function writeKeyFile(
  file: string,
  key: KeyFile,
  place: (draft: string) => Promise<void>,
): Promise<void> {
  const draft = `${file}.${randomUUID()}`
  try {
    await mkdir(dirname(file), { recursive: true })
    await writeDurably(draft, `${JSON.stringify(keyFileContent(key), null, 2)}\n`)
    await place(draft)
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
