import { portableSigner } from '@althing/base'
import type { Signer } from '@althing/base'
import { readKeyFile } from './key-file.ts'

/** Signs with the key of a file. @throws {KeyFileError} as `readKeyFile`. */
export async function loadSigner(file: string): Promise<Signer> {
  return portableSigner((await readKeyFile(file)).seed)
}
