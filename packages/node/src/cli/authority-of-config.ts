/**
 * The key of an authority, as its configuration says: in a file, or with a signer.
 * @module
 */
import { assert } from '@althing/base'
import type { Hash, Log } from '@althing/base'
import type { NodeConfig } from '../config/index.ts'
import type { AuthorityKeyOption } from '../consensus/authority-keys.ts'
import { loadSigner } from '../keys/index.ts'
import type { AskPassphrase } from '../keys/index.ts'
import { readToken } from '../keys/token.ts'
import { parseSignerAddress } from '../signer/address.ts'
import { openRemoteSigner } from '../signer/remote-signer.ts'

export interface ConfiguredAuthority {
  readonly authority: AuthorityKeyOption
  /** The key that takes its place some day. */
  readonly nextAuthority?: AuthorityKeyOption
  close(): Promise<void>
}

/** @returns null for a full node. @throws {KeyFileError} @throws {NodeError} `SIGNER_UNREACHABLE`, `TOKEN_UNUSABLE`. */
export async function openAuthority(
  { consensus }: NodeConfig,
  genesis: Hash,
  log: Log,
  ask: AskPassphrase,
): Promise<ConfiguredAuthority | null> {
  const { authorityKeyFile: keyFile, signer: name, signerTokenFile, signerTimeoutMs: timeoutMs } = consensus
  const { nextAuthorityKeyFile } = consensus
  const next = nextAuthorityKeyFile === null ? {} : { nextAuthority: await keyOf(nextAuthorityKeyFile, ask) }
  if (keyFile !== null) return { authority: await keyOf(keyFile, ask), ...next, close: async () => {} }
  if (name === null) return null
  const address = parseSignerAddress(name)
  assert(address !== null, 'the configuration was checked')
  const token =
    signerTokenFile === null ? null : await readToken('consensus.signer_token_file', signerTokenFile)
  const signer = await openRemoteSigner({ address, name, token, genesis, log, timeoutMs })
  return { authority: { signer, keyFile: null }, ...next, close: () => signer.close() }
}

async function keyOf(keyFile: string, ask: AskPassphrase): Promise<AuthorityKeyOption> {
  return { signer: await loadSigner(keyFile, ask), keyFile }
}
