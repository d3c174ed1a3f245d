/**
 * How many statements a second a network makes final, beside how many its machine's state trees can take.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Generator } from '../generator.ts'
import { BenchNetwork, nextBlock } from '../network.ts'
import type { BenchNode } from '../network.ts'
import { cpuMsOf } from '../process-usage.ts'
import { say } from '../say.ts'
import { rateOfAllCores } from '../all-cores.ts'
import { TRANSACTION_STATEMENTS } from '../workload.ts'

export interface FinalityReport {
  readonly seconds: number
  readonly quadsPerSecond: number
  readonly blocksPerSecond: number
  /** What the trees of all cores together take, by themselves. */
  readonly treeQuadsPerSecond: number
  /** quadsPerSecond ÷ (treeQuadsPerSecond ÷ authorities): each authority updates its own tree. */
  readonly ratio: number
  /** Parts of one core. */
  readonly nodeCores: readonly number[]
}

export interface FinalityOptions {
  readonly authorities: number
  readonly seconds: number
  readonly intervalMs: number
  readonly blockBytes: number
}

const ACCOUNTS = 16
/** Transactions handed in and not final. */
const WINDOW = 300
const WARM_UP_SECONDS = 5
/** More than a machine does; what is signed too much is not sent. */
const QUADS_PER_SECOND_MAX = 15_000
const TREE_STATEMENTS = 150_000

export async function measureFinality(options: FinalityOptions): Promise<FinalityReport> {
  const { authorities, seconds } = options
  say('Filling state trees …')
  const worker = new URL('./tree-worker.ts', import.meta.url)
  const treeQuadsPerSecond = await rateOfAllCores(worker, { statements: TREE_STATEMENTS })
  say(`${Math.round(treeQuadsPerSecond)} statements a second. Starting ${authorities} nodes …`)
  await using network = await BenchNetwork.start(options)
  const transactions = Math.ceil(
    (QUADS_PER_SECOND_MAX * (WARM_UP_SECONDS + seconds)) / TRANSACTION_STATEMENTS,
  )
  say(`Signing ${transactions} transactions …`)
  const load = { workload: 'statements' as const, accounts: ACCOUNTS, window: WINDOW, transactions }
  await using generator = await Generator.prepare(network, load)
  say(`Load for ${WARM_UP_SECONDS} s to warm up, then measuring for ${seconds} s …`)
  generator.begin()
  await Promise.race([sleep(WARM_UP_SECONDS * 1000), generator.failed])
  const start = await look(network.nodes)
  await Promise.race([sleep(seconds * 1000), generator.failed])
  const end = await look(network.nodes)
  const elapsedMs = end.atMs - start.atMs
  const perSecond = (count: number): number => (count * 1000) / elapsedMs
  const quadsPerSecond = perSecond(end.quads - start.quads)
  return {
    seconds: elapsedMs / 1000,
    quadsPerSecond,
    blocksPerSecond: perSecond(end.height - start.height),
    treeQuadsPerSecond,
    ratio: quadsPerSecond / (treeQuadsPerSecond / authorities),
    nodeCores: end.cpuMs.map((cpuMs, i) => (cpuMs - start.cpuMs[i]!) / elapsedMs),
  }
}

/** Right after a block: what is final then. */
async function look(nodes: readonly BenchNode[]) {
  const { client } = nodes[0]!
  const { atMs } = await nextBlock(client)
  const cpuMs = nodes.map(({ pid }) => cpuMsOf(pid))
  const { graphs, height } = await client.graphs.list({ limit: 1_000 })
  return { atMs, cpuMs, height, quads: graphs.reduce((sum, { statements }) => sum + statements, 0) }
}
