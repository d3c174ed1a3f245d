/**
 * The signed records of all peers that this node has heard of, and how well each could be reached (PT-5, TN-4). Pure.
 * B1  of two records of a peer the newer counts
 * B2  a record from the future is not taken: it would hold off every later one
 * B3  the book is bounded: who could not be reached most often, then who was not seen for longest, makes room
 * @module
 */
import type { SignedPeerRecord } from './peer-record.ts'
import type { StoredRecord } from './record-file.ts'

export interface RecordEntry {
  readonly record: SignedPeerRecord
  /** Wall clock; when a session with it last opened or ended. 0 for never. */
  readonly lastSeenMs: number
  /** Dials that failed since. */
  readonly failures: number
}

/** Clocks of honest nodes differ by less. */
const FUTURE_MS_MAX = 3_600_000

export class RecordBook {
  readonly #countMax: number
  readonly #entryByPeer = new Map<string, RecordEntry>()

  constructor(countMax: number) {
    this.#countMax = countMax
  }

  get(peer: string): RecordEntry | undefined {
    return this.#entryByPeer.get(peer)
  }

  all(): IterableIterator<RecordEntry> {
    return this.#entryByPeer.values()
  }

  /** What is kept over a restart. */
  stored(): StoredRecord[] {
    return [...this.all()].map(({ record: { encoded }, lastSeenMs, failures }) => ({
      encoded,
      lastSeenMs,
      failures,
    }))
  }

  get size(): number {
    return this.#entryByPeer.size
  }

  /** Whether a record would be taken (B1, B2): worth asking before its signature is checked. */
  isNews({ peer, seq }: { readonly peer: string; readonly seq: number }, wallMs: number): boolean {
    return seq <= wallMs + FUTURE_MS_MAX && seq > (this.#entryByPeer.get(peer)?.record.seq ?? -1)
  }

  /** @returns false when it is no news, or there is no room for it. */
  put(record: SignedPeerRecord, wallMs: number, about = { lastSeenMs: 0, failures: 0 }): boolean {
    if (!this.isNews(record, wallMs)) return false
    const known = this.#entryByPeer.get(record.peer)
    if (known !== undefined) {
      this.#entryByPeer.set(record.peer, { ...known, record })
      return true
    }
    const entry = { record, ...about }
    if (this.#entryByPeer.size >= this.#countMax && !this.#makeRoomFor(entry)) return false
    this.#entryByPeer.set(record.peer, entry)
    return true
  }

  seen(peer: string, wallMs: number): void {
    const entry = this.#entryByPeer.get(peer)
    if (entry !== undefined) this.#entryByPeer.set(peer, { ...entry, lastSeenMs: wallMs, failures: 0 })
  }

  failed(peer: string): void {
    const entry = this.#entryByPeer.get(peer)
    if (entry !== undefined) this.#entryByPeer.set(peer, { ...entry, failures: entry.failures + 1 })
  }

  #makeRoomFor(newcomer: RecordEntry): boolean {
    let worst = newcomer
    for (const entry of this.#entryByPeer.values()) if (isWorse(entry, worst)) worst = entry
    return worst !== newcomer && this.#entryByPeer.delete(worst.record.peer)
  }
}

/** The older record goes when all else is equal, so that a full book of strangers still takes newer ones. */
function isWorse(a: RecordEntry, b: RecordEntry): boolean {
  if (a.failures !== b.failures) return a.failures > b.failures
  if (a.lastSeenMs !== b.lastSeenMs) return a.lastSeenMs < b.lastSeenMs
  return a.record.seq < b.record.seq
}
