/**
 * Whether others can dial this node, from what those say who tried (PT-8). Pure.
 * H1  of each peer the newest word counts, for `WORD_AGE_MS_MAX`; without any the answer is `unknown`
 * H2  only words from the widest network count: who came through loopback or a private network says nothing of the internet
 * H3  `public` when at least half of those who tried came through, else `private`: one liar does not decide for long
 * H4  an address is confirmed by the same rule, among those who see this node at that host
 * @module
 */
import type { Place } from './ip-block.ts'

/** What one peer found when it dialled back. */
export interface Word {
  readonly peer: string
  /** Where it sees this node, as `/ip4/11.0.0.2`. */
  readonly host: string
  readonly scope: Place['kind']
  /** What follows the host in the addresses that it dialled, as `/tcp/4001`. */
  readonly tried: readonly string[]
  /** Those of `tried` at which this node answered. */
  readonly reached: readonly string[]
}

export interface Reachability {
  readonly reach: 'unknown' | 'public' | 'private'
  /** For people. */
  readonly why: string
  /** Multiaddrs at which others came through. */
  readonly confirmed: readonly string[]
}

export const WORD_AGE_MS_MAX = 15 * 60_000
const WORDS_MAX = 32
const SCOPES: readonly Place['kind'][] = ['public', 'private', 'loopback']

interface Heard extends Word {
  readonly atMs: number
}

export class ReachabilityJudge {
  /** The one heard last is last. */
  readonly #wordByPeer = new Map<string, Heard>()

  heard(word: Word, nowMs: number): void {
    this.#wordByPeer.delete(word.peer)
    this.#wordByPeer.set(word.peer, { ...word, atMs: nowMs })
    const [oldest] = this.#wordByPeer.keys()
    if (this.#wordByPeer.size > WORDS_MAX) this.#wordByPeer.delete(oldest!)
  }

  /** When this peer was heard last; -Infinity when its word does not count any more. */
  heardAtMs(peer: string): number {
    return this.#wordByPeer.get(peer)?.atMs ?? -Infinity
  }

  /** Where the internet saw this node last, as `/ip4/11.0.0.2`. */
  get seenAt(): string | null {
    return [...this.#wordByPeer.values()].findLast(({ scope }) => scope === 'public')?.host ?? null
  }

  judge(nowMs: number): Reachability {
    for (const [peer, { atMs }] of this.#wordByPeer) {
      if (nowMs - atMs >= WORD_AGE_MS_MAX) this.#wordByPeer.delete(peer)
    }
    const all = [...this.#wordByPeer.values()]
    const scope = SCOPES.find((candidate) => all.some((word) => word.scope === candidate))
    if (scope === undefined) {
      return { reach: 'unknown', why: 'no peer has tried to dial this node yet', confirmed: [] }
    }
    const words = all.filter((word) => word.scope === scope)
    const through = words.filter(({ reached }) => reached.length > 0).length
    const why = `${through} of ${words.length} peers that tried could dial this node${SCOPE_TEXT[scope]}`
    if (through * 2 < words.length) return { reach: 'private', why, confirmed: [] }
    return { reach: 'public', why, confirmed: confirmedBy(words) }
  }
}

const SCOPE_TEXT: Readonly<Record<Place['kind'], string>> = {
  public: '',
  private: ' over a private network',
  loopback: ' on this machine',
}

function confirmedBy(words: readonly Word[]): string[] {
  const votesByAddress = new Map<string, number>()
  for (const { host, tried, reached } of words) {
    for (const door of tried) {
      const address = `${host}${door}`
      votesByAddress.set(address, (votesByAddress.get(address) ?? 0) + (reached.includes(door) ? 1 : -1))
    }
  }
  return [...votesByAddress].filter(([, votes]) => votes >= 0).map(([address]) => address)
}
