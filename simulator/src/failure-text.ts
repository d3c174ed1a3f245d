/**
 * What a person is told of a seed that failed.
 * @module
 */
import type { PlanChoice } from './plan.ts'
import type { RunReport } from './run.ts'

/** @param choice that the seed was run with. */
export function replayCommand(seed: number, { nodes, mode, faulty }: PlanChoice): string {
  const options = [
    nodes === undefined ? '' : ` --nodes ${nodes}`,
    mode === undefined ? '' : ` --mode ${mode}`,
    faulty === undefined ? '' : ` --faulty ${faulty}`,
  ]
  return `npm run simulate -- --seed ${seed}${options.join('')}`
}

export function failureText({ seed, plan, failure }: RunReport, choice: PlanChoice): string {
  return [
    `seed ${seed} failed: ${failure ?? 'it did not'}`,
    `  ${plan.mode}, ${plan.characters.join(' ')}`,
    `  replay it: ${replayCommand(seed, choice)}`,
  ].join('\n')
}
