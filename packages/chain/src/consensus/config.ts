/**
 * The relations that a consensus configuration must satisfy.
 * @module
 */
import { assert } from '@althing/base'
import { silenceMs } from './timers.ts'
import type { ConsensusConfig } from './types.ts'

/** A `chain` message must fit in a frame with room for its path. */
const CHAIN_REPLY_BYTES_MAX = 8_388_608

/** Stops the process when the configuration cannot work; the message names both sides with their values. */
export function assertConfig(config: ConsensusConfig): void {
  const { intervalMs, idleIntervalMs, timeoutBaseMs, timeoutMaxMs, driftMs, retransmitMs } = config
  assert(config.epoch.set.length > 0, 'the authority set is empty')
  assert(intervalMs >= 1, `intervalMs ${intervalMs} must be at least 1`)
  assert(retransmitMs >= 1, `retransmitMs ${retransmitMs} must be at least 1`)
  assert(idleIntervalMs >= 0, `idleIntervalMs ${idleIntervalMs} must not be negative`)
  // Else a Byzantine leader stamps now + drift and times out the honest one after it (R8).
  assert(
    driftMs <= timeoutBaseMs / 2,
    `driftMs ${driftMs} must be at most half of timeoutBaseMs ${timeoutBaseMs}`,
  )
  assert(
    timeoutBaseMs <= timeoutMaxMs,
    `timeoutBaseMs ${timeoutBaseMs} must be at most timeoutMaxMs ${timeoutMaxMs}`,
  )
  // Else an authority that has nothing to say but its Status looks silent (R8).
  const silence = silenceMs(config)
  assert(
    2 * retransmitMs <= silence,
    `2 * retransmitMs ${retransmitMs} must be at most 3 * (intervalMs + timeoutBaseMs) = ${silence}`,
  )
  const { chainReplyBytesMax } = config
  assert(
    chainReplyBytesMax <= CHAIN_REPLY_BYTES_MAX,
    `chainReplyBytesMax ${chainReplyBytesMax} must be at most ${CHAIN_REPLY_BYTES_MAX}`,
  )
}
