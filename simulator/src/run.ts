/**
 * Runs one seed and says what came of it.
 * @module
 */
import type { ProcessClass } from './cluster.ts'
import type { Counts } from './milestones.ts'
import { drawPlan } from './plan.ts'
import type { Plan, PlanChoice } from './plan.ts'
import type { ChainModule } from './process.ts'
import { Violation } from './violation.ts'
import { World } from './world.ts'

export interface RunReport {
  readonly seed: number
  readonly plan: Plan
  /** What broke; null when everything held. */
  readonly failure: string | null
  /** The last steps, one a line. */
  readonly transcript: readonly string[]
  readonly counts: Counts
  /** Entries of the agenda carried out. */
  readonly events: number
  readonly messages: number
  readonly height: number
  readonly simulatedMs: number
  /** Equal for two runs of one seed by the same code. */
  readonly traceHash: string
}

/** @param processClass another driver than the right one. */
export function runSeed(
  seed: number,
  chain: ChainModule,
  choice: PlanChoice = {},
  processClass?: ProcessClass,
): RunReport {
  const plan = drawPlan(seed, choice)
  const world = new World(plan, chain, processClass)
  let failure: RunReport['failure'] = null
  try {
    world.run()
  } catch (error) {
    if (!(error instanceof Error)) throw error
    failure = error instanceof Violation ? error.message : (error.stack ?? error.message)
  }
  return {
    seed,
    plan,
    failure,
    transcript: world.trace.transcript(),
    counts: world.tally.counts,
    events: world.agenda.done,
    messages: world.messages,
    height: world.judge.height,
    simulatedMs: world.agenda.nowMs,
    traceHash: world.trace.hash,
  }
}
