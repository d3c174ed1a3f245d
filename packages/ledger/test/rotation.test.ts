import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  authorityBond,
  authorityHeartbeat,
  authorityUnbond,
  leaderOf,
  ROTATION_PERFORMANCE,
  ROTATION_STAKE,
} from '@althing/base'
import type { AuthorityRules } from '@althing/base'
import { AuthorityWorld, nameOf } from './authority-world.ts'
import type { AuthorityWorldOptions } from './authority-world.ts'

/** Blocks whose views go on as if these never led, up to the end of the epoch. */
function absentUntilBoundary(world: AuthorityWorld, ...absent: string[]): string {
  const { epoch } = world.authorities
  while (world.authorities.epoch === epoch) {
    const { set } = world.authorities
    const before = world.nextSet === null ? world.view : 0
    let missed = 0
    while (absent.includes(nameOf(set[leaderOf(before + missed + 1, set)]!.key))) missed += 1
    world.block(() => {}, missed)
  }
  return world.set
}

suite('missed turns', () => {
  test('are those of the leaders of the views between a block and its parent', () => {
    const world = new AuthorityWorld()
    world.block(() => {}, 2) // views 1 and 2, then the block of view 3
    world.block(() => {})
    world.block(() => {}, 5) // views 5 to 9
    const missed = world.authorities.members.map(({ missedTotal, misses }) => [missedTotal, misses])
    assert.deepEqual(missed, [
      [1, [3]],
      [3, [1, 3, 3]],
      [2, [1, 3]],
      [1, [3]],
    ])
  })

  test('begin anew with each epoch: the first view of the next one follows no gap', () => {
    const world = new AuthorityWorld({ rules: { epochBlocksMax: 4 } })
    world.block(() => {}, 3)
    world.pass(3)
    const before = world.authorities.members.map(({ missedTotal }) => missedTotal)
    world.pass(2)
    assert.deepEqual(
      world.authorities.members.map(({ missedTotal }) => missedTotal),
      before,
    )
  })
})

suite('rotation by performance', () => {
  const rules: Partial<AuthorityRules> = {
    rotation: ROTATION_PERFORMANCE,
    windowBlocks: 30,
    missedMax: 3,
    setMin: 4,
  }
  const five = ['a', 'b', 'c', 'd', 'e']
  const seven = [...five, 'f', 'g']

  test('who misses too many turns leaves at the end of the epoch', () => {
    const world = new AuthorityWorld({ authorityNames: five, rules })
    assert.equal(absentUntilBoundary(world, 'c'), 'a b d e')
    assert.equal(world.height, 20, 'it is no reason to end an epoch early')
  })

  test('at most f leave at once; the one that missed the most goes first', () => {
    const world = new AuthorityWorld({ authorityNames: five, rules: { ...rules, setMin: 1 } })
    world.block(() => {}, 4)
    world.block(() => {}, 4)
    assert.equal(absentUntilBoundary(world, 'b', 'c').split(' ').length, 4)
    const sevenOf = new AuthorityWorld({ authorityNames: seven, rules })
    assert.equal(absentUntilBoundary(sevenOf, 'b', 'c', 'd').split(' ').length, 5)
  })

  test('nobody leaves below the floor', () => {
    const world = new AuthorityWorld({ rules })
    assert.equal(absentUntilBoundary(world, 'c'), 'a b c d')
  })

  test('where f is 0 nobody leaves', () => {
    const world = new AuthorityWorld({ authorityNames: ['a', 'b', 'c'], rules: { ...rules, setMin: 1 } })
    assert.equal(absentUntilBoundary(world, 'c'), 'a b c')
  })

  test('misses outside the window are forgotten', () => {
    const world = new AuthorityWorld({ authorityNames: five, rules: { ...rules, windowBlocks: 5 } })
    world.block(() => {}, 40)
    assert.ok(world.authorities.members.every(({ missedTotal }) => missedTotal >= 8))
    assert.equal(world.endEpoch(), 'a b c d e')
  })

  test('who sat still while the whole chain stood is not blamed for all of it', () => {
    const world = new AuthorityWorld({ authorityNames: five, rules })
    world.block(() => {}, 1_000_000)
    const total = world.authorities.members.reduce((sum, { missedTotal }) => sum + missedTotal, 0)
    assert.equal(total, 256)
  })
})

