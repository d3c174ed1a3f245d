/**
 * What one seed draws: its own subset of faults and its own parameters, so that a campaign also tries combinations
 * that no fixed mix would (swarm testing: Groce et al., ISSTA 2012).
 * @module
 */
import { Prng, STREAM } from './prng.ts'

/**
 * - safety: chaos to the end
 * - liveness: then all faults end, and exactly a quorum must make progress
 * - corrupt: more than f authorities are Byzantine and help two halves of a cut network to two chains; whoever did is
 *   exposed
 */
export type Mode = 'safety' | 'liveness' | 'corrupt'
export const MODES: readonly Mode[] = ['safety', 'liveness', 'corrupt']

/** Those with at most f faulty. */
const FAIR_MODES: readonly Mode[] = ['safety', 'liveness']

/**
 * How an authority is faulty. The weight of those that are anything but honest is at most f, but for `corrupt`:
 * - equivocator: signs two blocks in a view and conflicting votes, and tells different peers different things
 * - malleator: passes on the proposals of others with what their signature does not cover changed
 * - twins: two processes with the same key
 * - mute: sends nothing
 * - withholder: keeps blocks, certificates and answers to itself
 * - selectiveSender: sends to some only
 * - nuller: nullifies every view
 * - laggard: sends late and in no order
 * - liarAboutHeights: claims heights and views, and answers with less than it has
 * - replayer: sends old messages again
 * - lostDisk: comes back once without its vote log
 * - rottenDisk: comes back once with a vote log damaged before its tail
 */
export type CharacterName =
  | 'honest'
  | 'equivocator'
  | 'malleator'
  | 'twins'
  | 'mute'
  | 'withholder'
  | 'selectiveSender'
  | 'nuller'
  | 'laggard'
  | 'liarAboutHeights'
  | 'replayer'
  | 'lostDisk'
  | 'rottenDisk'

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
  /** A disk is full for a while: what is written to it is cut short, and the program ends. */
  readonly fullDiskEveryMs: number
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

/** How the authority set changes. */
export interface EpochPlan {
  /** In blocks. */
  readonly lengthMin: number
  readonly lengthMax: number
  /** Mean time between two orders to change the set. */
  readonly orderEveryMs: number
  /** Nodes that may become authorities. */
  readonly candidates: number
  /** Honest authorities have a second key, which they may change to. */
  readonly keysChange: boolean
}

export interface Plan {
  readonly seed: number
  readonly mode: Mode
  /** By authority. */
  readonly characters: readonly CharacterName[]
  /** By authority; all 1 in most plans. */
  readonly weights: readonly number[]
  /** When a full node joins; null when none does. */
  readonly fullNodeAtMs: number | null
  /** Null when the authority set never changes. */
  readonly epochs: EpochPlan | null
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
  /** Whoever is faulty is this. */
  readonly faulty?: CharacterName | undefined
}

export const FAULTY: readonly CharacterName[] = [
  'equivocator',
  'malleator',
  'twins',
  'mute',
  'withholder',
  'selectiveSender',
  'nuller',
  'laggard',
  'liarAboutHeights',
  'replayer',
  'lostDisk',
  'rottenDisk',
]
/** Repeated by how often they are drawn: small networks run faster and reach as much. */
const SIZES = [4, 4, 4, 4, 4, 4, 7, 7, 7, 10, 10, 13] as const
export const WEIGHT_MAX = 4
/** How much longer a run is, and its faults apart, for a block interval, so that as much happens in it. */
const SLOWNESS: ReadonlyMap<number, number> = new Map([
  [50, 1],
  [150, 1],
  [400, 1],
  [2_000, 6],
  [20_000, 50],
])

/** @param choice what is not left to the seed. */
export function drawPlan(seed: number, choice: PlanChoice = {}): Plan {
  const prng = new Prng(seed, STREAM.plan)
  const drawnMode = prng.pick([...FAIR_MODES, ...FAIR_MODES, ...MODES])
  const mode = choice.mode ?? drawnMode
  // Of a corrupt network little is promised: large ones only take time.
  const drawnNodes = prng.pick(mode === 'corrupt' ? [4, 4, 7] : SIZES)
  const nodes = choice.nodes ?? drawnNodes
  const timing = drawTiming(prng)
  const isWeighted = prng.chance(0.2) && mode !== 'corrupt'
  const weights = Array.from({ length: nodes }, () => (isWeighted ? 1 + prng.below(WEIGHT_MAX) : 1))
  return {
    seed,
    mode,
    characters:
      mode === 'corrupt' ? drawConspiracy(prng, nodes) : drawCharacters(prng, weights, choice.faulty),
    weights,
    fullNodeAtMs: prng.chance(0.4) ? prng.between(0, 10_000) : null,
    epochs: mode !== 'corrupt' && prng.chance(0.65) ? drawEpochs(prng, timing) : null,
    timing,
    chainReplyBytesMax: prng.chance(0.4) ? prng.pick([2_000, 6_000]) : 1_000_000,
    faults: drawFaults(prng, timing, mode),
    chaosMs: drawChaosMs(prng, timing, nodes),
    trafficEveryMs: Array.from(
      { length: 3 },
      () => prng.pick([40, 200, 1_000, 5_000]) * SLOWNESS.get(timing.intervalMs)!,
    ),
  }
}

