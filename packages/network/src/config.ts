/**
 * Options of users, and the checked configuration made of them.
 * @module
 */
import { assert, bytesToHex, silentLog, utf8ToBytes } from '@althing/base'
import type { Clock, Log, Random, Verify } from '@althing/base'
import * as platform from '#platform'
import type { BlacklistStore } from './bans.ts'
import type { ResolveTxt } from './dns-seeds.ts'
import { NetworkError } from './errors.ts'
import { checkNatOptions } from './nat-options.ts'
import type { NatOptions } from './nat-options.ts'
import { parsePeerAddress } from './protocol/address.ts'
import type { Address } from './protocol/address.ts'
import { HELLO_FEATURES_MAX, NETWORK_ID_BYTES_MAX } from './protocol/control.ts'
import { COMPRESSION_FEATURE } from './protocol/compression.ts'
import type { Codec } from './protocol/compression.ts'
import { WINDOW_FEATURE } from './protocol/window.ts'
import type { DialLimits } from './protocol/dial-book.ts'
import type { Hello, NodeType, Status, VersionRange } from './protocol/hello.ts'
import { kindTable, MESSAGE_BYTES_MAX } from './protocol/kinds.ts'
import type { KindSpec, KindTable } from './protocol/kinds.ts'
import { LANES } from './protocol/lane.ts'
import type { PerLane } from './protocol/lane.ts'
import type { LaneLimits } from './protocol/lanes.ts'
import { GOSSIP_FEATURE, NOTICE_KINDS } from './protocol/notice.ts'
import type { PeerLimits } from './protocol/peer-table.ts'
import { parseSeed } from './protocol/seed-walk.ts'
import type { Seed } from './protocol/seed-walk.ts'
import type { GossipLimits } from './protocol/plumtree.ts'
import type { SessionConfig } from './protocol/session.ts'
import type { PeerStore } from './records.ts'
import type { TrafficLimits } from './protocol/traffic-limits.ts'
import type { ServiceSpec } from './service.ts'
import { systemClock, systemRandom, systemScheduler } from './system.ts'
import type { Scheduler } from './system.ts'
import type { CreateTransport } from './transport.ts'

export type Admission =
  /** @property reserved no slot is needed, and the peer is redialled at least every `reservedRedialMs`. */
  | { readonly ok: true; readonly reserved: boolean; readonly label?: string }
  | { readonly ok: false; readonly reason: string }

