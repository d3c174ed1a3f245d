/**
 * What a node says of its own pace: transactions a second and how long finality takes. Bounded memory.
 * @module
 */

const LATENCIES_KEPT = 1_024
const RATE_WINDOW_MS = 5_000

export class Statistics {
  readonly #latenciesMs: number[] = []
  #next = 0
  #commits: { readonly atMs: number; readonly transactions: number }[] = []
  #lastFinalAtMs: number | null = null

  /** @param latenciesMs of the transactions that this node knew before they were final. */
  blocksFinal(nowMs: number, transactions: number, latenciesMs: readonly number[]): void {
    this.#lastFinalAtMs = nowMs
    this.#commits.push({ atMs: nowMs, transactions })
    this.#forgetOld(nowMs)
    for (const latency of latenciesMs) {
      this.#latenciesMs[this.#next] = latency
      this.#next = (this.#next + 1) % LATENCIES_KEPT
    }
  }

  /** Over the last five seconds. */
  transactionsPerSecond(nowMs: number): number {
    this.#forgetOld(nowMs)
    const count = this.#commits.reduce((sum, { transactions }) => sum + transactions, 0)
    return Math.round((count * 10_000) / RATE_WINDOW_MS) / 10
  }

  sinceFinalMs(nowMs: number): number | null {
    return this.#lastFinalAtMs === null ? null : nowMs - this.#lastFinalAtMs
  }

  latencyMs(): { readonly p50: number; readonly p99: number } | null {
    if (this.#latenciesMs.length === 0) return null
    const sorted = [...this.#latenciesMs].sort((a, b) => a - b)
    const at = (part: number): number => Math.round(sorted[Math.floor(part * (sorted.length - 1))]!)
    return { p50: at(0.5), p99: at(0.99) }
  }

  #forgetOld(nowMs: number): void {
    while (this.#commits.length > 0 && nowMs - this.#commits[0]!.atMs > RATE_WINDOW_MS) this.#commits.shift()
  }
}
