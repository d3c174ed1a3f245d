import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { DEEDS, OFFENCES, Reputation, SCORE } from '../../src/protocol/reputation.ts'
import type { Deed, Offence } from '../../src/protocol/reputation.ts'

const LIMITS = { reputationHalfLifeMs: 1000, cooldownMs: 60, banMinMs: 3000, banMaxMs: 10_000 }

function after(offences: readonly Offence[], mayBan = true): string[] {
  const reputation = new Reputation(LIMITS)
  return offences.map((offence) => {
    const sentence = reputation.penalise('p', offence, 0, mayBan)
    return sentence.kind === 'none' ? 'stays' : `${sentence.kind} ${sentence.forMs}`
  })
}

const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value)

describe('reputation (VC-5)', () => {
  const table: { offence: Offence; awayAfter: number; bannedAfter: number }[] = [
    { offence: 'protocolViolation', awayAfter: 2, bannedAfter: 3 },
    { offence: 'invalidBlock', awayAfter: 3, bannedAfter: 6 },
    { offence: 'invalidTransaction', awayAfter: 5, bannedAfter: 9 },
    { offence: 'invalidMessage', awayAfter: 5, bannedAfter: 9 },
    { offence: 'wrongAnswer', awayAfter: 7, bannedAfter: 13 },
    { offence: 'flood', awayAfter: 7, bannedAfter: 13 },
  ]
  for (const { offence, awayAfter, bannedAfter } of table) {
    test(`${awayAfter} times ${offence} at once sends a peer away, ${bannedAfter} times bans it`, () => {
      const sentences = after(times(bannedAfter, offence))
      assert.deepEqual(sentences.slice(0, awayAfter - 1), times(awayAfter - 1, 'stays'))
      assert.deepEqual(sentences.slice(awayAfter - 1, -1), times(bannedAfter - awayAfter, 'sendAway 60'))
      assert.equal(sentences.at(-1), 'ban 3000')
    })
  }

  test('a reserved peer is sent away, never banned', () => {
    assert.deepEqual(new Set(after(times(20, 'protocolViolation'), false).slice(1)), new Set(['sendAway 60']))
  })

  test('each ban lasts twice as long as the last, up to the longest, and begins anew after a good time', () => {
    const reputation = new Reputation(LIMITS)
    const ban = (nowMs: number) => {
      for (;;) {
        const sentence = reputation.penalise('p', 'protocolViolation', nowMs, true)
        if (sentence.kind === 'ban') return sentence.forMs
      }
    }
    assert.deepEqual([ban(0), ban(4000), ban(11_000), ban(22_000)], [3000, 6000, 10_000, 10_000])
    assert.equal(ban(100_000), 3000)
  })

  test('it halves in every half-life, and small sins are forgiven', () => {
    const reputation = new Reputation(LIMITS)
    reputation.penalise('p', 'invalidBlock', 0, true)
    assert.equal(reputation.score('p', 1000), OFFENCES.invalidBlock / 2)
    for (let nowMs = 0; nowMs < 100_000; nowMs += 1000) {
      assert.equal(reputation.penalise('q', 'invalidMessage', nowMs, true).kind, 'none')
    }
  })

  test('good deeds make up for a little only: a peer cannot save up for an attack', () => {
    const reputation = new Reputation(LIMITS)
    for (let i = 0; i < 1000; i++) reputation.reward('p', 'validBlock', 0)
    assert.equal(reputation.score('p', 0), SCORE.max)
    const sentences = times(5, 'protocolViolation' as const).map(
      (offence) => reputation.penalise('p', offence, 0, true).kind,
    )
    assert.deepEqual(sentences, ['none', 'sendAway', 'sendAway', 'ban', 'ban'])
  })

  test('a cool-down ends by itself; a lifted ban is a clean slate', () => {
    const reputation = new Reputation(LIMITS)
    for (let i = 0; i < 2; i++) reputation.penalise('p', 'protocolViolation', 0, true)
    assert.deepEqual([reputation.coolingMs('p', 20), reputation.coolingMs('p', 60)], [40, 0])
    reputation.forgive('p')
    assert.equal(reputation.score('p', 0), 0)
  })

  test('the README has the same numbers', async () => {
    const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8')
    for (const [name, delta] of Object.entries({ ...DEEDS, ...OFFENCES })) {
      assert.ok(readme.includes(`| \`${name}\` | ${delta > 0 ? '+' : ''}${delta} |`), name)
    }
  })

  test('a score stays within its bounds, whatever is done', () => {
    const deed = fc.record({
      what: fc.constantFrom(...Object.keys(DEEDS), ...Object.keys(OFFENCES)),
      afterMs: fc.nat(5000),
    })
    fc.assert(
      fc.property(fc.array(deed, { maxLength: 100 }), (deeds) => {
        const reputation = new Reputation(LIMITS)
        let nowMs = 0
        for (const { what, afterMs } of deeds) {
          nowMs += afterMs
          if (what in DEEDS) reputation.reward('p', what as Deed, nowMs)
          else reputation.penalise('p', what as Offence, nowMs, true)
          const score = reputation.score('p', nowMs)
          assert.ok(score >= SCORE.min && score <= SCORE.max)
        }
      }),
    )
  })
})
