/**
 * A node's API as a command uses it: the chain that it serves, and an account that signs for it.
 * @module
 */
import { fetchTrusted, parseHash, Sender } from '@althing/client'
import type { AlthingClient, Operation, SettledTransaction, Trusted } from '@althing/client'
import { Option } from 'commander'
import { loadSigner, passphraseFrom } from '../keys/index.ts'
import { openClient } from './api-access.ts'
import type { AccessOptions } from './api-access.ts'
import { CliError } from './failure.ts'
import { parseHex32 } from './options.ts'
import type { KeyOption } from './options.ts'

export interface GenesisOption {
  readonly genesis?: Uint8Array
}

export const genesisOption = (): Option =>
  new Option('--genesis <hash>', 'the chain that the node must be on; without it, the node is believed')
    .env('ALTHING_GENESIS')
    .argParser(parseHex32)

export interface ChainAccess {
  readonly client: AlthingClient
  readonly trusted: Trusted
}

/**
 * The genesis is checked against `--genesis`. Without that, what the node itself says is taken for the genesis hash:
 * then a proof shows that the answer belongs to the node's chain, and not that it is the chain you mean.
 */
export async function openChain(options: AccessOptions & GenesisOption): Promise<ChainAccess> {
  const client = await openClient(options)
  const hash = options.genesis ?? parseHash((await client.genesis()).genesis_hash)
  if (hash === null) throw new CliError('INPUT_INVALID', `${client.url.origin} gives no genesis hash`)
  return { client, trusted: await fetchTrusted(client, hash) }
}

export interface SendOptions extends AccessOptions, GenesisOption, KeyOption {
  readonly fee?: bigint
}

/** Signs the operations as one transaction and waits until it is final. */
export async function sendOperations(
  operations: readonly Operation[],
  options: SendOptions,
): Promise<SettledTransaction> {
  const signer = await loadSigner(options.key, passphraseFrom({ environment: process.env }))
  const { client, trusted } = await openChain(options)
  const sender = await Sender.open(
    client,
    signer,
    trusted,
    options.fee === undefined ? {} : { fee: options.fee },
  )
  return assertApplied(await sender.send(operations))
}

/** @throws {CliError} `TRANSACTION_REJECTED`, `TRANSACTION_FAILED`. */
export function assertApplied(transaction: SettledTransaction): SettledTransaction {
  const { id, status, height, fault } = transaction
  if (status === 'final') return transaction
  const why = fault === null ? '' : `: ${fault.code}, ${fault.message}`
  if (status === 'rejected')
    throw new CliError('TRANSACTION_REJECTED', `transaction ${id} was rejected${why}`)
  throw new CliError(
    'TRANSACTION_FAILED',
    `transaction ${id} is in block ${height}, but changed nothing${why}`,
    'Its fee and nonce are used up; put right what is wrong and send a new one.',
  )
}
