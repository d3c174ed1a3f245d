import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  decodeDialBackAnswer,
  decodeDialBackRequest,
  decodeNotice,
  encodeDialBackAnswer,
  encodeDialBackRequest,
  encodeNotice,
} from '../../src/protocol/reach-messages.ts'
import { ReachabilityJudge, WORD_AGE_MS_MAX } from '../../src/protocol/reachability.ts'
import type { Word } from '../../src/protocol/reachability.ts'
import { Upgrades } from '../../src/protocol/upgrades.ts'

const DOOR = '/tcp/4001'

function word(peer: string, came: boolean, scope: Word['scope'] = 'public'): Word {
  return { peer, host: '/ip4/11.0.0.9', scope, tried: [DOOR], reached: came ? [DOOR] : [] }
}

describe('whether others can dial this node (PT-8)', () => {
  const cases: readonly { what: string; words: readonly Word[]; reach: string }[] = [
    { what: 'nobody tried', words: [], reach: 'unknown' },
    { what: 'one came through', words: [word('a', true)], reach: 'public' },
    { what: 'nobody came through', words: [word('a', false), word('b', false)], reach: 'private' },
    { what: 'H3: half came through', words: [word('a', true), word('b', false)], reach: 'public' },
    {
      what: 'H3: one of three says so',
      words: [word('a', true), word('b', false), word('c', false)],
      reach: 'private',
    },
    {
      what: 'H1: who changed its mind counts once',
      words: [word('a', true), word('a', false)],
      reach: 'private',
    },
    {
      what: 'H2: neighbours come through, the internet does not',
      words: [word('a', true, 'private'), word('b', true, 'loopback'), word('c', false)],
      reach: 'private',
    },
  ]
  for (const { what, words, reach } of cases) {
    test(`${what}: ${reach}`, () => {
      const judge = new ReachabilityJudge()
      for (const one of words) judge.heard(one, 0)
      assert.equal(judge.judge(1).reach, reach)
    })
  }

  test('H1: old words do not count', () => {
    const judge = new ReachabilityJudge()
    judge.heard(word('a', true), 0)
    assert.equal(judge.judge(WORD_AGE_MS_MAX - 1).reach, 'public')
    assert.equal(judge.judge(WORD_AGE_MS_MAX).reach, 'unknown')
  })

  test('H4: only what others came through by is confirmed', () => {
    const judge = new ReachabilityJudge()
    judge.heard({ ...word('a', true), tried: [DOOR, '/udp/4001/quic-v1'] }, 0)
    assert.deepEqual(judge.judge(1).confirmed, ['/ip4/11.0.0.9/tcp/4001'])
  })
})

describe('messages about reaching each other', () => {
  test('what is encoded is read again', () => {
    const notice = { isRelay: true, addresses: ['/ip4/11.0.0.9/tcp/4001'] }
    assert.deepEqual(decodeNotice(encodeNotice(notice)), { ok: true, value: notice })
    const request = { doors: [DOOR] }
    assert.deepEqual(decodeDialBackRequest(encodeDialBackRequest(request)), { ok: true, value: request })
    const answer = { host: '/ip4/11.0.0.9', reached: [DOOR] }
    assert.deepEqual(decodeDialBackAnswer(encodeDialBackAnswer(answer)), { ok: true, value: answer })
  })

  test('what is none is refused', () => {
    for (const decode of [decodeNotice, decodeDialBackRequest, decodeDialBackAnswer]) {
      assert.equal(decode(Uint8Array.of(9, 9, 9)).ok, false)
      assert.equal(decode(new Uint8Array(5000)).ok, false)
    }
  })
})

describe('from relayed to direct', () => {
  const ADDRESS = '/ip4/11.0.0.9/tcp/4001'

  test('G1: tried at once, and again when the peer says where it can be dialled', () => {
    const upgrades = new Upgrades()
    upgrades.relayed('a', [], 0)
    assert.deepEqual(upgrades.due(0), [{ peer: 'a', addresses: [] }])
    upgrades.failed('a', 1)
    assert.deepEqual(upgrades.due(4), [])
    upgrades.addressesKnown('a', [ADDRESS], 5)
    assert.deepEqual(upgrades.due(5), [{ peer: 'a', addresses: [ADDRESS] }])
  })

  test('G2, G3: one attempt at a time, and the time between them doubles', () => {
    const upgrades = new Upgrades()
    upgrades.relayed('a', [ADDRESS], 0)
    assert.equal(upgrades.due(0).length, 1)
    assert.equal(upgrades.due(1).length, 0)
    upgrades.failed('a', 100)
    assert.equal(upgrades.nextDueMs(), 2100)
    assert.equal(upgrades.due(2100).length, 1)
    upgrades.failed('a', 5200)
    assert.equal(upgrades.nextDueMs(), 9200)
  })

  test('when the link is direct or gone, no more is tried', () => {
    const upgrades = new Upgrades()
    upgrades.relayed('a', [ADDRESS], 0)
    upgrades.settled('a')
    upgrades.addressesKnown('a', [ADDRESS], 1)
    assert.deepEqual(upgrades.due(1), [])
    assert.equal(upgrades.nextDueMs(), Infinity)
  })
})
