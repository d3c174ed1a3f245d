/**
 * `npm run simulate`: many seeds on all cores, or one seed with its transcript.
 * @module
 */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import * as chain from '@althing/chain'
import { eventRateText, figuresText } from './figures.ts'
import { failureText } from './failure-text.ts'
import { newCampaign, resumeCampaign, runFleet } from './fleet.ts'
import type { CampaignState } from './fleet.ts'
import { countsText, MILESTONES, missingMilestones } from './milestones.ts'
import { FAULTY, MODES } from './plan.ts'
import type { PlanChoice } from './plan.ts'
import { runSeed } from './run.ts'

const USAGE = `Usage: npm run simulate -- [options]

Runs whole networks of the real consensus core in simulated time, one for each seed.

  --seeds N      how many seeds (default 1000)
  --from S       the first seed (default 1)
  --seed S       one seed only, with the last steps of its transcript when it fails
  --nodes N      authorities, 4 to 13 (default: drawn by each seed)
  --mode M       ${MODES.join(', ')} (default: drawn by each seed)
  --faulty C     ${FAULTY.join(', ')}:
                 what faulty authorities are (default: drawn by each seed)
  --jobs J       seeds run at once (default: the number of cores)
  --state FILE   keeps what is done in a file; the same command goes on from there
  --figures      what a block costs without faults and with dead authorities, in place of seeds
  --verbose      with --seed the transcript and the plan in any case
`

/** From so many seeds on, each milestone must have been reached. */
const MILESTONE_SEEDS = 1_000
const FAILURES_SHOWN = 5
/** Of the transcript of a failure in a campaign. */
const STEPS_SHOWN = 30

interface Options {
  readonly from: number
  readonly seeds: number
  readonly seed: number | null
  readonly choice: PlanChoice
  readonly jobs: number
  readonly stateFile: string | null
  readonly figures: boolean
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
      faulty: { type: 'string' },
      jobs: { type: 'string', default: `${availableParallelism()}` },
      state: { type: 'string' },
      figures: { type: 'boolean', default: false },
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
  const faulty = FAULTY.find((known) => known === values.faulty)
  if (values.faulty !== undefined && faulty === undefined)
    throw new Error(`--faulty ${values.faulty}: expected one of ${FAULTY.join(', ')}`)
  return {
    from: number('from', 0),
    seeds: number('seeds', 1),
    seed: values.seed === undefined ? null : number('seed', 0),
    choice: { nodes: values.nodes === undefined ? undefined : number('nodes', 4), mode, faulty },
    jobs: number('jobs', 1),
    stateFile: values.state ?? null,
    figures: values.figures,
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

/** Runs what is left of the campaign, with a line for each batch. */
async function runMany({ from, seeds, choice, jobs, stateFile }: Options): Promise<CampaignState> {
  const begun = newCampaign(from, seeds, choice)
  const state = stateFile === null ? begun : resumeCampaign(stateFile, begun)
  if (state.total.runs > 0) console.log(`${state.total.runs} seeds were done before`)
  const eventsBefore = state.total.events
  const done = await runFleet(state, jobs, stateFile, ({ total }) => {
    const failed = total.failures.length === 0 ? '' : `, ${total.failures.length} FAILED`
    console.log(`${total.runs} of ${seeds} seeds${failed}`)
  })
  const { user, system } = process.cpuUsage()
  console.log(eventRateText(done.total.events - eventsBefore, (user + system) / 1_000))
  return done
}

function summarise({ total, choice, seeds }: CampaignState): boolean {
  const isAny = Object.values(choice).every((chosen) => chosen === undefined)
  const mustReach = isAny && seeds >= MILESTONE_SEEDS
  const missing = mustReach ? missingMilestones(total.counts) : []
  console.log(countsText(total.counts).join('\n'))
  for (const report of total.failures.slice(0, FAILURES_SHOWN)) {
    console.log(`\n${failureText(report, choice)}`)
    console.log(report.transcript.slice(-STEPS_SHOWN).join('\n'))
  }
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
if (options.figures) console.log(figuresText(chain).join('\n'))
else {
  const passed = options.seed === null ? summarise(await runMany(options)) : runOne(options.seed, options)
  process.exitCode = passed ? 0 : 1
}
