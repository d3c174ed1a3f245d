/**
 * `npm run mutants`: puts each defect into the code and demands that its check notices. Prints a table; exits with 1
 * when a mutant survives or a check fails without one.
 * @module
 */
import { availableParallelism } from 'node:os'
import { MUTANTS } from './mutants.ts'
import { judge, runCheck } from './run.ts'
import type { Verdict } from './run.ts'

const USAGE = `Usage: npm run mutants -- [text]

Runs the mutants whose name contains the text; all without one.`

const [name = ''] = process.argv.slice(2)
const chosen = MUTANTS.filter((mutant) => mutant.name.includes(name))
if (chosen.length === 0 || name.startsWith('-')) {
  console.error(USAGE)
  process.exit(2)
}

const killers = new Map(chosen.map(({ killer }) => [JSON.stringify(killer), killer]))
const unsound: string[] = []
await inParallel([...killers.values()], async (killer) => {
  const failure = await runCheck(killer, null)
  if (failure !== null) unsound.push(`${JSON.stringify(killer)} fails without a mutant: ${failure}`)
})
const verdicts: Verdict[] = []
await inParallel(chosen, async (mutant) => {
  const verdict = await judge(mutant)
  verdicts.push(verdict)
  const { isKilled, by, seconds } = verdict
  console.log(
    `${isKilled ? '✔' : '✖'} ${mutant.name}\n    ${isKilled ? by : 'survives'}, ${seconds.toFixed(1)} s`,
  )
})
for (const line of unsound) console.log(`✖ ${line}`)
const killed = verdicts.filter(({ isKilled }) => isKilled).length
console.log(`${killed} of ${chosen.length} mutants killed.`)
process.exitCode = killed === chosen.length && unsound.length === 0 ? 0 : 1

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items]
  const worker = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: availableParallelism() }, worker))
}
