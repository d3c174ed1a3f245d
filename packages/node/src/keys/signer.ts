import type { Signer } from '@althing/base'
import { nativeSigner } from '../crypto/ed25519.ts'
import { readKeyFile } from './key-file.ts'
import type { AskPassphrase } from './key-file.ts'

/** Signs with the key of a file. @throws {KeyFileError} as `readKeyFile`. */
export async function loadSigner(file: string, ask?: AskPassphrase): Promise<Signer> {
  return nativeSigner((await readKeyFile(file, ask)).seed)
}
