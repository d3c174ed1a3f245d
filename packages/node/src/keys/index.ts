export {
  createKeyFile,
  KeyFileError,
  keyFileOf,
  openKeyFile,
  readKeyFile,
  replaceKeyFile,
  unlockKey,
} from './key-file.ts'
export type { AskPassphrase, KeyFile } from './key-file.ts'
export { newPassphraseFrom, passphraseFrom } from './passphrase.ts'
export { loadSigner } from './signer.ts'
