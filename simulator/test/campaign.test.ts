/**
 * 200 networks with faults: 4 and 7 authorities, safety and liveness (consensus rules, verification plan).
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as chain from '@althing/chain'
import { addCounts, failureText, MILESTONES, missingMilestones, runCampaign } from '../src/index.ts'
import type { MilestoneCounts } from '../src/index.ts'

const campaigns = [
  { from: 1, seeds: 60, choice: { nodes: 4, mode: 'safety' } },
  { from: 61, seeds: 60, choice: { nodes: 4, mode: 'liveness' } },
  { from: 121, seeds: 40, choice: { nodes: 7, mode: 'safety' } },
  { from: 161, seeds: 40, choice: { nodes: 7, mode: 'liveness' } },
] as const

test('what must hold holds in 200 networks with faults', async (t) => {
  let milestones: MilestoneCounts = {}
  for (const campaign of campaigns) {
    const { nodes, mode } = campaign.choice
    await t.test(`${campaign.seeds} seeds, ${nodes} authorities, ${mode}`, () => {
      const report = runCampaign(chain, campaign)
      milestones = addCounts(milestones, report.milestones)
      assert.deepEqual(
        report.failures.map((failure) => failureText(failure, campaign.choice)),
        [],
      )
      assert.deepEqual(report.unsteady, [], 'seeds that did not run the same way twice')
    })
  }
  await t.test('and every rare state occurred', () => {
    const missing = missingMilestones(milestones).map((milestone) => MILESTONES[milestone])
    assert.deepEqual(missing, [], 'states that never occurred')
  })
})
