/**
 * Other names for keys, from programs whose configuration files are to work here, and keys of theirs that the genesis
 * decides.
 * @module
 */

export interface Alias {
  /** As in the file; a key before any section has no dot. */
  readonly path: string
  /** What it says, by our paths. A value that it cannot read is handed on, to be refused there. */
  translate(given: unknown): readonly (readonly [path: string, value: unknown])[]
}

const renamed = (path: string, to: string): Alias => ({ path, translate: (given) => [[to, given]] })

const OUTBOUND_MAX = 8

/** A fifth of all peers, at most eight, is dialled by the node itself. */
const maxPeers = (path: string): Alias => ({
  path,
  translate(given) {
    if (!Number.isSafeInteger(given) || (given as number) < 1) return [['network.max_inbound', given]]
    const outbound = Math.min(OUTBOUND_MAX, Math.ceil((given as number) / 5))
    return [
      ['network.max_outbound', outbound],
      ['network.max_inbound', (given as number) - outbound],
    ]
  },
})

const isAuthority: Alias = {
  path: 'consensus.is_authority',
  translate(given) {
    return [['node.type', typeof given === 'boolean' ? (given ? 'authority' : 'full') : given]]
  },
}

/** Flat files have these before any section. */
const inNetworkOrAtTop = (name: string, make: (path: string) => Alias): Alias[] => [
  make(`network.${name}`),
  make(name),
]

export const aliases: readonly Alias[] = [
  ...inNetworkOrAtTop('network_id', (path) => renamed(path, 'network.id')),
  ...['bootstrap_peers', 'seed_peers', 'bootstrap_nodes'].flatMap((name) =>
    inNetworkOrAtTop(name, (path) => renamed(path, 'network.bootstrap')),
  ),
  ...inNetworkOrAtTop('heartbeat_interval', (path) => renamed(path, 'network.ping_interval')),
  ...inNetworkOrAtTop('max_peers', maxPeers),
  ...inNetworkOrAtTop('max_connections_per_ip', (path) => renamed(path, 'network.max_per_ip')),
  ...inNetworkOrAtTop('node_id', (path) => renamed(path, 'node.name')),
  renamed('node_type', 'node.type'),
  renamed('max_inbound', 'network.max_inbound'),
  renamed('max_outbound', 'network.max_outbound'),
  renamed('message_queue.message_ttl_seconds', 'message_queue.message_ttl'),
  renamed('api_port', 'api.port'),
  isAuthority,
]

export const aliasByPath: ReadonlyMap<string, Alias> = new Map(aliases.map((alias) => [alias.path, alias]))

/** The same on all nodes, so only the genesis file says them: by these names. */
export const genesisNameByPath: ReadonlyMap<string, string> = new Map([
  ['consensus.block_interval', 'intervalMs'],
  ['consensus.max_block_size', 'blockBytesMax'],
  ['consensus.authority_keys', 'authorities'],
])
