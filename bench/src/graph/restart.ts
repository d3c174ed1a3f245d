/**
 * A node with many statements that starts again.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { BenchNode } from '../network.ts'
import { memoryBytesOf } from '../process-usage.ts'

export interface RestartReport {
  readonly quads: number
  /** From the start of the process until it serves a block. */
  readonly blocksMs: number
  /** The same, until it answers a query. */
  readonly queriesMs: number
  /** Of the process: when it serves blocks, at the first answer, and once all copies are there. */
  readonly memoryBytes: { readonly blocks: number; readonly queries: number; readonly settled: number }
}

const LOOK_MS = 10
/** Without growing by a hundredth in so long, it is as large as it gets. */
const SETTLE_MS = 3_000

export async function measureRestart(node: BenchNode, quads: number): Promise<RestartReport> {
  await node.end('SIGTERM')
  const startMs = performance.now()
  await node.start()
  await node.client.block('latest')
  const blocksMs = performance.now() - startMs
  const blocks = memoryBytesOf(node.pid)
  while (!(await answers(node))) await sleep(LOOK_MS)
  const queriesMs = performance.now() - startMs
  const queries = memoryBytesOf(node.pid)
  return { quads, blocksMs, queriesMs, memoryBytes: { blocks, queries, settled: await settled(node) } }
}

function answers({ client }: BenchNode): Promise<boolean> {
  return client.query('ASK { ?s ?p ?o }').then(
    ({ text }) => text.includes('true'),
    () => false,
  )
}

async function settled({ pid }: BenchNode): Promise<number> {
  for (let bytes = memoryBytesOf(pid); ;) {
    await sleep(SETTLE_MS)
    const now = memoryBytesOf(pid)
    if (now < bytes * 1.01) return now
    bytes = now
  }
}
