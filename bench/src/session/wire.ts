/**
 * What the processes of the session benchmarks agree on.
 * @module
 */
import { startNetwork } from '@althing/network'
import type { Network } from '@althing/network'

/** Of a question, and of its answer. */
export const REQUEST_BYTES = 256
export const IN_FLIGHT = 32
export const BULK_BYTES = 1024 * 1024
/** More than the peers of the benchmark of idle ones. */
const INBOUND_MAX = 512

/** What the server says to who forked it. */
export interface ServerAddress {
  readonly address: string
}

/** What it says when it was asked to collect its garbage. */
export interface HeldBytes {
  /** Of its heap and of arrays outside of it. */
  readonly bytes: number
}

/** @param seedByte gives the node its key. */
export function startPeer(seedByte: Uint8Array, changed: { listen?: string[] } = {}): Promise<Network> {
  return startNetwork({
    identity: seedByte,
    networkId: 'bench',
    genesisHash: new Uint8Array(32),
    versions: { min: 1, max: 1 },
    listen: [],
    bootstrap: [],
    nodeType: 'full',
    features: [],
    status: () => ({ height: 0, finalizedHeight: 0, lowestHeight: 0 }),
    kinds: {
      question: { id: 1, lane: 'high', maxBytes: 1024 },
      urgent: { id: 2, lane: 'critical', maxBytes: 1024 },
      bulk: { id: 3, lane: 'low', maxBytes: BULK_BYTES },
    },
    maxInbound: INBOUND_MAX,
    // The peers of the one that is measured do not look for each other.
    maxOutbound: 0,
    ...changed,
  })
}

/** 32 bytes that differ for each number. */
export function seedOf(number: number): Uint8Array {
  const seed = new Uint8Array(32)
  new DataView(seed.buffer).setUint32(0, number)
  return seed
}