suite('rotation by stake', () => {
  function stakeWorld(
    options: AuthorityWorldOptions = {},
    rules: Partial<AuthorityRules> = {},
  ): AuthorityWorld {
    return new AuthorityWorld({
      authorityNames: [
        ['a', 10],
        ['b', 20],
        ['c', 30],
        ['d', 40],
      ],
      balances: { x: 1_000n, y: 1_000n, a: 1_000n, b: 1_000n },
      rules: {
        rotation: ROTATION_STAKE,
        bondMin: 100n,
        weightUnit: 10n,
        setMin: 1,
        setMax: 4,
        accountabilityEpochs: 2,
        ...rules,
      },
      ...options,
    })
  }
  const bond = (world: AuthorityWorld, name: string, amount: bigint): string =>
    world.outcome(name, [authorityBond({ amount })])
  const unbond = (world: AuthorityWorld, name: string, amount: bigint): string =>
    world.outcome(name, [authorityUnbond({ amount })])

  test('the authorities of genesis have bonds that make their weights', () => {
    const world = stakeWorld()
    assert.deepEqual(
      world.authorities.members.map(({ key, bond: amount }) => [nameOf(key), amount]),
      [
        ['a', 100n],
        ['b', 200n],
        ['c', 300n],
        ['d', 400n],
      ],
    )
  })

  test('a larger bond takes the seat of the smallest, when its key is alive', () => {
    const world = stakeWorld()
    assert.equal(bond(world, 'x', 250n), 'ok')
    assert.equal(world.balance('x'), 749n)
    assert.equal(world.endEpoch(), 'a:10 b:20 c:30 d:40', 'no sign of life')
    assert.equal(world.heartbeat('x'), 'ok')
    assert.equal(world.endEpoch(), 'x:25 b:20 c:30 d:40')
  })

  test('a changed bond changes the weight at the end of the epoch, and no seat', () => {
    const world = stakeWorld()
    assert.equal(bond(world, 'a', 105n), 'ok')
    assert.equal(unbond(world, 'b', 100n), 'ok')
    assert.equal(world.set, 'a:10 b:20 c:30 d:40')
    assert.equal(world.endEpoch(), 'a:20 b:10 c:30 d:40')
  })

  test('at most max(1, f) seats change; the rest waits', () => {
    const world = stakeWorld()
    for (const name of ['x', 'y']) {
      assert.equal(bond(world, name, 900n), 'ok')
      assert.equal(world.heartbeat(name), 'ok')
    }
    const first = world.endEpoch()
    assert.equal(first.split(' ').filter((each) => /[xy]/.test(each)).length, 1)
    world.free(first.includes('x') ? 'y' : 'x', authorityHeartbeat())
    const second = world.endEpoch()
    assert.equal(second.split(' ').filter((each) => /[xy]/.test(each)).length, 2)
    assert.ok(!second.includes('a:') && !second.includes('b:'))
  })

  test('what is unbonded comes back when it can no longer be owed', () => {
    const world = stakeWorld({
      authorityNames: [
        ['a', 10],
        ['b', 20],
        ['c', 30],
        ['d', 40],
      ],
    })
    assert.equal(unbond(world, 'b', 200n), 'ok')
    assert.deepEqual(
      world.authorities.unbondings.map(({ amount, epoch }) => [amount, epoch]),
      [[200n, 0]],
    )
    assert.equal(world.endEpoch(), 'a:10 c:30 d:40')
    world.endEpoch()
    assert.equal(world.balance('b'), 999n)
    world.endEpoch()
    assert.equal(world.balance('b'), 1_199n)
    assert.deepEqual(world.authorities.unbondings, [])
  })

  test('the floor keeps authorities that took their bonds', () => {
    const world = stakeWorld({}, { setMin: 4 })
    assert.equal(unbond(world, 'b', 200n), 'ok')
    assert.equal(world.endEpoch(), 'a:10 b c:30 d:40')
    for (let i = 0; i < 4; i++) world.endEpoch()
    assert.equal(world.balance('b'), 999n, 'and the money, as long as they are authorities')
  })

  const refused: readonly [name: string, outcome: string, act: (world: AuthorityWorld) => string][] = [
    ['a bond below the least', 'receipt BOND_TOO_SMALL', (world) => bond(world, 'x', 99n)],
    ['a bond above the balance', 'receipt BALANCE_TOO_LOW', (world) => bond(world, 'x', 1_000n)],
    ['taking more than there is', 'receipt BOND_TOO_SMALL', (world) => unbond(world, 'b', 201n)],
    ['leaving less than the least', 'receipt BOND_TOO_SMALL', (world) => unbond(world, 'b', 101n)],
    ['taking from nothing', 'receipt BOND_TOO_SMALL', (world) => unbond(world, 'x', 1n)],
    ['a bond without a fee', 'FEE_TOO_LOW', (world) => world.free('x', authorityBond({ amount: 100n }))],
    [
      'a bond where votes decide',
      'receipt STAKE_OFF',
      () => bond(new AuthorityWorld({ balances: { x: 10n } }), 'x', 1n),
    ],
  ]
  for (const [name, outcome, act] of refused) {
    test(`${name}: ${outcome}`, () => assert.equal(act(stakeWorld()), outcome))
  }

  test('money is neither made nor lost', () => {
    const world = stakeWorld({ feeMin: 0n })
    const supply = (): bigint => {
      const { bonds, unbondings } = world.authorities
      const atStake = [...bonds, ...unbondings].reduce((sum, { amount }) => sum + amount, 0n)
      return ['a', 'b', 'c', 'd', 'x', 'y'].reduce((sum, name) => sum + world.balance(name), atStake)
    }
    const before = supply()
    const free = { fee: 0n }
    for (const [name, operation] of [
      ['x', authorityBond({ amount: 500n })],
      ['b', authorityUnbond({ amount: 200n })],
      ['x', authorityUnbond({ amount: 400n })],
      ['a', authorityBond({ amount: 7n })],
    ] as const) {
      assert.equal(world.outcome(name, [operation], free), 'ok')
      assert.equal(supply(), before)
    }
    for (let i = 0; i < 5; i++) {
      world.endEpoch()
      assert.equal(supply(), before)
    }
  })
})
