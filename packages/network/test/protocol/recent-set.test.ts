import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { RecentSet } from '../../src/protocol/recent-set.ts'

describe('recent set', () => {
  test('memory is bounded by count', () => {
    const set = new RecentSet({ countMax: 10, ageMs: Infinity }, 0)
    for (let i = 0; i < 1000; i++) {
      assert.equal(set.add(`${i}`, 0), true)
      assert.ok(set.size <= 20)
      assert.ok(i < 10 || set.has(`${i - 10}`))
    }
  })

  test('an entry is remembered for its age, and forgotten after twice that', () => {
    const set = new RecentSet({ countMax: 10, ageMs: 100 }, 0)
    set.add('x', 50)
    set.add('y', 149)
    assert.equal(set.has('x'), true)
    set.add('z', 250)
    assert.equal(set.has('x'), false)
    set.add('w', 1000)
    assert.equal(set.size, 1)
  })
})
