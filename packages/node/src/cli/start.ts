/**
 * `althing start`: one node, until it is asked to stop.
 * @module
 */
import { enableCompileCache } from 'node:module'
import { Command, InvalidArgumentError } from 'commander'
import { checkAgainstGenesis, loadConfig } from '../config/index.ts'
import { createKeyFile, KeyFileError, passphraseFrom, readKeyFile } from '../keys/index.ts'
import type { AskPassphrase } from '../keys/index.ts'
import { createLog } from '../log.ts'
import { CliError } from './failure.ts'
import { readChain } from './genesis-file.ts'
import { openAuthority } from './authority-of-config.ts'
import { jsonOption } from './options.ts'
import type { JsonOption } from './options.ts'
import { createOutput } from './output.ts'
import { stopRequested } from './stop-requested.ts'

interface StartOptions extends JsonOption {
  readonly config?: string
  readonly set: Readonly<Record<string, string>>
}

export function startCommand(): Command {
  return new Command('start')
    .description('run a node until it is stopped by Ctrl-C or SIGTERM')
    .option('--config <file>', 'its configuration (default: the defaults, in this folder)')
    .option('--set <key=value>', 'one key of the configuration; may be repeated', addSetting, {})
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
A key is taken from --set, else from the environment (api.port is ALTHING_API_PORT), else from the file, else it has the
default that docs/configuration.md tells. "althing init" makes configuration files.
Examples:
  althing start --config althing-network/node-0/config.toml
  althing start --config config.toml --set api.port=8600 --set log.level=debug`,
    )
    .action(start)
}

function addSetting(
  text: string,
  before: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const match = /^([^=\s]+)=(.*)$/.exec(text)
  if (match === null)
    throw new InvalidArgumentError(`Found "${text}"; expected key=value, such as api.port=8600.`)
  return { ...before, [match[1]!]: match[2]! }
}

const HALTED = 'consensus has halted for good; this node signs nothing and only served what is final'

async function start(options: StartOptions): Promise<void> {
  const file = options.config === undefined ? {} : { file: options.config }
  const config = await loadConfig({ ...file, environment: process.env, flags: options.set })
  const ask = passphraseFrom({ file: config.node.passphraseFile, environment: process.env })
  const { genesis, hash, recovered } = await readChain(config.node.genesisFile)
  checkAgainstGenesis(config, genesis.intervalMs, options.config ?? 'of this node')
  const log = createLog(config.log)
  const authority = await openAuthority(config, hash, log, ask)
  // Loaded here, so that the other commands need not wait for the network library; compiled once for all nodes.
  enableCompileCache()
  const { startNode } = await import('../node.ts')
  const node = await startNode({
    config,
    genesis,
    recovered,
    identity: await nodeIdentity(config.node.keyFile, ask),
    ...(authority !== null && { authority: authority.authority }),
    ...(authority?.nextAuthority !== undefined && { nextAuthority: authority.nextAuthority }),
    log,
    clock: { wallMs: () => Date.now(), monotonicMs: () => performance.now() },
  })
  createOutput(options).result(`API at ${node.apiUrl}; stop with Ctrl-C`, {
    api: node.apiUrl,
    peer_id: node.peerId,
    addresses: node.addresses,
  })
  const haltedAtStart = node.backend.consensus().halted
  if (haltedAtStart !== null) log.error(HALTED, { reason: haltedAtStart })
  let halted: string | null = null
  try {
    await Promise.race([stopRequested(), node.failed])
    halted = node.backend.consensus().halted
  } finally {
    await node.stop()
    await authority?.close()
  }
  if (halted !== null)
    throw new CliError('NODE_HALTED', `${HALTED}: ${halted}`, 'docs/recover.md says how a network goes on.')
}

/** The seed of the node key; a node that has none yet makes itself one. */
async function nodeIdentity(keyFile: string, ask: AskPassphrase): Promise<Uint8Array> {
  try {
    return (await readKeyFile(keyFile, ask)).seed
  } catch (error) {
    if (error instanceof KeyFileError && error.code === 'KEY_MISSING')
      return (await createKeyFile(keyFile)).seed
    throw error
  }
}
