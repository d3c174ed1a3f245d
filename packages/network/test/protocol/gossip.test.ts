import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Gossip, gossipId } from '../../src/protocol/gossip.ts'
import { RecentSet } from '../../src/protocol/recent-set.ts'

const LIMITS = { seenMax: 100, seenMs: 1000, knownPerPeerMax: 100 }

describe('gossip (PO-2)', () => {
  test('goes to everyone but those who have it', () => {
    const gossip = new Gossip(LIMITS, 0)
    for (const peer of ['a', 'b', 'c']) gossip.peerOpened(peer, 0)
    assert.equal(gossip.received('a', 'x', 0), true)
    assert.equal(gossip.received('b', 'x', 0), false)
    assert.deepEqual(gossip.relayTo('x', 0), ['c'])
    assert.deepEqual(gossip.relayTo('x', 0), [])
  })

  test('our own message that comes back is no news', () => {
    const gossip = new Gossip(LIMITS, 0)
    gossip.peerOpened('a', 0)
    assert.deepEqual(
      [gossip.published('x', 0), gossip.published('x', 0), gossip.received('a', 'x', 0)],
      [true, false, false],
    )
  })

  test('a peer that left gets nothing', () => {
    const gossip = new Gossip(LIMITS, 0)
    gossip.peerOpened('a', 0)
    gossip.peerClosed('a')
    assert.deepEqual(gossip.relayTo('x', 0), [])
  })

  test('the id depends on kind and body', () => {
    const ids = [gossipId(1, Uint8Array.of(1)), gossipId(2, Uint8Array.of(1)), gossipId(1, Uint8Array.of(2))]
    assert.equal(new Set(ids).size, 3)
    assert.equal(ids[0]?.length, 16)
  })
})

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
