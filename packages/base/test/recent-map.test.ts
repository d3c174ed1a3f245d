import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { RecentMap } from '../src/index.ts'

test('half of the weight that may be remembered is remembered, and never more than all of it', () => {
  const sets = fc.array(fc.record({ key: fc.nat(20), weight: fc.integer({ min: 1, max: 5 }) }), {
    maxLength: 60,
  })
  fc.assert(
    fc.property(sets, (all) => {
      const weightMax = 40
      const recent = new RecentMap<number, number>(weightMax)
      for (const [turn, { key, weight }] of all.entries()) recent.set(key, turn, weight)
      let newer = 0
      const seen = new Set<number>()
      for (const [turn, { key, weight }] of [...all.entries()].reverse()) {
        if (!seen.has(key) && newer + weight < weightMax / 2) equal(recent.get(key), turn)
        seen.add(key)
        newer += weight
      }
      const keys = [...seen].filter((key) => recent.has(key))
      equal(keys.length <= weightMax, true)
    }),
  )
})

test('what was set long ago is forgotten, what is set again is not', () => {
  const recent = new RecentMap<string, number>(4)
  recent.set('a', 1)
  for (const [turn, key] of ['b', 'c', 'a', 'd'].entries()) recent.set(key, turn)
  deepEqual(
    ['a', 'b', 'c', 'd'].map((key) => recent.get(key)),
    [2, undefined, 1, 3],
  )
})
