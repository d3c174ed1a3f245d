/**
 * gossipsub 17 at the best tuning that was found for eight nodes: unsigned, so that nothing is signed or verified; the id is a part of
 * the body, so that nothing is hashed; a mesh of three instead of six, so that each byte is sent less often; announcements to two
 * peers; no IDONTWANT, which costs more than it saves at 512 bytes; no flooding of what is published, no exchange of peers.
 * @module
 */
import { gossipsub, StrictNoSign } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import { tcp } from '@libp2p/tcp'
import { tls } from '@libp2p/tls'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import type { GossipNode } from '../gossip/wire.ts'

const TOPIC = 'transactions'
/** The time stamp and eight random bytes: no two bodies share them. */
const ID_BYTES = 16

function idOf({ data }: { data?: Uint8Array }): Uint8Array {
  return data!.subarray(0, ID_BYTES)
}

function fastIdOf(message: { data?: Uint8Array }): string {
  return String.fromCharCode(...idOf(message))
}

export async function startGossipsubNode(): Promise<GossipNode> {
  const node = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [tls()],
    streamMuxers: [yamux()],
    connectionManager: { inboundConnectionThreshold: 100 },
    services: {
      identify: identify(),
      pubsub: gossipsub({
        globalSignaturePolicy: StrictNoSign,
        msgIdFn: idOf,
        fastMsgIdFn: fastIdOf,
        D: 3,
        Dlo: 2,
        Dhi: 4,
        Dscore: 1,
        Dout: 1,
        Dlazy: 2,
        idontwantMinDataSize: Number.MAX_SAFE_INTEGER,
        floodPublish: false,
        batchPublish: true,
        doPX: false,
        allowPublishToZeroTopicPeers: true,
      }),
    },
  })
  const { pubsub } = node.services
  pubsub.subscribe(TOPIC)
  return {
    address: node.getMultiaddrs()[0]!.toString(),
    connect: async (address) => void (await node.dial(multiaddr(address))),
    peerCount: () => pubsub.getSubscribers(TOPIC).length,
    publish: (body) => void pubsub.publish(TOPIC, body).catch(() => {}),
    onMessage: (listener) => pubsub.addEventListener('message', ({ detail }) => listener(detail.data)),
    stop: () => Promise.resolve(node.stop()),
  }
}
