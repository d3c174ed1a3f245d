/**
 * `<nodes>`: that many nodes in memory; says how many microseconds of CPU a delivery took.
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { createMemoryNetwork } from '@althing/network'
import { startAlthingNode } from './althing-node.ts'
import type { GossipNode } from './wire.ts'
import { stampedBody } from './wire.ts'

const LINKS_EACH = 7
const MESSAGE_BYTES = 512
const DELIVERIES = 240_000
/** Of each node, so that all trees are made. */
const WARM_UP_MESSAGES = 24
/**
 * Published by each node in one go; everyone has them before the next. The same for each number of nodes, so that a link carries equally
 * many in a write: else it would be told what a write costs.
 */
const MESSAGES_EACH = 16
const STEP_MS = 2

const count = Number(process.argv[2])
const burst = MESSAGES_EACH * count
const world = createMemoryNetwork()
const nodes: GossipNode[] = []
for (let i = 0; i < count; i++) {
  nodes.push(await startAlthingNode(i + 1, { transport: world.transport, listen: ['/memory/0'] }))
}
for (const [i, node] of nodes.entries()) {
  for (let step = 1; step <= LINKS_EACH; step++) {
    // Half of them near, half far, each once: with eight nodes that is everyone.
    const other = nodes[(i + step ** 2) % count]!
    if (other !== node && node.peerCount() < LINKS_EACH) await node.connect(other.address).catch(() => {})
  }
}
let delivered = 0
for (const node of nodes) node.onMessage(() => delivered++)
process.on('disconnect', () => process.exit())

await publish(WARM_UP_MESSAGES * count)
const before = process.cpuUsage()
const start = delivered
await publish(Math.ceil(DELIVERIES / (count - 1)))
const { user, system } = process.cpuUsage(before)
process.send!((user + system) / (delivered - start))

async function publish(messages: number): Promise<void> {
  for (let made = 0; made < messages; made += burst) {
    const expected = delivered + burst * (count - 1)
    for (let i = 0; i < burst; i++) nodes[(made + i) % count]!.publish(stampedBody(MESSAGE_BYTES))
    await until(() => delivered >= expected)
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(STEP_MS)
}
