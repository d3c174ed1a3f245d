import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { firstHops } from '../../src/protocol/routes.ts'
import type { WeightedLink } from '../../src/protocol/routes.ts'

const link = (a: string, b: string, latencyMs: number | null): WeightedLink => ({ a, b, latencyMs })

describe('shortest ways (PC-11)', () => {
  const rows: readonly (readonly [
    what: string,
    links: readonly WeightedLink[],
    to: string,
    hop: string | undefined,
  ])[] = [
    ['over a link', [link('me', 'b', 5)], 'b', 'b'],
    ['over another node', [link('me', 'b', 5), link('c', 'b', 5)], 'c', 'b'],
    [
      'the faster of two',
      [link('me', 'b', 5), link('b', 'd', 5), link('me', 'c', 2), link('c', 'd', 2)],
      'd',
      'c',
    ],
    [
      'over more nodes where that is faster',
      [link('me', 'b', 50), link('me', 'c', 5), link('c', 'b', 5)],
      'b',
      'c',
    ],
    ['over fewer where it is not', [link('me', 'b', 10), link('me', 'c', 5), link('c', 'b', 5)], 'b', 'b'],
    [
      'not over a link of unknown latency where a known one is better',
      [link('me', 'b', null), link('me', 'c', 20), link('c', 'b', 20)],
      'b',
      'c',
    ],
    ['nowhere', [link('x', 'y', 1)], 'y', undefined],
  ]
  for (const [what, links, to, hop] of rows) {
    test(what, () => assert.equal(firstHops('me', links).get(to), hop))
  }

  test('following the first hops of each node leads to the goal, on any graph', () => {
    const name = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h')
    const links = fc.uniqueArray(
      fc.record({ a: name, b: name, latencyMs: fc.integer({ min: 1, max: 99 }) }),
      {
        selector: ({ a, b }) => [a, b].toSorted().join(),
        maxLength: 20,
      },
    )
    fc.assert(
      fc.property(links, name, name, (graph, from, to) => {
        let at: string = from
        for (let steps = 0; at !== to; steps++) {
          const hop = firstHops(at, graph).get(to)
          if (hop === undefined) return assert.equal(at, from)
          assert.ok(steps < 8)
          assert.ok(graph.some(({ a, b }) => (a === at && b === hop) || (b === at && a === hop)))
          at = hop
        }
      }),
    )
  })
})
