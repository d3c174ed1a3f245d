export { createKeyFile, KeyFileError, readKeyFile, SecretKey } from './key-file.ts'
export type { KeyFileErrorCode } from './key-file.ts'
export { loadSigner } from './signer.ts'
