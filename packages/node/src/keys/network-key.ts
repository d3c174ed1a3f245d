/**
 * The key of a private network, in the file format that all of libp2p shares (`swarm.key`).
 * @module
 */
import { hexToBytes } from '@althing/base'
import { KeyFileError, readPrivately } from './key-file.ts'

const FORMAT = /^\/key\/swarm\/psk\/1\.0\.0\/\r?\n\/base16\/\r?\n([0-9a-fA-F]{64})\s*$/

/** @returns 32 secret bytes. @throws {KeyFileError} `KEY_MISSING`, `KEY_EXPOSED`, `KEY_UNREADABLE`, `KEY_MALFORMED`. */
export async function readNetworkKey(file: string): Promise<Uint8Array> {
  const [, digits] = FORMAT.exec(await readPrivately(file)) ?? []
  if (digits !== undefined) return hexToBytes(digits)!
  throw new KeyFileError(
    'KEY_MALFORMED',
    `The key file ${file} is no key of a private network: it has three lines, /key/swarm/psk/1.0.0/, /base16/, and 64 hexadecimal digits`,
  )
}
