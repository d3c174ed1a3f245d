/**
 * The shell of the dial book: tries addresses one after the other, within a time.
 * @module
 */
import type { CheckedConfig } from './config.ts'
import { NetworkError } from './errors.ts'
import type { Address } from './protocol/address.ts'
import { parseAddress } from './protocol/address.ts'
import { DialBook } from './protocol/dial-book.ts'
import type { Dial } from './protocol/dial-book.ts'
import type { PeerLink } from './peer-link.ts'
import type { Gate, Link, Transport } from './transport.ts'

interface DiallerSetup {
  readonly config: CheckedConfig
  readonly transport: Transport
  readonly gate: Gate
  readonly wakeBy: (atMs: number) => void
  /** A dial of the book came through. */
  readonly connected: (link: Link, key: string) => void
  /** @param key the book's name for it: mostly the peer's id. */
  readonly failed: (addresses: readonly string[], message: string, key: string) => void
}

export interface DialTarget {
  readonly key: string
  readonly addresses: readonly string[]
}

export class Dialler {
  readonly #setup: DiallerSetup
  readonly #book: DialBook
  /** At most one dial to a peer, or to an address whose peer is not known: the transport would join them. */
  readonly #underWayByKey = new Map<string, Promise<unknown>>()
  readonly #stop = new AbortController()

  constructor(setup: DiallerSetup) {
    const { config, transport } = setup
    this.#setup = setup
    this.#book = new DialBook(config.dialling, transport.peerId, config.random)
    for (const address of config.bootstrap) this.#book.addBootstrap(address)
    for (const address of config.reserved) {
      this.#book.addBootstrap(address)
      this.#book.reserve(address.peer, true)
    }
  }

  /** Dials whoever is due, and asks to be called again when others are. @param outbound open sessions that use a slot. */
  dialDue(outbound: number, nowMs: number): void {
    for (const dial of this.#book.due(nowMs, outbound)) {
      if (this.#underWayByKey.has(dial.key)) this.#book.dialled(dial.key, null, nowMs)
      else void this.#during(dial.key, this.#dial(dial))
    }
    this.#setup.wakeBy(this.#book.nextDueMs(nowMs, outbound))
  }

  /** @returns to whom a link was handed over; null for none. */
  async #dial({ key, addresses, reserved }: Dial): Promise<string | null> {
    const { handshakeTimeoutMs, reservedRedialMs } = this.#setup.config
    const timeoutMs = reserved ? reservedRedialMs : handshakeTimeoutMs
    try {
      const link = await this.#dialFirst(addresses, timeoutMs)
      this.#setup.connected(link, key)
      return link.remotePeer
    } catch (error) {
      this.#book.dialled(key, null, this.#now())
      this.#setup.wakeBy(this.#now())
      if (this.#stop.signal.aborted) return null
      const message = error instanceof Error ? error.message : String(error)
      this.#setup.config.log.debug('dial failed', { addresses, message })
      this.#setup.failed(addresses, message, key)
      return null
    }
  }

  /**
   * A dial that is not the book's, to these addresses in this order. While the same is being dialled already, waits for that.
   * @param key the peer's id, or an address whose peer is not known.
   * @returns the link; or the peer that the book found, its link already handed over.
   * @throws {NetworkError} `DIAL_FAILED`.
   */
  async dialOnce({ key, addresses }: DialTarget): Promise<Link | string> {
    for (;;) {
      const underWay = this.#underWayByKey.get(key)
      if (underWay === undefined) break
      const found = await underWay.catch(() => null)
      if (typeof found === 'string') return found
    }
    return this.#during(key, this.#dialFirst(addresses, this.#setup.config.handshakeTimeoutMs))
  }

  async #during<T>(key: string, dialling: Promise<T>): Promise<T> {
    this.#underWayByKey.set(key, dialling)
    try {
      return await dialling
    } finally {
      this.#underWayByKey.delete(key)
    }
  }

  async #dialFirst(addresses: readonly string[], timeoutMs: number): Promise<Link> {
    const { scheduler } = this.#setup.config
    let last: unknown
    for (const address of addresses) {
      if (this.#stop.signal.aborted) break
      const timeout = new AbortController()
      const cancel = scheduler.after(timeoutMs, () => timeout.abort())
      const abort = () => timeout.abort()
      this.#stop.signal.addEventListener('abort', abort, { once: true })
      try {
        this.#checkGate(address)
        return await this.#setup.transport.dial(address, timeout.signal)
      } catch (error) {
        last = error
      } finally {
        cancel()
        this.#stop.signal.removeEventListener('abort', abort)
      }
    }
    if (last instanceof NetworkError) throw last
    throw new NetworkError('DIAL_FAILED', `${addresses.join(', ')} cannot be reached`, { cause: last })
  }

  #checkGate(address: string): void {
    const { gate } = this.#setup
    const peer = parseAddress(address)?.peer ?? null
    if (gate.admitsAddress(address, 'outbound') && (peer === null || gate.admitsPeer(peer))) return
    throw new NetworkError('PEER_BANNED', `${address} is on the blacklist`, peer === null ? {} : { peer })
  }

  opened(link: PeerLink, addresses: readonly Address[], nowMs: number): void {
    if (link.dialKey !== null) this.#book.dialled(link.dialKey, link.peer, nowMs)
    this.#book.connected(link.peer, nowMs)
    this.#book.learn(link.peer, addresses, true)
    const dialled = link.direction === 'outbound' ? parseAddress(link.remoteAddress) : null
    if (dialled !== null) this.#book.learn(link.peer, [dialled], false)
    if (link.reserved) this.#book.reserve(link.peer, true)
  }

  /** A session ended, or a link never became one. */
  ended(link: PeerLink, nowMs: number, { wasOpen } = { wasOpen: false }): void {
    if (wasOpen) this.#book.disconnected(link.peer, nowMs)
    else if (link.dialKey !== null) this.#book.dialled(link.dialKey, link.peer, nowMs)
    this.#setup.wakeBy(nowMs)
  }

  learn(peer: string, addresses: readonly Address[]): void {
    this.#book.learn(peer, addresses, false)
    this.#setup.wakeBy(this.#now())
  }

  /** An address where some peer is said to be. */
  addSeed(address: Address): void {
    this.#book.addSeed(address)
    this.#setup.wakeBy(this.#now())
  }

  bootstrapPeers(): ReadonlySet<string> {
    return this.#book.bootstrapPeers()
  }

  hasOthers(): boolean {
    return this.#book.hasOthers()
  }

  hasOthersElsewhere(): boolean {
    return this.#book.hasOthersElsewhere()
  }

  addressesOf(peer: string): readonly Address[] {
    return this.#book.addressesOf(peer)
  }

  reserve(peer: string, reserved: boolean): void {
    this.#book.reserve(peer, reserved)
    this.#setup.wakeBy(this.#now())
  }

  /** No dial goes on after this. */
  stop(): void {
    this.#stop.abort()
  }

  #now(): number {
    return this.#setup.config.clock.monotonicMs()
  }
}
