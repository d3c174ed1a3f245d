/**
 * How much may be sent and read in a second (PT-2, PO-6): the numbers, and the buckets made of them. Pure.
 * @module
 */
import { FRAGMENT_BYTES_MAX, FRAME_HEADER_BYTES } from './frame.ts'
import { LANES } from './lane.ts'
import type { Lane, PerLane } from './lane.ts'
import type { Rate } from './token-bucket.ts'

export interface TrafficLimits {
  /** Messages of a lane with multiplier 1, to one peer. */
  readonly messagesPerSecond: number
  /** That many may go at once after a pause, times the lane's multiplier. */
  readonly messagesBurst: number
  /** To one peer; the critical lane has as much again. */
  readonly bytesPerSecond: number
  /** PT-2: 4, 2, 1 and 0.5. */
  readonly laneMultipliers: PerLane<number>
  /** What all peers together may have, in times of what one may. */
  readonly nodeMultiplier: number
  /** The bytes to a peer follow what its link takes; else they are as configured. */
  readonly adaptiveLimits: boolean
}

/** A second's bytes may not all go at once: it would fill buffers on the way. */
const BURST_SECONDS = 0.25
const BURST_BYTES_MIN = 4 * (FRAGMENT_BYTES_MAX + FRAME_HEADER_BYTES)
const INBOUND_FACTOR = 2

export function byteRate(bytesPerSecond: number): Rate {
  return { perSecond: bytesPerSecond, burst: Math.max(BURST_BYTES_MIN, bytesPerSecond * BURST_SECONDS) }
}

/** @param times what the lane's rate is multiplied with. */
export function messageRate(limits: TrafficLimits, lane: Lane, times = 1): Rate {
  const multiplier = limits.laneMultipliers[lane] * times
  return {
    perSecond: limits.messagesPerSecond * multiplier,
    burst: Math.max(1, limits.messagesBurst * multiplier),
  }
}

/** @param times what the rate of all lanes together is multiplied with. */
export function allLanesRate(limits: TrafficLimits, times: number): Rate {
  const rates = LANES.map((lane) => messageRate(limits, lane, times))
  return {
    perSecond: rates.reduce((sum, { perSecond }) => sum + perSecond, 0),
    burst: rates.reduce((sum, { burst }) => sum + burst, 0),
  }
}

/** What is read of one peer: twice what an equally configured one may send, so that honest peers do not touch it. */
export function inboundLimits(limits: TrafficLimits): TrafficLimits {
  return {
    ...limits,
    messagesPerSecond: limits.messagesPerSecond * INBOUND_FACTOR,
    messagesBurst: limits.messagesBurst * INBOUND_FACTOR,
    bytesPerSecond: limits.bytesPerSecond * INBOUND_FACTOR,
  }
}
