/**
 * libp2p's own ways to find peers: a distributed hash table and multicast DNS. What they say is unsigned, so it is only dialled; and
 * their names contain the genesis, so that networks never mix.
 * @module
 */
import { identify } from '@libp2p/identify'
import type { Libp2p, PeerInfo } from '@libp2p/interface'
import { kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import { mdns } from '@libp2p/mdns'
import { peerIdFromString } from '@libp2p/peer-id'
import { ping } from '@libp2p/ping'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { TransportSetup } from '../transport.ts'
import type { MakePart } from './part.ts'

/** How often the DHT looks for those near this node, and mDNS asks the local network. */
const DHT_INTERVAL_MS = 60_000
const DHT_FIRST_INTERVAL_MS = 1000
const MDNS_INTERVAL_MS = 10_000
const VERIFIED_FOR_MS = 365 * 86_400_000

export const dhtPart: MakePart = (setup, { dht = false }) => {
  if (!dht) return Promise.resolve(null)
  const prefix = `althing/${networkName(setup)}`
  const table = kadDHT({
    protocol: `/${prefix}/kad/1.0.0`,
    clientMode: false,
    // Networks of private addresses are as good as any.
    peerInfoMapper: passthroughMapper,
    allowQueryWithZeroPeers: true,
    querySelfInterval: DHT_INTERVAL_MS,
    initialQuerySelfInterval: DHT_FIRST_INTERVAL_MS,
  })
  return Promise.resolve({
    services: {
      identify: identify({ protocolPrefix: prefix }),
      ping: ping({ protocolPrefix: prefix }),
      dht: (components) => {
        const service = table(components as unknown as Parameters<typeof table>[0])
        told(setup, service as unknown as Finder)
        return service
      },
    },
    protocols: [`/${prefix}/`],
    locate,
    attach: tellAddresses,
  })
}

export const mdnsPart: MakePart = (setup, options) => {
  if (options.mdns !== true) return Promise.resolve(null)
  const find = mdns({
    serviceTag: `_althing-${networkName(setup)}._udp.local`,
    interval: MDNS_INTERVAL_MS,
  })
  return Promise.resolve({
    peerDiscovery: [(components) => told(setup, find(components))],
    attach: tellAddresses,
  })
}

async function locate(node: Libp2p, peer: string, signal: AbortSignal): Promise<readonly string[]> {
  try {
    const { multiaddrs } = await node.peerRouting.findPeer(peerIdFromString(peer), { signal })
    return multiaddrs.map(String)
  } catch {
    return []
  }
}

/** The 16 hexadecimal digits of the genesis hash in the session protocol. */
function networkName({ sessionProtocol }: TransportSetup): string {
  return sessionProtocol.split('/')[2]!
}

interface Finder {
  addEventListener(type: 'peer', listener: (event: CustomEvent<PeerInfo>) => void): void
}

function told<F extends Finder>({ onFound }: TransportSetup, finder: F): F {
  finder.addEventListener('peer', ({ detail: { id, multiaddrs } }) => {
    onFound?.(id.toString(), multiaddrs.map(String))
  })
  return finder
}

/** libp2p tells others of a public address only when somebody confirmed it; whoever listens there wants to be found there. */
function tellAddresses(node: Libp2p): void {
  const { components } = node as Libp2p & {
    components: { addressManager: { confirmObservedAddr(address: Multiaddr, how: object): void } }
  }
  node.addEventListener('transport:listening', ({ detail }) => {
    for (const address of detail.getAddrs()) {
      components.addressManager.confirmObservedAddr(address, { type: 'transport', ttl: VERIFIED_FOR_MS })
    }
  })
}