/** All that has a default. Times are milliseconds. */
export interface NetworkLimits {
  /** Inbound sessions, reserved peers not counted. */
  readonly maxInbound: number
  /** Learned peers are dialled while there are fewer outbound sessions. */
  readonly maxOutbound: number
  /** From the link to the open session, and for a dial. */
  readonly handshakeTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly pingIntervalMs: number
  /** A peer that is silent, or reads nothing, for so long is gone. */
  readonly peerTimeoutMs: number
  /** How long a reason has to reach the peer before the link is cut. */
  readonly lingerMs: number
  /** Per peer. */
  readonly lanes: PerLane<LaneLimits>
  readonly messageTtlMs: number
  /** Messages a second to one peer, of a lane with multiplier 1; twice that is read of one (PT-2). */
  readonly messagesPerSecond: number
  /** That many may go at once after a pause, times the lane's multiplier. */
  readonly messagesBurst: number
  /** To one peer; the critical lane has as much again. */
  readonly bytesPerSecond: number
  readonly laneMultipliers: PerLane<number>
  /** What all peers together may have, in times of what one may. */
  readonly nodeMultiplier: number
  /** Bytes to a peer follow what its link takes, between a floor and `bytesPerSecond`. */
  readonly adaptiveLimits: boolean
  /** False: all messages share the normal lane, in the order of sending. */
  readonly priorityEnforcement: boolean
  /** Messages of 1 KiB and more go compressed to peers that can read it, where that makes them smaller. */
  readonly compression: boolean
  /** False: this node tells nobody which links it has (PT-11). It still passes on what others tell, and has the map. */
  readonly linkReports: boolean
  /** Open requests per session and direction. */
  readonly requestsMax: number
  /** Bytes of one peer's messages that wait here for a verdict or an answer before its link is read no further. */
  readonly pendingBytesMax: number
  /** At most one status frame per peer in this time. */
  readonly statusIntervalMs: number
  /** How often peers are asked for peers while outbound slots are free. */
  readonly peerExchangeIntervalMs: number
  readonly backoffMinMs: number
  readonly backoffMaxMs: number
  readonly reservedRedialMs: number
  readonly parallelDialsMax: number
  readonly learnedPeersMax: number
  readonly gossipSeenMax: number
  readonly gossipSeenMs: number
  /** Accepted gossip that is kept for peers who ask for it. */
  readonly gossipKeptMax: number
  readonly gossipKeptBytesMax: number
  readonly gossipKeptMs: number
  /** Gossip of this size and more is offered, and sent to those who ask, instead of pushed. */
  readonly gossipLargeBytes: number
  /** Peers that dialled us from one IP address (IPv6: one /64); reserved ones and loopback are not counted. */
  readonly maxPerIp: number
  /** The same for a /24 (IPv6: a /56) of public addresses. */
  readonly maxPerIpBlock: number
  /** With no more peers than these nobody is let go for a poor link; with fewer, redials wait at most `floorBackoffMaxMs`. */
  readonly peersFloor: number
  readonly floorBackoffMaxMs: number
  /** How long whoever offended too much stays away. */
  readonly cooldownMs: number
  /** A reputation is half of what it was after so long. */
  readonly reputationHalfLifeMs: number
  /** The first ban for offences; each further one lasts twice as long, up to the maximum. */
  readonly banMinMs: number
  readonly banMaxMs: number
  /** Peers without a session that are remembered, and for how long. */
  readonly knownPeersMax: number
  readonly knownPeerStaleMs: number
}

export interface NetworkConfig extends Partial<NetworkLimits> {
  /** 32-byte Ed25519 seed of the node key; the peer id comes from it. */
  readonly identity: Uint8Array
  /** 1 to 64 bytes. */
  readonly networkId: string
  /** 32 bytes. */
  readonly genesisHash: Uint8Array
  /** Protocol versions; the highest that both sides speak is used. */
  readonly versions: VersionRange
  /** Multiaddrs such as `/ip4/0.0.0.0/tcp/9000`; port 0 is any. */
  readonly listen: readonly string[]
  /** Multiaddrs with or without `/p2p/`, or `host:port`; `/dnsaddr/<name>` is a DNS seed. */
  readonly bootstrap: readonly string[]
  /** DNS names, or `/dnsaddr/<name>`, whose TXT records say where peers are (`dnsaddr=/ip4/…`). */
  readonly dnsSeeds?: readonly string[]
  /** Where known peers outlive the process, so that it finds them again with its bootstrap nodes gone. */
  readonly peerStore?: PeerStore
  /** Multiaddrs with `/p2p/`: these peers are dialled like bootstrap peers, need no slot, and are never banned automatically. */
  readonly reserved?: readonly string[]
  /** Where bans outlive the process; without it they end with it. */
  readonly blacklistStore?: BlacklistStore
  /** What is done about NATs; each has a default. */
  readonly nat?: Partial<NatOptions>
  readonly nodeType: NodeType
  /** What this node runs, for the map of the network: at most 32 bytes; empty by default. */
  readonly software?: string
  /** At most 24, of 1 to 64 bytes. */
  readonly features: readonly string[]
  /** Asked at each handshake. */
  readonly status: () => Status
  /** Proof of a role for this one link, at most 1,024 bytes. */
  readonly credential?: (localPeer: string, remotePeer: string) => Uint8Array
  /** Judges the remote hello. By default everyone of the same network is an ordinary peer. */
  readonly admit?: (hello: Hello, remotePeer: string) => Admission
  readonly kinds: Readonly<Record<string, KindSpec>>
  /** Aborted: as `stop()`. */
  readonly signal?: AbortSignal
  readonly log?: Log
  readonly clock?: Clock
  readonly random?: Random
  readonly scheduler?: Scheduler
  /** How TXT records are found; the machine's name servers by default. */
  readonly resolveTxt?: ResolveTxt
  /** Of signed records. */
  readonly verify?: Verify
  /** libp2p over TCP by default. */
  readonly transport?: CreateTransport
}

