/**
 * What the process uses: memory, processor, and how late the event loop is.
 * @module
 */
import { readFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'

export interface ProcessFigures {
  /** Memory of its own (RssAnon); mapped files of the store are not counted. All resident memory where the system does not say. */
  readonly memoryBytes: number
  /** Since the start. */
  readonly cpuSeconds: number
  /** In the last second or so: how much later than due the loop came to its timers. */
  readonly loopLagMs: { readonly p50: number; readonly p99: number; readonly max: number }
}

const RESOLUTION_MS = 20
const NS_PER_MS = 1e6

export class ProcessMeter {
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  #loopLagMs: ProcessFigures['loopLagMs'] = { p50: 0, p99: 0, max: 0 }

  start(): void {
    this.#delay.enable()
  }

  stop(): void {
    this.#delay.disable()
  }

  /** Call it every second: the lag is that since the last call. */
  tick(): void {
    if (this.#delay.count === 0) return
    const lag = (ns: number) => Math.max(0, ns / NS_PER_MS - RESOLUTION_MS)
    this.#loopLagMs = {
      p50: lag(this.#delay.percentile(50)),
      p99: lag(this.#delay.percentile(99)),
      max: lag(this.#delay.max),
    }
    this.#delay.reset()
  }

  get figures(): ProcessFigures {
    const { user, system } = process.cpuUsage()
    return { memoryBytes: ownMemoryBytes(), cpuSeconds: (user + system) / 1e6, loopLagMs: this.#loopLagMs }
  }
}

/** Linux tells it in `/proc` (proc(5)). */
function ownMemoryBytes(): number {
  try {
    const match = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))
    if (match !== null) return Number(match[1]) * 1024
  } catch {
    // Not Linux.
  }
  return process.memoryUsage.rss()
}
