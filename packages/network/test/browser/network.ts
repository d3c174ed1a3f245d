import type { NetworkConfig } from '../../src/browser.ts'

/** The same for the node and the page. */
export const NETWORK = {
  networkId: 'browser-test',
  genesisHash: new Uint8Array(32).fill(9),
  versions: { min: 1, max: 1 },
  features: [],
  status: () => ({ height: 0, finalizedHeight: 0, lowestHeight: 0 }),
} satisfies Partial<NetworkConfig>

export const KINDS = {
  question: { id: 1, lane: 'high', maxBytes: 1024 },
  statement: { id: 2, lane: 'high', maxBytes: 1024 },
} as const satisfies NetworkConfig['kinds']
