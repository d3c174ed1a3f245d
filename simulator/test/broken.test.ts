/**
 * The simulator finds what it is there to find: a core or a driver that breaks one rule fails within 200 seeds.
 * @module
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as chain from '@althing/chain'
import { failureText, Process, runSeed } from '../src/index.ts'
import type { ChainModule, PlanChoice, ProcessClass, RunReport } from '../src/index.ts'
import { loadMutant } from './mutant.ts'
import type { Mutation } from './mutant.ts'

const SEEDS = 200

function firstFailure(broken: ChainModule, choice: PlanChoice, processClass?: ProcessClass): RunReport {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const report = runSeed(seed, broken, choice, processClass)
    if (report.failure !== null) return report
  }
  return assert.fail(`no failure within ${SEEDS} seeds`)
}

const mutations: readonly (Mutation & { readonly finds: RegExp; readonly choice?: PlanChoice })[] = [
  {
    name: 'R1: finalize after nullify',
    original: 'return !own.finalize && !own.nullify',
    replacement: 'return !own.finalize',
    finds: /^O3/,
  },
  {
    name: 'R1: a second notarize after a restart, as own votes are not taken back (R12)',
    original: 'guard?.restore(vote)',
    replacement: 'guard?.votesOf(vote.view)',
    finds: /^O3/,
  },
  {
    name: 'R12: votes signed after the vote log was lost',
    original: 'else this.guard?.lock(`its vote log',
    replacement: 'else if (rejoin === null) this.guard?.lock(`its vote log',
    finds: /^O3/,
  },
  {
    name: 'a quorum that is one short',
    original: 'this.#quorum = quorumWeight(epoch.set)',
    replacement: 'this.#quorum = quorumWeight(epoch.set) - 1',
    finds: /^O5/,
  },
  {
    name: 'P3: own votes are not tallied after a restart',
    original: 'this.count(vote) // P3',
    replacement: '',
    finds: /no progress/,
    choice: { nodes: 4, mode: 'liveness' },
  },
  {
    name: 'R4: a block beside one that may be final, as the views in between need not be nullified',
    original: 'if (!held.certificates.isNullified(u)) views.push(u)',
    replacement: '',
    finds: /conflicting finalizations|^O1|^O4/,
    choice: { nodes: 4, faulty: 'equivocator' },
  },
  {
    name: 'R6: a nullification does not move the view',
    original: 'certificates.isNullified(view)',
    replacement: 'certificates.isNullified(-1)',
    finds: /no progress/,
  },
]

for (const { finds, choice, ...mutation } of mutations) {
  test(`a broken core is found: ${mutation.name}`, async () => {
    const { failure } = firstFailure(await loadMutant(mutation), choice ?? {})
    assert.match(failure!, finds)
  })
}

/** Breaks R2. */
class HastyProcess extends Process {
  protected override positionToSync(): number {
    return 0
  }
}

test('a broken driver is found: it sends before the vote log is synced (R2)', () => {
  assert.match(firstFailure(chain, {}, HastyProcess).failure!, /^O3/)
})

test('a failure says its seed, and the seed fails again in the same way', async () => {
  const broken = await loadMutant(mutations[0]!)
  const first = firstFailure(broken, {})
  const again = runSeed(first.seed, broken)
  assert.match(failureText(first, {}), new RegExp(`npm run simulate -- --seed ${first.seed}$`))
  assert.equal(again.failure, first.failure)
  assert.equal(again.traceHash, first.traceHash)
  assert.deepEqual(again.transcript, first.transcript)
})
