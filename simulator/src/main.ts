/**
 * `npm run simulate`: many seeds on all cores, or one seed with its transcript.
 * @module
 */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import * as chain from '@althing/chain'
import { addReports, EMPTY_REPORT } from './campaign.ts'
import type { Campaign, CampaignReport } from './campaign.ts'
import { failureText } from './failure-text.ts'
import { MILESTONES, missingMilestones } from './milestones.ts'
import type { Milestone } from './milestones.ts'
import { MODES } from './plan.ts'
import type { PlanChoice } from './plan.ts'
import { runSeed } from './run.ts'

const USAGE = `Usage: npm run simulate -- [options]

Runs whole networks of the real consensus core in simulated time, one for each seed.

  --seeds N      how many seeds (default 1000)
  --from S       the first seed (default 1)
  --seed S       one seed only, with the last steps of its transcript when it fails
  --nodes 4|7    authorities (default: drawn by each seed)
  --mode M       safety or liveness (default: drawn by each seed)
  --jobs J       seeds run at once (default: the number of cores)
  --verbose      all milestones; with --seed the transcript and the plan in any case
`

/** Seeds that are handed to a worker at once. */
const BATCH = 25
/** From so many seeds on, each milestone must have been reached. */
const MILESTONE_SEEDS = 200
const FAILURES_SHOWN = 5

interface Options {
  readonly from: number
  readonly seeds: number
  readonly seed: number | null
  readonly choice: PlanChoice
  readonly jobs: number
  readonly verbose: boolean
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '1000' },
      from: { type: 'string', default: '1' },
      seed: { type: 'string' },
      nodes: { type: 'string' },
      mode: { type: 'string' },
      jobs: { type: 'string', default: `${availableParallelism()}` },
      verbose: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) throw new Error('')
  const number = (name: 'seeds' | 'from' | 'seed' | 'nodes' | 'jobs', min: number): number => {
    const value = Number(values[name])
    if (!Number.isInteger(value) || value < min)
      throw new Error(`--${name} ${values[name]}: expected an integer from ${min}`)
    return value
  }
  const mode = MODES.find((known) => known === values.mode)
  if (values.mode !== undefined && mode === undefined)
    throw new Error(`--mode ${values.mode}: expected ${MODES.join(' or ')}`)
  return {
    from: number('from', 0),
    seeds: number('seeds', 1),
    seed: values.seed === undefined ? null : number('seed', 0),
    choice: { nodes: values.nodes === undefined ? undefined : number('nodes', 1), mode },
    jobs: number('jobs', 1),
    verbose: values.verbose,
  }
}

function runOne(seed: number, { choice, verbose }: Options): boolean {
  const report = runSeed(seed, chain, choice)
  const { failure, plan } = report
  if (verbose) console.log(JSON.stringify(plan, null, 2))
  if (failure !== null || verbose) console.log(report.transcript.join('\n'))
  const end = `height ${report.height}, ${report.events} events, ${(report.simulatedMs / 1000).toFixed(1)} simulated s`
  console.log(`seed ${seed}, ${plan.mode}, ${plan.characters.join(' ')}: ${end}, trace ${report.traceHash}`)
  if (failure !== null) console.log(`FAILED: ${failure}`)
  return failure === null
}

/** Hands batches of seeds to workers. */
async function runMany({ from, seeds, choice, jobs }: Options): Promise<CampaignReport> {
  const startedMs = performance.now()
  let next = from
  let total = EMPTY_REPORT
  const takeBatch = (): Campaign | null => {
    const batch = { from: next, seeds: Math.min(BATCH, from + seeds - next), choice }
    next += batch.seeds
    return batch.seeds > 0 ? batch : null
  }
  const work = (): Promise<void> => {
    const worker = new Worker(new URL('worker.ts', import.meta.url))
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const give = (): void => {
      const batch = takeBatch()
      if (batch === null) worker.terminate().then(() => resolve(), reject)
      else worker.postMessage(batch)
    }
    worker.on('error', reject)
    worker.on('message', (report: CampaignReport) => {
      total = addReports(total, report)
      const perSecond = total.events / ((performance.now() - startedMs) / 1000)
      const failed = total.failures.length === 0 ? '' : `, ${total.failures.length} FAILED`
      console.log(`${total.runs} of ${seeds} seeds${failed}, ${Math.round(perSecond / 1000)} k events/s`)
      give()
    })
    give()
    return promise
  }
  await Promise.all(Array.from({ length: Math.min(jobs, Math.ceil(seeds / BATCH)) }, work))
  return total
}

function summarise(total: CampaignReport, { choice, verbose, seeds }: Options): boolean {
  const mustReach = choice.mode === undefined && seeds >= MILESTONE_SEEDS
  const missing = mustReach ? missingMilestones(total.milestones) : []
  if (verbose) {
    for (const [milestone, times] of Object.entries(total.milestones)) {
      console.log(`${`${times}`.padStart(8)}  ${MILESTONES[milestone as Milestone]}`)
    }
  }
  for (const report of total.failures.slice(0, FAILURES_SHOWN))
    console.log(`\n${failureText(report, choice)}`)
  for (const seed of total.unsteady)
    console.log(`\nseed ${seed} ran in two ways: something is not deterministic`)
  for (const milestone of missing) console.log(`never reached: ${MILESTONES[milestone]}`)
  const hours = (total.simulatedMs / 3_600_000).toFixed(1)
  console.log(
    `${total.runs} seeds, ${hours} simulated hours, ${total.events} events: ${total.failures.length} failed`,
  )
  return total.failures.length === 0 && total.unsteady.length === 0 && missing.length === 0
}

let options: Options
try {
  options = readOptions()
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`.trimStart())
  process.exit(2)
}
const passed =
  options.seed === null ? summarise(await runMany(options), options) : runOne(options.seed, options)
process.exitCode = passed ? 0 : 1