const MIB = 1024 * 1024

const DEFAULTS: NetworkLimits = {
  maxInbound: 32,
  maxOutbound: 16,
  handshakeTimeoutMs: 10_000,
  requestTimeoutMs: 10_000,
  pingIntervalMs: 15_000,
  peerTimeoutMs: 60_000,
  lingerMs: 1000,
  lanes: {
    critical: { messagesMax: 2500, bytesMax: 16 * MIB },
    high: { messagesMax: 2500, bytesMax: 16 * MIB },
    normal: { messagesMax: 4000, bytesMax: 12 * MIB },
    low: { messagesMax: 1000, bytesMax: 12 * MIB },
  },
  messageTtlMs: 300_000,
  messagesPerSecond: 100_000,
  messagesBurst: 200_000,
  bytesPerSecond: 1_250_000_000,
  laneMultipliers: { critical: 4, high: 2, normal: 1, low: 0.5 },
  nodeMultiplier: 4,
  adaptiveLimits: true,
  priorityEnforcement: true,
  compression: true,
  linkReports: true,
  requestsMax: 256,
  pendingBytesMax: 16 * MIB,
  statusIntervalMs: 250,
  peerExchangeIntervalMs: 30_000,
  backoffMinMs: 500,
  backoffMaxMs: 60_000,
  reservedRedialMs: 2000,
  parallelDialsMax: 8,
  learnedPeersMax: 1000,
  gossipSeenMax: 100_000,
  gossipSeenMs: 120_000,
  gossipKeptMax: 16_384,
  gossipKeptBytesMax: 32 * MIB,
  gossipKeptMs: 30_000,
  gossipLargeBytes: 16 * 1024,
  maxPerIp: 3,
  maxPerIpBlock: 8,
  peersFloor: 4,
  floorBackoffMaxMs: 10_000,
  cooldownMs: 60_000,
  reputationHalfLifeMs: 600_000,
  banMinMs: 3_600_000,
  banMaxMs: 7 * 86_400_000,
  knownPeersMax: 1000,
  knownPeerStaleMs: 86_400_000,
}

type Optional =
  | 'log'
  | 'clock'
  | 'random'
  | 'scheduler'
  | 'transport'
  | 'credential'
  | 'admit'
  | 'resolveTxt'
  | 'verify'
  | 'software'
type Given = Omit<
  NetworkConfig,
  | keyof NetworkLimits
  | Optional
  | 'kinds'
  | 'bootstrap'
  | 'reserved'
  | 'blacklistStore'
  | 'nat'
  | 'dnsSeeds'
  | 'peerStore'
>

/** Full, and checked. */
export interface CheckedConfig extends Given, NetworkLimits, Required<Pick<NetworkConfig, Optional>> {
  readonly kinds: KindTable
  readonly bootstrap: readonly Address[]
  readonly reserved: readonly ReservedAddress[]
  readonly blacklistStore: BlacklistStore | null
  readonly nat: NatOptions
  readonly seeds: readonly Seed[]
  readonly peerStore: PeerStore | null
  readonly sessionProtocol: string
  readonly helloProtocol: string
  readonly codec: Codec
  readonly session: SessionConfig
  readonly dialling: DialLimits
  readonly peers: PeerLimits
  readonly traffic: TrafficLimits
  readonly gossip: GossipLimits
}

/** Never asked, since its feature is not offered. */
const NO_CODEC: Codec = { compress: (body) => body, decompress: () => null }
const NO_CREDENTIAL = new Uint8Array(0)
/** The rest of those in a hello are the services'. */
const FEATURES_MAX = HELLO_FEATURES_MAX - 8
const FEATURE_BYTES_MAX = 64

