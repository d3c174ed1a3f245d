/**
 * The genesis file of a network.
 * @module
 */
import { readFile } from 'node:fs/promises'
import type { Genesis } from '@althing/base'
import { genesisFromFile } from '@althing/ledger'
import { CliError } from './failure.ts'

/** @throws {CliError} `FILE_UNREADABLE`, `INPUT_INVALID`. */
export async function readGenesis(genesisFile: string): Promise<Genesis> {
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
  const genesis = genesisFromFile(file)
  if (!genesis.ok)
    throw new CliError(
      'INPUT_INVALID',
      `the genesis file ${genesisFile} cannot be used: ${genesis.fault.message}`,
    )
  return genesis.value
}
