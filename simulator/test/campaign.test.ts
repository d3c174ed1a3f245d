/**
 * 300 networks with faults (consensus rules, verification plan): 4 to 13 authorities, safety, liveness and corruption.
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as chain from '@althing/chain'
import { addCounts, failureText, MILESTONES, missingMilestones, runCampaign } from '../src/index.ts'
import type { Counts, PlanChoice } from '../src/index.ts'

const campaigns = [
  { from: 1, seeds: 70, choice: { nodes: 4, mode: 'safety' } },
  { from: 71, seeds: 70, choice: { nodes: 4, mode: 'liveness' } },
  { from: 141, seeds: 30, choice: { nodes: 7, mode: 'safety' } },
  { from: 171, seeds: 40, choice: { nodes: 7, mode: 'liveness' } },
  { from: 211, seeds: 20, choice: { mode: 'corrupt' } },
  { from: 231, seeds: 20, choice: { nodes: 10 } },
  { from: 251, seeds: 10, choice: { nodes: 13 } },
  { from: 261, seeds: 20, choice: { nodes: 4, mode: 'liveness', faulty: 'lostDisk' } },
  { from: 281, seeds: 20, choice: {} },
] as const

test('what must hold holds in 300 networks with faults', async (t) => {
  let counts: Counts = {}
  for (const campaign of campaigns) {
    const choice: PlanChoice = campaign.choice
    const name = `${choice.nodes ?? 'any number of'} authorities, ${choice.mode ?? 'any mode'}, ${choice.faulty ?? 'any faulty'}`
    await t.test(`${campaign.seeds} seeds, ${name}`, () => {
      const report = runCampaign(chain, campaign)
      counts = addCounts(counts, report.counts)
      assert.deepEqual(
        report.failures.map((failure) => failureText(failure, choice)),
        [],
      )
      assert.deepEqual(report.unsteady, [], 'seeds that did not run the same way twice')
    })
  }
  await t.test('and every rare state occurred', () => {
    const missing = missingMilestones(counts).map((milestone) => MILESTONES[milestone])
    assert.deepEqual(missing, [], 'states that never occurred')
  })
})
