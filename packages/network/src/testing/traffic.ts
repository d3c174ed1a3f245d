/**
 * Traffic of a peer for tests of what is not about limits.
 * @module
 */
import { concatBytes } from '@althing/base'
import { PeerTraffic, NodeTraffic } from '../protocol/traffic.ts'
import type { TrafficLimits } from '../protocol/traffic-limits.ts'

export const WIDE_LIMITS: TrafficLimits = {
  messagesPerSecond: 1e9,
  messagesBurst: 1e9,
  bytesPerSecond: 1e12,
  laneMultipliers: { critical: 4, high: 2, normal: 1, low: 0.5 },
  nodeMultiplier: 4,
  adaptiveLimits: false,
}

/** A peer with limits that nothing reaches, or with those given. */
export function peerTraffic(limits: Partial<TrafficLimits> = {}): PeerTraffic {
  return new PeerTraffic('peer', 'peer', new NodeTraffic({ ...WIDE_LIMITS, ...limits }, 0), 0)
}

/** The next piece in one array; null when nothing may leave now. */
export function pulled(from: { pull(nowMs: number): Uint8Array[] | null }, nowMs: number): Uint8Array | null {
  const parts = from.pull(nowMs)
  return parts === null ? null : concatBytes(...parts)
}
