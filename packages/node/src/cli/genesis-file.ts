/**
 * The genesis file of a network.
 * @module
 */
import { readFile } from 'node:fs/promises'
import { assert } from '@althing/base'
import { genesisFromFile } from '@althing/ledger'
import { chainOf } from '../genesis-state.ts'
import type { Chain } from '../genesis-state.ts'
import { recoveredFromFile } from '../recovery/recovered.ts'
import { CliError } from './failure.ts'

/** The chain that a genesis file makes. @throws {CliError} `FILE_UNREADABLE`, `INPUT_INVALID`. */
export async function readChain(genesisFile: string): Promise<Chain> {
  let text
  try {
    text = await readFile(genesisFile, 'utf8')
  } catch (cause) {
    const advice =
      'Take it from another node of the network (node.genesis_file names it), or make a network with "althing init".'
    const { message } = cause as Error
    throw new CliError('FILE_UNREADABLE', `the genesis file cannot be read: ${message}`, advice, { cause })
  }
  let file: unknown
  try {
    file = JSON.parse(text)
  } catch (cause) {
    throw new CliError(
      'INPUT_INVALID',
      `the genesis file ${genesisFile} is not JSON; it may be cut off`,
      '',
      { cause },
    )
  }
  const { recovered: given, ...rest } = (file ?? {}) as { recovered?: unknown }
  const recovered = given === undefined ? null : recoveredFromFile(given)
  const genesis = genesisFromFile(given === undefined ? file : rest)
  const problem = typeof recovered === 'string' ? recovered : genesis.ok ? null : genesis.fault.message
  if (problem !== null)
    throw new CliError('INPUT_INVALID', `the genesis file ${genesisFile} cannot be used: ${problem}`)
  assert(genesis.ok && typeof recovered !== 'string', 'a genesis without a problem')
  return chainOf(genesis.value, recovered)
}
