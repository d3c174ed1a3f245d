/**
 * Runs one seed and says what came of it.
 * @module
 */
import type { ProcessClass } from './cluster.ts'
import type { Milestone } from './milestones.ts'
import { drawPlan } from './plan.ts'
import type { Plan, PlanChoice } from './plan.ts'
import type { ChainModule } from './process.ts'
import { World } from './world.ts'

export interface RunReport {
  readonly seed: number
  readonly plan: Plan
  /** Null when everything held. */
  readonly failure: { readonly message: string; readonly transcript: readonly string[] } | null
  readonly milestones: Partial<Record<Milestone, number>>
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
    const message = error.name === 'Violation' ? error.message : (error.stack ?? error.message)
    failure = { message, transcript: world.trace.transcript() }
  }
  return {
    seed,
    plan,
    failure,
    milestones: world.tally.toJSON(),
    events: world.agenda.done,
    messages: world.messages,
    height: world.judge.height,
    simulatedMs: world.agenda.nowMs,
    traceHash: world.trace.hash,
  }
}
