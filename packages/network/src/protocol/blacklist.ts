/**
 * Who may not be a peer: peer ids, IP addresses and blocks of them (PT-4). Pure; times are those of the wall clock, since
 * entries outlive the process.
 * B1  an entry ends by itself at `untilMs`; without one it ends only by `remove`
 * B2  one entry per target: a new one takes the place of the old, but an automatic one never shortens one by hand
 * B3  bounded: when it is full the oldest temporary entry goes; full of permanent ones, it takes no more
 * @module
 */
import { fail, ok } from '@althing/base'
import type { Result } from '@althing/base'
import { isPeerId } from './address.ts'
import { blockContaining, ipBlockText, ipOf, parseIpBlock } from './ip-block.ts'
import type { IpBlock } from './ip-block.ts'

export interface BlacklistEntry {
  /** A peer id, an IP address, or a block as `10.1.0.0/16`, in canonical form. */
  readonly target: string
  readonly reason: string
  /** Who or what decided. */
  readonly by: string
  readonly automatic: boolean
  /** Wall clock, milliseconds since 1970. */
  readonly sinceMs: number
  /** Null: for good. */
  readonly untilMs: number | null
}

const BLACKLIST_ENTRIES_MAX = 10_000
/** A block of more addresses than these is taken for a slip: it would cut off half of the world. */
const PREFIX_BITS_MIN = { 4: 8, 6: 16 } as const
/** Anything shorter is a slip too. */
const PEER_ID_CHARACTERS_MIN = 16

export class Blacklist {
  readonly #entriesMax: number
  readonly #entryByTarget = new Map<string, BlacklistEntry>()
  /** How many entries have a block of this many prefix bits: only these need a look. */
  readonly #blocksByPrefix = new Map<string, number>()

  constructor(entriesMax = BLACKLIST_ENTRIES_MAX) {
    this.#entriesMax = entriesMax
  }

  get size(): number {
    return this.#entryByTarget.size
  }

  /** @param entry its target canonical, as `parseTarget` gives it. @returns what is in force for that target now. */
  add(entry: BlacklistEntry): Result<BlacklistEntry> {
    const before = this.#entryByTarget.get(entry.target)
    if (before !== undefined && entry.automatic && !before.automatic && !endsBefore(before, entry)) {
      return ok(before)
    }
    if (before === undefined && this.size >= this.#entriesMax && !this.#dropOldestTemporary()) {
      return fail('BLACKLIST_FULL', `all ${this.#entriesMax} entries are permanent; remove one first`)
    }
    if (before === undefined) this.#countBlock(entry.target, 1)
    this.#entryByTarget.delete(entry.target)
    this.#entryByTarget.set(entry.target, entry)
    return ok(entry)
  }

  /** @returns what was in force; undefined when nothing was. */
  remove(target: string): BlacklistEntry | undefined {
    const entry = this.#entryByTarget.get(target)
    if (entry === undefined) return undefined
    this.#entryByTarget.delete(target)
    this.#countBlock(target, -1)
    return entry
  }

  ofPeer(peer: string, nowMs: number): BlacklistEntry | undefined {
    return inForce(this.#entryByTarget.get(peer), nowMs)
  }

  /** @param multiaddr of the other end; one without an IP address of its own is on no list. */
  ofAddress(multiaddr: string, nowMs: number): BlacklistEntry | undefined {
    if (this.#blocksByPrefix.size === 0) return undefined
    const ip = ipOf(multiaddr)
    if (ip === null) return undefined
    for (const prefix of this.#blocksByPrefix.keys()) {
      const [family, bits] = prefix.split('/')
      if (Number(family) !== ip.family) continue
      const text = ipBlockText(blockContaining(ip, Number(bits)))
      const entry = inForce(this.#entryByTarget.get(text), nowMs)
      if (entry !== undefined) return entry
    }
    return undefined
  }

  /** Those in force, the oldest first. */
  entries(nowMs: number): BlacklistEntry[] {
    return [...this.#entryByTarget.values()].filter((entry) => inForce(entry, nowMs) !== undefined)
  }

  /** Forgets what is over. @returns whether there was something. */
  expire(nowMs: number): boolean {
    const over = [...this.#entryByTarget.values()].filter((entry) => inForce(entry, nowMs) === undefined)
    for (const { target } of over) this.remove(target)
    return over.length > 0
  }

  #dropOldestTemporary(): boolean {
    for (const { target, untilMs } of this.#entryByTarget.values()) {
      if (untilMs !== null) return this.remove(target) !== undefined
    }
    return false
  }

  #countBlock(target: string, change: 1 | -1): void {
    const block = parseIpBlock(target)
    if (block === null) return
    const key = `${block.family}/${block.prefixBits}`
    const count = (this.#blocksByPrefix.get(key) ?? 0) + change
    if (count === 0) this.#blocksByPrefix.delete(key)
    else this.#blocksByPrefix.set(key, count)
  }
}

/** The canonical form of a peer id, an IP address or a block in CIDR notation. */
export function parseTarget(text: string): Result<string> {
  const block = parseIpBlock(text)
  if (block !== null)
    return isTooWide(block) ? fail('BLACKLIST_TARGET_INVALID', tooWide(text, block)) : ok(ipBlockText(block))
  if (isPeerId(text) && text.length >= PEER_ID_CHARACTERS_MIN) return ok(text)
  return fail('BLACKLIST_TARGET_INVALID', `"${text}" is no peer id, IP address or block such as 10.1.0.0/16`)
}

function isTooWide({ family, prefixBits }: IpBlock): boolean {
  return prefixBits < PREFIX_BITS_MIN[family]
}

function tooWide(text: string, { family, prefixBits }: IpBlock): string {
  return `${text} leaves only ${prefixBits} bits fixed; at least ${PREFIX_BITS_MIN[family]}`
}

function inForce(entry: BlacklistEntry | undefined, nowMs: number): BlacklistEntry | undefined {
  return entry === undefined || (entry.untilMs !== null && entry.untilMs <= nowMs) ? undefined : entry
}

function endsBefore({ untilMs }: BlacklistEntry, other: BlacklistEntry): boolean {
  return untilMs !== null && (other.untilMs === null || untilMs < other.untilMs)
}
