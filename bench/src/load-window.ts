/**
 * What nodes do during some seconds of load, from one final block to another.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Generator } from './generator.ts'
import { nextBlock } from './network.ts'
import type { BenchNode } from './network.ts'
import { spreadOf } from './percentiles.ts'
import type { Spread } from './percentiles.ts'
import { cpuMsOf } from './process-usage.ts'

export interface LoadWindow {
  readonly seconds: number
  readonly transactionsPerSecond: number
  readonly blocksPerSecond: number
  /** From submission to finality, as the generator sees it. */
  readonly latencyMs: Spread
  /** Parts of one core. */
  readonly generatorCores: number
  /** Of each node, in order. */
  readonly nodeCores: readonly number[]
}

/** @param nodes those that run; counts are what the first of them says. */
export async function measureLoad(
  nodes: readonly BenchNode[],
  generator: Generator,
  seconds: number,
): Promise<LoadWindow> {
  const { client } = nodes[0]!
  const look = async () => {
    const { info, atMs } = await nextBlock(client)
    return { info, atMs, cpuMs: nodes.map(({ pid }) => cpuMsOf(pid)), generator: await generator.report() }
  }
  const start = await look()
  await Promise.race([sleep(seconds * 1000), generator.failed])
  const end = await look()
  const elapsedMs = end.atMs - start.atMs
  const perSecond = (count: number): number => (count * 1000) / elapsedMs
  return {
    seconds: elapsedMs / 1000,
    transactionsPerSecond: perSecond(end.info.transactions_total - start.info.transactions_total),
    blocksPerSecond: perSecond(end.info.finalized_height - start.info.finalized_height),
    latencyMs: spreadOf(end.generator.latenciesMs),
    generatorCores: (end.generator.cpuMs - start.generator.cpuMs) / elapsedMs,
    nodeCores: end.cpuMs.map((cpuMs, i) => (cpuMs - start.cpuMs[i]!) / elapsedMs),
  }
}
