/**
 * What is left of the pace when one authority is gone.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Generator } from './generator.ts'
import { measureLoad } from './load-window.ts'
import type { LoadWindow } from './load-window.ts'
import { BenchNetwork } from './network.ts'

export interface FaultsBenchOptions {
  readonly authorities: number
  readonly accounts: number
  /** Of each of the two measurements. */
  readonly seconds: number
  readonly intervalMs: number
  readonly window: number
  readonly blockBytes: number
}

export interface FaultsReport {
  readonly all: LoadWindow
  /** From the moment of the kill on. */
  readonly oneKilled: LoadWindow
  /** Of blocks a second. */
  readonly ratio: number
  readonly goal: number
}

const GOAL = 0.7
const WARM_UP_SECONDS = 5
/** More than a machine does; what is signed too much is not sent. */
const TRANSACTIONS_PER_SECOND_MAX = 6_000

export async function runFaultsBench(options: FaultsBenchOptions): Promise<FaultsReport> {
  const { seconds } = options
  await using network = await BenchNetwork.start(options)
  const survivors = network.nodes.slice(0, -1)
  await using generator = await Generator.prepare(
    network,
    { ...options, transactions: TRANSACTIONS_PER_SECOND_MAX * (WARM_UP_SECONDS + 2 * seconds) },
    survivors,
  )
  generator.begin()
  await Promise.race([sleep(WARM_UP_SECONDS * 1000), generator.failed])
  const all = await measureLoad(survivors, generator, seconds)
  await network.nodes.at(-1)!.end('SIGKILL')
  const oneKilled = await measureLoad(survivors, generator, seconds)
  return { all, oneKilled, ratio: oneKilled.blocksPerSecond / all.blocksPerSecond, goal: GOAL }
}
