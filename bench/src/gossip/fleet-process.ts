/**
 * Half of the network of the gossip benchmark: some nodes in a process that publish at a rate, and what came of it.
 * @module
 */
import { subscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { startAlthingNode } from './althing-node.ts'
import { startGossipsubNode } from '../libp2p/gossipsub-node.ts'
import { ageMs, stampedBody } from './wire.ts'
import type { Counts, GossipNode, Load, Order, Report, Side } from './wire.ts'

const STEP_MS = 2
/** Without a further message for so long, none comes. */
const QUIET_MS = 1500

const [side, firstNumber, count] = process.argv.slice(2) as [Side, string, string]
const sockets = countSockets()
const nodes: GossipNode[] = []
for (let i = 0; i < Number(count); i++) {
  nodes.push(
    side === 'althing' ? await startAlthingNode(Number(firstNumber) + i) : await startGossipsubNode(),
  )
}
let counts = noCounts()
let deliveredAtMs = 0
let cpuBefore = process.cpuUsage()
let bytesBefore = 0
for (const node of nodes) {
  node.onMessage((body) => {
    counts.delivered++
    counts.latenciesMs.push(ageMs(body))
    deliveredAtMs = performance.now()
  })
}

process.on('disconnect', () => process.exit())
process.on('message', (order: Order) => {
  void obey(order).then(tell, (error: unknown) => {
    console.error(error)
    process.exit(1)
  })
})
tell({ kind: 'ready', addresses: nodes.map(({ address }) => address) })

async function obey(order: Order): Promise<Report> {
  switch (order.kind) {
    case 'connect':
      for (const node of nodes) {
        for (const address of order.addresses) if (address !== node.address) await node.connect(address)
      }
      await until(() => nodes.every((node) => node.peerCount() >= order.peers))
      return { kind: 'connected' }
    case 'reset':
      counts = noCounts()
      bytesBefore = sockets.sentBytes()
      cpuBefore = process.cpuUsage()
      return { kind: 'isReset' }
    case 'load':
      await run(order.load, order.received)
      return { kind: 'loaded' }
    case 'counts':
      return { kind: 'counts', counts }
  }
}

/** @param received how many messages should come here. */
async function run(load: Load, received: number): Promise<void> {
  const startMs = performance.now()
  const own = Math.round((load.messages * nodes.length) / load.nodes)
  const perMs = (load.messagesPerSecond * nodes.length) / load.nodes / 1000
  while (counts.published < own) {
    const due = Math.min(own, Math.ceil((performance.now() - startMs) * perMs))
    while (counts.published < due) nodes[counts.published++ % nodes.length]!.publish(stampedBody(load.bytes))
    await sleep(STEP_MS)
  }
  counts.publishingMs = performance.now() - startMs
  deliveredAtMs = performance.now()
  await until(() => counts.delivered >= received || performance.now() - deliveredAtMs > QUIET_MS)
  const { user, system } = process.cpuUsage(cpuBefore)
  counts.cpuMs = (user + system) / 1000
  counts.sentBytes = sockets.sentBytes() - bytesBefore
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(STEP_MS)
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

function noCounts(): Mutable<Counts> & { latenciesMs: number[] } {
  return { published: 0, publishingMs: 0, delivered: 0, latenciesMs: [], cpuMs: 0, sentBytes: 0 }
}

function tell(report: Report): void {
  process.send!(report)
}

/** Every socket of this process, ours and libp2p's alike. */
function countSockets(): { sentBytes(): number } {
  const open = new Set<Socket>()
  let closedBytes = 0
  const add = (message: unknown): void => {
    const { socket } = message as { socket: Socket }
    open.add(socket)
    socket.once('close', () => {
      open.delete(socket)
      closedBytes += socket.bytesWritten
    })
  }
  subscribe('net.client.socket', add)
  subscribe('net.server.socket', add)
  return { sentBytes: () => closedBytes + [...open].reduce((sum, { bytesWritten }) => sum + bytesWritten, 0) }
}
