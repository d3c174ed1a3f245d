import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConsensusView } from '@althing/chain'
import { explainWaiting } from '../src/consensus/explain.ts'
import type { AuthorityLink, WaitingContext } from '../src/consensus/explain.ts'

type Change = Partial<Omit<WaitingContext, 'view'>> & {
  view?: Partial<ConsensusView>
  silentMs?: (number | null)[]
}

function link(change: Partial<AuthorityLink>): AuthorityLink {
  const clock = { offsetMs: 3, uncertaintyMs: 1 }
  return { peer: 'p', address: '/ip4/10.0.0.1/tcp/9000', isRelayed: false, latencyMs: 2, clock, ...change }
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
    self: 0,
    sinceFinalMs: 400,
    intervalMs: 500,
    idleIntervalMs: 30_000,
    timeoutMs: 1_000,
    driftMs: 500,
    links: new Map([1, 2, 3].map((index) => [index, link({})])),
    ends: new Map(),
    twins: [],
    strangers: [],
    claimedHeight: 8,
    ...rest,
  }
}

const rows: [string, Change, RegExp, RegExp?][] = [
  ['a chain at work says so', {}, /^Working: block 9 is under way in view 9\.$/, /^$/],
  ['an idle chain is idle, not stuck', { view: { idle: true } }, /^Idle: .* every 30\.0 s\.$/, /^$/],
  [
    'one dead authority is named while blocks go on',
    { silentMs: [0, 0, 0, 60_000], links: new Map() },
    /^Working: .* Missing: authority 3 \(last heard 60\.0 s ago, no link\)\.$/,
  ],
  [
    'two dead of four: stopped, which ones, since when, what is needed, what to do',
    {
      silentMs: [0, 0, 12_000, null],
      links: new Map([
        [1, link({})],
        [2, link({})],
      ]),
      ends: new Map([[3, 'its node was stopped']]),
    },
    /^Stopped: 2 of 4 authority votes can be had, 3 are needed\. Missing: authority 2 \(last heard 12\.0 s ago, a link is up\); authority 3 \(never heard, no link: its node was stopped\)\./,
    /node of authority 3 runs .*authority 2 is connected but says nothing.*weight 1 must come back.*recover\.md/,
  ],
  [
    'two that fell silent together: look for a cut network first',
    { silentMs: [0, 0, 12_000, 12_900], links: new Map([[1, link({})]]) },
    /^Stopped/,
    /^authority 2 and authority 3 fell silent together: look for a cut/,
  ],
  [
    'an authority with another genesis is told apart',
    { silentMs: [0, 0, null, null], strangers: ['12D3: genesis-mismatch: genesis 0102'], links: new Map() },
    /^Stopped/,
    /another network \(12D3: genesis-mismatch.*genesis file/,
  ],
  [
    'a clock that is wrong is named, also while all is well',
    {
      links: new Map([
        [1, link({})],
        [2, link({ clock: { offsetMs: 5_000, uncertaintyMs: 2 } })],
      ]),
    },
    /^Working/,
    /^The clock of authority 2 is 5\.0 s ahead of this node's.*500 ms/,
  ],
  [
    'when all others differ alike, it is the own clock',
    { links: new Map([1, 2, 3].map((i) => [i, link({ clock: { offsetMs: 5_000 + i, uncertaintyMs: 2 } })])) },
    /^Working/,
    /^The clock of this node \(authority 0\) is 5\.0 s behind the others/,
  ],
  [
    'a second node with the same key is told of, whatever else goes on',
    { twins: ['12D3 at /ip4/10.0.0.9/tcp/9000'] },
    /^Working/,
    /^Another node holds this authority's key \(12D3 at .*Stop one of them at once/,
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
    /recover\.md/,
  ],
  [
    'all heard and yet no block: the leader, the votes, and the slow links',
    { sinceFinalMs: 60_000, links: new Map([[1, link({ latencyMs: 900 })]]) },
    /^Waiting: view 9, led by authority 1 \(heard 100 ms ago, 900 ms away\); votes held: 1 notarize, 0 nullify, 0 finalize, 3 needed; no vote in this view from authority 1, authority 2 and authority 3\.$/,
    /authority 1 and back takes up to 900 ms: consensus\.timeout \(1\.0 s\)/,
  ],
]

for (const [name, change, expected, advice] of rows) {
  test(`explain: ${name}`, () => {
    const told = explainWaiting(context(change))
    assert.match(told.text, expected)
    if (advice !== undefined) assert.match(told.advice.join(' '), advice)
  })
}
