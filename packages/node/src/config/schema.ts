/**
 * Every key of the configuration file: what it means, what it may be, what it is when it is not given. The reader
 * and `docs/configuration.md` are made from this table.
 * @module
 */

/** A name of the file, `max_inbound`, as a name of the program: `maxInbound`. */
type Camel<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : Name

interface Common {
  readonly doc: string
}

/** A whole number from `min` to `max`. */
export interface IntegerKey extends Common {
  readonly kind: 'integer'
  readonly default: number
  readonly min: number
  readonly max: number
}

/** A bare number is seconds; a string has its unit: ms, s, m, h. Kept as milliseconds, under a name that ends in `Ms`. */
export interface DurationKey extends Common {
  readonly kind: 'duration'
  readonly defaultMs: number
  readonly minMs: number
  readonly maxMs: number
}

/** A bare number is bytes; a string has its unit: B, KiB, MiB, GiB, KB, MB, GB. Kept under a name that ends in `Bytes`. */
export interface SizeKey extends Common {
  readonly kind: 'size'
  readonly defaultBytes: number
  readonly minBytes: number
  readonly maxBytes: number
}

/** Text of 1 to `charactersMax` characters. A null default: it may be absent. */
export interface TextKey extends Common {
  readonly kind: 'text'
  readonly default: string | null
  readonly charactersMax: number
}

/** A file or folder; relative to the folder of the configuration file. */
export interface PathKey extends Common {
  readonly kind: 'path'
  readonly default: string | null
}

export interface ChoiceKey<Choice extends string = string> extends Common {
  readonly kind: 'choice'
  readonly default: Choice | null
  readonly choices: readonly Choice[]
}

export interface BooleanKey extends Common {
  readonly kind: 'boolean'
  readonly default: boolean
}

/** A list of as many numbers as the default has, each above 0 and at most `max`. */
export interface NumbersKey extends Common {
  readonly kind: 'numbers'
  readonly default: readonly number[]
  readonly max: number
}

/** A list of absolute IRIs. */
export interface IrisKey extends Common {
  readonly kind: 'iris'
  readonly default: readonly string[]
}

/** Multiaddrs to listen on, multiaddrs and `host:port` to dial, or DNS names to ask. */
export interface AddressesKey extends Common {
  readonly kind: 'addresses'
  readonly default: readonly string[]
  readonly of: 'listen' | 'peers' | 'seeds'
}

export type ConfigKey =
  | IntegerKey
  | DurationKey
  | SizeKey
  | TextKey
  | PathKey
  | ChoiceKey
  | AddressesKey
  | BooleanKey
  | NumbersKey
  | IrisKey
export type ConfigValue = number | string | boolean | null | readonly string[] | readonly number[]

const SECOND_MS = 1_000
const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const KIB = 1_024
const MIB = 1_024 * KIB
const GIB = 1_024 * MIB

const integer = (value: number, min: number, max: number, doc: string) =>
  ({ kind: 'integer', default: value, min, max, doc }) satisfies IntegerKey
const duration = (defaultMs: number, minMs: number, maxMs: number, doc: string) =>
  ({ kind: 'duration', defaultMs, minMs, maxMs, doc }) satisfies DurationKey
const size = (defaultBytes: number, minBytes: number, maxBytes: number, doc: string) =>
  ({ kind: 'size', defaultBytes, minBytes, maxBytes, doc }) satisfies SizeKey
const text = <Default extends string | null>(
  value: Default,
  charactersMax: number,
  doc: string,
): TextKey & { default: Default } => ({ kind: 'text', default: value, charactersMax, doc })
const path = <Default extends string | null>(
  value: Default,
  doc: string,
): PathKey & { default: Default } => ({
  kind: 'path',
  default: value,
  doc,
})
const choice = <const Choice extends string, Default extends Choice | null>(
  value: Default,
  choices: readonly Choice[],
  doc: string,
): { kind: 'choice'; default: Default; choices: readonly Choice[]; doc: string } => ({
  kind: 'choice',
  default: value,
  choices,
  doc,
})
const addresses = (value: readonly string[], of: AddressesKey['of'], doc: string) =>
  ({ kind: 'addresses', default: value, of, doc }) satisfies AddressesKey
const iris = (value: readonly string[], doc: string) =>
  ({ kind: 'iris', default: value, doc }) satisfies IrisKey
const boolean = (value: boolean, doc: string) =>
  ({ kind: 'boolean', default: value, doc }) satisfies BooleanKey
const numbers = (value: readonly number[], max: number, doc: string) =>
  ({ kind: 'numbers', default: value, max, doc }) satisfies NumbersKey

