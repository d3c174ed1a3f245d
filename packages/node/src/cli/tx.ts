/**
 * `althing tx`: transfers, and transactions that are signed apart.
 * @module
 */
import { bytesToHex } from '@althing/base'
import { transfer } from '@althing/client'
import { Command } from 'commander'
import { configOption, tokenFileOption } from './api-access.ts'
import { genesisOption, sendOperations } from './chain-access.ts'
import type { SendOptions } from './chain-access.ts'
import { apiOption, jsonOption, keyOption, parseAmount, parseHex32 } from './options.ts'
import type { JsonOption } from './options.ts'
import { createOutput } from './output.ts'
import { offlineCommands } from './tx-offline.ts'

export function txCommand(): Command {
  const tx = new Command('tx').description('send transactions')
  tx.command('send')
    .description('transfer an amount to another account, and wait until it is final')
    .argument('<account>', 'who receives it: 64 hexadecimal digits', parseHex32)
    .argument('<amount>', 'a whole number', parseAmount)
    .option('--fee <amount>', "fee of the transaction (default: the genesis' least fee)", parseAmount)
    .addOption(keyOption())
    .addOption(apiOption())
    .addOption(configOption())
    .addOption(tokenFileOption())
    .addOption(genesisOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Examples:
  althing tx send 3b6a…29 1000 --key alice.key
  althing tx send 3b6a…29 1000 --api http://127.0.0.1:8546 --json

The account of a key file is shown by "althing key show --key FILE".`,
    )
    .action(send)
  for (const command of offlineCommands()) tx.addCommand(command)
  return tx
}

async function send(to: Uint8Array, amount: bigint, options: SendOptions & JsonOption): Promise<void> {
  const transaction = await sendOperations([transfer({ to, amount })], options)
  const text = `final in block ${transaction.height}: ${amount} to ${bytesToHex(to)} (transaction ${transaction.id})`
  createOutput(options).result(text, transaction)
}
