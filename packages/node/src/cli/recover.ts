/**
 * `althing recover`: a network whose authorities were lost for ever goes on as a new one, with all its data
 * (docs/recover.md).
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { bytesToHex, equalBytes } from '@althing/base'
import { Command, Option } from 'commander'
import { loadConfig } from '../config/index.ts'
import type { NodeConfig } from '../config/index.ts'
import type { Chain } from '../genesis-state.ts'
import { loadSigner, openKeyFile, passphraseFrom } from '../keys/index.ts'
import { claimFromFile, claimToFile } from '../recovery/claim-file.ts'
import {
  checkClaim,
  GENESIS_NAME,
  install,
  missingSignatures,
  recoveredOf,
  signProposal,
  writeProposal,
} from '../recovery/new-chain.ts'
import { OldChain } from '../recovery/old-chain.ts'
import { lockFolder } from '../store/folder-lock.ts'
import { CliError } from './failure.ts'
import { readChain } from './genesis-file.ts'
import { jsonOption, parseHex32 } from './options.ts'
import type { JsonOption } from './options.ts'
import { counted, createOutput } from './output.ts'

interface RecoverOptions extends JsonOption {
  readonly config: string
}

export function recoverCommand(): Command {
  const recover = new Command('recover')
    .description('go on as a new network when too many authorities are lost for ever')
    .addHelpText(
      'after',
      `
The nodes of those who remain are stopped. Each operator says what its node knows, one proposes, each signs, and then
every node takes the new network in by hand. docs/recover.md says what has to be trusted.
Examples:
  althing recover inspect --config config.toml --out inspect-2.json       each who remains
  althing recover propose next --config config.toml --network-id mynet-2 --with inspect-2.json inspect-3.json
  althing recover sign next --config config.toml                          each who remains
  althing recover accept next --config config.toml --genesis 4f1a…        every node`,
    )
  recover.addCommand(
    command(
      'inspect',
      'say what this node has: the last final block, and votes for blocks that may be final elsewhere',
    )
      .option('--out <file>', 'write it for "recover propose --with"')
      .action(inspect),
  )
  recover.addCommand(
    command('propose', 'make genesis and state of the new network from what this node has')
      .argument('<folder>', 'what to make')
      .requiredOption('--network-id <text>', 'name of the new network')
      .option('--with <file...>', 'what the others said with "recover inspect --out"', [])
      .action(propose),
  )
  recover.addCommand(
    command('sign', 'agree to the new network, with the key of this authority')
      .argument('<folder>', 'what "recover propose" made; the signature is put into it')
      .action(sign),
  )
  recover.addCommand(
    command('accept', 'put the new network in place of the old one on this node')
      .argument('<folder>', 'what "recover propose" made, with the signatures of all its authorities')
      .addOption(
        new Option('--genesis <hash>', 'genesis hash of the new network, as the operators told each other')
          .argParser(parseHex32)
          .makeOptionMandatory(),
      )
      .action(accept),
  )
  return recover
}

function command(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .requiredOption('--config <file>', 'the configuration of the node, which must not run')
    .addOption(jsonOption())
}

async function inspect(options: RecoverOptions & { readonly out?: string }): Promise<void> {
  const { claim, chain } = await withOldChain(options, async (old, key) => ({
    claim: old.claim(key),
    chain: old.chain,
  }))
  const file = claimToFile(claim)
  if (options.out !== undefined) writeFileSync(options.out, `${JSON.stringify(file, null, 2)}\n`)
  const voted =
    claim.voted === null
      ? 'Its votes made no other block final.'
      : `It voted in view ${claim.voted.view} to make ${bytesToHex(claim.voted.block)} final, which may be final elsewhere.`
  const text = `Network ${chain.networkId}: final at height ${claim.height}, ${bytesToHex(claim.tip)}.\n${voted}`
  createOutput(options).result(text, file)
}

interface ProposeOptions extends RecoverOptions {
  readonly networkId: string
  readonly with: readonly string[]
}

async function propose(folder: string, options: ProposeOptions): Promise<void> {
  const others = options.with.map((file) => claimFromFile(file, readText(file)))
  const { next, base } = await withOldChain(options, async (old, key) => {
    const claims = [old.claim(key), ...others]
    const stranger = others.findIndex(({ genesis }) => !equalBytes(genesis, old.chain.hash))
    if (stranger >= 0) throw new CliError('INPUT_INVALID', `${options.with[stranger]} is of another chain`)
    const found = old.base(claims)
    const authorities = claims.flatMap((claim) => claim.key ?? [])
    const plan = { networkId: options.networkId, authorities, nowMs: Date.now() }
    return { next: writeProposal(folder, old.chain, found, plan), base: found }
  })
  const hash = bytesToHex(next.hash)
  const text = [
    `Network ${next.networkId} goes on from block ${base.height} with ${counted(next.genesis.authorities.length, 'authority', 'authorities')}; its files are in ${resolve(folder)}.`,
    `Genesis hash: ${hash}`,
    'Each of its authorities now signs, in a copy of the folder or one after the other:',
    `  althing recover sign ${folder} --config CONFIG`,
    'Then every node takes it in, with the hash that the operators told each other:',
    `  althing recover accept ${folder} --config CONFIG --genesis ${hash}`,
  ]
  createOutput(options).result(text.join('\n'), {
    folder: resolve(folder),
    network_id: next.networkId,
    genesis_hash: hash,
    height: base.height,
    block: bytesToHex(base.block),
  })
}

async function sign(folder: string, options: RecoverOptions): Promise<void> {
  const next = await readChain(join(folder, GENESIS_NAME))
  const signer = await withOldChain(options, async (old, key, config) => {
    const keyFile = config.consensus.authorityKeyFile
    if (keyFile === null)
      throw new CliError('USAGE', `${options.config} names no consensus.authority_key_file`)
    checkClaim(old.claim(key), next)
    return loadSigner(keyFile, passphraseFrom({ file: config.node.passphraseFile, environment: process.env }))
  })
  signProposal(folder, next, signer)
  const missing = missingSignatures(folder, next).map(({ key }) => bytesToHex(key))
  const rest = missing.length === 0 ? 'All authorities have signed.' : `Not signed yet: ${missing.join(', ')}`
  createOutput(options).result(`Signed. ${rest}`, { signed: bytesToHex(signer.publicKey), missing })
}

async function accept(
  folder: string,
  options: RecoverOptions & { readonly genesis: Uint8Array },
): Promise<void> {
  const next = await readChain(join(folder, GENESIS_NAME))
  if (!equalBytes(next.hash, options.genesis)) {
    const advice = 'Ask the other operators for the hash again; do not take it from the folder.'
    throw new CliError('INPUT_INVALID', `${folder} is of the genesis ${bytesToHex(next.hash)}`, advice)
  }
  const missing = missingSignatures(folder, next)
  if (missing.length > 0) {
    const keys = missing.map(({ key }) => bytesToHex(key)).join(', ')
    throw new CliError(
      'NOT_PROVED',
      `not all authorities of the new network have signed: ${keys}`,
      'Each of them runs: althing recover sign',
    )
  }
  const { config, key } = await atHome(options, async (old, ownKey, ownConfig) => {
    const isMember = next.genesis.authorities.some((one) => ownKey !== null && equalBytes(one.key, ownKey))
    if (old !== null) checkClaim(old.claim(isMember ? ownKey : null), next)
    return { config: ownConfig, key: ownKey }
  })
  const kept = await install(config, folder, next, key)
  const { networkId, height } = recoveredOf(next)
  const text = [
    `This node is of network ${next.networkId} now, which goes on from block ${height} of ${networkId}.`,
    ...(kept === null ? [] : [`The old data is in ${kept}.`]),
    ...(config.network.id === null ? [] : [`Set network.id to "${next.networkId}" in ${options.config}.`]),
    'Start it with: althing start',
  ]
  createOutput(options).result(text.join('\n'), {
    network_id: next.networkId,
    genesis_hash: bytesToHex(next.hash),
    kept,
  })
}

function withOldChain<T>(
  options: RecoverOptions,
  act: (old: OldChain, key: Uint8Array | null, config: NodeConfig) => Promise<T>,
): Promise<T> {
  return atHome(options, (old, key, config) => {
    if (old !== null) return act(old, key, config)
    const message = `${config.node.dataFolder} has no blocks of the network that is to go on`
    throw new CliError(
      'INPUT_INVALID',
      message,
      'Name the configuration of a node that has them with --config.',
    )
  })
}

/** Nothing else uses the data folder meanwhile. @param act is given null where there are no blocks. */
async function atHome<T>(
  { config: file }: RecoverOptions,
  act: (old: OldChain | null, key: Uint8Array | null, config: NodeConfig) => Promise<T>,
): Promise<T> {
  const config = await loadConfig({ file, environment: process.env })
  const chain: Chain = await readChain(config.node.genesisFile)
  const { authorityKeyFile } = config.consensus
  const key = authorityKeyFile === null ? null : (await openKeyFile(authorityKeyFile)).publicKey
  const lock = lockFolder(config.node.dataFolder)
  try {
    await using old = await OldChain.open(config, chain)
    return await act(old, key, config)
  } finally {
    lock.release()
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new CliError('FILE_UNREADABLE', `${file} cannot be read: ${(cause as Error).message}`, '', {
      cause,
    })
  }
}
