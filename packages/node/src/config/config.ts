/**
 * The full, checked configuration of a node.
 * @module
 */
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { HELD_GRAPHS_MAX } from '@althing/base'
import { ConfigError } from './errors.ts'
import type { ConfigProblem } from './errors.ts'
import { parseFileText } from './file-text.ts'
import { environmentLayer, fileLayer, flagLayer, shown } from './layers.ts'
import type { Layer } from './layers.ts'
import { configKeyEntries, defaultOf, programName } from './schema.ts'
import type { ConfigValues } from './schema.ts'
import { parseSignerAddress, SIGNER_ADDRESS_FORM } from '../signer/address.ts'
import { expectationOf, formatDuration, readValue } from './values.ts'

export type NodeConfig = Omit<ConfigValues, 'node'> & {
  /** Paths are absolute, the type is decided. */
  readonly node: Omit<ConfigValues['node'], 'type'> & { readonly type: 'authority' | 'full' }
}

export interface ConfigSources {
  /** A TOML or YAML file; without it the defaults, and paths are relative to the working folder. */
  readonly file?: string
  /** `ALTHING_API_PORT=8600`. */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** `{ 'api.port': '8600' }`, from the command line. */
  readonly flags?: Readonly<Record<string, string>>
}

/** @throws {ConfigError} `CONFIG_UNREADABLE`, `CONFIG_SYNTAX`, `CONFIG_INVALID` with everything that is wrong. */
export async function loadConfig(sources: ConfigSources): Promise<NodeConfig> {
  const { file } = sources
  if (file === undefined) return parseConfig('', { ...sources, folder: process.cwd() })
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    const message =
      error.code === 'ENOENT'
        ? 'there is no such file; make one with: althing init'
        : `it cannot be read: ${error.message}`
    throw new ConfigError('CONFIG_UNREADABLE', file, [{ path: '', message }], { cause: error })
  })
  return parseConfig(text, { ...sources, folder: dirname(resolve(file)) })
}

/**
 * @param text of a configuration file.
 * @param sources `file` is a name for messages, and its ending tells YAML from TOML; paths are taken from `folder`.
 * @throws {ConfigError} `CONFIG_SYNTAX`, `CONFIG_INVALID`.
 */
export function parseConfig(text: string, sources: ConfigSources & { readonly folder: string }): NodeConfig {
  const name = sources.file ?? 'of this node'
  const problems: ConfigProblem[] = []
  const layers = [
    fileLayer(parseFileText(text, name), problems),
    environmentLayer(sources.environment ?? {}, problems),
    flagLayer(sources.flags ?? {}, problems),
  ]
  const values = readValues(layers, sources.folder, problems)
  if (problems.length === 0) problems.push(...brokenRelations(values))
  if (problems.length > 0) throw new ConfigError('CONFIG_INVALID', name, problems)
  const type = values.node.type ?? (hasKey(values) ? 'authority' : 'full')
  return { ...values, node: { ...values.node, type } }
}

function readValues(layers: readonly Layer[], folder: string, problems: ConfigProblem[]): ConfigValues {
  const values: Record<string, Record<string, unknown>> = {}
  for (const { section, name, path, key } of configKeyEntries) {
    const given = layers.findLast((layer) => layer.has(path))?.get(path)
    let value = given === undefined ? defaultOf(key) : readValue(key, given.value)
    if (value === undefined) {
      const message = `found ${shown(given!.value)}, expected ${expectationOf(key)}`
      problems.push({ path: given!.writtenAs, message })
      value = defaultOf(key)
    }
    if (key.kind === 'path' && value !== null) value = resolve(folder, value as string)
    const sectionValues = (values[programName(section)] ??= {})
    sectionValues[programName(name, key.kind)] = value
  }
  return values as unknown as ConfigValues
}

/**
 * What must hold between the configuration and the block interval of the genesis.
 * @throws {ConfigError} `CONFIG_INVALID`.
 */
export function checkAgainstGenesis({ consensus }: NodeConfig, intervalMs: number, name: string): void {
  const { retransmitMs, timeoutMs } = consensus
  const mostMs = 1.5 * (intervalMs + timeoutMs)
  if (retransmitMs <= mostMs) return
  const message = `found ${formatDuration(retransmitMs)}, expected at most ${formatDuration(mostMs)}: one and a half times the block interval of the genesis and consensus.timeout together, else an authority with nothing to say looks silent`
  throw new ConfigError('CONFIG_INVALID', name, [{ path: 'consensus.retransmit', message }])
}

/** Whether the node votes. */
function hasKey({ consensus }: Pick<ConfigValues, 'consensus'>): boolean {
  return consensus.authorityKeyFile !== null || consensus.signer !== null
}

