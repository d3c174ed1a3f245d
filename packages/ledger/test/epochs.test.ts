import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { authorityRejoin } from '@althing/base'
import { AuthorityWorld, keyOf, nameOf } from './authority-world.ts'
import { hashAt } from './chain-world.ts'

suite('the end of an epoch (R11)', () => {
  test('comes with the same set after the greatest length', () => {
    const world = new AuthorityWorld()
    world.pass(19)
    assert.equal(world.authorities.epoch, 0)
    world.pass(1)
    assert.deepEqual(
      (world.nextSet ?? []).map(({ key }) => nameOf(key)),
      ['a', 'b', 'c', 'd'],
    )
    assert.equal(world.authorities.epoch, 1)
    assert.equal(world.authorities.firstHeight, 21)
    assert.equal(world.authorities.anchor, null)
    world.pass(1)
    assert.deepEqual(world.authorities.anchor, hashAt(20))
  })

  test('comes with a removal as soon as it is decided and the least length is reached', () => {
    const world = new AuthorityWorld()
    world.decide('a b c', { kind: 'remove', key: keyOf('d') })
    assert.equal(world.height, 3)
    assert.equal(world.set, 'a b c d')
    world.pass(1)
    assert.equal(world.set, 'a b c')
  })

  test('waits for a sign of life of who comes', () => {
    const world = new AuthorityWorld()
    world.decide('a b c', { kind: 'add', key: keyOf('e'), weight: 1 })
    world.pass(3)
    assert.equal(world.set, 'a b c d')
    assert.equal(world.heartbeat('e'), 'ok')
    assert.equal(world.set, 'a b c d e')
  })

  test('comes as soon as it may when an authority lost its votes (R12), and says so', () => {
    const world = new AuthorityWorld()
    assert.equal(world.free('b', authorityRejoin({ nonce: keyOf('nonce') })), 'ok')
    assert.equal(world.authorities.boundary.rejoinPending, true)
    world.pass(3)
    const { epoch, members, boundary } = world.authorities
    assert.deepEqual([epoch, boundary.rejoinPending], [1, false])
    assert.deepEqual(members[1]?.rejoin, { nonce: keyOf('nonce'), epoch: 0, height: 1 })
  })

  test('is asked for by rejoining once an epoch, each time with another nonce, by authorities', () => {
    const world = new AuthorityWorld()
    const rejoin = (name: string, nonce: string): string =>
      world.free(name, authorityRejoin({ nonce: keyOf(nonce) }))
    assert.equal(rejoin('b', 'first'), 'ok')
    assert.equal(rejoin('b', 'second'), 'REJOIN_EXISTS')
    assert.equal(rejoin('x', 'first'), 'NOT_AUTHORITY')
    world.endEpoch()
    assert.equal(rejoin('b', 'first'), 'REJOIN_EXISTS')
    assert.equal(rejoin('b', 'second'), 'ok')
    assert.equal(world.authorities.members[1]?.rejoin?.epoch, 1)
  })

  test('changes seats of a total weight of f at most, unless it is a single one', () => {
    const names: [string, number][] = [
      ['a', 10],
      ...['b', 'c', 'd', 'e', 'f', 'g'].map((each): [string, number] => [each, 1]),
    ]
    for (const [first, second, left] of [
      ['a', 'b', 'b c d e f g'],
      ['b', 'a', 'a:10 c d e f g'],
      ['b', 'c', 'a:10 d e f g'],
    ] as const) {
      const world = new AuthorityWorld({ authorityNames: names, rules: { epochBlocksMin: 8 } })
      for (const [proposer, gone] of [
        ['d', first],
        ['e', second],
      ] as const)
        world.decide(`${proposer} a`, { kind: 'remove', key: keyOf(gone) })
      assert.equal(world.endEpoch(), left)
      assert.equal(world.endEpoch().split(' ').length, 5)
    }
  })
})
