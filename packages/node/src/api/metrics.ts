/**
 * `GET /metrics`: the node in Prometheus' text form (TN-8). Nothing is counted for it on the way of a message: each scrape reads
 * what the parts count anyway. Labels are lanes, steps, kinds, reasons and codes, of which there are few; never peers.
 * @module
 */
import { Counter, Gauge, Registry } from 'prom-client'
import { LANES } from '@althing/network'
import type { KindTraffic, NetworkHealth, NetworkStats, PeerView, Step } from '@althing/network'
import type { ChainFigures, Observed, ProcessFigures } from '../observation/index.ts'

const ACTIVE_MS = 5 * 60_000

/** All that one scrape reads. */
interface Scrape {
  readonly stats: NetworkStats
  readonly peers: readonly PeerView[]
  readonly health: NetworkHealth
  readonly chain: ChainFigures
  readonly process: ProcessFigures
  readonly wallMs: number
}

type Labels = Readonly<Record<string, string>>
type Sample = readonly [labels: Labels, value: number]

interface Metric {
  readonly name: string
  readonly type: 'gauge' | 'counter'
  readonly help: string
  readonly labels: readonly string[]
  readonly read: (scrape: Scrape) => Iterable<Sample>
}

const METRICS: readonly Metric[] = [
  gauge(
    'network_peers_total',
    'Peers that are known: with a session, or lately gone.',
    ({ health }) => health.healthy + health.degraded + health.disconnected,
  ),
  gauge(
    'network_peers_active',
    'Peers with a session that were heard within 5 minutes.',
    ({ peers, wallMs }) => peers.filter(({ lastSeenMs }) => wallMs - lastSeenMs < ACTIVE_MS).length,
  ),
  {
    name: 'network_peers',
    type: 'gauge',
    help: 'Known peers by health.',
    labels: ['health'],
    read: ({ health: { healthy, degraded, disconnected } }) =>
      Object.entries({ healthy, degraded, disconnected }).map(
        ([health, count]) => [{ health }, count] as const,
      ),
  },
  traffic('network_messages_sent_total', 'Messages sent.', ({ sent }) => sent, 'messages'),
  traffic('network_messages_received_total', 'Messages received.', ({ received }) => received, 'messages'),
  traffic(
    'network_message_bytes_sent_total',
    'Bodies of messages sent, before compression.',
    ({ sent }) => sent,
    'bytes',
  ),
  traffic(
    'network_message_bytes_received_total',
    'Bodies of messages received.',
    ({ received }) => received,
    'bytes',
  ),
  counter(
    'network_bytes_sent_total',
    'Bytes sent on all sessions, without encryption.',
    ({ stats }) => stats.bytesSent,
  ),
  counter(
    'network_bytes_received_total',
    'Bytes received on all sessions.',
    ({ stats }) => stats.bytesReceived,
  ),
  {
    name: 'network_latency_seconds',
    type: 'gauge',
    help: 'Round trips to the peers, with the time in queues.',
    labels: ['of'],
    read: ({ peers }) => latencies(peers),
  },
  {
    name: 'network_queue_messages',
    type: 'gauge',
    help: 'Messages that wait to be sent.',
    labels: ['lane'],
    read: ({ peers }) =>
      LANES.map((lane) => [{ lane }, sumOf(peers, ({ queues }) => queues[lane].messages)] as const),
  },
  {
    name: 'network_queue_bytes',
    type: 'gauge',
    help: 'Bytes that wait to be sent.',
    labels: ['lane'],
    read: ({ peers }) =>
      LANES.map((lane) => [{ lane }, sumOf(peers, ({ queues }) => queues[lane].bytes)] as const),
  },
  step('network_step_entered_total', 'Messages that came to a step of their way.', 'entered'),
  step('network_step_left_total', 'Messages that a step let pass.', 'left'),
  {
    name: 'network_step_dropped_total',
    type: 'counter',
    help: 'Messages that a step dropped, by reason.',
    labels: ['step', 'lane', 'reason'],
    read: ({ stats }) => dropped(stats),
  },
  {
    name: 'network_errors_total',
    type: 'counter',
    help: 'Refused handshakes, ended sessions, faults of peers, failed dials and requests.',
    labels: ['type', 'code'],
    read: ({ stats }) =>
      Object.entries(stats.errorsByType).map(([key, count]) => {
        const [type = '', code = ''] = key.split(' ')
        return [{ type, code }, count] as const
      }),
  },
  {
    name: 'network_gossip_messages_total',
    type: 'counter',
    help: 'Gossip by what became of it.',
    labels: ['verdict'],
    read: ({ stats }) =>
      Object.entries(stats.gossip).map(([verdict, count]) => [{ verdict }, count] as const),
  },
  {
    name: 'network_limit_bytes_per_second',
    type: 'gauge',
    help: 'What may be sent to a peer now, besides critical messages: the least, the most, and the configured limit.',
    labels: ['of'],
    read: ({ stats }) => limits(stats),
  },
  gauge(
    'network_limit_waiting_peers',
    'Peers that wait for their turn with the budget of the node.',
    ({ stats }) => stats.limits.waitingPeers,
  ),
  gauge(
    'network_slowed',
    'How often the links that there are were read no further, their peers being over the limit.',
    ({ stats }) => stats.limits.slowed,
  ),
  gauge('chain_head_height', 'Height of the newest block, final or not.', ({ chain }) => chain.headHeight),
  gauge('chain_finalized_height', 'Height of the newest final block.', ({ chain }) => chain.finalizedHeight),
  counter(
    'chain_transactions_total',
    'Final transactions since block 0.',
    ({ chain }) => chain.transactionsTotal,
  ),
  {
    name: 'chain_finality_seconds',
    type: 'gauge',
    help: 'From the first sight of a transaction to its finality, over the last 1,024.',
    labels: ['quantile'],
    read: ({ chain: { finalityMs } }) =>
      finalityMs === null
        ? []
        : ([
            [{ quantile: '0.5' }, finalityMs.p50 / 1000],
            [{ quantile: '0.99' }, finalityMs.p99 / 1000],
          ] as const),
  },
  {
    name: 'chain_block_propagation_seconds',
    type: 'gauge',
    help: 'Of the latest block that all peers have, from the first that had it to the last.',
    labels: [],
    read: ({ chain: { propagationMs } }) =>
      propagationMs === null ? [] : [[{}, propagationMs / 1000] as const],
  },
  gauge('pool_transactions', 'Transactions that wait for a block.', ({ chain }) => chain.pool.count),
  gauge('pool_bytes', 'Their encoded size.', ({ chain }) => chain.pool.bytes),
  gauge(
    'process_memory_bytes',
    'Memory of the process itself; mapped files are not counted.',
    ({ process }) => process.memoryBytes,
  ),
  counter('process_cpu_seconds_total', 'Processor time.', ({ process }) => process.cpuSeconds),
  {
    name: 'process_event_loop_lag_seconds',
    type: 'gauge',
    help: 'How much later than due the event loop came to its timers, in the last second.',
    labels: ['quantile'],
    read: ({ process: { loopLagMs } }) => [
      [{ quantile: '0.5' }, loopLagMs.p50 / 1000],
      [{ quantile: '0.99' }, loopLagMs.p99 / 1000],
      [{ quantile: '1' }, loopLagMs.max / 1000],
    ],
  },
]

