/**
 * `althing authority`: what an authority, or who wants to become one, says on the chain with its key.
 * @module
 */
import { resolve } from 'node:path'
import { authorityProposalId, bytesToHex, keyRotationSignBytes } from '@althing/base'
import type { AuthorityChange, Hash } from '@althing/base'
import {
  authorityBond,
  authorityHeartbeat,
  authorityPropose,
  authorityRotateKey,
  authorityUnbond,
  authorityVote,
} from '@althing/client'
import type { Operation } from '@althing/client'
import { Command, Option } from 'commander'
import { loadConfig } from '../config/index.ts'
import { voteLogFolder } from '../consensus/authority-keys.ts'
import { createVoteLogFiles } from '../consensus/vote-log-segments.ts'
import { createKeyFile, loadSigner, passphraseFrom } from '../keys/index.ts'
import { configOption, openClient, tokenFileOption } from './api-access.ts'
import { genesisOption, sendOperations } from './chain-access.ts'
import type { SendOptions } from './chain-access.ts'
import { CliError } from './failure.ts'
import { readChain } from './genesis-file.ts'
import { apiOption, jsonOption, keyOption, parseAmount, parseHex32, parseInteger } from './options.ts'
import type { JsonOption } from './options.ts'
import { createOutput } from './output.ts'

type Options = SendOptions & JsonOption

/** Blocks that a proposal is open for, by default: a day of blocks of half a second. */
const OPEN_BLOCKS = 172_800

export function authorityCommand(): Command {
  const authority = new Command('authority')
    .description('propose and vote on changes of the authorities, change keys, bond stake')
    .addHelpText(
      'after',
      `
Each command signs with --key, which is the authority's key, or that of who wants to become one; --fee is 0 but for bonds.
Examples:
  althing authority propose add 3b6a…29 --key net/node-0/authority.key
  althing authority vote 7f01…c4 --key net/node-1/authority.key
  althing authority rotate-key --config net/node-0/config.toml --new-key net/node-0/authority-2.key
  althing authorities                                             shows what is open`,
    )
  authority.addCommand(proposeCommand())
  authority.addCommand(
    sending(new Command('vote'))
      .description('vote for a proposal; there is no vote against: it expires')
      .argument('<proposal>', 'its id, as "althing authorities" shows it', parseHex32)
      .action((proposal: Uint8Array, options: Options) => say(authorityVote({ proposal }), 'voted', options)),
  )
  authority.addCommand(
    sending(new Command('heartbeat'))
      .description(
        'show that a key which is about to enter the set is alive; a running node does it by itself',
      )
      .action((options: Options) => say(authorityHeartbeat(), 'the key is alive', options)),
  )
  authority.addCommand(rotateCommand())
  for (const [name, description, operation] of [
    ['bond', 'add to the bond of the key (where weights are by stake)', authorityBond],
    ['unbond', 'take from the bond; the money comes back when the key can owe it no more', authorityUnbond],
  ] as const) {
    authority.addCommand(
      sending(new Command(name))
        .description(description)
        .argument('<amount>', 'a whole number', parseAmount)
        .action((amount: bigint, options: Options) =>
          pay(operation({ amount }), `${name} of ${amount}`, options),
        ),
    )
  }
  return authority
}

function sending(command: Command): Command {
  return command
    .addOption(keyOption())
    .option('--fee <amount>', 'fee of the transaction', parseAmount)
    .addOption(apiOption())
    .addOption(configOption())
    .addOption(tokenFileOption())
    .addOption(genesisOption())
    .addOption(jsonOption())
}

interface ProposeOptions extends Options {
  readonly weight: number
  readonly open: number
}

function proposeCommand(): Command {
  const weight = parseInteger(1, Number.MAX_SAFE_INTEGER)
  const propose = new Command('propose').description(
    'propose a change; a quorum of the authorities must vote for it',
  )
  const kind = (name: string, description: string): Command => {
    const command = sending(new Command(name))
      .description(description)
      .option('--open <blocks>', 'how long it can be voted on', parseInteger(1, 10_000_000), OPEN_BLOCKS)
    propose.addCommand(command)
    return command
  }
  kind('add', 'a new authority; its key must show that it is alive')
    .argument('<key>', 'its public key', parseHex32)
    .option('--weight <weight>', 'its weight', weight, 1)
    .action((key: Uint8Array, options: ProposeOptions) =>
      suggest({ kind: 'add', key, weight: options.weight }, options),
    )
  kind('remove', 'an authority leaves')
    .argument('<key>', 'its public key', parseHex32)
    .action((key: Uint8Array, options: ProposeOptions) => suggest({ kind: 'remove', key }, options))
  kind('change-key', 'an authority that lost its key gets another')
    .argument('<key>', 'the lost one', parseHex32)
    .argument('<new key>', 'the new one', parseHex32)
    .action((key: Uint8Array, newKey: Uint8Array, options: ProposeOptions) =>
      suggest({ kind: 'changeKey', key, newKey }, options),
    )
  kind('change-weight', 'an authority gets another weight')
    .argument('<key>', 'its public key', parseHex32)
    .argument('<weight>', 'a whole number', weight)
    .action((key: Uint8Array, newWeight: number, options: ProposeOptions) =>
      suggest({ kind: 'changeWeight', key, weight: newWeight }, options),
    )
  kind('upgrade', 'blocks have another version from a height on; nodes of older releases stop there')
    .argument('<version>', 'of blocks', parseInteger(1, 65_535))
    .argument('<height>', 'the first block that has it', parseInteger(1, Number.MAX_SAFE_INTEGER))
    .action((version: number, height: number, options: ProposeOptions) =>
      suggest({ kind: 'activate', version, height }, options),
    )
  return propose
}

