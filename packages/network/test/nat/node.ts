/**
 * One node in a process of its own, told what to do by messages of its parent.
 */
import { startNetwork } from '../../src/index.ts'
import type { Network } from '../../src/index.ts'
import type { NodeOptions, NodeState } from './remote-node.ts'

const { seed, bootstrap, nat, listen } = JSON.parse(process.argv[2]!) as NodeOptions

const received: Record<string, number[]> = {}
const moves: Record<string, number> = {}
const network: Network = await startNetwork({
  identity: new Uint8Array(32).fill(seed),
  networkId: 'nat-test',
  genesisHash: new Uint8Array(32).fill(7),
  versions: { min: 1, max: 1 },
  listen,
  bootstrap,
  nodeType: 'full',
  features: [],
  status: () => ({ height: 0, finalizedHeight: 0, lowestHeight: 0 }),
  kinds: { count: { id: 1, lane: 'normal', maxBytes: 16 * 1024 } },
  handshakeTimeoutMs: 3000,
  peerExchangeIntervalMs: 500,
  backoffMinMs: 200,
  backoffMaxMs: 1000,
  pingIntervalMs: 500,
  peerTimeoutMs: 4000,
  nat: { probeIntervalMs: 500, relayConfirmMs: 500, ...nat },
})
network.handle('count', ({ from, body }) => {
  ;(received[from] ??= []).push(new DataView(body.buffer, body.byteOffset).getUint32(0))
})
network.subscribe((event) => {
  if (event.kind === 'peerMoved') moves[event.peer.id] = (moves[event.peer.id] ?? 0) + 1
})

function state(): NodeState {
  return {
    id: network.peerId,
    addresses: network.addresses(),
    reach: network.reachability(),
    peers: network.peers().map(({ id, remoteAddress, direction }) => ({ id, remoteAddress, direction })),
    received,
    moves,
  }
}

/** A numbered message; a large one, so that some are under way when links change. */
function count(to: string, number: number): boolean {
  const body = new Uint8Array(8 * 1024)
  new DataView(body.buffer).setUint32(0, number)
  return network.send(to, 'count', body) === 'queued'
}

async function perform(order: { kind: string; to: string; number: number }): Promise<unknown> {
  switch (order.kind) {
    case 'state':
      return state()
    case 'count':
      return count(order.to, order.number)
    case 'connect':
      return network.connect(order.to)
    default:
      await network.stop()
      return null
  }
}

process.on('message', (order: { id: number; kind: string; to: string; number: number }) => {
  void perform(order)
    .then((value) => ({ value }))
    .catch((error: unknown) => ({ error: String(error) }))
    .then((answer) => {
      process.send!({ id: order.id, ...answer })
      if (order.kind === 'stop') process.disconnect()
    })
})
process.on('disconnect', () => void network.stop())
process.send!({ id: 0, value: state() })
