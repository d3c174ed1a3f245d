/**
 * The blacklist of a running node (PT-4): kept in its store, asked on every dial, accept and hello.
 * @module
 */
import type { Clock, Log } from '@althing/base'
import { NetworkError } from './errors.ts'
import { Blacklist, parseTarget } from './protocol/blacklist.ts'
import type { BlacklistEntry } from './protocol/blacklist.ts'

/** Where a blacklist outlives the process. */
export interface BlacklistStore {
  /** Empty when nothing was ever saved. */
  load(): Promise<readonly BlacklistEntry[]>
  /** Resolves when it is durable; takes the place of what was there. Not called again before that. */
  save(entries: readonly BlacklistEntry[]): Promise<void>
}

export interface BanOptions {
  /** For people; it is shown with the entry. */
  readonly reason?: string
  /** Who decided; `operator` by default. */
  readonly by?: string
  /** For good without it. */
  readonly forMs?: number
}

const TEXT_CHARACTERS_MAX = 256

export class Bans {
  readonly #list = new Blacklist()
  readonly #store: BlacklistStore | null
  readonly #clock: Clock
  readonly #log: Log
  #saving: Promise<void> | null = null
  #isStale = false

  private constructor(setup: { store: BlacklistStore | null; clock: Clock; log: Log }) {
    this.#store = setup.store
    this.#clock = setup.clock
    this.#log = setup.log
  }

  /** What the store's `load` throws is thrown. */
  static async load(setup: { store: BlacklistStore | null; clock: Clock; log: Log }): Promise<Bans> {
    const bans = new Bans(setup)
    for (const entry of (await setup.store?.load()) ?? []) bans.#list.add(entry)
    bans.#list.expire(setup.clock.wallMs())
    return bans
  }

  entries(): BlacklistEntry[] {
    return this.#list.entries(this.#clock.wallMs())
  }

  ofPeer(peer: string): BlacklistEntry | null {
    return this.#list.ofPeer(peer, this.#clock.wallMs()) ?? null
  }

  /** @param multiaddr of the other end of a connection. */
  ofAddress(multiaddr: string): BlacklistEntry | null {
    return this.#list.ofAddress(multiaddr, this.#clock.wallMs()) ?? null
  }

  /** In force at once. @throws {NetworkError} `BLACKLIST_TARGET_INVALID`, `BLACKLIST_FULL`. */
  ban(
    target: string,
    { reason = '', by = 'operator', forMs }: BanOptions,
    automatic: boolean,
  ): BlacklistEntry {
    const parsed = parseTarget(target)
    if (!parsed.ok) throw new NetworkError('BLACKLIST_TARGET_INVALID', parsed.fault.message)
    const nowMs = this.#clock.wallMs()
    this.#list.expire(nowMs)
    const added = this.#list.add({
      target: parsed.value,
      reason: reason.slice(0, TEXT_CHARACTERS_MAX),
      by: by.slice(0, TEXT_CHARACTERS_MAX),
      automatic,
      sinceMs: nowMs,
      untilMs: forMs === undefined ? null : nowMs + forMs,
    })
    if (!added.ok) throw new NetworkError('BLACKLIST_FULL', added.fault.message)
    this.#changed()
    this.#log.warn('banned', { ...added.value })
    return added.value
  }

  /** @returns the entry that ended; null when there was none. @throws {NetworkError} `BLACKLIST_TARGET_INVALID`. */
  unban(target: string): BlacklistEntry | null {
    const parsed = parseTarget(target)
    if (!parsed.ok) throw new NetworkError('BLACKLIST_TARGET_INVALID', parsed.fault.message)
    const entry = this.#list.remove(parsed.value)
    if (entry === undefined) return null
    this.#changed()
    this.#log.warn('ban lifted', { target: entry.target })
    return entry
  }

  /** Resolves when everything up to now is in the store. What its `save` throws is thrown. */
  async saved(): Promise<void> {
    while (this.#saving !== null) await this.#saving
  }

  #changed(): void {
    if (this.#store === null) return
    this.#isStale = true
    if (this.#saving !== null) return
    this.#saving = this.#save(this.#store).finally(() => (this.#saving = null))
    this.#saving.catch((error: unknown) =>
      this.#log.error('the blacklist cannot be saved; a restart forgets the latest bans', { error }),
    )
  }

  async #save(store: BlacklistStore): Promise<void> {
    while (this.#isStale) {
      this.#isStale = false
      await store.save(this.entries())
    }
  }
}
