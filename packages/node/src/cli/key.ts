/**
 * `althing key`: key files.
 * @module
 */
import { resolve } from 'node:path'
import { bytesToHex } from '@althing/base'
import { Command } from 'commander'
import { createKeyFile, readKeyFile } from '../keys/index.ts'
import { jsonOption, keyOption } from './options.ts'
import type { JsonOption, KeyOption } from './options.ts'
import { createOutput } from './output.ts'

export function keyCommand(): Command {
  const key = new Command('key').description('make and show key files').addHelpText(
    'after',
    `
A key file holds an Ed25519 seed; only its owner may read it. Its public key is the id of the account.
Examples:
  althing key new --key alice.key
  althing key show --key alice.key
  althing key show --key alice.key --json`,
  )
  key
    .command('new')
    .description('make a new key; a file that is there is never overwritten')
    .addOption(keyOption())
    .addOption(jsonOption())
    .action(async (options: KeyOption & JsonOption) => {
      const { publicKey } = await createKeyFile(options.key)
      show(publicKey, options)
    })
  key
    .command('show')
    .description('print the public key of a key file, never its seed')
    .addOption(keyOption())
    .addOption(jsonOption())
    .action(async (options: KeyOption & JsonOption) => {
      const { publicKey } = await readKeyFile(options.key)
      show(publicKey, options)
    })
  return key
}

function show(publicKey: Uint8Array, options: KeyOption & JsonOption): void {
  const output = createOutput(options)
  output.note(`key file: ${resolve(options.key)}`)
  output.result(bytesToHex(publicKey), { account: bytesToHex(publicKey), file: resolve(options.key) })
}
