/**
 * Whether a delivery costs more in a larger network: nodes in one process, each linked to seven others in memory, so that neither
 * encryption nor sockets hide the work of gossip itself.
 * @module
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { percentile } from '../percentiles.ts'
import { say } from '../say.ts'

export interface GrowthReport {
  /** By number of nodes: CPU time a delivery, publishing included. */
  readonly cpuMicrosecondsPerDelivery: Readonly<Record<number, number>>
  readonly ratio: number
}

const [FEW, MANY] = [8, 64]
const ROUNDS = 3

export async function runGrowthBench(): Promise<GrowthReport> {
  const few: number[] = []
  const many: number[] = []
  for (let round = 1; round <= ROUNDS; round++) {
    say(`gossip in memory among ${FEW}, then ${MANY}, round ${round} of ${ROUNDS} …`)
    few.push(await cpuPerDelivery(FEW))
    many.push(await cpuPerDelivery(MANY))
  }
  const [ofFew, ofMany] = [percentile(few, 0.5), percentile(many, 0.5)]
  return { cpuMicrosecondsPerDelivery: { [FEW]: ofFew, [MANY]: ofMany }, ratio: ofMany / ofFew }
}

async function cpuPerDelivery(nodes: number): Promise<number> {
  const child = fork(join(import.meta.dirname, 'growth-process.ts'), [`${nodes}`])
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the process of ${nodes} nodes ended with code ${code}`)
  })
  ended.catch(() => {})
  const [microseconds] = (await Promise.race([once(child, 'message'), ended])) as [number]
  child.disconnect()
  return microseconds
}
