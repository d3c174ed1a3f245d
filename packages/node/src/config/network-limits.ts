/**
 * What the configuration says to the network library.
 * @module
 */
import type { NetworkLimits } from '@althing/network'
import type { NodeConfig } from './config.ts'

const MIB = 1_048_576

/** The share of `message_queue.queue_size_limit` and the bytes that each lane may hold for one peer. */
const lanes = {
  critical: { share: 0.25, bytesMax: 16 * MIB },
  high: { share: 0.25, bytesMax: 16 * MIB },
  normal: { share: 0.4, bytesMax: 12 * MIB },
  low: { share: 0.1, bytesMax: 12 * MIB },
} as const

export function networkLimits({ network, messageQueue }: NodeConfig): Partial<NetworkLimits> {
  const lane = (name: keyof typeof lanes) => ({
    messagesMax: Math.floor(lanes[name].share * messageQueue.queueSizeLimit),
    bytesMax: lanes[name].bytesMax,
  })
  return {
    maxInbound: network.maxInbound,
    maxOutbound: network.maxOutbound,
    handshakeTimeoutMs: network.connectionTimeoutMs,
    pingIntervalMs: network.pingIntervalMs,
    peerTimeoutMs: network.peerTimeoutMs,
    lanes: { critical: lane('critical'), high: lane('high'), normal: lane('normal'), low: lane('low') },
    messageTtlMs: messageQueue.messageTtlMs,
  }
}