/**
 * @param services whose kinds and features are added.
 * @param defaultTransport used when the user names none.
 * @throws {NetworkError} `ADDRESS_INVALID` for a bootstrap address.
 */
export function checkConfig(
  given: NetworkConfig,
  services: readonly ServiceSpec[],
  defaultTransport: CreateTransport,
): CheckedConfig {
  const limits: NetworkLimits = { ...DEFAULTS, ...definedOnly(given) }
  checkGiven(given)
  checkLimits(limits)
  const kinds = kindTable(given.kinds, Object.assign({}, NOTICE_KINDS, ...services.map(({ kinds }) => kinds)))
  const config = {
    ...given,
    ...limits,
    features: [
      ...given.features,
      GOSSIP_FEATURE,
      ...services.map(({ feature }) => feature),
      WINDOW_FEATURE,
      ...(limits.compression && platform.codec !== null ? [COMPRESSION_FEATURE] : []),
    ],
    codec: platform.codec ?? NO_CODEC,
    software: given.software ?? '',
    log: given.log ?? silentLog,
    clock: given.clock ?? systemClock,
    random: given.random ?? systemRandom,
    scheduler: given.scheduler ?? systemScheduler,
    transport: given.transport ?? defaultTransport,
    credential: given.credential ?? (() => NO_CREDENTIAL),
    admit: given.admit ?? (() => ({ ok: true, reserved: false }) as const),
    kinds,
    bootstrap: given.bootstrap.filter((text) => !isSeed(text)).map(bootstrapAddress),
    reserved: (given.reserved ?? []).map(reservedAddress),
    blacklistStore: given.blacklistStore ?? null,
    nat: checkNatOptions(given.nat),
    seeds: [...(given.dnsSeeds ?? []), ...given.bootstrap.filter(isSeed)].map(dnsSeed),
    peerStore: given.peerStore ?? null,
    resolveTxt: given.resolveTxt ?? platform.resolveTxt,
    verify: given.verify ?? platform.verify,
    sessionProtocol: `/althing/${bytesToHex(given.genesisHash.subarray(0, 8))}/session/1`,
    helloProtocol: '/althing/hello/1',
    gossip: {
      seenMax: limits.gossipSeenMax,
      seenMs: limits.gossipSeenMs,
      keptMax: limits.gossipKeptMax,
      keptBytesMax: limits.gossipKeptBytesMax,
      keptMs: limits.gossipKeptMs,
      largeBytes: limits.gossipLargeBytes,
    },
  }
  for (const kind of kinds.byName.values()) {
    const { bytesMax } = limits.lanes[kind.lane]
    assert(
      kind.maxBytes <= bytesMax,
      `kind ${kind.name}: maxBytes ${kind.maxBytes} > lanes.${kind.lane}.bytesMax ${bytesMax}`,
    )
  }
  return { ...config, session: config, dialling: config, peers: config, traffic: config }
}

function definedOnly(given: NetworkConfig): Partial<NetworkLimits> {
  return Object.fromEntries(
    Object.entries(given).filter(([key, value]) => key in DEFAULTS && value !== undefined),
  )
}

function checkGiven({ identity, networkId, genesisHash, versions, features }: NetworkConfig): void {
  assert(identity.length === 32, `identity has ${identity.length} bytes, not 32`)
  assert(genesisHash.length === 32, `genesisHash has ${genesisHash.length} bytes, not 32`)
  const idBytes = utf8ToBytes(networkId).length
  assert(
    idBytes >= 1 && idBytes <= NETWORK_ID_BYTES_MAX,
    `networkId has ${idBytes} bytes, not 1 to ${NETWORK_ID_BYTES_MAX}`,
  )
  const { min, max } = versions
  assert(
    isVersion(min) && isVersion(max) && min <= max,
    `versions ${min} to ${max} is no range of 1 to 65535`,
  )
  assert(features.length <= FEATURES_MAX, `${features.length} features; at most ${FEATURES_MAX}`)
  for (const feature of features) {
    const { length } = utf8ToBytes(feature)
    assert(
      length >= 1 && length <= FEATURE_BYTES_MAX,
      `feature "${feature}" has ${length} bytes, not 1 to ${FEATURE_BYTES_MAX}`,
    )
  }
}

