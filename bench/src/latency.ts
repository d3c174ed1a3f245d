/**
 * How long one transaction takes on an idle chain, and what an idle node costs.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { transactionId } from '@althing/base'
import type { AlthingClient } from '@althing/client'
import { BenchNetwork } from './network.ts'
import { spreadOf } from './percentiles.ts'
import type { Spread } from './percentiles.ts'
import { cpuMsOf, memoryBytesOf } from './process-usage.ts'
import { benchAccounts, signPut } from './workload.ts'

export interface LatencyReport {
  readonly intervalMs: number
  /** From handing in to the node's word that it is final. */
  readonly submitToFinalMs: Spread
  /** The part of it that the interval between blocks demands. */
  readonly waitForIntervalMs: Spread
  /** The rest, of each transaction. */
  readonly beyondWaitMs: Spread
}

export interface IdleReport {
  readonly seconds: number
  /** Of each node: memory of its own, at the end. */
  readonly memoryBytes: readonly number[]
  /** Of each node: parts of one core. */
  readonly cores: readonly number[]
}

/** Between two looks at a transaction that is not final yet. */
const LOOK_MS = 2

/** @param transactions sent one by one, each at another moment of the interval. */
export async function runLatencyBench(
  authorities: number,
  intervalMs: number,
  transactions: number,
): Promise<LatencyReport> {
  await using network = await BenchNetwork.start({ authorities, intervalMs })
  const [signer] = benchAccounts(1)
  await network.fund([signer!.publicKey])
  const totals: number[] = []
  const waits: number[] = []
  for (let nonce = 0; nonce < transactions; nonce++) {
    const { client } = network.nodes[nonce % network.nodes.length]!
    // From right after a block to long after it; the golden ratio spreads the moments evenly.
    await sleep(2 * intervalMs * ((nonce * 0.618) % 1))
    const { totalMs, waitMs } = await timeOne(
      client,
      signPut(signer!, 'latency', nonce, network.trusted),
      intervalMs,
    )
    totals.push(totalMs)
    waits.push(waitMs)
  }
  return {
    intervalMs,
    submitToFinalMs: spreadOf(totals),
    waitForIntervalMs: spreadOf(waits),
    beyondWaitMs: spreadOf(totals.map((totalMs, i) => totalMs - waits[i]!)),
  }
}

async function timeOne(
  client: AlthingClient,
  bytes: Uint8Array,
  intervalMs: number,
): Promise<{ readonly totalMs: number; readonly waitMs: number }> {
  const id = transactionId(bytes)
  const submittedAt = Date.now()
  const startMs = performance.now()
  await client.submit(bytes)
  let seen = await client.transaction(id)
  while (seen.status === 'pending') {
    await sleep(LOOK_MS)
    seen = await client.transaction(id)
  }
  const totalMs = performance.now() - startMs
  if (seen.status !== 'final' || seen.height === null) throw new Error(`a transaction is ${seen.status}`)
  const parent = await client.block(seen.height - 1)
  return { totalMs, waitMs: Math.max(0, parent.timestamp + intervalMs - submittedAt) }
}

/** @param seconds after the nodes have found each other and the chain has nothing to do. */
export async function runIdleBench(authorities: number, seconds: number): Promise<IdleReport> {
  await using network = await BenchNetwork.start({ authorities, intervalMs: 500 })
  await sleep(2_000)
  const before = network.nodes.map(({ pid }) => cpuMsOf(pid))
  const startMs = performance.now()
  await sleep(seconds * 1000)
  const elapsedMs = performance.now() - startMs
  return {
    seconds: elapsedMs / 1000,
    memoryBytes: network.nodes.map(({ pid }) => memoryBytesOf(pid)),
    cores: network.nodes.map(({ pid }, i) => (cpuMsOf(pid) - before[i]!) / elapsedMs),
  }
}
