/**
 * Many seeds, one after the other, and what they reached together.
 * @module
 */
import type { ProcessClass } from './cluster.ts'
import { addCounts } from './milestones.ts'
import type { Counts } from './milestones.ts'
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
}

export interface CampaignReport {
  readonly runs: number
  readonly failures: readonly RunReport[]
  /** Seeds that did not run the same way twice. */
  readonly unsteady: readonly number[]
  readonly counts: Counts
  /** Entries of the agendas carried out. */
  readonly events: number
  readonly simulatedMs: number
}

export const EMPTY_REPORT: CampaignReport = {
  runs: 0,
  failures: [],
  unsteady: [],
  counts: {},
  events: 0,
  simulatedMs: 0,
}

/** @param processClass another driver than the right one. */
export function runCampaign(
  chain: ChainModule,
  campaign: Campaign,
  processClass?: ProcessClass,
): CampaignReport {
  const { from, seeds, choice } = campaign
  let total = EMPTY_REPORT
  for (let seed = from; seed < from + seeds; seed++) {
    const run = runSeed(seed, chain, choice, processClass)
    const again = seed % TWICE_EVERY === 0 ? runSeed(seed, chain, choice, processClass) : run
    total = addReports(total, {
      runs: 1,
      failures: run.failure === null ? [] : [run],
      unsteady: again.traceHash === run.traceHash ? [] : [seed],
      counts: run.counts,
      events: run.events,
      simulatedMs: run.simulatedMs,
    })
  }
  return total
}

export function addReports(a: CampaignReport, b: CampaignReport): CampaignReport {
  return {
    runs: a.runs + b.runs,
    failures: [...a.failures, ...b.failures],
    unsteady: [...a.unsteady, ...b.unsteady],
    counts: addCounts(a.counts, b.counts),
    events: a.events + b.events,
    simulatedMs: a.simulatedMs + b.simulatedMs,
  }
}