export class Metrics {
  readonly #observation: Observed
  readonly #registry = new Registry()
  readonly #filled: readonly { readonly metric: Metric; readonly into: Gauge | Counter }[]

  constructor(observation: Observed) {
    this.#observation = observation
    this.#filled = METRICS.map((metric) => {
      const { help, labels } = metric
      const options = {
        name: `althing_${metric.name}`,
        help,
        labelNames: [...labels],
        registers: [this.#registry],
      }
      return { metric, into: metric.type === 'gauge' ? new Gauge(options) : new Counter(options) }
    })
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  text(): Promise<string> {
    const { network } = this.#observation
    const scrape: Scrape = {
      stats: network.stats(),
      peers: network.peers(),
      health: network.health(),
      chain: this.#observation.chain(),
      process: this.#observation.process(),
      wallMs: this.#observation.wallMs(),
    }
    for (const { metric, into } of this.#filled) {
      into.reset()
      for (const [labels, value] of metric.read(scrape)) into.inc({ ...labels }, value)
    }
    return this.#registry.metrics()
  }
}

function gauge(name: string, help: string, value: (scrape: Scrape) => number): Metric {
  return { name, type: 'gauge', help, labels: [], read: (scrape) => [[{}, value(scrape)]] }
}

function counter(name: string, help: string, value: (scrape: Scrape) => number): Metric {
  return { ...gauge(name, help, value), type: 'counter' }
}

function traffic(
  name: string,
  help: string,
  of: (stats: NetworkStats) => readonly KindTraffic[],
  field: 'messages' | 'bytes',
): Metric {
  return {
    name,
    type: 'counter',
    help,
    labels: ['kind', 'lane'],
    read: ({ stats }) =>
      of(stats).map((count) => [{ kind: count.kind, lane: count.lane }, count[field]] as const),
  }
}

function step(name: string, help: string, edge: 'entered' | 'left'): Metric {
  return {
    name,
    type: 'counter',
    help,
    labels: ['step', 'lane'],
    read: ({ stats }) =>
      (Object.keys(stats.steps) as Step[]).flatMap((step) =>
        LANES.map((lane) => [{ step, lane }, stats.steps[step][edge][lane]] as const),
      ),
  }
}

function* dropped({ steps }: NetworkStats): Generator<Sample> {
  for (const [step, { droppedByReason }] of Object.entries(steps)) {
    for (const [reason, byLane] of Object.entries(droppedByReason)) {
      for (const lane of LANES) yield [{ step, lane, reason }, byLane[lane]]
    }
  }
}

function latencies(peers: readonly PeerView[]): Sample[] {
  const known = peers.flatMap(({ latencyMs }) => (latencyMs === null ? [] : [latencyMs / 1000]))
  if (known.length === 0) return []
  const mean = sumOf(known, (seconds) => seconds) / known.length
  return [
    [{ of: 'least' }, Math.min(...known)],
    [{ of: 'mean' }, mean],
    [{ of: 'most' }, Math.max(...known)],
  ]
}

function limits({ limits: { bytesPerSecondByPeer, configured } }: NetworkStats): Sample[] {
  const now = Object.values(bytesPerSecondByPeer)
  const most: Sample = [{ of: 'configured' }, configured.bytesPerSecond]
  if (now.length === 0) return [most]
  return [[{ of: 'least' }, Math.min(...now)], [{ of: 'most' }, Math.max(...now)], most]
}

function sumOf<T>(values: readonly T[], value: (one: T) => number): number {
  return values.reduce((total, one) => total + value(one), 0)
}
