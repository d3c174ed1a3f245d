/**
 * When a view ends and when its leader proposes (R3, R8, R14), as functions. Results are monotonic milliseconds;
 * timestamps of blocks are wall time, so a wait for one is measured by the wall and added to the monotonic clock.
 * @module
 */
import type { ConsensusConfig, Now } from './types.ts'

type Intervals = Pick<ConsensusConfig, 'intervalMs' | 'idleIntervalMs' | 'timeoutBaseMs' | 'timeoutMaxMs'>

/** What a view is timed by, fixed on entry. */
export interface ViewStart {
  readonly parentTimestampMs: number
  /** c of R8: consecutive views before this one that were not notarized. */
  readonly failures: number
  readonly idle: boolean
}

const TIMEOUT_GROWTH = 1.25
/** A leader is silent when unheard for this many times interval + T0 (R8). */
const SILENT_ROUNDS = 3

/**
 * T(c) of R8: min(Tmax, T0 · 1.25^⌊c/(f+1)⌋). It grows once per f + 1 failures, not per dead leader (P19).
 * @param faultyMax f, counted in authorities.
 */
export function viewTimeoutMs(config: Intervals, failures: number, faultyMax: number): number {
  const steps = Math.floor(failures / (faultyMax + 1))
  return Math.min(config.timeoutMaxMs, config.timeoutBaseMs * TIMEOUT_GROWTH ** steps)
}

/** When to give the view up (R8; R14 while idle). */
export function deadlineMs(config: Intervals, now: Now, start: ViewStart, faultyMax: number): number {
  const from = start.parentTimestampMs + (start.idle ? config.idleIntervalMs : 0)
  return atWall(now, from) + config.intervalMs + viewTimeoutMs(config, start.failures, faultyMax)
}

/** When the leader proposes (R3; R14 while idle). */
export function proposeAtMs(config: Intervals, now: Now, start: ViewStart): number {
  return atWall(now, start.parentTimestampMs + config.intervalMs + (start.idle ? config.idleIntervalMs : 0))
}

/** How long an authority must be unheard to count as silent (R8). */
export function silenceMs(config: Intervals): number {
  return SILENT_ROUNDS * (config.intervalMs + config.timeoutBaseMs)
}

/** The next retransmission: after 1 to 2 times the configured time (R9). @param random in [0, 1). */
export function retransmitAtMs(
  config: Pick<ConsensusConfig, 'retransmitMs'>,
  now: Now,
  random: number,
): number {
  return now.monotonicMs + config.retransmitMs * (1 + random)
}

/** The monotonic time at which the wall clock will show `wallMs`; now when it has passed. */
export function atWall(now: Now, wallMs: number): number {
  return now.monotonicMs + Math.max(0, wallMs - now.wallMs)
}
