/**
 * `althing init`: the files of a new network.
 * @module
 */
import { randomBytes } from 'node:crypto'
import { join, resolve } from 'node:path'
import { AUTHORITIES_MAX, bytesToHex } from '@althing/base'
import { Argument, Command, Option } from 'commander'
import { configKeys } from '../config/index.ts'
import { CliError } from './failure.ts'
import { accountKeyFile, configFile, createNetworkFiles } from './network-files.ts'
import type { NodePlan } from './network-files.ts'
import { jsonOption, parseDuration, parseInteger } from './options.ts'
import type { JsonOption } from './options.ts'
import { counted, createOutput } from './output.ts'

interface InitOptions extends JsonOption {
  readonly authorities: number
  readonly full: number
  readonly networkId: string
  readonly host: readonly string[]
  readonly p2pPort: number
  readonly apiPort: number
  readonly policy: 'members' | 'open'
  readonly interval: number
  readonly idleInterval: number
  readonly blockBytes: number
}

const PORT_MAX = 65_535
const TIMEOUT_MS = configKeys.consensus.timeout.defaultMs
const ACCOUNT = 'treasury'

export const parseInterval = parseDuration(10, 60_000)

export function initCommand(): Command {
  return new Command('init')
    .description('make genesis, keys and configuration for a new network, one folder a node')
    .addArgument(new Argument('[folder]', 'where to make them').default('althing-network'))
    .option('--authorities <count>', 'nodes that make blocks', parseInteger(1, AUTHORITIES_MAX), 4)
    .option('--full <count>', 'nodes that only follow', parseInteger(0, 1_000), 0)
    .addOption(
      new Option('--network-id <text>', 'name of the network').default(
        undefined,
        'althing- and random digits',
      ),
    )
    .option('--host <address...>', 'where nodes reach each other: one for all, or one for each', [
      '127.0.0.1',
    ])
    .option('--p2p-port <port>', 'of the first node', parseInteger(1, PORT_MAX), 9_000)
    .option('--api-port <port>', 'of the first node', parseInteger(1, PORT_MAX), 8_545)
    .addOption(
      new Option('--policy <name>', 'who may write keys').choices(['members', 'open']).default('members'),
    )
    .option('--interval <time>', 'least time between two blocks', parseInterval, 500)
    .option('--idle-interval <time>', 'between empty blocks', parseDuration(10, 3_600_000), 30_000)
    .option('--block-bytes <count>', 'of one block, at most', parseInteger(262_144, 8_388_608), 1_048_576)
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Nodes on one host get consecutive ports; with a host for each, all use the same ports.
Genesis gives all money to one account, ${ACCOUNT}, which is also the first member: keep its key file.
Copy each node's folder to its machine, and delete it here.
Examples:
  althing init                                        four authorities on this machine
  althing init mynet --host 10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4
  althing init mynet --authorities 7 --full 2 --interval 1s --policy open`,
    )
    .action(init)
}

async function init(folderArgument: string, options: InitOptions): Promise<void> {
  const folder = resolve(folderArgument)
  const nodes = planNodes(options)
  const networkId = options.networkId ?? `althing-${randomBytes(4).toString('hex')}`
  const plan = {
    networkId,
    nodes,
    timeoutMs: TIMEOUT_MS,
    accounts: [ACCOUNT],
    policy: options.policy,
    intervalMs: options.interval,
    idleIntervalMs: Math.max(options.interval, options.idleInterval),
    blockBytesMax: options.blockBytes,
  }
  const { genesisHash } = await createNetworkFiles(folder, plan, Date.now())
  const text = [
    `Network ${networkId} in ${folder}: ${counted(options.authorities, 'authority', 'authorities')}, ${counted(options.full, 'full node')}.`,
    `Genesis hash: ${bytesToHex(genesisHash)}`,
    `Account with all money: ${accountKeyFile(folder, ACCOUNT)}`,
    '',
    'Start each node:',
    ...nodes.map((node) => `  althing start --config ${configFile(folder, node)}`),
  ].join('\n')
  createOutput(options).result(text, {
    folder,
    network_id: networkId,
    genesis_hash: bytesToHex(genesisHash),
    account_key_file: accountKeyFile(folder, ACCOUNT),
    nodes: nodes.map((node) => ({
      name: node.name,
      kind: node.kind,
      folder: join(folder, node.name),
      config: configFile(folder, node),
      p2p_port: node.p2pPort,
      api_port: node.apiPort,
    })),
  })
}

/** @throws {CliError} `USAGE` when hosts and nodes do not fit. */
export function planNodes(
  options: Pick<InitOptions, 'authorities' | 'full' | 'host' | 'p2pPort' | 'apiPort'>,
): NodePlan[] {
  const { authorities, full, host: hosts, p2pPort, apiPort } = options
  const count = authorities + full
  if (hosts.length !== 1 && hosts.length !== count) {
    throw new CliError('USAGE', `${hosts.length} hosts for ${count} nodes; give one for all, or one for each`)
  }
  const isShared = hosts.length === 1
  if (isShared && Math.max(p2pPort, apiPort) + count - 1 > PORT_MAX) {
    throw new CliError('USAGE', `${count} nodes need consecutive ports; those above ${PORT_MAX} do not exist`)
  }
  return Array.from({ length: count }, (_, i) => ({
    name: i < authorities ? `node-${i}` : `full-${i - authorities}`,
    kind: i < authorities ? 'authority' : 'full',
    host: isShared ? hosts[0]! : hosts[i]!,
    p2pPort: isShared ? p2pPort + i : p2pPort,
    apiPort: isShared ? apiPort + i : apiPort,
  }))
}
