/**
 * `npm run simulate -- --figures`: hops, messages, bytes and signature checks of networks in which next to nothing goes
 * wrong, and how fast they are simulated.
 * @module
 */
import type { ChainModule } from './process.ts'
import { SteadyWorld } from './steady.ts'
import type { SteadyReport } from './steady.ts'

const SIZES = [4, 7, 10, 13, 25, 50] as const
/** Fewer blocks for large networks, whose costs grow with the square of their size. */
const BLOCKS_TIMES_AUTHORITIES = 2_000
const NETWORK = { seed: 1, linkMs: 100, transactionBytes: 200 } as const

/** @returns a table, a line each. */
export function figuresText(chain: ChainModule): string[] {
  const lines = [
    '    n  dead  hops/block  hops to finality  messages    bytes  checks  (each per node and block)',
  ]
  const startedAt = process.cpuUsage()
  let events = 0
  for (const authorities of SIZES) {
    for (const dead of [0, Math.floor((authorities - 1) / 3)]) {
      const world = new SteadyWorld(chain, { ...NETWORK, authorities, dead })
      const report = world.measure(Math.ceil(BLOCKS_TIMES_AUTHORITIES / authorities))
      events += report.events
      lines.push(lineOf(authorities, dead, report))
    }
  }
  const { user, system } = process.cpuUsage(startedAt)
  return [...lines, eventRateText(events, (user + system) / 1_000)]
}

/** @param cpuMs of all threads. */
export function eventRateText(events: number, cpuMs: number): string {
  return `${Math.round(events / cpuMs)} k simulated events for each second of processor time`
}

function lineOf(authorities: number, dead: number, report: SteadyReport): string {
  return [
    `${authorities}`.padStart(5),
    `${dead}`.padStart(6),
    report.hopsPerBlock.toFixed(2).padStart(12),
    report.hopsToFinality.toFixed(2).padStart(18),
    report.messagesPerBlock.toFixed(0).padStart(10),
    report.bytesPerBlock.toFixed(0).padStart(9),
    report.signatureChecksPerBlock.toFixed(1).padStart(8),
  ].join('')
}
