import { startNetwork } from '@althing/network'
import type { NetworkConfig } from '@althing/network'
import { seedOf } from '../session/wire.ts'
import type { GossipNode } from './wire.ts'

const MESSAGE_BYTES_MAX = 1024 * 1024

/** Ours, without checks of an application. */
export async function startAlthingNode(
  number: number,
  changed: Pick<NetworkConfig, 'transport' | 'listen'> = { listen: ['/ip4/127.0.0.1/tcp/0'] },
): Promise<GossipNode> {
  const network = await startNetwork({
    identity: seedOf(number),
    networkId: 'bench',
    genesisHash: new Uint8Array(32),
    versions: { min: 1, max: 1 },
    bootstrap: [],
    nodeType: 'full',
    features: [],
    status: () => ({ height: 0, finalizedHeight: 0, lowestHeight: 0 }),
    kinds: { transaction: { id: 1, lane: 'normal', maxBytes: MESSAGE_BYTES_MAX, gossip: 'tree' } },
    maxOutbound: 0,
    ...changed,
  })
  let deliver: (body: Uint8Array) => void = () => {}
  network.handleGossip('transaction', ({ body }) => {
    deliver(body)
    return 'accept'
  })
  return {
    address: network.addresses()[0]!,
    connect: async (address) => void (await network.connect(address)),
    peerCount: () => network.peers().length,
    publish: (body) => network.publish('transaction', body),
    onMessage: (listener) => (deliver = listener),
    stop: () => network.stop(),
  }
}
