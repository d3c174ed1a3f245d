export { createKeyFile, KeyFileError, readKeyFile } from './key-file.ts'
export { loadSigner } from './signer.ts'
