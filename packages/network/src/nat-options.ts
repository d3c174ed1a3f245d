/**
 * What a node does about NATs, its own and those of others (PT-8, VC-9).
 * @module
 */
import { assert } from '@althing/base'

/** `auto`: decided by whether others can dial this node. */
export type WhenNeeded = 'auto' | 'on' | 'off'

export interface NatOptions {
  /** Holds places at relays, over which others reach this node. `auto`: while they cannot dial it. */
  readonly relayClient: WhenNeeded
  /** Relays for peers that it has a session with. `auto`: a full node, while others can dial it. */
  readonly relayServer: WhenNeeded
  /** Asks peers to dial back, and dials back for them. */
  readonly autonat: boolean
  /** Tries for a direct link to each peer that is reached over a relay. */
  readonly upgrade: boolean
  /** Asks the router to forward a port (UPnP IGD). Off: a program must not open firewalls unasked. */
  readonly upnp: boolean
  /** Relays that hold a place for this node at the same time. */
  readonly relaysMax: number
  /** How often a place is confirmed: a relay that lost it silently is found within this time. */
  readonly relayConfirmMs: number
  /** As a relay: peers that have a place. */
  readonly relayPlacesMax: number
  /** As a relay: how long a place lasts that is not confirmed. */
  readonly relayPlaceMs: number
  /** As a relay: bytes and time after which one relayed connection is cut; its peers may dial again. */
  readonly relayedBytesMax: number
  readonly relayedMs: number
  /** How often peers are asked to dial back while others cannot dial this node; ten times less often while they can. */
  readonly probeIntervalMs: number
}

const MIB = 1024 * 1024

const DEFAULTS: NatOptions = {
  relayClient: 'auto',
  relayServer: 'auto',
  autonat: true,
  upgrade: true,
  upnp: false,
  relaysMax: 2,
  relayConfirmMs: 30_000,
  relayPlacesMax: 64,
  relayPlaceMs: 600_000,
  relayedBytesMax: 1024 * MIB,
  relayedMs: 3_600_000,
  probeIntervalMs: 60_000,
}

/** With defaults, and checked. */
export function checkNatOptions(given: Partial<NatOptions> = {}): NatOptions {
  const defined = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  const options: NatOptions = { ...DEFAULTS, ...defined }
  for (const [name, value] of Object.entries(options)) {
    if (typeof value === 'number') assert(value >= 1 && Number.isFinite(value), `nat.${name} is ${value}`)
  }
  const { relayConfirmMs, relayPlaceMs } = options
  assert(
    relayConfirmMs * 2 <= relayPlaceMs,
    `nat.relayConfirmMs (${relayConfirmMs}) must be at most half of nat.relayPlaceMs (${relayPlaceMs})`,
  )
  return options
}
