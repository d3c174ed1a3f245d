import type { Signer } from '@althing/base'
import { nativeSigner } from '../crypto/ed25519.ts'
import { readKeyFile } from './key-file.ts'

/** Signs with the key of a file. @throws {KeyFileError} as `readKeyFile`. */
export async function loadSigner(file: string): Promise<Signer> {
  return nativeSigner((await readKeyFile(file)).seed)
}
