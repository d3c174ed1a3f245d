/**
 * Many seeds, one after the other, and what they reached together.
 * @module
 */
import type { ProcessClass } from './cluster.ts'
import { Tally } from './milestones.ts'
import type { PlanChoice } from './plan.ts'
import type { ChainModule } from './process.ts'
import { runSeed } from './run.ts'
import type { RunReport } from './run.ts'

/** One seed in so many runs twice. */
const TWICE_EVERY = 20

export interface Campaign {
  readonly from: number
  readonly seeds: number
  readonly choice?: PlanChoice
  /** Another driver than the right one. */
  readonly processClass?: ProcessClass
  /** Called after each seed. */
  readonly onRun?: (report: RunReport) => void
}

export interface CampaignReport {
  readonly runs: number
  readonly failures: readonly RunReport[]
  /** Seeds that did not run the same way twice. */
  readonly unsteady: readonly number[]
  readonly milestones: Tally
  readonly events: number
  readonly simulatedMs: number
}

export function runCampaign(chain: ChainModule, campaign: Campaign): CampaignReport {
  const { from, seeds, choice, processClass, onRun } = campaign
  const failures: RunReport[] = []
  const unsteady: number[] = []
  const milestones = new Tally()
  let events = 0
  let simulatedMs = 0
  for (let seed = from; seed < from + seeds; seed++) {
    const report = runSeed(seed, chain, choice, processClass)
    if (report.failure !== null) failures.push(report)
    if (seed % TWICE_EVERY === 0 && runSeed(seed, chain, choice, processClass).traceHash !== report.traceHash) {
      unsteady.push(seed)
    }
    milestones.add(report.milestones)
    events += report.events
    simulatedMs += report.simulatedMs
    onRun?.(report)
  }
  return { runs: seeds, failures, unsteady, milestones, events, simulatedMs }
}
