/**
 * How many transactions a second a network finalises, beside how many signatures its machine can check.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Generator } from './generator.ts'
import { measureLoad } from './load-window.ts'
import type { LoadWindow } from './load-window.ts'
import { BenchNetwork } from './network.ts'
import { say } from './say.ts'
import { measureSignatureRate } from './signature-rate.ts'

export interface ChainBenchOptions {
  readonly authorities: number
  readonly accounts: number
  readonly seconds: number
  readonly intervalMs: number
  readonly window: number
  readonly blockBytes: number
}

export interface ChainBenchReport extends LoadWindow {
  /** Of all cores together, measured before the network started. */
  readonly signatureChecksPerSecond: number
  /** Finalised transactions ÷ (checks of all cores ÷ authorities): each authority checks each signature once. */
  readonly ratio: number
  readonly goal: number
}

const GOAL = 0.25
const SIGNATURE_SECONDS = 2
const WARM_UP_SECONDS = 5
/** Beyond warm-up and measurement: until blocks end. */
const SPARE_SECONDS = 3

export async function runChainBench(options: ChainBenchOptions): Promise<ChainBenchReport> {
  const { authorities, seconds } = options
  say('Counting signature checks …')
  const signatureChecksPerSecond = await measureSignatureRate(SIGNATURE_SECONDS)
  const bound = signatureChecksPerSecond / authorities
  say(`${Math.round(signatureChecksPerSecond)} a second. Starting ${authorities} nodes …`)
  await using network = await BenchNetwork.start(options)
  const transactions = Math.ceil(bound * (WARM_UP_SECONDS + seconds + SPARE_SECONDS))
  say(`Signing ${transactions} transactions …`)
  await using generator = await Generator.prepare(network, { ...options, transactions })
  say(`Load for ${WARM_UP_SECONDS} s to warm up, then measuring for ${seconds} s …`)
  generator.begin()
  await Promise.race([sleep(WARM_UP_SECONDS * 1000), generator.failed])
  const measured = await measureLoad(network.nodes, generator, seconds)
  return {
    ...measured,
    signatureChecksPerSecond,
    ratio: measured.transactionsPerSecond / bound,
    goal: GOAL,
  }
}
