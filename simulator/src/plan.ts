/**
 * What one seed draws: its own subset of faults and its own parameters, so that a campaign also tries combinations
 * that no fixed mix would (swarm testing: Groce et al., ISSTA 2012).
 * @module
 */
import { Prng, STREAM } from './prng.ts'

/** Safety: chaos to the end. Liveness: then all faults end, and exactly a quorum must make progress. */
export type Mode = 'safety' | 'liveness'
export const MODES: readonly Mode[] = ['safety', 'liveness']

/**
 * How an authority is faulty. At most f of a plan's authorities are anything but honest:
 * - equivocator: signs two blocks in a view and conflicting votes, and tells different peers different things
 * - malleator: passes on the proposals of others with what their signature does not cover changed
 * - twins: two processes with the same key
 * - mute: sends nothing
 * - lostDisk: comes back once without its vote log
 * - rottenDisk: comes back once with a vote log damaged before its tail
 */
export type Character = 'honest' | 'equivocator' | 'malleator' | 'twins' | 'mute' | 'lostDisk' | 'rottenDisk'

/** By chance per message, or mean time between two events over the whole network; 0 for never. */
export interface Faults {
  readonly dropRate: number
  readonly duplicateRate: number
  readonly reorderRate: number
  /** Part of the links that are slow and narrow. */
  readonly slowLinkRate: number
  readonly partitionEveryMs: number
  /** One link opens and closes several times. */
  readonly flapEveryMs: number
  readonly crashEveryMs: number
  readonly powerLossEveryMs: number
  /** Chance that a host crashes at a step of the path append, fsync, send. */
  readonly crashAtSyncRate: number
  /** Wall clocks differ from simulated time by up to this. */
  readonly skewMs: number
  readonly clockStepEveryMs: number
}

export interface Timing {
  readonly intervalMs: number
  readonly idleIntervalMs: number
  readonly timeoutBaseMs: number
  readonly timeoutMaxMs: number
  readonly driftMs: number
  readonly retransmitMs: number
  /** Of one fsync of the vote log, and of one commit of the block store, at most. */
  readonly syncMs: number
  readonly commitMs: number
}

export interface Plan {
  readonly seed: number
  readonly mode: Mode
  /** By authority. */
  readonly characters: readonly Character[]
  /** When a full node joins; null when none does. */
  readonly fullNodeAtMs: number | null
  readonly timing: Timing
  readonly chainReplyBytesMax: number
  readonly faults: Faults
  readonly chaosMs: number
  /** Mean time between two transactions, in each of the phases that follow each other. */
  readonly trafficEveryMs: readonly number[]
}

export interface PlanChoice {
  readonly nodes?: number | undefined
  readonly mode?: Mode | undefined
}

const FAULTY: readonly Character[] = ['equivocator', 'malleator', 'twins', 'mute', 'lostDisk', 'rottenDisk']

/** @param choice what is not left to the seed. */
export function drawPlan(seed: number, choice: PlanChoice = {}): Plan {
  const prng = new Prng(seed, STREAM.plan)
  const drawnMode = prng.pick(MODES)
  const drawnNodes = prng.chance(0.7) ? 4 : 7
  const mode = choice.mode ?? drawnMode
  const timing = drawTiming(prng)
  return {
    seed,
    mode,
    characters: drawCharacters(prng, choice.nodes ?? drawnNodes),
    fullNodeAtMs: prng.chance(0.4) ? prng.between(0, 10_000) : null,
    timing,
    chainReplyBytesMax: prng.chance(0.4) ? prng.pick([2_000, 6_000]) : 1_000_000,
    faults: drawFaults(prng, timing, mode),
    chaosMs: prng.between(10_000, 30_000),
    trafficEveryMs: Array.from({ length: 3 }, () => prng.pick([40, 200, 1_000, 5_000])),
  }
}

function drawTiming(prng: Prng): Timing {
  const timeoutBaseMs = prng.pick([300, 500, 1_000])
  const intervalMs = prng.pick([50, 150, 400])
  return {
    intervalMs,
    idleIntervalMs: prng.pick([1_500, 4_000]),
    timeoutBaseMs,
    timeoutMaxMs: timeoutBaseMs * prng.pick([3, 8]),
    driftMs: timeoutBaseMs / 2,
    // A quiet authority must not look silent.
    retransmitMs: Math.min(1.5 * (intervalMs + timeoutBaseMs), prng.pick([500, 1_000])),
    syncMs: prng.pick([1, 5, 40]),
    commitMs: prng.pick([5, 100, 600]),
  }
}

function drawCharacters(prng: Prng, nodes: number): Character[] {
  const faultyMax = Math.floor((nodes - 1) / 3)
  const faulty = prng.chance(0.25) ? 0 : 1 + prng.below(faultyMax)
  const kinds = prng.shuffled(FAULTY).slice(0, faulty)
  const characters = Array.from({ length: nodes }, (_, index): Character => kinds[index] ?? 'honest')
  return prng.shuffled(characters)
}

function drawFaults(prng: Prng, timing: Timing, mode: Mode): Faults {
  const sometimes = (probability: number, low: number, high: number): number =>
    prng.chance(probability) ? prng.between(low, high) : 0
  // With clocks further apart than the drift allowed, progress is not promised: only safety is.
  const wildSkewMs = mode === 'safety' && prng.chance(0.15) ? 3_000 : 0
  return {
    dropRate: sometimes(0.5, 0.005, 0.25),
    duplicateRate: sometimes(0.5, 0.01, 0.2),
    reorderRate: sometimes(0.5, 0.01, 0.3),
    slowLinkRate: sometimes(0.4, 0.1, 0.5),
    partitionEveryMs: sometimes(0.5, 1_500, 6_000),
    flapEveryMs: sometimes(0.4, 1_000, 5_000),
    crashEveryMs: sometimes(0.6, 700, 6_000),
    powerLossEveryMs: sometimes(0.35, 3_000, 10_000),
    crashAtSyncRate: sometimes(0.5, 0.001, 0.01),
    skewMs: wildSkewMs || sometimes(0.5, 0, timing.driftMs / 2),
    clockStepEveryMs: sometimes(0.3, 1_000, 5_000),
  }
}