export const configKeys = {
  node: {
    data_folder: path('data', 'Where the chain, the vote log and the lock are kept. One node per folder.'),
    genesis_file: path('genesis.json', 'The genesis of the network; the same on every node.'),
    key_file: path(
      'node.key',
      'The key that is this node’s identity on the network. Made when it is not there.',
    ),
    passphrase_file: path(
      null,
      'A file with the passphrase of the key files that have one. Without it: `ALTHING_PASSPHRASE`, else the terminal is asked.',
    ),
    type: choice(
      null,
      ['authority', 'full'],
      'An authority votes and proposes; a full node follows. Without it: authority when `consensus.authority_key_file` is given, else full.',
    ),
    name: text('node', 64, 'What this node calls itself to people: in the API and in the logs of its peers.'),
    versions_kept: integer(256, 1, 1_000_000, 'How many blocks back the state can still be read, in blocks.'),
    state_cache: size(64 * MIB, MIB, 64 * GIB, 'Memory for the state tree’s decoded pages.'),
  },
  network: {
    id: text(null, 64, 'The network’s id. The genesis file says it; given here too, it must be the same.'),
    listen: addresses(
      ['/ip4/0.0.0.0/tcp/9000'],
      'listen',
      'Addresses to listen on, as multiaddrs: `/ip4/…/tcp/9000` for TCP, `/ip4/…/tcp/9001/ws` for WebSocket, `/ip4/…/udp/9000/quic-v1` for QUIC, which needs `npm install @chainsafe/libp2p-quic@2.1.1` and no private network. Port 0 takes a free one.',
    ),
    announce: addresses(
      [],
      'listen',
      'Addresses to tell others in place of those listened on, as behind a port that a router forwards.',
    ),
    bootstrap: addresses(
      [],
      'peers',
      'Peers to dial first, and again whenever they are gone: multiaddrs or host:port.',
    ),
    dns_seeds: addresses(
      [],
      'seeds',
      'DNS names whose TXT records say where peers are (`dnsaddr=/ip4/192.0.2.1/tcp/9000/p2p/…`).',
    ),
    dht: boolean(
      false,
      'Find peers by a distributed hash table of this network, and be part of it. For networks of hundreds of nodes.',
    ),
    mdns: boolean(false, 'Find the nodes of this network on the local network, and let them find this one.'),
    relay_client: choice(
      'auto',
      ['auto', 'on', 'off'],
      'Be reachable over relays: peers that pass links on. `auto`: while nobody can dial this node, as behind a NAT.',
    ),
    relay_server: choice(
      'auto',
      ['auto', 'on', 'off'],
      'Relay for peers that nobody can dial. `auto`: a full node that others can dial does.',
    ),
    autonat: boolean(
      true,
      'Ask peers to dial this node back, to know whether others can; and dial back for them.',
    ),
    direct_upgrade: boolean(
      true,
      'Replace links over relays by direct ones where either side can be dialled.',
    ),
    upnp: boolean(
      false,
      'Ask the router to forward the ports of `listen` (UPnP). It opens the site’s firewall.',
    ),
    private_network_key_file: path(
      null,
      'A file with a key that all nodes of the network share (`swarm.key` of libp2p); others cannot even connect.',
    ),
    reserved: addresses(
      [],
      'peers',
      'Peers that need no slot, are redialled every 2 s and never banned by themselves: multiaddrs that end in `/p2p/` and the peer id.',
    ),
    max_inbound: integer(
      32,
      0,
      10_000,
      'Peers that dialled this node, at most; authorities are not counted.',
    ),
    max_outbound: integer(8, 0, 10_000, 'Peers that this node dials by itself, at most.'),
    max_per_ip: integer(
      3,
      1,
      10_000,
      'Of the peers that dialled this node, at most so many from one IP address (IPv6: one /64). Loopback and reserved peers are not counted.',
    ),
    max_per_ip_block: integer(
      8,
      1,
      10_000,
      'The same for one /24 (IPv6: one /56) of public addresses; at least `max_per_ip`.',
    ),
    peers_floor: integer(
      4,
      0,
      10_000,
      'With no more peers than these nobody is let go for a poor link; with fewer, redials wait at most 10 s.',
    ),
    cooldown: duration(
      60 * SECOND_MS,
      SECOND_MS,
      24 * HOUR_MS,
      'How long a peer stays away whose reputation fell below -50.',
    ),
    ban_min: duration(
      HOUR_MS,
      SECOND_MS,
      8_760 * HOUR_MS,
      'The first ban of a peer whose reputation fell below -100; each further one lasts twice as long.',
    ),
    ban_max: duration(168 * HOUR_MS, SECOND_MS, 8_760 * HOUR_MS, 'The longest ban of that kind.'),
    reputation_half_life: duration(
      10 * MINUTE_MS,
      SECOND_MS,
      8_760 * HOUR_MS,
      'A peer’s reputation is half of what it was after so long.',
    ),
    link_reports: boolean(
      true,
      'This node tells the whole network which links it has, so that the map of everyone shows it. Without it the node still has the map.',
    ),
    connection_timeout: duration(
      30 * SECOND_MS,
      100,
      10 * MINUTE_MS,
      'For dialling and the handshake together.',
    ),
    ping_interval: duration(30 * SECOND_MS, 100, HOUR_MS, 'How often a silent link is tried.'),
    peer_timeout: duration(
      120 * SECOND_MS,
      SECOND_MS,
      24 * HOUR_MS,
      'A peer that is silent for so long is gone.',
    ),
  },
  rate_limiting: {
    max_messages_per_second: integer(
      100_000,
      1,
      10_000_000,
      'Messages to one peer in the normal lane; twice as many are read of one. Other lanes: see `priority_multipliers`.',
    ),
    burst_size: integer(200_000, 1, 100_000_000, 'That many may go at once after a pause.'),
    bandwidth_limit_mbps: integer(
      10_000,
      1,
      1_000_000,
      'Megabits a second to one peer; critical messages have as much again, and twice as much is read.',
    ),
    priority_multipliers: numbers(
      [4, 2, 1, 0.5],
      1000,
      'What the critical, high, normal and low lane may have, in times of `max_messages_per_second` and `burst_size`.',
    ),
    node_multiplier: integer(4, 1, 10_000, 'What all peers together may have, in times of what one may.'),
  },
  message_queue: {
    queue_size_limit: integer(
      10_000,
      160,
      1_000_000,
      'Messages that wait for one peer, in all lanes together.',
    ),
    message_ttl: duration(
      300 * SECOND_MS,
      SECOND_MS,
      HOUR_MS,
      'A message that waited for longer is not sent.',
    ),
    priority_enforcement: boolean(
      true,
      'Without it all messages share the normal lane: votes then wait behind blocks and transactions.',
    ),
    bandwidth_monitoring: boolean(
      true,
      'Bytes to a peer follow what its link takes, up to `rate_limiting.bandwidth_limit_mbps`. Without it that number holds always.',
    ),
    compression: boolean(true, 'Long messages go compressed to peers that can read it, where it pays.'),
  },
  consensus: {
    authority_key_file: path(null, 'The key that this authority votes with. Never let two nodes use one.'),
    next_authority_key_file: path(
      null,
      'A second key of this authority, made by `althing authority rotate-key`: it votes from the epoch on in which the chain has it in place of the first.',
    ),
    signer: text(
      null,
      255,
      'In place of `authority_key_file`: a process that holds the key, `unix:/path/of/the.sock` or `tcp:127.0.0.1:7000`. See signer.md.',
    ),
    signer_token_file: path(null, 'A file with the secret that the signer asks for; needed over TCP.'),
    signer_timeout: duration(
      500,
      10,
      10 * SECOND_MS,
      'How long one signature of `signer` may take; the node stands still for so long. At most half of `timeout`.',
    ),
    timeout: duration(
      SECOND_MS,
      50,
      10 * MINUTE_MS,
      'How long a block may take beyond its interval before the next authority is asked: at least three round trips plus the time of a full block on the slowest link (rule R8). The same on every authority.',
    ),
    timeout_max: duration(
      30 * SECOND_MS,
      50,
      HOUR_MS,
      'Where the timeout stops growing while no block is agreed on.',
    ),
    clock_drift: duration(
      500,
      10,
      HOUR_MS,
      'How far a block’s time may be ahead of this node’s clock; at most half of `timeout`.',
    ),
    retransmit: duration(
      SECOND_MS,
      10,
      HOUR_MS,
      'Own votes and certificates are sent again after one to two times this.',
    ),
  },
  mempool: {
    max_transactions: integer(32_768, 1, 10_000_000, 'Transactions that wait for a block.'),
    max_size: size(64 * MIB, MIB, 64 * GIB, 'Their encoded size together.'),
    max_per_sender: integer(
      8_192,
      1,
      10_000_000,
      'Of one sender; also how far ahead of its account a nonce may be.',
    ),
    ttl: duration(10 * MINUTE_MS, SECOND_MS, 24 * HOUR_MS, 'How long one waits before it is given up.'),
  },
  api: {
    host: text(
      '127.0.0.1',
      255,
      'Address to serve HTTP on. Anything but loopback is open to whoever reaches it; see `token_file`.',
    ),
    port: integer(8_545, 0, 65_535, 'Port of the API; 0 takes a free one.'),
    body_limit: size(4 * MIB, KIB, 64 * MIB, 'A longer request is refused.'),
    token_file: path(
      null,
      'A file with a secret of at least 16 characters. POST then needs `Authorization: Bearer <secret>`, unless the API listens on loopback.',
    ),
  },
  graph: {
    hold: iris(
      [],
      'Graphs that are kept for queries; none given: all. Statements of other graphs are asked of peers that keep them. The state itself is always whole.',
    ),
    external_query: text(
      null,
      2_048,
      'URL of a SPARQL 1.1 server that answers the queries instead of this node. The node keeps it in step with the chain; nobody else may write to it.',
    ),
    external_update: text(null, 2_048, 'URL at which that server takes SPARQL Update.'),
    external_token_file: path(
      null,
      'A file with a secret that is sent to that server: `Authorization: Bearer <secret>`.',
    ),
    query_copies: integer(
      2,
      1,
      8,
      'Copies of the graphs that answer SPARQL queries, each in a process: about 700 MiB for a million statements. With two or more, one takes over while another is made anew.',
    ),
    query_timeout: duration(5 * SECOND_MS, 10, 10 * MINUTE_MS, 'A query that runs longer is ended.'),
    query_rows: integer(100_000, 1, 10_000_000, 'Rows of an answer; a query with more is refused.'),
    query_answer_size: size(64 * MIB, KIB, 512 * MIB, 'Of an answer.'),
    query_memory: size(GIB, 16 * MIB, 64 * GIB, 'By how much the process may grow while a query runs.'),
    identifying_properties: iris(
      ['https://ref.gs1.org/voc/gtin', 'https://ref.gs1.org/voc/gln', 'http://schema.org/gtin'],
      'Properties whose values belong to one thing only: IRIs that share one are the same thing. Beside those that a graph declares to be `owl:InverseFunctionalProperty`.',
    ),
    functional_properties: iris(
      ['https://ref.gs1.org/voc/gtin', 'https://ref.gs1.org/voc/gln', 'http://schema.org/gtin'],
      'Properties that have one value for one thing: several are shown as a conflict. Beside those that a graph declares to be `owl:FunctionalProperty`.',
    ),
  },
  log: {
    level: choice('info', ['debug', 'info', 'warn', 'error', 'silent'], 'The least severe lines to write.'),
    format: choice(
      'text',
      ['text', 'json'],
      'For people, or one JSON object a line. Lines go to standard error.',
    ),
  },
} as const satisfies Record<string, Record<string, ConfigKey>>

