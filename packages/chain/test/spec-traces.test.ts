/**
 * The real core does what the Quint specification says: recorded traces of its named runs and of random simulation are
 * replayed, and votes, views and finality compared after every step. `npm run spec -- --record` records them.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Replay } from './spec-replay.ts'
import type { Trace } from './spec-replay.ts'

/** Another folder when `npm run spec` brings new ones. */
const folder =
  process.env.ALTHING_SPEC_TRACES ?? fileURLToPath(new URL('../../../spec/traces', import.meta.url))
const traces = readdirSync(folder).map(
  (file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Trace,
)

for (const trace of traces) {
  test(`the core follows ${trace.name}, ${trace.steps.length} steps`, () => new Replay(trace).run())
}

test('every kind of step is in a trace', () => {
  const steps = new Set(traces.flatMap((trace) => trace.steps.map((step) => step.do)))
  assert.deepEqual([...steps].sort(), ['deliver', 'forge', 'learn', 'restart', 'reuse', 'timeout'])
  assert.ok(
    traces.some(({ steps: each }) => each.some((step) => step.then?.done)),
    'and the end of an epoch',
  )
})
