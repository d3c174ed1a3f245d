/**
 * What this node knows of all peers, connected or not: their signed records, kept over a restart (PT-5, TN-4, PC-2).
 * @module
 */
import type { Signer } from '@althing/base'
import { signerOf } from '#platform'
import type { CheckedConfig } from './config.ts'
import type { RecordView } from './network-types.ts'
import type { Address } from './protocol/address.ts'
import { addressWithPeer, parseAddress, plausibleAddresses } from './protocol/address.ts'
import {
  decodePeerRecord,
  isProved,
  PEER_RECORD_ADDRESSES_MAX,
  signPeerRecord,
} from './protocol/peer-record.ts'
import type { SignedPeerRecord } from './protocol/peer-record.ts'
import { RecordBook } from './protocol/record-book.ts'
import type { RecordEntry } from './protocol/record-book.ts'
import { decodeRecordFile, encodeRecordFile } from './protocol/record-file.ts'
import { sealKeyPairOf } from './protocol/seal-key.ts'

/** Where the records outlive the process. */
export interface PeerStore {
  /** Null when nothing was ever saved. */
  load(): Promise<Uint8Array | null>
  /** Takes the place of what was there. Not called again before it resolved. */
  save(bytes: Uint8Array): Promise<void>
}

/** A record is signed anew after so long, so that others see that the node still lives. */
const REFRESH_MS = 3_600_000
const SAVE_INTERVAL_MS = 30_000

export class Records {
  readonly #config: CheckedConfig
  readonly #book: RecordBook
  readonly #signer: Signer
  readonly #sealKey: Uint8Array
  readonly #learned: (peer: string, addresses: readonly Address[]) => void
  #own: SignedPeerRecord | null = null
  #isSaved = true
  #savedMs = -Infinity
  #saving: Promise<void> = Promise.resolve()

  /** @param learned is told where peers can be dialled. */
  constructor(config: CheckedConfig, learned: (peer: string, addresses: readonly Address[]) => void) {
    this.#config = config
    this.#book = new RecordBook(config.learnedPeersMax)
    this.#signer = signerOf(config.identity)
    this.#sealKey = sealKeyPairOf(config.identity).publicKey
    this.#learned = learned
  }

  /** What the store holds; it is checked as if a stranger had sent it. A store that cannot be read is as good as empty. */
  async load(): Promise<void> {
    const { peerStore, log, clock } = this.#config
    try {
      const bytes = (await peerStore?.load()) ?? null
      if (bytes === null) return
      const stored = decodeRecordFile(bytes)
      if (!stored.ok) throw new Error(stored.fault.message)
      for (const { encoded, lastSeenMs, failures } of stored.value) {
        const read = decodePeerRecord(encoded)
        if (!read.ok || !this.#isProved(read.value)) continue
        const { record } = read.value
        if (this.#book.put(record, clock.wallMs(), { lastSeenMs, failures })) this.#teach(record, true)
      }
      log.info('peers of earlier runs', { count: this.#book.size })
    } catch (error) {
      log.warn('the peers of earlier runs cannot be read; they will be learned anew', {
        error: error instanceof Error ? error.message : String(error),
      })
    }
  }

  /** Of this node: signed anew when what it says has changed, or it is old. @param addresses without the peer. */
  own(addresses: readonly string[]): SignedPeerRecord {
    const { clock, nodeType, features, genesisHash } = this.#config
    const told = addresses.slice(0, PEER_RECORD_ADDRESSES_MAX)
    const wallMs = Math.trunc(clock.wallMs())
    const isCurrent =
      this.#own !== null && wallMs - this.#own.seq < REFRESH_MS && this.#own.addresses.join() === told.join()
    if (isCurrent) return this.#own!
    const seq = Math.max(wallMs, (this.#own?.seq ?? 0) + 1)
    const content = { seq, addresses: told, nodeType, features, sealKey: this.#sealKey }
    this.#own = signPeerRecord(content, genesisHash, this.#signer)
    return this.#own
  }

  /**
   * A record that a peer sent.
   * @param heardFromNearby whether loopback addresses in it mean something here.
   * @returns `invalid` when no honest node sends it; `news` when it is worth passing on.
   */
  take(encoded: Uint8Array, heardFromNearby: boolean): 'news' | 'known' | 'invalid' {
    const read = decodePeerRecord(encoded)
    if (!read.ok) return 'invalid'
    const { record } = read.value
    const wallMs = this.#config.clock.wallMs()
    if (record.peer === this.#own?.peer || !this.#book.isNews(record, wallMs)) return 'known'
    if (!this.#isProved(read.value)) return 'invalid'
    if (!this.#book.put(record, wallMs)) return 'known'
    this.#isSaved = false
    this.#teach(record, heardFromNearby)
    return 'news'
  }

  get(peer: string): SignedPeerRecord | undefined {
    return this.#book.get(peer)?.record
  }

  all(): readonly RecordEntry[] {
    return [...this.#book.all()]
  }

  /** For users. */
  views(): readonly RecordView[] {
    return [...this.#book.all()].map(({ record, lastSeenMs, failures }) => ({
      id: record.peer,
      addresses: record.addresses.map((text) => {
        const address = parseAddress(text)
        return address === null ? text : addressWithPeer(address, record.peer)
      }),
      nodeType: record.nodeType,
      features: record.features,
      signedAtMs: record.seq,
      lastSeenMs: lastSeenMs === 0 ? null : lastSeenMs,
      failures,
    }))
  }

  /** A session with it opened or ended. */
  seen(peer: string): void {
    this.#book.seen(peer, Math.trunc(this.#config.clock.wallMs()))
    this.#isSaved = false
  }

  failed(peer: string): void {
    this.#book.failed(peer)
    this.#isSaved = false
  }

  /** Saves now and then. @returns when to be called again, by the monotonic clock. */
  tick(nowMs: number): number {
    if (this.#config.peerStore === null) return Infinity
    if (this.#isSaved) return nowMs + SAVE_INTERVAL_MS
    const dueMs = this.#savedMs + SAVE_INTERVAL_MS
    if (nowMs < dueMs) return dueMs
    this.#savedMs = nowMs
    this.#save()
    return nowMs + SAVE_INTERVAL_MS
  }

  /** Resolves when everything is saved. */
  async stop(): Promise<void> {
    if (!this.#isSaved) this.#save()
    await this.#saving
  }

  #save(): void {
    const { peerStore, log } = this.#config
    if (peerStore === null) return
    this.#isSaved = true
    this.#saving = this.#saving
      .then(() => peerStore.save(encodeRecordFile(this.#book.stored())))
      .catch((error: unknown) => {
        log.warn('the known peers cannot be saved', {
          error: error instanceof Error ? error.message : String(error),
        })
      })
  }

  #isProved(unproved: Parameters<typeof isProved>[0]): boolean {
    return isProved(unproved, this.#config.genesisHash, this.#config.verify)
  }

  #teach({ peer, addresses }: SignedPeerRecord, heardFromNearby: boolean): void {
    this.#learned(peer, plausibleAddresses(addresses, heardFromNearby))
  }
}
