/** Every mutant still applies to the code, and some are killed here; all of them by `npm run mutants`. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MUTANTS } from '../mutants/mutants.ts'
import { assertApplies, judge, runCheck } from '../mutants/run.ts'

/** One of the core, one of the driver, one of the vote log, one of synchronisation. */
const SAMPLE = ['P1:', 'P14, R2:', 'R12: a torn record', 'R10: a run of the chain']

test('each mutant changes exactly one place', () => {
  for (const mutant of MUTANTS) assert.doesNotThrow(() => assertApplies(mutant), mutant.name)
})

for (const prefix of SAMPLE) {
  const mutant = MUTANTS.find(({ name }) => name.startsWith(prefix))!
  test(`is noticed: ${mutant.name}`, async () => {
    assert.equal(await runCheck(mutant.killer, null), null, 'the check passes without it')
    const verdict = await judge(mutant)
    assert.ok(verdict.isKilled, verdict.by)
  })
}
