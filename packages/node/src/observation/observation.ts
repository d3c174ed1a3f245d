/**
 * Watches a node: once a second its figures go into the history, now and then the history to disk (PT-12, PO-10).
 * @module
 */
import type { Clock, Log } from '@althing/base'
import { LANES } from '@althing/network'
import type { Network, NetworkStats, PeerView } from '@althing/network'
import type { ChainFigures } from './chain-figures.ts'
import { History } from './history.ts'
import { readHistory, writeHistory } from './history-file.ts'
import { ProcessMeter } from './process-meter.ts'
import type { ProcessFigures } from './process-meter.ts'

export type ObservedNetwork = Pick<Network, 'peers' | 'knownPeers' | 'health' | 'stats'>

/** What is shown of a node that is watched. */
export interface Observed {
  readonly network: ObservedNetwork
  readonly history: History<Figure>
  chain(): ChainFigures
  process(): ProcessFigures
  wallMs(): number
}

/** What can be asked for over time. Messages, bytes, drops and errors are of a second. */
export const FIGURES = [
  'peers',
  'latency_ms',
  'messages_sent',
  'messages_received',
  'bytes_sent',
  'bytes_received',
  'messages_dropped',
  'messages_queued',
  'errors',
  'transactions',
  'transactions_waiting',
  'finality_ms',
  'cpu_share',
  'memory_bytes',
  'event_loop_lag_ms',
] as const
export type Figure = (typeof FIGURES)[number]

const SAMPLE_MS = 1_000
const WRITE_MS = 300_000

interface ObservationSetup {
  readonly network: ObservedNetwork
  readonly chain: () => ChainFigures
  /** Where the history is kept. */
  readonly file: string
  readonly clock: Clock
  readonly log: Log
}

/** What only ever grows, and when it was read. */
interface Totals {
  readonly atMs: number
  readonly sent: number
  readonly received: number
  readonly bytesSent: number
  readonly bytesReceived: number
  readonly dropped: number
  readonly errors: number
  readonly transactions: number
  readonly cpuSeconds: number
}

/** Reads what the file has, and begins to watch. */
export async function startObservation(setup: ObservationSetup): Promise<Observation> {
  const history = new History(FIGURES)
  await readHistory(setup.file, history, setup.log)
  return new Observation(setup, history)
}

export class Observation implements Observed {
  readonly history: History<Figure>
  readonly network: ObservedNetwork
  readonly #setup: ObservationSetup
  readonly #meter = new ProcessMeter()
  readonly #timer: NodeJS.Timeout
  #totals: Totals
  #writtenMs: number
  #writing: Promise<void> = Promise.resolve()

  constructor(setup: ObservationSetup, history: History<Figure>) {
    this.#setup = setup
    this.history = history
    this.network = setup.network
    this.#meter.start()
    this.#totals = this.#readTotals(setup.network.stats())
    this.#writtenMs = this.#totals.atMs
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS)
  }

  chain(): ChainFigures {
    return this.#setup.chain()
  }

  process(): ProcessFigures {
    return this.#meter.figures
  }

  wallMs(): number {
    return this.#setup.clock.wallMs()
  }

  /** Resolves when the history is on disk. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    this.#meter.stop()
    await this.#write()
  }

  #sample(): void {
    this.#meter.tick()
    const stats = this.network.stats()
    const [before, now] = [this.#totals, this.#readTotals(stats)]
    this.#totals = now
    const seconds = Math.max(0.001, (now.atMs - before.atMs) / 1000)
    const perSecond = (name: Exclude<keyof Totals, 'atMs'>) => Math.max(0, now[name] - before[name]) / seconds
    const chain = this.chain()
    const process = this.process()
    const peers = this.network.peers()
    this.history.add(
      {
        peers: peers.length,
        ...optional('latency_ms', meanLatencyMs(peers)),
        messages_sent: perSecond('sent'),
        messages_received: perSecond('received'),
        bytes_sent: perSecond('bytesSent'),
        bytes_received: perSecond('bytesReceived'),
        messages_dropped: perSecond('dropped'),
        messages_queued: queuedMessages(peers),
        errors: perSecond('errors'),
        transactions: perSecond('transactions'),
        transactions_waiting: chain.pool.count,
        ...optional('finality_ms', chain.finalityMs?.p50 ?? null),
        cpu_share: perSecond('cpuSeconds'),
        memory_bytes: process.memoryBytes,
        event_loop_lag_ms: process.loopLagMs.max,
      },
      this.wallMs(),
    )
    if (now.atMs - this.#writtenMs < WRITE_MS) return
    this.#writtenMs = now.atMs
    void this.#write()
  }

  #readTotals(stats: NetworkStats): Totals {
    return {
      atMs: this.#setup.clock.monotonicMs(),
      sent: sum(stats.sent.map(({ messages }) => messages)),
      received: sum(stats.received.map(({ messages }) => messages)),
      bytesSent: stats.bytesSent,
      bytesReceived: stats.bytesReceived,
      dropped: sum(Object.values(stats.droppedByReason)),
      errors: sum(Object.values(stats.errorsByType)),
      transactions: this.chain().transactionsTotal,
      cpuSeconds: this.process().cpuSeconds,
    }
  }

  /** One after the other; a disk that is full harms nothing but the history. */
  #write(): Promise<void> {
    const { file, log } = this.#setup
    this.#writing = this.#writing.then(() =>
      writeHistory(file, this.history).catch((error: Error) => {
        log.warn('the history cannot be written', { file, error: error.message })
      }),
    )
    return this.#writing
  }
}

export function queuedMessages(peers: readonly PeerView[]): number {
  return sum(peers.flatMap(({ queues }) => LANES.map((lane) => queues[lane].messages)))
}

/** Null before the first round trip. */
function meanLatencyMs(peers: readonly PeerView[]): number | null {
  const known = peers.flatMap(({ latencyMs }) => (latencyMs === null ? [] : [latencyMs]))
  return known.length === 0 ? null : sum(known) / known.length
}

function optional(figure: Figure, value: number | null): Partial<Record<Figure, number>> {
  return value === null ? {} : { [figure]: value }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