function drawEpochs(prng: Prng, { intervalMs }: Timing): EpochPlan {
  const lengthMin = prng.pick([1, 3, 8])
  return {
    lengthMin,
    lengthMax: lengthMin + prng.pick([0, 10, 40]),
    orderEveryMs: prng.pick([5, 20]) * Math.max(intervalMs, 100),
    candidates: prng.below(3),
    keysChange: prng.chance(0.6),
  }
}

/** Long enough for as many blocks whatever the interval, and shorter for large networks, which cost more. */
function drawChaosMs(prng: Prng, { intervalMs }: Timing, nodes: number): number {
  return prng.between(8_000, 24_000) * SLOWNESS.get(intervalMs)! * Math.sqrt(4 / nodes)
}

function drawTiming(prng: Prng): Timing {
  const timeoutBaseMs = prng.pick([300, 500, 1_000])
  const intervalMs = prng.pick([...SLOWNESS.keys()])
  return {
    intervalMs,
    idleIntervalMs: prng.pick([1_500, 4_000, 15_000, 120_000]),
    timeoutBaseMs,
    timeoutMaxMs: timeoutBaseMs * prng.pick([3, 8]),
    driftMs: timeoutBaseMs / 2,
    // A quiet authority must not look silent.
    retransmitMs: Math.min(1.5 * (intervalMs + timeoutBaseMs), prng.pick([500, 1_000])),
    syncMs: prng.pick([1, 5, 40]),
    commitMs: prng.pick([5, 100, 600]),
  }
}

/** Of a weight of f at most. */
function drawCharacters(
  prng: Prng,
  weights: readonly number[],
  faulty: CharacterName | undefined,
): CharacterName[] {
  const characters = weights.map((): CharacterName => 'honest')
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  let left = prng.chance(0.25) ? 0 : 1 + prng.below(Math.floor((total - 1) / 3))
  const drawn = prng.shuffled(FAULTY)
  const kinds = drawn.map((kind) => faulty ?? kind)
  for (const index of prng.shuffled([...weights.keys()])) {
    const kind = kinds[0]
    if (kind === undefined || weights[index]! > left) continue
    kinds.shift()
    characters[index] = kind
    left -= weights[index]!
  }
  return characters
}

/** One more than f are twins, one on each side of the cut. */
function drawConspiracy(prng: Prng, nodes: number): CharacterName[] {
  const twins = Math.floor((nodes - 1) / 3) + 1
  return prng.shuffled(
    Array.from({ length: nodes }, (_, index): CharacterName => (index < twins ? 'twins' : 'honest')),
  )
}

function drawFaults(prng: Prng, timing: Timing, mode: Mode): Faults {
  const sometimes = (probability: number, low: number, high: number): number =>
    prng.chance(probability) ? prng.between(low, high) : 0
  const slowness = SLOWNESS.get(timing.intervalMs)!
  const every = (probability: number, low: number, high: number): number =>
    slowness * sometimes(probability, low, high)
  // With clocks further apart than the drift allowed, progress is not promised: only safety is.
  const wildSkewMs = mode === 'safety' && prng.chance(0.15) ? 3_000 : 0
  return {
    dropRate: sometimes(0.5, 0.005, 0.25),
    duplicateRate: sometimes(0.5, 0.01, 0.2),
    reorderRate: sometimes(0.5, 0.01, 0.3),
    slowLinkRate: sometimes(0.4, 0.1, 0.5),
    partitionEveryMs: every(0.5, 1_500, 6_000),
    flapEveryMs: every(0.4, 1_000, 5_000),
    crashEveryMs: every(0.6, 700, 6_000),
    powerLossEveryMs: every(0.35, 3_000, 10_000),
    crashAtSyncRate: sometimes(0.5, 0.001, 0.01) / slowness,
    skewMs: wildSkewMs || sometimes(0.5, 0, timing.driftMs / 2),
    clockStepEveryMs: every(0.3, 1_000, 5_000),
    fullDiskEveryMs: every(0.3, 2_000, 8_000),
  }
}
