/**
 * Clients whose queries had to be ended, and queries that took long: what has cost much lately will again. Pure.
 * @module
 */
import { RecentMap } from '@althing/base'

/** So many ended queries within the window, and a client waits. */
const ENDED_MAX = 3
const WINDOW_MS = 60_000
const CLIENTS_MAX = 1_024
const HEAVY_QUERIES_MAX = 256

export class Offenders {
  /** Times at which queries of a client were ended, oldest first. */
  readonly #endedByClient = new RecentMap<string, readonly number[]>(CLIENTS_MAX)
  /** Whether a query that once took long did so the last time. */
  readonly #heavy = new RecentMap<string, boolean>(HEAVY_QUERIES_MAX)

  /** How long the client has to wait; 0 when it may ask. */
  waitMs(client: string, nowMs: number): number {
    const ended = this.#recent(client, nowMs)
    return ended.length < ENDED_MAX ? 0 : ended[ended.length - ENDED_MAX]! + WINDOW_MS - nowMs
  }

  noteEnded(client: string, nowMs: number): void {
    this.#endedByClient.set(client, [...this.#recent(client, nowMs), nowMs].slice(-ENDED_MAX))
  }

  isHeavy(query: string): boolean {
    return this.#heavy.get(query) ?? false
  }

  noteHeavy(query: string): void {
    this.#heavy.set(query, true)
  }

  noteLight(query: string): void {
    if (this.#heavy.get(query) !== undefined) this.#heavy.set(query, false)
  }

  #recent(client: string, nowMs: number): readonly number[] {
    return (this.#endedByClient.get(client) ?? []).filter((endedMs) => endedMs > nowMs - WINDOW_MS)
  }
}
