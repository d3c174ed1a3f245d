/**
 * Options of users, and the checked configuration made of them.
 * @module
 */
import { assert, bytesToHex, silentLog, utf8ToBytes } from '@althing/base'
import type { Clock, Log, Random } from '@althing/base'
import { NetworkError } from './errors.ts'
import { parsePeerAddress } from './protocol/address.ts'
import type { Address } from './protocol/address.ts'
import { HELLO_FEATURES_MAX, NETWORK_ID_BYTES_MAX } from './protocol/control.ts'
import type { DialLimits } from './protocol/dial-book.ts'
import type { GossipLimits } from './protocol/gossip.ts'
import type { Hello, NodeType, Status, VersionRange } from './protocol/hello.ts'
import { kindTable, MESSAGE_BYTES_MAX } from './protocol/kinds.ts'
import type { KindSpec, KindTable } from './protocol/kinds.ts'
import { LANES } from './protocol/lane.ts'
import type { PerLane } from './protocol/lane.ts'
import type { LaneLimits } from './protocol/lanes.ts'
import type { PeerLimits } from './protocol/peer-table.ts'
import type { SessionConfig } from './protocol/session.ts'
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
  readonly gossipKnownPerPeerMax: number
  /** Faults within `faultWindowMs` that send a peer away for `cooldownMs`. */
  readonly faultsMax: number
  readonly faultWindowMs: number
  readonly cooldownMs: number
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
  /** Multiaddrs with or without `/p2p/`, or `host:port`. */
  readonly bootstrap: readonly string[]
  readonly nodeType: NodeType
  /** At most 24, of 1 to 64 bytes. */
  readonly features: readonly string[]
  /** Asked at each handshake. */
  readonly status: () => Status
  /** Proof of a role for this one link, at most 1,024 bytes. */
  readonly credential?: (localPeer: string, remotePeer: string) => Uint8Array
  /** Judges the remote hello. By default everyone of the same network is an ordinary peer. */
  readonly admit?: (hello: Hello, remotePeer: string) => Admission
  readonly kinds: Readonly<Record<string, KindSpec>>
  readonly log?: Log
  readonly clock?: Clock
  readonly random?: Random
  readonly scheduler?: Scheduler
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
  requestsMax: 256,
  pendingBytesMax: 16 * MIB,
  statusIntervalMs: 250,
  peerExchangeIntervalMs: 30_000,
  backoffMinMs: 500,
  backoffMaxMs: 60_000,
  reservedRedialMs: 2000,
  parallelDialsMax: 8,
  learnedPeersMax: 1000,
  gossipSeenMax: 50_000,
  gossipSeenMs: 120_000,
  gossipKnownPerPeerMax: 8192,
  faultsMax: 5,
  faultWindowMs: 60_000,
  cooldownMs: 60_000,
}

type Optional = 'log' | 'clock' | 'random' | 'scheduler' | 'transport' | 'credential' | 'admit'
type Given = Omit<NetworkConfig, keyof NetworkLimits | Optional | 'kinds' | 'bootstrap'>

/** Full, and checked. */
export interface CheckedConfig extends Given, NetworkLimits, Required<Pick<NetworkConfig, Optional>> {
  readonly kinds: KindTable
  readonly bootstrap: readonly Address[]
  readonly sessionProtocol: string
  readonly helloProtocol: string
  readonly session: SessionConfig
  readonly dialling: DialLimits
  readonly peers: PeerLimits
  readonly gossip: GossipLimits
}

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
  const kinds = kindTable(given.kinds, Object.assign({}, ...services.map(({ kinds }) => kinds)))
  const config = {
    ...given,
    ...limits,
    features: [...given.features, ...services.map(({ feature }) => feature)],
    log: given.log ?? silentLog,
    clock: given.clock ?? systemClock,
    random: given.random ?? systemRandom,
    scheduler: given.scheduler ?? systemScheduler,
    transport: given.transport ?? defaultTransport,
    credential: given.credential ?? (() => NO_CREDENTIAL),
    admit: given.admit ?? (() => ({ ok: true, reserved: false }) as const),
    kinds,
    bootstrap: given.bootstrap.map(bootstrapAddress),
    sessionProtocol: `/althing/${bytesToHex(given.genesisHash.subarray(0, 8))}/session/1`,
    helloProtocol: '/althing/hello/1',
    gossip: {
      seenMax: limits.gossipSeenMax,
      seenMs: limits.gossipSeenMs,
      knownPerPeerMax: limits.gossipKnownPerPeerMax,
    },
  }
  for (const kind of kinds.byName.values()) {
    const { bytesMax } = limits.lanes[kind.lane]
    assert(
      kind.maxBytes <= bytesMax,
      `kind ${kind.name}: maxBytes ${kind.maxBytes} > lanes.${kind.lane}.bytesMax ${bytesMax}`,
    )
  }
  return { ...config, session: config, dialling: config, peers: config }
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
  below(limits, 'pingIntervalMs', 'peerTimeoutMs')
  below(limits, 'handshakeTimeoutMs', 'peerTimeoutMs')
  below(limits, 'backoffMinMs', 'backoffMaxMs')
  below(limits, 'lingerMs', 'handshakeTimeoutMs')
  assert(
    limits.pendingBytesMax >= MESSAGE_BYTES_MAX,
    `pendingBytesMax ${limits.pendingBytesMax} < ${MESSAGE_BYTES_MAX}, one message`,
  )
  assert(limits.faultsMax >= 1, `faultsMax ${limits.faultsMax} < 1`)
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