async function suggest(change: AuthorityChange, options: ProposeOptions): Promise<void> {
  const signer = await signerOf(options)
  const { height } = await (await openClient(options)).authorities()
  const expires = height + options.open
  const proposal = bytesToHex(authorityProposalId(signer.publicKey, change, expires))
  const transaction = await sendOperations([authorityPropose({ change, expires })], free(options))
  const text = `proposed in block ${transaction.height}: ${proposal}\nThe others vote with: althing authority vote ${proposal}`
  createOutput(options).result(text, { proposal, expires, ...transaction })
}

async function say(operation: Operation, what: string, options: Options): Promise<void> {
  const transaction = await sendOperations([operation], free(options))
  createOutput(options).result(`${what}, final in block ${transaction.height}`, transaction)
}

async function pay(operation: Operation, what: string, options: Options): Promise<void> {
  const transaction = await sendOperations([operation], options)
  createOutput(options).result(`${what}, final in block ${transaction.height}`, transaction)
}

/** What an authority says needs no fee (docs/ledger.md). */
function free(options: Options): Options {
  return { ...options, fee: options.fee ?? 0n }
}

function rotateCommand(): Command {
  return new Command('rotate-key')
    .description("replace this authority's key without stopping; needs nobody's vote")
    .addOption(new Option('--config <file>', 'the configuration of the node').makeOptionMandatory())
    .option('--new-key <file>', 'where the new key is made (default: consensus.next_authority_key_file)')
    .addOption(genesisOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Twice: first the new key is made, with a vote log of its own, and the node is restarted with it beside the old one. Then the
same command tells the chain. The key changes at the end of an epoch; the old one may leave the configuration after that.
Examples:
  althing authority rotate-key --config net/node-0/config.toml --new-key net/node-0/authority-2.key
  althing authority rotate-key --config net/node-0/config.toml`,
    )
    .action(rotateKey)
}

interface RotateOptions extends JsonOption, Pick<SendOptions, 'genesis'> {
  readonly config: string
  readonly newKey?: string
}

async function rotateKey(options: RotateOptions): Promise<void> {
  const config = await loadConfig({ file: options.config, environment: process.env })
  const { authorityKeyFile: key, nextAuthorityKeyFile: configured } = config.consensus
  if (key === null) {
    const message = `${options.config} names no consensus.authority_key_file, whose key could be replaced`
    throw new CliError('USAGE', message)
  }
  const genesis = (await readChain(config.node.genesisFile)).hash
  if (configured === null) return prepareKey(options, config.node.dataFolder, genesis)
  if (options.newKey !== undefined && resolve(options.newKey) !== configured) {
    const message = `consensus.next_authority_key_file is ${configured} already, and not ${options.newKey}`
    throw new CliError('USAGE', message)
  }
  const ask = passphraseFrom({ file: config.node.passphraseFile, environment: process.env })
  const [signer, next] = [await loadSigner(key, ask), await loadSigner(configured, ask)]
  const access = { api: '', config: options.config }
  const { pending_nonce: nonce } = await (await openClient(access)).account(signer.publicKey)
  const possession = next.sign(keyRotationSignBytes(genesis, signer.publicKey, next.publicKey, nonce))
  const operation = authorityRotateKey({ newKey: next.publicKey, possession })
  const transaction = await sendOperations([operation], { ...access, key, genesis, fee: 0n })
  const newKey = bytesToHex(next.publicKey)
  const text = `The key ${newKey} takes the place of ${bytesToHex(signer.publicKey)} at the end of an epoch (told in block ${transaction.height}).\n"althing authorities" shows when it has.`
  createOutput(options).result(text, { new_key: newKey, ...transaction })
}

/** Makes the key and its vote log: from then on a missing log means that votes were lost (R12). */
async function prepareKey(options: RotateOptions, dataFolder: string, genesis: Hash): Promise<void> {
  const { newKey: file } = options
  if (file === undefined) throw new CliError('USAGE', 'say with --new-key where the new key is to be made')
  const { publicKey: key } = await createKeyFile(file)
  createVoteLogFiles(voteLogFolder(dataFolder, key), { genesis, key })
  const text = [
    `The key ${bytesToHex(key)} is made. Put this into ${options.config}, under [consensus], and restart the node:`,
    `  next_authority_key_file = "${resolve(file)}"`,
    `Then: althing authority rotate-key --config ${options.config}`,
  ]
  createOutput(options).result(text.join('\n'), { new_key: bytesToHex(key), file: resolve(file) })
}

async function signerOf({ key }: Options): ReturnType<typeof loadSigner> {
  return loadSigner(key, passphraseFrom({ environment: process.env }))
}
