/**
 * Passes signed records around (PT-5, TN-4): a node announces its own to whom it meets and whenever it changes; what is news is passed
 * on, so that everyone hears of everyone; and who wants more peers asks for records.
 * @module
 */
import type { PeerView } from './network-types.ts'
import { isNearby, parseAddress, plausibleAddresses } from './protocol/address.ts'
import type { RecordEntry } from './protocol/record-book.ts'
import { decodeRecords, encodeRecords, RECORD_KINDS, RECORDS_MAX } from './protocol/record-messages.ts'
import { TokenBucket } from './protocol/token-bucket.ts'
import type { Service, ServiceHost, ServiceSpec } from './service.ts'

/** Records of one sender whose signature is checked; more are not looked at, and come again with a later answer. */
const CHECKS_PER_PEER = { perSecond: 8, burst: 128 }
const OWN_CHECK_INTERVAL_MS = 5000
const ASK_TIMEOUT_MS = 5000
const NO_BYTES = new Uint8Array(0)

export const recordExchange: ServiceSpec = {
  feature: 'records/1',
  kinds: RECORD_KINDS,
  create: (host) => new RecordExchange(host),
}

class RecordExchange implements Service {
  readonly #host: ServiceHost
  readonly #checksByPeer = new Map<string, TokenBucket>()
  #announcedSeq = 0
  #ownCheckedMs = -Infinity
  #askedMs = -Infinity

  constructor(host: ServiceHost) {
    this.#host = host
  }

  peerOpened({ id }: PeerView): void {
    this.#checksByPeer.set(id, new TokenBucket(CHECKS_PER_PEER, this.#now()))
    this.#host.send(id, 'records.news', this.#own().encoded)
    void this.#ask(id)
  }

  peerClosed(peer: string): void {
    this.#checksByPeer.delete(peer)
  }

  received({ from, body }: { from: string; body: Uint8Array }): void {
    if (!this.#take(from, body)) return
    for (const { id } of this.#host.peers()) if (id !== from) this.#host.send(id, 'records.news', body)
  }

  answer({ from }: { from: string }): Uint8Array {
    return encodeRecords(this.#worthTelling(from).map(({ record }) => record.encoded))
  }

  tick(nowMs: number): number {
    if (nowMs >= this.#ownCheckedMs + OWN_CHECK_INTERVAL_MS) {
      this.#ownCheckedMs = nowMs
      this.#announce()
    }
    const askDueMs = this.#askedMs + this.#host.config.peerExchangeIntervalMs
    if (nowMs >= askDueMs) {
      this.#askedMs = nowMs
      this.#askSomeone()
    }
    return Math.min(
      this.#ownCheckedMs + OWN_CHECK_INTERVAL_MS,
      this.#askedMs + this.#host.config.peerExchangeIntervalMs,
    )
  }

  /** To all, when it has changed. */
  #announce(): void {
    const own = this.#own()
    if (own.seq === this.#announcedSeq) return
    this.#announcedSeq = own.seq
    for (const { id } of this.#host.peers()) this.#host.send(id, 'records.news', own.encoded)
  }

  #askSomeone(): void {
    const { config } = this.#host
    const peers = this.#host.peers()
    const outbound = peers.filter(({ direction }) => direction === 'outbound').length
    const peer = peers[Math.floor(config.random.next() * peers.length)]
    if (peer !== undefined && outbound < config.maxOutbound) void this.#ask(peer.id)
  }

  async #ask(peer: string): Promise<void> {
    const timeoutMs = Math.min(ASK_TIMEOUT_MS, this.#host.config.requestTimeoutMs)
    const answer = await this.#host.request(peer, 'records.ask', NO_BYTES, timeoutMs).catch(() => null)
    if (answer === null) return
    const records = decodeRecords(answer)
    if (!records.ok)
      return this.#host.penalise(peer, `its answer is no list of records: ${records.fault.message}`)
    for (const record of records.value) this.#take(peer, record)
  }

  /** @returns whether it is news. */
  #take(from: string, encoded: Uint8Array): boolean {
    const nowMs = this.#now()
    const checks = this.#checksByPeer.get(from)
    if (checks === undefined || checks.readyAtMs(1, nowMs) > nowMs) return false
    const found = this.#host.records.take(encoded, this.#isNearby(from))
    if (found !== 'known') checks.take(1, nowMs)
    if (found === 'invalid') this.#host.penalise(from, 'a record that its peer did not sign for this network')
    return found === 'news'
  }

  /** Some that the asker can dial, at random; those that are connected now come first. */
  #worthTelling(asker: string): RecordEntry[] {
    const { records, config } = this.#host
    const nearby = this.#isNearby(asker)
    const connected = new Set(this.#host.peers().map(({ id }) => id))
    const rank = new Map<RecordEntry, number>()
    for (const entry of records.all()) {
      const { peer, addresses } = entry.record
      if (peer === asker || plausibleAddresses(addresses, nearby).length === 0) continue
      rank.set(entry, connected.has(peer) ? config.random.next() : 1 + entry.failures + config.random.next())
    }
    return [...rank.keys()].sort((a, b) => rank.get(a)! - rank.get(b)!).slice(0, RECORDS_MAX)
  }

  #isNearby(peer: string): boolean {
    const remote = this.#host.peers().find(({ id }) => id === peer)?.remoteAddress
    const address = remote === undefined ? null : parseAddress(remote)
    return address !== null && isNearby(address)
  }

  #own() {
    return this.#host.records.own(this.#host.addresses())
  }

  #now(): number {
    return this.#host.config.clock.monotonicMs()
  }
}