type Keys = typeof configKeys

type ProgramName<Name extends string, Key> = Key extends { kind: 'duration' }
  ? `${Camel<Name>}Ms`
  : Key extends { kind: 'size' }
    ? `${Camel<Name>}Bytes`
    : Camel<Name>

type ValueOf<Key> = Key extends { kind: 'integer' | 'duration' | 'size' }
  ? number
  : Key extends { kind: 'addresses' | 'iris' }
    ? readonly string[]
    : Key extends { kind: 'boolean' }
      ? boolean
      : Key extends { kind: 'numbers' }
        ? readonly number[]
        : Key extends { kind: 'choice'; choices: readonly (infer Choice)[]; default: infer Default }
          ? Choice | Extract<Default, null>
          : Key extends { kind: 'text' | 'path'; default: infer Default }
            ? string | Extract<Default, null>
            : never

/** What the table's keys hold once read: `values.network.pingIntervalMs`. */
export type ConfigValues = {
  readonly [Section in keyof Keys as Camel<Section & string>]: {
    readonly [Name in keyof Keys[Section] as ProgramName<Name & string, Keys[Section][Name]>]: ValueOf<
      Keys[Section][Name]
    >
  }
}

export interface ConfigKeyEntry {
  readonly section: string
  readonly name: string
  /** As in the file: `network.max_inbound`. */
  readonly path: string
  readonly key: ConfigKey
}

/** In the order of the table. */
export const configKeyEntries: readonly ConfigKeyEntry[] = Object.entries(configKeys).flatMap(
  ([section, keys]) =>
    Object.entries(keys).map(([name, key]) => ({ section, name, path: `${section}.${name}`, key })),
)

export const configKeyByPath: ReadonlyMap<string, ConfigKeyEntry> = new Map(
  configKeyEntries.map((entry) => [entry.path, entry]),
)

export function defaultOf(key: ConfigKey): ConfigValue {
  if (key.kind === 'duration') return key.defaultMs
  if (key.kind === 'size') return key.defaultBytes
  return key.default
}

/** The name in `ConfigValues`. */
export function programName(name: string, kind?: ConfigKey['kind']): string {
  const camel = name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
  if (kind === 'duration') return `${camel}Ms`
  return kind === 'size' ? `${camel}Bytes` : camel
}
