import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { chooseCrowded, chooseReplaceable, chooseVictim } from '../../src/protocol/eviction.ts'
import type { Seat } from '../../src/protocol/eviction.ts'

function seat(block: string | null, changes: Partial<Seat> = {}): Seat {
  return { block, region: block, openedMs: 0, latencyMs: null, reputation: 0, quality: 100, ...changes }
}

const crowd = (count: number, block: string, changes: (i: number) => Partial<Seat> = () => ({})) =>
  Array.from({ length: count }, (_, i) => seat(block, changes(i)))

describe('eviction (PO-3)', () => {
  test('the worst link of the most crowded block makes room for a peer from elsewhere', () => {
    const seats = [
      ...crowd(3, 'a', () => ({ quality: 1 })),
      ...crowd(20, 'b', (i) => ({ quality: 50 + i, openedMs: i })),
    ]
    const victim = chooseVictim(seats, { block: 'c', region: 'c' })
    assert.equal(victim?.block, 'b')
  })

  const merits = [
    { merit: 'fast', changes: { latencyMs: 1, openedMs: 99 } },
    { merit: 'useful', changes: { reputation: 20, openedMs: 99 } },
    { merit: 'there for long', changes: { openedMs: 1 } },
  ]
  for (const { merit, changes } of merits) {
    test(`who is ${merit} stays, however badly its link works otherwise`, () => {
      const others = crowd(15, 'a', (i) => ({ openedMs: 10 + i, latencyMs: 100 }))
      const victim = chooseVictim([seat('a', { quality: 0, ...changes }), ...others], {
        block: 'b',
        region: 'b',
      })
      assert.equal(victim?.quality, 100)
    })
  }

  test('a newcomer from a crowded block gets no slot; nor one where nobody is crowded', () => {
    assert.equal(chooseVictim([...crowd(10, 'a'), ...crowd(9, 'b')], { block: 'b', region: 'b' }), null)
    assert.equal(
      chooseVictim(
        ['a', 'b', 'c', 'd'].map((block) => seat(block)),
        { block: 'e', region: 'e' },
      ),
      null,
    )
    assert.equal(
      chooseVictim(
        crowd(16, 'x').map((one) => ({ ...one, block: null, region: null })),
        { block: null, region: null },
      ),
      null,
    )
  })

  test('where no block is crowded, a crowded region makes room for a peer from elsewhere, and not for one of its own', () => {
    const seats = Array.from({ length: 16 }, (_, i) => seat(`66.6.${i}`, { region: '66.6', openedMs: i }))
    assert.equal(chooseVictim(seats, { block: '20.1.1', region: '20.1' })?.region, '66.6')
    assert.equal(chooseVictim(seats, { block: '66.6.99', region: '66.6' }), null)
  })

  test('who has not ended the handshake goes before anyone else of the crowd', () => {
    const seats = [...crowd(3, 'a', () => ({ quality: 0 })), seat('a', { openedMs: null })]
    assert.equal(chooseVictim(seats, { block: 'b', region: 'b' })?.openedMs, null)
  })

  test('no flood from one block ever pushes out a peer of a smaller one (property)', () => {
    const arbitrary = fc.record({
      block: fc.constantFrom('a', 'b', 'c', null),
      openedMs: fc.option(fc.nat(1000)),
      latencyMs: fc.option(fc.nat(1000)),
      reputation: fc.integer({ min: -100, max: 25 }),
      quality: fc.nat(100),
    })
    fc.assert(
      fc.property(fc.array(arbitrary, { maxLength: 40 }), (drawn) => {
        const seats = drawn.map((one) => ({ ...one, region: one.block }))
        const sizeOf = (block: string | null) => seats.filter((one) => one.block === block).length
        const victim = chooseVictim(seats, { block: 'a', region: 'a' })
        if (victim !== null) assert.ok(sizeOf(victim.block) >= sizeOf('a') + 2)
      }),
    )
  })

  test('of outbound links, one that had its minute and works badly is given up', () => {
    const worst = seat('a', { quality: 5, openedMs: 0 })
    const seats = [seat('b', { quality: 20 }), worst, seat('c', { quality: 0, openedMs: 59_000 })]
    assert.equal(chooseReplaceable(seats, 60_000), worst)
    assert.equal(chooseReplaceable([seat('a', { quality: 21 })], 60_000), null)
  })

  test('of outbound links into one region one that had its minute is given up for another region; a single one is not', () => {
    const young = seat('a', { openedMs: 59_000, quality: 0 })
    const old = seat('a', { quality: 90 })
    assert.equal(chooseCrowded([young, old, seat('b', { quality: 0 })], 60_000), old)
    assert.equal(chooseCrowded([seat('a'), seat('b'), seat(null), seat(null)], 60_000), null)
  })
})
