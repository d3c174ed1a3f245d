/**
 * Where peers come from besides the bootstrap addresses (PT-5, TN-4): signed records, those of earlier runs too, DNS seeds, and what the
 * transport finds by itself (DHT, mDNS). All of it ends in the dial book.
 * @module
 */
import type { CheckedConfig } from './config.ts'
import { findSeeds } from './dns-seeds.ts'
import type { Dialler, DialTarget } from './dialler.ts'
import { NetworkError } from './errors.ts'
import {
  addressWithPeer,
  isNearby,
  parseAddress,
  parsePeerAddress,
  plausibleAddresses,
} from './protocol/address.ts'
import { keyOfPeerId } from './protocol/peer-id.ts'
import { Records } from './records.ts'
import type { Transport } from './transport.ts'

/** Seeds are asked again while there are no sessions, and less often while there are not enough. */
const SEEDS_ALONE_INTERVAL_MS = 30_000
const SEEDS_INTERVAL_MS = 600_000
const SEEDS_TIMEOUT_MS = 10_000
/** For the DHT. */
const LOCATE_TIMEOUT_MS = 10_000

/** How many there are. */
interface Sessions {
  readonly inbound: number
  readonly outbound: number
}

export class Discovery {
  readonly records: Records
  readonly #config: CheckedConfig
  readonly #transport: Transport
  readonly #dialler: Dialler
  readonly #sessions: () => Sessions
  readonly #stop = new AbortController()
  #seedsAskedMs = -Infinity
  #seedsUnderWay: Promise<void> = Promise.resolve()

  constructor(config: CheckedConfig, transport: Transport, dialler: Dialler, sessions: () => Sessions) {
    this.#config = config
    this.#transport = transport
    this.#sessions = sessions
    this.#dialler = dialler
    this.records = new Records(config, (peer, addresses) => dialler.learn(peer, addresses))
  }

  /** The transport found a peer by itself. */
  found(peer: string, addresses: readonly string[]): void {
    this.#dialler.learn(peer, plausibleAddresses(addresses, this.#isOfOneMachine()))
  }

  /** This node listens on loopback alone: then its network is on one machine, and loopback addresses of others mean something. */
  #isOfOneMachine(): boolean {
    return this.#transport.addresses().every((text) => {
      const address = parseAddress(text)
      return address !== null && isNearby(address)
    })
  }

  /**
   * What to dial for an address, or for a peer's id alone.
   * @throws {NetworkError} `ADDRESS_INVALID`; `PEER_UNREACHABLE` when nobody knows where the peer is.
   */
  async targetOf(text: string): Promise<DialTarget> {
    const address = parsePeerAddress(text)
    if (address !== null) {
      const { peer } = address
      return {
        key: peer ?? address.text,
        addresses: [peer === null ? address.text : addressWithPeer(address, peer)],
      }
    }
    if (keyOfPeerId(text) === null) {
      throw new NetworkError(
        'ADDRESS_INVALID',
        `"${text}" is neither a multiaddr nor host:port nor a peer's id`,
      )
    }
    const known = this.#dialler.addressesOf(text)
    const addresses =
      known.length > 0 ? known : plausibleAddresses(await this.#locate(text), this.#isOfOneMachine())
    if (addresses.length === 0)
      throw new NetworkError('PEER_UNREACHABLE', `nobody here knows where ${text} is`)
    return { key: text, addresses: addresses.map((each) => addressWithPeer(each, text)) }
  }

  async #locate(peer: string): Promise<readonly string[]> {
    const { scheduler } = this.#config
    const timeout = new AbortController()
    const cancel = scheduler.after(LOCATE_TIMEOUT_MS, () => timeout.abort())
    const signal = AbortSignal.any([timeout.signal, this.#stop.signal])
    try {
      return (await this.#transport.locate?.(peer, signal)) ?? []
    } finally {
      cancel()
    }
  }

  /** @returns when to be called again. */
  tick(nowMs: number): number {
    return Math.min(this.records.tick(nowMs), this.#askSeeds(nowMs))
  }

  #askSeeds(nowMs: number): number {
    const { seeds, maxOutbound } = this.#config
    if (seeds.length === 0) return Infinity
    const { inbound, outbound } = this.#sessions()
    const isAlone = inbound + outbound === 0
    const dueMs = this.#seedsAskedMs + (isAlone ? SEEDS_ALONE_INTERVAL_MS : SEEDS_INTERVAL_MS)
    if (nowMs < dueMs) return Math.min(dueMs, nowMs + SEEDS_ALONE_INTERVAL_MS)
    if (outbound >= maxOutbound) return nowMs + SEEDS_INTERVAL_MS
    this.#seedsAskedMs = nowMs
    this.#seedsUnderWay = this.#findSeeds()
    return nowMs + SEEDS_ALONE_INTERVAL_MS
  }

  async #findSeeds(): Promise<void> {
    const { seeds, resolveTxt, scheduler, log } = this.#config
    const timeout = new AbortController()
    const cancel = scheduler.after(SEEDS_TIMEOUT_MS, () => timeout.abort())
    const signal = AbortSignal.any([timeout.signal, this.#stop.signal])
    const found = await findSeeds(seeds, resolveTxt, log, signal)
    cancel()
    if (this.#stop.signal.aborted) return
    log.debug('DNS seeds', { addresses: found.length })
    for (const address of found) {
      if (address.peer === null) this.#dialler.addSeed(address)
      else this.#dialler.learn(address.peer, [address])
    }
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#seedsUnderWay
    await this.records.stop()
  }
}