function signerProblems(consensus: ConfigValues['consensus']): ConfigProblem[] {
  const { signer, authorityKeyFile, signerTokenFile, signerTimeoutMs, timeoutMs } = consensus
  if (signer === null) return []
  const problem = (path: string, message: string): ConfigProblem => ({ path: `consensus.${path}`, message })
  const address = parseSignerAddress(signer)
  const problems = []
  if (address === null) problems.push(problem('signer', `found "${signer}", expected ${SIGNER_ADDRESS_FORM}`))
  if (authorityKeyFile !== null)
    problems.push(
      problem('signer', 'found together with consensus.authority_key_file; leave one of them out'),
    )
  if (address?.kind === 'tcp' && signerTokenFile === null)
    problems.push(
      problem('signer_token_file', 'not found, expected a file: over TCP the signer asks for a secret'),
    )
  if (2 * signerTimeoutMs > timeoutMs) {
    const most = `at most half of consensus.timeout (${formatDuration(timeoutMs)})`
    problems.push(problem('signer_timeout', `found ${formatDuration(signerTimeoutMs)}, expected ${most}`))
  }
  return problems
}

function externalProblems({ externalQuery, externalUpdate }: ConfigValues['graph']): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  const urls = { external_query: externalQuery, external_update: externalUpdate }
  for (const [name, url] of Object.entries(urls)) {
    const path = `graph.${name}`
    if (url === null) {
      const isAlone = externalQuery !== externalUpdate
      if (isAlone) problems.push({ path, message: 'not found, expected a URL: both are given, or none' })
    } else if (!/^https?:$/.test(URL.parse(url)?.protocol ?? '')) {
      problems.push({ path, message: `found "${url}", expected a URL that starts with http:// or https://` })
    }
  }
  return problems
}

/** What must hold between keys. */
function brokenRelations({ node, network, consensus, mempool, graph }: ConfigValues): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  const require = (holds: boolean, path: string, message: string): void => {
    if (!holds) problems.push({ path, message })
  }
  const isAuthority = hasKey({ consensus })
  require(node.type !== 'authority' ||
    isAuthority, 'node.type', 'found "authority", which needs consensus.authority_key_file or consensus.signer; neither is given')
  require(node.type !== 'full' ||
    !isAuthority, 'node.type', `found "full", but consensus.${consensus.signer === null ? 'authority_key_file' : 'signer'} is given; leave one of them out`)
  problems.push(...signerProblems(consensus), ...externalProblems(graph))
  require(graph.hold.length <=
    HELD_GRAPHS_MAX, 'graph.hold', `found ${graph.hold.length} graphs, expected at most ${HELD_GRAPHS_MAX}; without any, all are kept`)
  require(consensus.nextAuthorityKeyFile === null ||
    isAuthority, 'consensus.next_authority_key_file', 'found without consensus.authority_key_file or consensus.signer, whose place it takes')
  const times = [
    ['network.ping_interval', network.pingIntervalMs, 'network.peer_timeout', network.peerTimeoutMs],
    [
      'network.connection_timeout',
      network.connectionTimeoutMs,
      'network.peer_timeout',
      network.peerTimeoutMs,
    ],
  ] as const
  for (const [path, ms, otherPath, otherMs] of times) {
    require(ms <
      otherMs, path, `found ${formatDuration(ms)}, expected less than ${otherPath} (${formatDuration(otherMs)})`)
  }
  require(network.maxPerIp <=
    network.maxPerIpBlock, 'network.max_per_ip', `found ${network.maxPerIp}, expected at most network.max_per_ip_block (${network.maxPerIpBlock})`)
  require(network.banMinMs <=
    network.banMaxMs, 'network.ban_min', `found ${formatDuration(network.banMinMs)}, expected at most network.ban_max (${formatDuration(network.banMaxMs)})`)
  require(consensus.timeoutMs <=
    consensus.timeoutMaxMs, 'consensus.timeout', `found ${formatDuration(consensus.timeoutMs)}, expected at most consensus.timeout_max (${formatDuration(consensus.timeoutMaxMs)})`)
  require(2 * consensus.clockDriftMs <=
    consensus.timeoutMs, 'consensus.clock_drift', `found ${formatDuration(consensus.clockDriftMs)}, expected at most half of consensus.timeout (${formatDuration(consensus.timeoutMs)})`)
  require(mempool.maxPerSender <=
    mempool.maxTransactions, 'mempool.max_per_sender', `found ${mempool.maxPerSender}, expected at most mempool.max_transactions (${mempool.maxTransactions})`)
  return problems
}
