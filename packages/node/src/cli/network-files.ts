/**
 * The files of a new network: a genesis, and for each node a folder with its configuration, keys and vote log.
 *
 *   FOLDER/genesis.json            what all nodes share
 *   FOLDER/NODE/config.toml        beside it genesis.json, node.key, data/; authority.key for an authority
 *   FOLDER/accounts/NAME.key       accounts that own money from the start, and may write
 * @module
 */
import { copyFile, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  AUTHORITY_RULES_DEFAULT,
  GENESIS_VERSION,
  POLICY_MEMBERS,
  POLICY_OPEN,
  utf8ToBytes,
  ZERO_HASH,
} from '@althing/base'
import type { Genesis, Hash } from '@althing/base'
import { genesisFromFile, genesisToFile } from '@althing/ledger'
import { chainOf } from '../genesis-state.ts'
import { voteLogFolder } from '../consensus/authority-keys.ts'
import { createVoteLogFiles } from '../consensus/vote-log-segments.ts'
import { createKeyFile } from '../keys/index.ts'
import { CliError } from './failure.ts'

export interface NodePlan {
  /** Of its folder, and what it calls itself. */
  readonly name: string
  readonly kind: 'authority' | 'full'
  /** Where others reach it: an IP address or a DNS name. */
  readonly host: string
  readonly p2pPort: number
  readonly apiPort: number
}

export interface NetworkPlan {
  readonly networkId: string
  /** How long a block may take beyond its interval: `consensus.timeout` of each node. */
  readonly timeoutMs: number
  /** Authorities first; their order is the order of their indices. */
  readonly nodes: readonly NodePlan[]
  /** Names of key files. */
  readonly accounts: readonly string[]
  readonly policy: 'members' | 'open'
  readonly intervalMs: number
  readonly idleIntervalMs: number
  readonly blockBytesMax: number
}

/** The part that the nodes' configurations say; the rest is in the genesis. */
export type ConfigPlan = Pick<NetworkPlan, 'networkId' | 'nodes' | 'timeoutMs'>

/** What each account of the plan owns at the start. */
export const ACCOUNT_BALANCE = 1_000_000_000n
const FEE_MIN = 1n

export interface CreatedNetwork {
  readonly genesisHash: Hash
  readonly genesis: Genesis
}

/**
 * Makes all of it, whole or not at all.
 * @param folder must be absent or empty.
 * @param nowMs the timestamp of block 0.
 * @throws {CliError} `FILE_EXISTS`.
 * @throws {KeyFileError} `KEY_UNREADABLE` when the folder cannot be written.
 */
export async function createNetworkFiles(
  folder: string,
  plan: NetworkPlan,
  nowMs: number,
): Promise<CreatedNetwork> {
  const found = await readdir(folder).catch(() => [])
  if (found.length > 0) {
    const advice = 'Name another folder, or remove this one if nothing in it is needed.'
    throw new CliError('FILE_EXISTS', `${folder} is not empty`, advice)
  }
  const draft = `${folder}.new`
  await rm(draft, { recursive: true, force: true })
  await mkdir(draft, { recursive: true })
  const created = await writeFiles(draft, plan, nowMs)
  await rm(folder, { recursive: true, force: true })
  await rename(draft, folder)
  return created
}

async function writeFiles(folder: string, plan: NetworkPlan, nowMs: number): Promise<CreatedNetwork> {
  const accounts = await Promise.all(plan.accounts.map((name) => createKeyFile(accountKeyFile(folder, name))))
  const authorities = plan.nodes.filter(({ kind }) => kind === 'authority')
  const authorityKeys = await Promise.all(
    authorities.map(({ name }) => createKeyFile(join(folder, name, 'authority.key'))),
  )
  const publicKeys = accounts.map(({ publicKey }) => publicKey)
  const genesis: Genesis = {
    version: GENESIS_VERSION,
    networkId: utf8ToBytes(plan.networkId),
    timestamp: nowMs,
    authorities: authorityKeys.map(({ publicKey }) => ({ key: publicKey, weight: 1 })),
    allocations: publicKeys.map((account) => ({ account, balance: ACCOUNT_BALANCE })),
    members: publicKeys,
    policy: plan.policy === 'open' ? POLICY_OPEN : POLICY_MEMBERS,
    feeSink: ZERO_HASH,
    feeMin: FEE_MIN,
    intervalMs: plan.intervalMs,
    idleIntervalMs: plan.idleIntervalMs,
    blockBytesMax: plan.blockBytesMax,
    authorityRules: AUTHORITY_RULES_DEFAULT,
  }
  const file = genesisToFile(genesis)
  const checked = genesisFromFile(file)
  if (!checked.ok) throw new CliError('INPUT_INVALID', `no chain can start on this: ${checked.fault.message}`)
  await writeFile(join(folder, 'genesis.json'), `${JSON.stringify(file, null, 2)}\n`)

  const genesisHash = chainOf(genesis).hash
  for (const [index, { name }] of authorities.entries()) {
    const identity = { genesis: genesisHash, key: authorityKeys[index]!.publicKey }
    createVoteLogFiles(voteLogFolder(join(folder, name, 'data'), identity.key), identity)
  }
  for (const { name } of plan.nodes) {
    await createKeyFile(join(folder, name, 'node.key'))
    await copyFile(join(folder, 'genesis.json'), join(folder, name, 'genesis.json'))
  }
  await writeConfigs(folder, plan)
  return { genesisHash, genesis }
}

export function accountKeyFile(folder: string, name: string): string {
  return join(folder, 'accounts', `${name}.key`)
}

export function configFile(folder: string, { name }: NodePlan): string {
  return join(folder, name, 'config.toml')
}

/** Writes each node's configuration, in place of one that is there. */
export async function writeConfigs(folder: string, plan: ConfigPlan): Promise<void> {
  for (const node of plan.nodes) await writeFile(configFile(folder, node), configText(node, plan))
}

function configText(node: NodePlan, { networkId, nodes, timeoutMs }: ConfigPlan): string {
  const others = nodes.filter((other) => other !== node)
  const lines = [
    `# ${node.name}: start it with "althing start --config config.toml". Paths are relative to this file.`,
    '# docs/configuration.md describes every key.',
    '',
    '[node]',
    `name = "${node.name}"`,
    `type = "${node.kind}"`,
    '',
    '[network]',
    `id = "${networkId}"`,
    `listen = ["${multiaddr(isLoopback(node.host) ? node.host : '0.0.0.0', node.p2pPort)}"]`,
    'bootstrap = [',
    ...others.map((other) => `  "${multiaddr(other.host, other.p2pPort)}", # ${other.name}`),
    ']',
    '',
    '[consensus]',
    ...(node.kind === 'authority' ? ['authority_key_file = "authority.key"'] : []),
    `timeout = "${timeoutMs}ms"`,
    '',
    '[api]',
    `port = ${node.apiPort}`,
    '',
  ]
  return lines.join('\n')
}

function multiaddr(host: string, port: number): string {
  const kind = /^[0-9.]+$/.test(host) ? 'ip4' : host.includes(':') ? 'ip6' : 'dns'
  return `/${kind}/${host}/tcp/${port}`
}

function isLoopback(host: string): boolean {
  return host.startsWith('127.') || host === '::1' || host === 'localhost'
}
