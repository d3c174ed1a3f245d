/**
 * Networks in memory, and the API of a node around one of them.
 * @module
 */
import { silentLog } from '@althing/base'
import { createMemoryNetwork, startNetwork } from '@althing/network'
import type { Network } from '@althing/network'
import { createApi } from '../src/api/server.ts'
import type { ApiOptions } from '../src/api/server.ts'
import type { ApiBackend } from '../src/api/index.ts'

const memory = createMemoryNetwork()
let identities = 0

/** The nodes are full ones that say they are at height 7; their peer ids are of memory. */
export function startTestNetwork(ip: string): Promise<Network> {
  return startNetwork({
    identity: new Uint8Array(32).fill(++identities),
    networkId: 'test',
    genesisHash: new Uint8Array(32),
    versions: { min: 1, max: 1 },
    listen: [`/ip4/${ip}/tcp/9000`],
    bootstrap: [],
    nodeType: 'full',
    features: ['test'],
    status: () => ({ height: 7, finalizedHeight: 7, lowestHeight: 0 }),
    kinds: {},
    transport: memory.transport,
    maxOutbound: 0,
    lingerMs: 50,
  })
}

export function apiOf(network: Network, options: Partial<ApiOptions> = {}) {
  const backend = { network, propagation: { at: () => undefined }, observation: { network }, traces: {} }
  return createApi(
    backend as unknown as ApiBackend,
    { bodyLimitBytes: 65_536, token: null, trustsCallers: true, ...options },
    silentLog,
  )
}

/** Waits for what other parts of the process do. */
export async function until(holds: () => boolean): Promise<void> {
  for (let turn = 0; !holds(); turn++) {
    if (turn === 2000) throw new Error(`not within ${turn} turns: ${String(holds)}`)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}
