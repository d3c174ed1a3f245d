/**
 * When to try for a direct link to a peer that is reached over a relay (PT-8). Pure.
 * G1  at once when the relayed session opens, and when the peer says where it can be dialled
 * G2  after a failure again, after a time that doubles up to the maximum, for as long as the session stays relayed
 * G3  one attempt to a peer at a time
 * @module
 */
const RETRY_MIN_MS = 2000
const RETRY_MAX_MS = 600_000
const ADDRESSES_MAX = 4

interface Relayed {
  addresses: readonly string[]
  failures: number
  nextTryMs: number
  isTrying: boolean
}

export interface UpgradeAttempt {
  readonly peer: string
  readonly addresses: readonly string[]
}

export class Upgrades {
  readonly #relayedByPeer = new Map<string, Relayed>()

  /** A relayed session opened. @param addresses direct ones, as far as the peer named any. */
  relayed(peer: string, addresses: readonly string[], nowMs: number): void {
    this.#relayedByPeer.set(peer, {
      addresses: bounded(addresses),
      failures: 0,
      nextTryMs: nowMs,
      isTrying: false,
    })
  }

  /** The peer says where it can be dialled. Of no effect when its session is direct. */
  addressesKnown(peer: string, addresses: readonly string[], nowMs: number): void {
    const relayed = this.#relayedByPeer.get(peer)
    if (relayed === undefined || addresses.length === 0) return
    relayed.addresses = bounded([...addresses, ...relayed.addresses])
    relayed.nextTryMs = nowMs
  }

  /** The session ended, or is direct now. */
  settled(peer: string): void {
    this.#relayedByPeer.delete(peer)
  }

  failed(peer: string, nowMs: number): void {
    const relayed = this.#relayedByPeer.get(peer)
    if (relayed === undefined) return
    relayed.isTrying = false
    relayed.nextTryMs = nowMs + Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** Math.min(relayed.failures, 30))
    relayed.failures++
  }

  /** The attempts to make now; each lasts until `failed` or `settled`. */
  due(nowMs: number): readonly UpgradeAttempt[] {
    const attempts: UpgradeAttempt[] = []
    for (const [peer, relayed] of this.#relayedByPeer) {
      if (relayed.isTrying || relayed.nextTryMs > nowMs) continue
      relayed.isTrying = true
      attempts.push({ peer, addresses: relayed.addresses })
    }
    return attempts
  }

  nextDueMs(): number {
    let next = Infinity
    for (const { isTrying, nextTryMs } of this.#relayedByPeer.values()) {
      if (!isTrying) next = Math.min(next, nextTryMs)
    }
    return next
  }
}

function bounded(addresses: readonly string[]): string[] {
  return [...new Set(addresses)].slice(0, ADDRESSES_MAX)
}
