/**
 * `althing key`: key files, their passphrases, and authorities that move to another machine.
 * @module
 */
import { resolve } from 'node:path'
import { bytesToHex } from '@althing/base'
import { Command, Option } from 'commander'
import {
  createKeyFile,
  keyFileOf,
  newPassphraseFrom,
  openKeyFile,
  passphraseFrom,
  replaceKeyFile,
  unlockKey,
} from '../keys/index.ts'
import type { KeyFile } from '../keys/index.ts'
import { moveCommands } from './key-move.ts'
import { jsonOption, keyOption } from './options.ts'
import type { JsonOption, KeyOption } from './options.ts'
import { createOutput } from './output.ts'
import { CliError } from './failure.ts'

interface PassphraseOptions {
  readonly passphraseFile?: string
}

type KeyOptions = KeyOption & JsonOption & PassphraseOptions

export function keyCommand(): Command {
  const key = new Command('key').description('make, show, protect and move key files').addHelpText(
    'after',
    `
A key file holds an Ed25519 seed; only its owner may read it. Its public key is the id of the account.
The passphrase of a key is taken from --passphrase-file (node.passphrase_file for a node), else from ALTHING_PASSPHRASE, else the terminal is asked.
Examples:
  althing key new --key alice.key
  althing key new --key alice.key --encrypt
  althing key show --key alice.key --json
  althing key export authority.moved --config config.toml --with-votes`,
  )
  key
    .command('new')
    .description('make a new key; a file that is there is never overwritten')
    .addOption(keyOption())
    .option('--encrypt', 'protect it by a passphrase')
    .addOption(passphraseFileOption())
    .addOption(jsonOption())
    .action(async (options: KeyOptions & { encrypt?: boolean }) => {
      const isProtected = options.encrypt === true || options.passphraseFile !== undefined
      const passphrase = isProtected ? await newPassphrase(options) : null
      const { publicKey } = await createKeyFile(options.key, undefined, passphrase)
      show(publicKey, isProtected, options)
    })
  key
    .command('show')
    .description('print the public key of a key file, never its seed; no passphrase is needed')
    .addOption(keyOption())
    .addOption(jsonOption())
    .action(async (options: KeyOptions) => {
      const { publicKey, secret, exportedAt } = await openKeyFile(options.key)
      if (exportedAt !== null) createOutput(options).note(`exported on ${exportedAt}: it signs nothing here`)
      show(publicKey, 'sealed' in secret, options)
    })
  key
    .command('encrypt')
    .description('protect a key by a passphrase')
    .addOption(keyOption())
    .addOption(passphraseFileOption('the new passphrase'))
    .addOption(jsonOption())
    .action(encrypt)
  key
    .command('decrypt')
    .description('take the passphrase off a key')
    .addOption(keyOption())
    .addOption(passphraseFileOption())
    .addOption(jsonOption())
    .action(decrypt)
  for (const command of moveCommands()) key.addCommand(command)
  return key
}

const passphraseFileOption = (what = 'the passphrase'): Option =>
  new Option('--passphrase-file <file>', `a file with ${what}, which only you may read`)

function newPassphrase({ key, passphraseFile }: KeyOptions): Promise<string> {
  return newPassphraseFrom({ file: passphraseFile, environment: process.env })(key)
}

async function encrypt(options: KeyOptions): Promise<void> {
  const file = await openKeyFile(options.key)
  if ('sealed' in file.secret) {
    const advice = 'To change it: althing key decrypt, then althing key encrypt.'
    throw new CliError('USAGE', `${options.key} has a passphrase already`, advice)
  }
  await rewrite(options.key, file, await newPassphrase(options))
  createOutput(options).note('the seed may still be on the disk where the old file was, and in its backups')
  show(file.publicKey, true, options)
}

async function decrypt(options: KeyOptions): Promise<void> {
  const file = await openKeyFile(options.key)
  if ('seed' in file.secret) throw new CliError('USAGE', `${options.key} has no passphrase`)
  await rewrite(options.key, file, null, options.passphraseFile)
  show(file.publicKey, false, options)
}

async function rewrite(
  path: string,
  file: KeyFile,
  passphrase: string | null,
  passphraseFile?: string,
): Promise<void> {
  const ask = passphraseFrom({ file: passphraseFile, environment: process.env })
  const rewritten = await keyFileOf(await unlockKey(path, file, ask), passphrase)
  await replaceKeyFile(path, { ...rewritten, exportedAt: file.exportedAt })
}

function show(publicKey: Uint8Array, isProtected: boolean, options: KeyOption & JsonOption): void {
  const output = createOutput(options)
  output.note(`key file: ${resolve(options.key)}${isProtected ? ', with a passphrase' : ''}`)
  output.result(bytesToHex(publicKey), {
    account: bytesToHex(publicKey),
    file: resolve(options.key),
    encrypted: isProtected,
  })
}
