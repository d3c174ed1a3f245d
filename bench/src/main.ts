/**
 * The benchmarks. `docs/benchmarks.md` says what each measures, and what was measured.
 * @module
 */
import { availableParallelism, cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { runChainBench } from './chain.ts'
import { runFaultsBench } from './faults.ts'
import { runGossipBench } from './gossip/bench.ts'
import { runGraphBench } from './graph/bench.ts'
import { graphText } from './graph/report.ts'
import { runIdleBench, runLatencyBench } from './latency.ts'
import { peerToPeerText, runPeerToPeerBench } from './peer-to-peer.ts'
import {
  chainText,
  faultsText,
  gossipText,
  idleText,
  latencyText,
  sessionText,
  tlsText,
  treeText,
} from './report.ts'
import { runSessionBench } from './session/bench.ts'
import { runTlsBench } from './tls.ts'
import { runTreeBench } from './tree.ts'

const HELP = `Usage: npm run bench -- <benchmark> [options]

Benchmarks:
  chain     finalised transactions a second, beside the signature checks a second of this machine
  latency   one transaction at a time on an idle chain; then what idle nodes cost
  faults    blocks a second under load, with all authorities and with one of them killed
  gossip    messages to everyone among eight nodes, beside gossipsub
  network   all that the network package is held to: gossip, session, tls, a slow link, growth; ten minutes
  graph     statements a second, loading, queries and a restart, beside the state tree and Oxigraph alone
  session   one link between two nodes, beside bare libp2p streams; what idle peers cost
  tls       bulk and small messages over TLS, stock and ours, beside bare TCP
  tree      the state tree alone: updates, proofs, sizes

Options (chain, latency, faults, graph):
  --authorities <count>   nodes, each a process on this machine          (4)
  --accounts <count>      accounts that send                             (100)
  --seconds <count>       length of a measurement                        (20; idle: 30)
  --interval <time>       least time between blocks, in milliseconds     (500ms; latency: 500ms and 50ms)
  --window <count>        transactions handed in and not final, at most  (8000)
  --block-bytes <count>   of one block, at most (chain, faults, graph)   (1048576)
  --quads <count>         of the node that starts again (graph)          (1000000)
  --json                  print one JSON value

The machine should have nothing else to do. Transactions write a new key each; key and value have 200 bytes together.
They are signed before the measurement, and sent by a process of its own, whose CPU time is told beside the nodes'.

Examples:
  npm run bench -- chain
  npm run bench -- chain --seconds 60 --interval 1000ms
  npm run bench -- latency --interval 50ms --json
`

const LATENCY_TRANSACTIONS = 100
const GOSSIP_SECONDS = 3
const SESSION_SECONDS = 5
const TLS_SECONDS = 3
const NETWORK_SECONDS = 3
const IDLE_SECONDS = 30

class UsageError extends Error {
  override readonly name = 'UsageError'
}

interface Settings {
  readonly authorities: number
  readonly accounts: number
  readonly seconds: number | undefined
  readonly intervalMs: number | undefined
  readonly window: number
  readonly blockBytes: number
  readonly quads: number
  readonly json: boolean
}

const benchmarks: Readonly<Record<string, (settings: Settings) => Promise<void>>> = {
  async chain({ seconds = 20, intervalMs = 500, json, ...rest }) {
    const report = await runChainBench({ ...rest, seconds, intervalMs })
    print(json, report, chainText(report))
  },

  async latency({ authorities, seconds = IDLE_SECONDS, intervalMs, json }) {
    const intervals = intervalMs === undefined ? [500, 50] : [intervalMs]
    const latency = []
    for (const each of intervals) latency.push(await runLatencyBench(authorities, each, LATENCY_TRANSACTIONS))
    const idle = await runIdleBench(authorities, seconds)
    print(json, { latency, idle }, [...latency.map(latencyText), idleText(idle)].join('\n\n'))
  },

  async faults({ seconds = 20, intervalMs = 500, json, ...rest }) {
    const report = await runFaultsBench({ ...rest, seconds, intervalMs })
    print(json, report, faultsText(report))
  },

  async gossip({ seconds = GOSSIP_SECONDS, json }) {
    const report = await runGossipBench(seconds)
    print(json, report, gossipText(report))
  },

  async network({ seconds = NETWORK_SECONDS, json }) {
    const report = await runPeerToPeerBench(seconds)
    print(json, report, peerToPeerText(report))
  },

  async graph({ authorities, seconds = 20, intervalMs = 500, blockBytes, quads, json }) {
    const report = await runGraphBench({ authorities, seconds, intervalMs, blockBytes, quads })
    print(json, report, graphText(report))
  },

  async session({ seconds = SESSION_SECONDS, json }) {
    const report = await runSessionBench(seconds)
    print(json, report, sessionText(report))
  },

  async tls({ seconds = TLS_SECONDS, json }) {
    const report = await runTlsBench(seconds)
    print(json, report, tlsText(report))
  },

  async tree({ json }) {
    const rows = runTreeBench()
    print(json, rows, treeText(rows))
  },
}

function print(json: boolean, report: object, text: string): void {
  const machine = {
    cores: availableParallelism(),
    cpu: cpus()[0]?.model ?? 'unknown',
    node: process.version,
    platform: process.platform,
  }
  if (json) console.log(JSON.stringify({ machine, report }))
  else
    console.log(
      `${machine.cores} cores, ${machine.cpu}, Node ${machine.node}, ${machine.platform}\n\n${text}`,
    )
}

/** @throws {UsageError} */
function readArguments(): { readonly name: string; readonly settings: Settings } {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      authorities: { type: 'string', default: '4' },
      accounts: { type: 'string', default: '100' },
      seconds: { type: 'string' },
      interval: { type: 'string' },
      window: { type: 'string', default: '8000' },
      'block-bytes': { type: 'string', default: '1048576' },
      quads: { type: 'string', default: '1000000' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const [name = ''] = positionals
  if (values.help) throw new UsageError('')
  if (!Object.hasOwn(benchmarks, name) || positionals.length > 1) {
    throw new UsageError(
      `found "${positionals.join(' ')}"; expected one of ${Object.keys(benchmarks).join(', ')}`,
    )
  }
  const { seconds, interval } = values
  return {
    name,
    settings: {
      authorities: count('authorities', values.authorities, 1),
      accounts: count('accounts', values.accounts, 1),
      seconds: seconds === undefined ? undefined : count('seconds', seconds, 1),
      intervalMs: interval === undefined ? undefined : count('interval', interval.replace(/ms$/, ''), 10),
      window: count('window', values.window, 1_000),
      blockBytes: count('block-bytes', values['block-bytes'], 262_144),
      quads: count('quads', values.quads, 1_000),
      json: values.json,
    },
  }
}

function count(name: string, text: string, min: number): number {
  const value = /^[0-9]+$/.test(text) ? Number(text) : Number.NaN
  if (value >= min) return value
  throw new UsageError(`--${name}: found "${text}"; expected a whole number from ${min}`)
}

try {
  const { name, settings } = readArguments()
  await benchmarks[name]!(settings)
} catch (error) {
  const isUsage = error instanceof UsageError || (error instanceof TypeError && 'code' in error)
  const message = error instanceof Error ? error.message : String(error)
  if (message !== '') console.error(`bench: ${message}`)
  if (isUsage) console.log(HELP)
  process.exitCode = message === '' ? 0 : isUsage ? 2 : 1
}
