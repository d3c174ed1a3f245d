/**
 * What the configuration says to the network library.
 * @module
 */
import type { NatOptions, NetworkLimits, PerLane } from '@althing/network'
import type { NodeConfig } from './config.ts'

const MIB = 1_048_576

/** The share of `message_queue.queue_size_limit` and the bytes that each lane may hold for one peer. */
const lanes = {
  critical: { share: 0.25, bytesMax: 16 * MIB },
  high: { share: 0.25, bytesMax: 16 * MIB },
  normal: { share: 0.4, bytesMax: 12 * MIB },
  low: { share: 0.1, bytesMax: 12 * MIB },
} as const

const BYTES_PER_MEGABIT = 125_000

export function networkLimits({ network, messageQueue, rateLimiting }: NodeConfig): Partial<NetworkLimits> {
  const lane = (name: keyof typeof lanes) => ({
    messagesMax: Math.floor(lanes[name].share * messageQueue.queueSizeLimit),
    bytesMax: lanes[name].bytesMax,
  })
  return {
    maxInbound: network.maxInbound,
    maxOutbound: network.maxOutbound,
    maxPerIp: network.maxPerIp,
    maxPerIpBlock: network.maxPerIpBlock,
    peersFloor: network.peersFloor,
    cooldownMs: network.cooldownMs,
    banMinMs: network.banMinMs,
    banMaxMs: network.banMaxMs,
    reputationHalfLifeMs: network.reputationHalfLifeMs,
    handshakeTimeoutMs: network.connectionTimeoutMs,
    pingIntervalMs: network.pingIntervalMs,
    peerTimeoutMs: network.peerTimeoutMs,
    lanes: { critical: lane('critical'), high: lane('high'), normal: lane('normal'), low: lane('low') },
    messageTtlMs: messageQueue.messageTtlMs,
    messagesPerSecond: rateLimiting.maxMessagesPerSecond,
    messagesBurst: rateLimiting.burstSize,
    bytesPerSecond: rateLimiting.bandwidthLimitMbps * BYTES_PER_MEGABIT,
    laneMultipliers: multipliers(rateLimiting.priorityMultipliers),
    nodeMultiplier: rateLimiting.nodeMultiplier,
    adaptiveLimits: messageQueue.bandwidthMonitoring,
    priorityEnforcement: messageQueue.priorityEnforcement,
    compression: messageQueue.compression,
    linkReports: network.linkReports,
  }
}

export function natOptions({ network }: NodeConfig): Partial<NatOptions> {
  const { relayClient, relayServer, autonat, directUpgrade, upnp } = network
  return { relayClient, relayServer, autonat, upgrade: directUpgrade, upnp }
}

function multipliers([critical, high, normal, low]: readonly number[]): PerLane<number> {
  return { critical: critical!, high: high!, normal: normal!, low: low! }
}
