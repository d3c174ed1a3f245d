import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConsensusView } from '@althing/chain'
import { explainWaiting } from '../src/consensus/explain.ts'
import type { WaitingContext } from '../src/consensus/explain.ts'

type Change = Partial<Omit<WaitingContext, 'view'>> & {
  view?: Partial<ConsensusView>
  silentMs?: (number | null)[]
}

function context({ view, silentMs = [100, 100, 100, 100], ...rest }: Change): WaitingContext {
  return {
    view: {
      epoch: 0,
      view: 9,
      floor: 8,
      finalizedHeight: 8,
      finalizedHash: new Uint8Array(32),
      headHeight: 8,
      headHash: new Uint8Array(32),
      leader: 1,
      idle: false,
      halted: null,
    haltProof: [],
      observer: null,
      quorumWeight: 3,
      authorities: silentMs.map((ms, index) => ({
        index,
        key: new Uint8Array(32),
        weight: 1,
        silentMs: ms,
        votedNotarize: index === 0,
        votedNullify: false,
        votedFinalize: false,
      })),
      ...view,
    },
    sinceFinalMs: 400,
    intervalMs: 500,
    idleIntervalMs: 30_000,
    linked: new Set([0, 1, 2, 3]),
    claimedHeight: 8,
    ...rest,
  }
}

const rows: [string, Change, RegExp][] = [
  ['a chain at work says so', {}, /^Working: block 9 is under way in view 9\.$/],
  ['an idle chain is idle, not stuck', { view: { idle: true } }, /^Idle: .* every 30\.0 s\.$/],
  [
    'one dead authority is named while blocks go on',
    { silentMs: [0, 0, 0, 60_000], linked: new Set([0, 1, 2]) },
    /^Working: .* Missing: authority 3 \(last heard 60\.0 s ago, no link\)\.$/,
  ],
  [
    'two dead of four: stopped, which ones, since when, what is needed',
    { silentMs: [0, 0, 12_000, null], linked: new Set([0, 1, 2]) },
    /^Stopped: 2 of 4 authority votes can be had, 3 are needed\. Missing: authority 2 \(last heard 12\.0 s ago, a link is up\); authority 3 \(never heard, no link\)\./,
  ],
  [
    'a node behind says that it catches up',
    { claimedHeight: 90 },
    /^Catching up: final at 8, a peer claims 90\./,
  ],
  [
    'halted comes before all else',
    { view: { halted: 'two finalizations conflict' } },
    /^Halted: two finalizations conflict/,
  ],
  [
    'all heard and yet no block: the leader and the votes',
    { sinceFinalMs: 60_000 },
    /^Waiting: view 9, led by authority 1 \(heard 100 ms ago\); votes held: 1 notarize, 0 nullify, 0 finalize, 3 needed\.$/,
  ],
]

for (const [name, change, expected] of rows) {
  test(`explain: ${name}`, () => {
    assert.match(explainWaiting(context(change)), expected)
  })
}
