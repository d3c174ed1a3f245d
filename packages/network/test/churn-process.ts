/**
 * Peers that come and go, `<memory|libp2p> <cycles>`: half of them one peer again and again, half a new one each time. Prints the
 * heap and the open handles after a fifth of the cycles, and after all. Run with --expose-gc.
 * @module
 */
import { createMemoryNetwork, startNetwork } from '../src/index.ts'
import type { Network } from '../src/index.ts'

export interface ChurnPoint {
  readonly cycles: number
  readonly heapBytes: number
  readonly handles: number
}

const memory = createMemoryNetwork()
const isMemory = process.argv[2] === 'memory'
const cycles = Number(process.argv[3])

function start(number: number): Promise<Network> {
  const identity = new Uint8Array(32)
  new DataView(identity.buffer).setUint32(0, number)
  return startNetwork({
    identity,
    networkId: 'churn',
    genesisHash: new Uint8Array(32),
    versions: { min: 1, max: 1 },
    listen: [isMemory ? '/memory/0' : '/ip4/127.0.0.1/tcp/0'],
    bootstrap: [],
    nodeType: 'full',
    features: [],
    status: () => ({ height: 0, finalizedHeight: 0, lowestHeight: 0 }),
    kinds: {},
    // What is remembered of peers that are gone is bounded: the bounds are reached soon.
    learnedPeersMax: 16,
    knownPeersMax: 16,
    maxOutbound: 0,
    lingerMs: 100,
    ...(isMemory && { transport: memory.transport }),
  })
}

const lasting = await start(1)
const address = lasting.addresses()[0]!
const goneByPeer = new Map<string, () => void>()
lasting.subscribe((event) => {
  if (event.kind === 'peerDisconnected') goneByPeer.get(event.peer)?.()
})

async function connectAndLeave(peer: Network, leave: () => unknown): Promise<void> {
  await peer.connect(address)
  const gone = new Promise<void>((resolve) => goneByPeer.set(peer.peerId, resolve))
  await leave()
  await gone
  goneByPeer.delete(peer.peerId)
}

/** Several come and go at a time, each lane with a peer of its own that comes again. */
async function lane(number: number, count: number): Promise<void> {
  const again = await start(2 + number)
  for (let i = 0; i < count; i++) {
    if (i % 2 === 0) await connectAndLeave(again, () => again.disconnect(lasting.peerId, 'done'))
    else {
      const peer = await start(100 + peers++)
      await connectAndLeave(peer, () => peer.stop())
    }
  }
  await again.stop()
}

const LANES = 10
let peers = 0

function look(done: number): ChurnPoint {
  for (let i = 0; i < 3; i++) globalThis.gc!()
  const handles = process.getActiveResourcesInfo().filter((name) => name !== 'Timeout').length
  return { cycles: done, heapBytes: process.memoryUsage().heapUsed, handles }
}

const points: ChurnPoint[] = []
let done = 0
for (const share of [0.2, 0.8]) {
  await Promise.all(Array.from({ length: LANES }, (_, number) => lane(number, (cycles * share) / LANES)))
  points.push(look((done += cycles * share)))
}
console.log(JSON.stringify(points))
await lasting.stop()
