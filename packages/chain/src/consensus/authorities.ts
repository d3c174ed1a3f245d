/**
 * Who was heard when.
 * @module
 */
import { equalBytes, faultyWeightMax, quorumWeight } from '@althing/base'
import type { AuthoritySet } from '@althing/base'

/** f of R8, counted in authorities. */
export function faultyCountMax(set: AuthoritySet): number {
  return faultyWeightMax(set.map(({ key }) => ({ key, weight: 1 })))
}

/** When each authority was last heard, by the monotonic clock (R8). */
export class LastHeard {
  readonly #set: AuthoritySet
  readonly #atMs: (number | null)[]
  #beganAtMs = 0
  #excusedUntilMs = Number.NEGATIVE_INFINITY

  /** @param before of the epoch before: who goes on with the same key was heard when it was. */
  constructor(set: AuthoritySet, before?: LastHeard) {
    this.#set = set
    this.#atMs = set.map(({ key }) => (before === undefined ? null : before.#lastOf(key)))
  }

  /** When the authority of this key was last heard; null when never, or when it is none. */
  #lastOf(key: Uint8Array): number | null {
    return this.#atMs[this.#set.findIndex((authority) => equalBytes(authority.key, key))] ?? null
  }

  /** From now on silence counts, also of those that were never heard. */
  begin(nowMs: number): void {
    this.#beganAtMs = nowMs
  }

  heard(index: number, nowMs: number): void {
    this.#atMs[index] = nowMs
  }

  /** At the end of an idle wait nobody is skipped for having been quiet (R14); when it was heard stays as it was. */
  excuseAll(nowMs: number): void {
    this.#excusedUntilMs = nowMs
  }

  /** How long it was not heard; null when never. */
  silentMs(index: number, nowMs: number): number | null {
    const at = this.#atMs[index] ?? null
    return at === null ? null : nowMs - at
  }

  /** R8: `index` was not heard for `silenceMs`, while a quorum was. @param self counts as heard; -1 when not a member. */
  isSilent(index: number, self: number, nowMs: number, silenceMs: number): boolean {
    if (index === self) return false
    const since = Math.max(this.#atMs[index] ?? this.#beganAtMs, this.#excusedUntilMs)
    if (nowMs - since <= silenceMs) return false
    let heardWeight = 0
    for (const [other, { weight }] of this.#set.entries()) {
      const at = this.#atMs[other] ?? null
      if (other === self || (at !== null && nowMs - at <= silenceMs)) heardWeight += weight
    }
    return heardWeight >= quorumWeight(this.#set)
  }
}
