/**
 * A whole network in two processes.
 * @module
 */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { percentile } from '../percentiles.ts'
import type { Counts, Load, Order, Report, Side } from './wire.ts'

const PROCESSES = 2
const NODES_EACH = 4
export const NODES = PROCESSES * NODES_EACH

export interface Outcome {
  readonly messagesPerSecond: number
  /** Of what should have come to all others. */
  readonly deliveredShare: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  /** Of both processes, with their publishing. */
  readonly cpuMicrosecondsPerDelivery: number
  /** On the sockets, over payload × receivers. */
  readonly bytesFactor: number
}

export class Fleet implements Disposable {
  readonly #children: readonly ChildProcess[]

  private constructor(children: readonly ChildProcess[]) {
    this.#children = children
  }

  /** Everyone is linked to everyone. */
  static async start(side: Side): Promise<Fleet> {
    const children: ChildProcess[] = []
    const addresses: string[] = []
    for (let i = 0; i < PROCESSES; i++) {
      const args = [side, `${1 + i * NODES_EACH}`, `${NODES_EACH}`]
      const child = fork(join(import.meta.dirname, 'fleet-process.ts'), args)
      children.push(child)
      const report = await next(child)
      if (report.kind === 'ready') addresses.push(...report.addresses)
    }
    for (const child of children) await ask(child, { kind: 'connect', addresses, peers: NODES - 1 })
    return new Fleet(children)
  }

  async run(messagesPerSecond: number, messages: number, bytes: number): Promise<Outcome> {
    const load: Load = { messagesPerSecond, messages, bytes, nodes: NODES }
    const received = (messages / PROCESSES) * (NODES - 1)
    await Promise.all(this.#children.map((child) => ask(child, { kind: 'reset' })))
    await Promise.all(this.#children.map((child) => ask(child, { kind: 'load', load, received })))
    const reports = await Promise.all(this.#children.map((child) => ask(child, { kind: 'counts' })))
    return outcomeOf(
      load,
      reports.map((report) => {
        if (report.kind !== 'counts') throw new Error(`${report.kind} is not the answer to counts`)
        return report.counts
      }),
    )
  }

  [Symbol.dispose](): void {
    for (const child of this.#children) child.disconnect()
  }
}

async function ask(child: ChildProcess, order: Order): Promise<Report> {
  child.send(order)
  return next(child)
}

async function next(child: ChildProcess): Promise<Report> {
  const over = new AbortController()
  try {
    const { signal } = over
    const exited = once(child, 'exit', { signal }).then(([code]) => {
      throw new Error(`a process of the fleet ended with code ${code}`)
    })
    const [report] = (await Promise.race([once(child, 'message', { signal }), exited])) as [Report]
    return report
  } finally {
    over.abort()
  }
}

function outcomeOf(load: Load, counts: readonly Counts[]): Outcome {
  const sum = (value: (one: Counts) => number): number => counts.reduce((total, one) => total + value(one), 0)
  const published = sum((one) => one.published)
  const delivered = sum((one) => one.delivered)
  const latencies = counts.flatMap(({ latenciesMs }) => latenciesMs)
  const seconds = Math.max(...counts.map(({ publishingMs }) => publishingMs)) / 1000
  return {
    messagesPerSecond: published / seconds,
    deliveredShare: delivered / (published * (NODES - 1)),
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
    maxMs: percentile(latencies, 1),
    cpuMicrosecondsPerDelivery: (sum(({ cpuMs }) => cpuMs) * 1000) / delivered,
    bytesFactor: sum(({ sentBytes }) => sentBytes) / (load.bytes * published * (NODES - 1)),
  }
}
