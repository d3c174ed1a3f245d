/**
 * `althing key export` and `import`: an authority moves to another machine with its votes.
 * @module
 */
import { resolve } from 'node:path'
import { bytesToHex } from '@althing/base'
import { Command } from 'commander'
import { loadConfig } from '../config/index.ts'
import { exportAuthority, importAuthority } from '../consensus/authority-move.ts'
import type { AuthorityHome, MovedAuthority } from '../consensus/authority-move.ts'
import { lockFolder } from '../store/folder-lock.ts'
import { CliError } from './failure.ts'
import { readChain } from './genesis-file.ts'
import { jsonOption } from './options.ts'
import type { JsonOption } from './options.ts'
import { createOutput } from './output.ts'

interface MoveOptions extends JsonOption {
  readonly config: string
}

interface ExportOptions extends MoveOptions {
  readonly withVotes?: boolean
  readonly again?: boolean
}

export function moveCommands(): Command[] {
  return [
    new Command('export')
      .description("write an authority's key and votes into a file; from then on the key signs nothing here")
      .argument('<file>', 'what to write; only you may read it')
      .requiredOption('--config <file>', 'the configuration of the node, which must not run')
      .option('--with-votes', 'take its votes along; without them it has to rejoin before it votes again')
      .option('--again', 'it was exported before, and that file is lost and was imported nowhere')
      .addOption(jsonOption())
      .addHelpText(
        'after',
        `
The key stays in its file, marked as exported; "althing key import" brings it back.
Examples:
  althing key export /mnt/usb/authority.moved --config config.toml --with-votes
  althing key import /mnt/usb/authority.moved --config config.toml       on the other machine`,
      )
      .action(moveOut),
    new Command('import')
      .description('take in an authority that was exported, and its votes')
      .argument('<file>', 'what "althing key export" wrote')
      .requiredOption('--config <file>', 'the configuration of the node, which must not run')
      .addOption(jsonOption())
      .addHelpText(
        'after',
        `
Import a file once, on one machine, and delete it then: two machines with one key sign twice.
Example:
  althing key import authority.moved --config config.toml`,
      )
      .action(moveIn),
  ]
}

async function moveOut(file: string, options: ExportOptions): Promise<void> {
  const moved = await atHome(options.config, (home) =>
    exportAuthority(home, file, { votes: options.withVotes === true, again: options.again === true }),
  )
  const text = `${resolve(file)} has the key ${bytesToHex(moved.publicKey)}${votesText(moved)}. Here it signs nothing any more.`
  createOutput(options).result(text, resultOf(file, moved))
}

async function moveIn(file: string, options: MoveOptions): Promise<void> {
  const moved = await atHome(options.config, (home) => importAuthority(home, file))
  const text = `The key ${bytesToHex(moved.publicKey)}${votesText(moved)} is here. Delete ${resolve(file)}, and start the node.`
  createOutput(options).result(text, resultOf(file, moved))
}

/** Nothing else uses the data folder meanwhile. */
async function atHome<T>(configFile: string, act: (home: AuthorityHome) => Promise<T>): Promise<T> {
  const config = await loadConfig({ file: configFile, environment: process.env })
  const { authorityKeyFile } = config.consensus
  if (authorityKeyFile === null)
    throw new CliError('USAGE', `${configFile} is of no authority: it has no consensus.authority_key_file`)
  const { hash } = await readChain(config.node.genesisFile)
  const lock = lockFolder(config.node.dataFolder)
  try {
    return await act({ genesis: hash, keyFile: authorityKeyFile, dataFolder: config.node.dataFolder })
  } finally {
    lock.release()
  }
}

function votesText({ signed }: MovedAuthority): string {
  if (signed === null) return ' without votes: it has to rejoin before it votes'
  return ` and all its votes, up to epoch ${signed.epoch}, view ${signed.view}`
}

function resultOf(file: string, { publicKey, signed }: MovedAuthority): object {
  return { file: resolve(file), public_key: bytesToHex(publicKey), signed }
}
