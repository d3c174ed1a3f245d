/**
 * The data folder of a devnet: made once, continued afterwards. `devnet.json` says what is in it.
 * @module
 */
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { bytesToHex } from '@althing/base'
import { parseHash } from '@althing/client'
import { lockFolder } from '../../store/folder-lock.ts'
import type { Lock } from '../../store/folder-lock.ts'
import { CliError } from '../failure.ts'
import { createNetworkFiles, writeConfigs } from '../network-files.ts'
import type { NodePlan } from '../network-files.ts'
import { choosePorts } from './ports.ts'

export interface DevnetOptions {
  readonly authorities: number
  readonly full: number
  readonly intervalMs: number
}

export interface Devnet {
  readonly folder: string
  readonly networkId: string
  readonly genesisHash: Uint8Array
  readonly nodes: readonly NodePlan[]
  /** False when an earlier chain is continued. */
  readonly isNew: boolean
  /** Held until the devnet has stopped. */
  readonly lock: Lock
}

/** Accounts to load data with, and two for people to play with. */
export const SENDERS = [
  'sender-0',
  'sender-1',
  'sender-2',
  'sender-3',
  'sender-4',
  'sender-5',
  'sender-6',
  'sender-7',
]
export const PLAYERS = ['alice', 'bob']

const NETWORK_ID = 'althing-devnet'
const P2P_PORT = 9_000
const API_PORT = 8_545
const IDLE_INTERVAL_MS = 30_000
/** The data fill several blocks, each of them soon executed. */
const BLOCK_BYTES_MAX = 1_048_576
/** Five nodes share this machine with everything else that runs on it: slow is not silent. */
const TIMEOUT_MS = 2_000

interface DevnetFile {
  readonly version: 1
  readonly network_id: string
  readonly genesis_hash: string
  readonly nodes: readonly {
    readonly name: string
    readonly kind: 'authority' | 'full'
    readonly p2p_port: number
    readonly api_port: number
  }[]
}

/**
 * Continues what is in the folder, or makes a new network there; either way with ports that are free now. The options
 * decide about a new network only.
 * @throws {CliError} `FILE_EXISTS` when the folder holds something else, `INPUT_INVALID` when its devnet.json is damaged.
 * @throws {StoreError} `STORE_LOCKED` when a devnet runs in it.
 */
export async function openDevnet(folder: string, options: DevnetOptions, nowMs: number): Promise<Devnet> {
  const found = await readDevnetFile(folder)
  return found === null ? newDevnet(folder, options, nowMs) : continuedDevnet(folder, found)
}

async function newDevnet(folder: string, options: DevnetOptions, nowMs: number): Promise<Devnet> {
  const nodes = await withFreePorts(newNodes(options))
  const plan = {
    networkId: NETWORK_ID,
    nodes,
    timeoutMs: TIMEOUT_MS,
    accounts: [...SENDERS, ...PLAYERS],
    policy: 'members' as const,
    intervalMs: options.intervalMs,
    idleIntervalMs: Math.max(options.intervalMs, IDLE_INTERVAL_MS),
    blockBytesMax: BLOCK_BYTES_MAX,
  }
  const { genesisHash } = await createNetworkFiles(folder, plan, nowMs)
  const lock = lockFolder(folder)
  const devnet = { folder, networkId: NETWORK_ID, genesisHash, nodes, isNew: true, lock }
  await writeDevnetFile(devnet)
  return devnet
}

async function continuedDevnet(folder: string, found: DevnetFile): Promise<Devnet> {
  const networkId = found.network_id
  const genesisHash = parseHash(found.genesis_hash)
  if (genesisHash === null) throw damaged(folder)
  const lock = lockFolder(folder)
  const nodes = await withFreePorts(nodesOf(found))
  const devnet = { folder, networkId, genesisHash, nodes, isNew: false, lock }
  await writeConfigs(folder, { networkId, nodes, timeoutMs: TIMEOUT_MS })
  await writeDevnetFile(devnet)
  return devnet
}

/** Authorities first. */
export function newNodes({ authorities, full }: Pick<DevnetOptions, 'authorities' | 'full'>): NodePlan[] {
  return Array.from({ length: authorities + full }, (_, i) => ({
    name: i < authorities ? `node-${i}` : `full-${i - authorities}`,
    kind: i < authorities ? 'authority' : 'full',
    host: '127.0.0.1',
    p2pPort: P2P_PORT + i,
    apiPort: API_PORT + i,
  }))
}

async function withFreePorts(nodes: readonly NodePlan[]): Promise<NodePlan[]> {
  const ports = await choosePorts(nodes.flatMap(({ p2pPort, apiPort }) => [p2pPort, apiPort]))
  return nodes.map((node, i) => ({ ...node, p2pPort: ports[2 * i]!, apiPort: ports[2 * i + 1]! }))
}

async function readDevnetFile(folder: string): Promise<DevnetFile | null> {
  let text
  try {
    text = await readFile(join(folder, 'devnet.json'), 'utf8')
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    if (code !== 'ENOENT')
      throw new CliError('FILE_UNREADABLE', `${folder} cannot be read: ${message}`, '', { cause })
    if ((await readdir(folder).catch(() => [])).length === 0) return null
    const advice = 'Name another folder with --folder.'
    throw new CliError('FILE_EXISTS', `${folder} holds something other than a devnet`, advice)
  }
  try {
    const file = JSON.parse(text) as DevnetFile
    if (file.version === 1 && Array.isArray(file.nodes) && file.nodes.length > 0) return file
  } catch {
    // Said below.
  }
  throw damaged(folder)
}

function damaged(folder: string): CliError {
  const advice = 'Remove the folder to start a new chain, or name another with --folder.'
  return new CliError(
    'INPUT_INVALID',
    `${join(folder, 'devnet.json')} is damaged or of another release`,
    advice,
  )
}

function nodesOf(file: DevnetFile): NodePlan[] {
  return file.nodes.map(({ name, kind, p2p_port, api_port }) => ({
    name,
    kind,
    host: '127.0.0.1',
    p2pPort: p2p_port,
    apiPort: api_port,
  }))
}

async function writeDevnetFile({ folder, networkId, genesisHash, nodes }: Devnet): Promise<void> {
  const file: DevnetFile = {
    version: 1,
    network_id: networkId,
    genesis_hash: bytesToHex(genesisHash),
    nodes: nodes.map(({ name, kind, p2pPort, apiPort }) => ({
      name,
      kind,
      p2p_port: p2pPort,
      api_port: apiPort,
    })),
  }
  await writeFile(join(folder, 'devnet.json'), `${JSON.stringify(file, null, 2)}\n`)
}