function isVersion(version: number): boolean {
  return Number.isInteger(version) && version >= 1 && version <= 0xffff
}

function checkLimits(limits: NetworkLimits): void {
  for (const [name, value] of Object.entries(limits)) {
    if (typeof value === 'number') assert(value >= 0 && Number.isFinite(value), `${name} is ${value}`)
  }
  for (const lane of LANES) {
    const { messagesMax, bytesMax } = limits.lanes[lane]
    assert(
      messagesMax >= 16 && bytesMax >= 64 * 1024,
      `lanes.${lane}: at least 16 messages and 64 KiB, not ${messagesMax} and ${bytesMax}`,
    )
  }
  for (const name of ['messagesPerSecond', 'messagesBurst', 'bytesPerSecond', 'nodeMultiplier'] as const) {
    assert(limits[name] > 0, `${name} is ${limits[name]}, not above 0`)
  }
  for (const lane of LANES) {
    const multiplier = limits.laneMultipliers[lane]
    assert(multiplier > 0 && Number.isFinite(multiplier), `laneMultipliers.${lane} is ${multiplier}`)
  }
  below(limits, 'pingIntervalMs', 'peerTimeoutMs')
  below(limits, 'handshakeTimeoutMs', 'peerTimeoutMs')
  below(limits, 'backoffMinMs', 'backoffMaxMs')
  below(limits, 'lingerMs', 'handshakeTimeoutMs')
  assert(
    limits.pendingBytesMax >= MESSAGE_BYTES_MAX,
    `pendingBytesMax ${limits.pendingBytesMax} < ${MESSAGE_BYTES_MAX}, one message`,
  )
  assert(limits.maxPerIp >= 1, `maxPerIp ${limits.maxPerIp} < 1`)
  assert(limits.reputationHalfLifeMs >= 1, `reputationHalfLifeMs ${limits.reputationHalfLifeMs} < 1`)
  assert(
    limits.maxPerIp <= limits.maxPerIpBlock,
    `maxPerIp (${limits.maxPerIp}) must be at most maxPerIpBlock (${limits.maxPerIpBlock})`,
  )
  assert(
    limits.banMinMs <= limits.banMaxMs,
    `banMinMs (${limits.banMinMs}) must be at most banMaxMs (${limits.banMaxMs})`,
  )
}

type NumberKey = {
  [K in keyof NetworkLimits]: NetworkLimits[K] extends number ? K : never
}[keyof NetworkLimits]

function below(limits: NetworkLimits, smaller: NumberKey, larger: NumberKey): void {
  assert(
    limits[smaller] < limits[larger],
    `${smaller} (${limits[smaller]}) must be below ${larger} (${limits[larger]})`,
  )
}

function bootstrapAddress(text: string): Address {
  const address = parsePeerAddress(text)
  if (address !== null) return address
  throw new NetworkError('ADDRESS_INVALID', `bootstrap "${text}" is neither a multiaddr nor host:port`)
}

function isSeed(text: string): boolean {
  return text.startsWith('/dnsaddr/')
}

function dnsSeed(text: string): Seed {
  const seed = parseSeed(text)
  if (seed !== null) return seed
  throw new NetworkError('ADDRESS_INVALID', `DNS seed "${text}" is neither a DNS name nor /dnsaddr/<name>`)
}

/** Of a peer that is known by its id. */
export type ReservedAddress = Address & { readonly peer: string }

function reservedAddress(text: string): ReservedAddress {
  const address = parsePeerAddress(text)
  if (address !== null && address.peer !== null) return { ...address, peer: address.peer }
  throw new NetworkError('ADDRESS_INVALID', `reserved "${text}" is no multiaddr that ends in /p2p/<peer id>`)
}
