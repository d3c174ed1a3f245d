/**
 * The exhaustive checker over three views: a Byzantine authority among four, equivocation, a boundary block and its
 * re-proposals. Minutes; part of `npm run verify`. Exits with 1 when a state is bad.
 * @module
 */
import { check } from './checker.ts'
import { RULES } from './rules.ts'
import type { BlockKind } from './rules.ts'

const runs: readonly (readonly BlockKind[])[] = [
  ['boundary', 'boundary'],
  ['ordinary', 'boundary'],
  ['ordinary', 'ordinary'],
]

for (const blocks of runs) {
  const startMs = performance.now()
  const { states, transitions, violation } = check({ ...RULES, views: 3, blocks })
  const seconds = ((performance.now() - startMs) / 1000).toFixed(0)
  console.log(`3 views, ${blocks.join(' beside ')}: ${states} states, ${transitions} votes, ${seconds} s`)
  if (violation === null) continue
  console.log(violation)
  process.exitCode = 1
}
