import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FINALIZE, hashToHex, leaderOf, NOTARIZE, NULLIFY, verifyCertificate, ZERO_HASH } from '@althing/base'
import type { Vote, VoteKind } from '@althing/base'
import { LastHeard } from '../src/consensus/authorities.ts'
import { assertConfig } from '../src/consensus/config.ts'
import { SigningGuard } from '../src/consensus/signing-guard.ts'
import { deadlineMs, proposeAtMs, retransmitAtMs, viewTimeoutMs } from '../src/consensus/timers.ts'
import { VoteTally } from '../src/consensus/votes.ts'
import { epoch, genesis, signers, voteOf } from './consensus-solo.ts'
import { testConfig, testEpoch, testSigners, testVerify } from './consensus-world.ts'

const hash = genesis.hash
const otherHash = new Uint8Array(32).fill(1)
const KINDS: Record<string, VoteKind> = { N: NOTARIZE, U: NULLIFY, F: FINALIZE }

describe('the signing guard (R1)', () => {
  const table: [own: string, kind: string, signs: boolean][] = [
    ['', 'N', true],
    ['', 'U', true],
    ['', 'F', true],
    ['N', 'N', false],
    ['N', 'U', true],
    ['N', 'F', true],
    ['U', 'N', false],
    ['U', 'U', false],
    ['U', 'F', false],
    ['F', 'N', true],
    ['F', 'U', false],
    ['F', 'F', false],
    ['NU', 'F', false],
    ['NF', 'U', false],
  ]
  const holds = { view: 5, notarizedAndConnected: () => true }
  const castAll = (own: string): SigningGuard => {
    const guard = new SigningGuard(signers[0]!, epoch, 0)
    for (const kind of own) assert.ok(guard.sign(KINDS[kind]!, 5, kind === 'U' ? ZERO_HASH : hash, holds))
    return guard
  }

  for (const [own, kind, signs] of table) {
    it(`with own votes {${own}} ${signs ? 'signs' : 'does not sign'} ${kind}, before and after a restart`, () => {
      const guard = castAll(own)
      const restored = new SigningGuard(signers[0]!, epoch, 0)
      for (const vote of Object.values(guard.votesOf(5)) as Vote[]) restored.restore(vote)
      for (const each of [guard, restored]) {
        const vote = each.sign(KINDS[kind]!, 5, kind === 'U' ? ZERO_HASH : otherHash, holds)
        assert.equal(vote !== null, signs)
      }
    })
  }

  it('signs in the present view only', () => {
    const guard = castAll('')
    for (const view of [4, 6]) assert.equal(guard.sign(NOTARIZE, view, hash, holds), null)
  })

  it('signs F only for a block that is notarized and connected', () => {
    const context = { view: 5, notarizedAndConnected: (of: Uint8Array) => hashToHex(of) === hashToHex(hash) }
    assert.equal(castAll('').sign(FINALIZE, 5, otherHash, context), null)
    assert.notEqual(castAll('').sign(FINALIZE, 5, hash, context), null)
  })

  it('signs nothing once locked, and says why', () => {
    const guard = castAll('')
    guard.lock('halted')
    guard.lock('a later reason')
    assert.equal(guard.sign(NULLIFY, 5, ZERO_HASH, holds), null)
    assert.equal(guard.lockedBecause, 'halted')
  })
})

describe('timers', () => {
  const config = testConfig(epoch) // interval 100, idle 10,000, T0 1,000, Tmax 20,000
  const now = { monotonicMs: 50, wallMs: 1_000_000 }

  const growth: [failures: number, faultyMax: number, expected: number][] = [
    [0, 1, 1_000],
    [1, 1, 1_000],
    [2, 1, 1_250],
    [3, 1, 1_250],
    [4, 1, 1_562.5],
    [16, 16, 1_000],
    [17, 16, 1_250],
    [1_000, 1, 20_000],
    [5, 0, 1_000 * 1.25 ** 5],
  ]
  for (const [failures, faultyMax, expected] of growth) {
    it(`P19: after ${failures} failed views with f = ${faultyMax} a view lasts ${expected} ms (R8)`, () => {
      assert.equal(viewTimeoutMs(config, failures, faultyMax), expected)
    })
  }

  const starts: [name: string, parentAgeMs: number, idle: boolean, deadline: number, proposeAt: number][] = [
    ['a parent of long ago', 60_000, false, 50 + 1_100, 50],
    ['a parent of just now', 0, false, 50 + 1_100, 50 + 100],
    ['a parent stamped ahead', -30, false, 50 + 30 + 1_100, 50 + 130],
    ['an idle view on a parent of just now', 0, true, 50 + 10_000 + 1_100, 50 + 10_100],
    ['an idle view on a parent of 4 s ago', 4_000, true, 50 + 6_000 + 1_100, 50 + 6_100],
    ['an idle view on a parent of long ago', 60_000, true, 50 + 1_100, 50],
  ]
  for (const [name, parentAgeMs, idle, deadline, proposeAt] of starts) {
    it(`of ${name} are measured from its timestamp (R3, R8, R14)`, () => {
      const start = { parentTimestampMs: now.wallMs - parentAgeMs, failures: 0, idle }
      assert.equal(deadlineMs(config, now, start, 1), deadline)
      assert.equal(proposeAtMs(config, now, start), proposeAt)
    })
  }

  it('retransmission comes after 1 to 2 times the configured time (R9)', () => {
    assert.equal(retransmitAtMs(config, now, 0), 1_050)
    assert.equal(retransmitAtMs(config, now, 0.5), 1_550)
  })

  it('a leader is silent only while a quorum is heard (R8)', () => {
    const heard = new LastHeard(epoch.set)
    heard.begin(0)
    assert.equal(heard.isSilent(1, 0, 3_000, 3_000), false, 'not long enough')
    assert.equal(heard.isSilent(1, 0, 4_000, 3_000), false, 'nobody else is heard either')
    heard.heard(2, 3_900)
    heard.heard(3, 3_900)
    assert.equal(heard.isSilent(1, 0, 4_000, 3_000), true)
    assert.equal(heard.isSilent(0, 0, 4_000, 3_000), false, 'oneself is never silent')
    heard.excuseAll(4_000)
    assert.equal(heard.isSilent(1, 0, 4_001, 3_000), false, 'excused after an idle wait (R14)')
    assert.equal(heard.silentMs(2, 4_001), 101, 'which people are not told')
  })

  it('authorities lead in turn', () => {
    assert.deepEqual(
      [1, 2, 3, 4, 5].map((view) => leaderOf(view, epoch.set)),
      [1, 2, 3, 0, 1],
    )
  })

  it('with unequal weights each authority leads in proportion to its own, and none waits long', () => {
    const weights = [1, 2, 3, 10]
    const set = epoch.set.map(({ key }, index) => ({ key, weight: weights[index]! }))
    const views = Array.from({ length: 1_600 }, (_, view) => leaderOf(view, set))
    for (const [index, weight] of weights.entries()) {
      const led = views.flatMap((leader, view) => (leader === index ? [view] : []))
      assert.ok(Math.abs(led.length - weight * 100) <= 3, `authority ${index} led ${led.length} views`)
      const longest = Math.max(...led.map((view, i) => view - (led[i - 1] ?? -1)))
      assert.ok(longest <= (3 * 16) / weight + 1, `authority ${index} waited ${longest} views`)
    }
  })
})

describe('a configuration', () => {
  const bad: [change: Parameters<typeof testConfig>[1], message: RegExp][] = [
    [{ driftMs: 501 }, /driftMs 501 must be at most half of timeoutBaseMs 1000/],
    [{ timeoutMaxMs: 999 }, /timeoutBaseMs 1000 must be at most timeoutMaxMs 999/],
    [{ retransmitMs: 2_000 }, /retransmitMs 2000 .* = 3300/],
    [{ intervalMs: 0 }, /intervalMs 0/],
    [{ chainReplyBytesMax: 10_000_000 }, /chainReplyBytesMax 10000000/],
  ]
  for (const [change, message] of bad) {
    it(`with ${JSON.stringify(change)} stops the process and names both values`, () => {
      assert.throws(() => assertConfig(testConfig(epoch, change)), message)
    })
  }
})

describe('the tally of votes', () => {
  it('makes one certificate when the quorum is reached, for each size of the set', () => {
    for (const [count, quorum] of [
      [1, 1],
      [2, 2],
      [3, 3],
      [4, 3],
      [5, 4],
      [6, 5],
      [7, 5],
    ] as const) {
      const keys = testSigners(count)
      const of = testEpoch(keys)
      const tally = new VoteTally(of)
      const certificates = keys.map((_, signer) => tally.count({ ...voteOf(0, NOTARIZE, 3, hash), signer }))
      assert.deepEqual(
        certificates.map((certificate) => certificate !== null),
        keys.map((_, index) => index === quorum - 1),
        `${count} authorities`,
      )
    }
  })

  it('makes certificates that verify', () => {
    const tally = new VoteTally(epoch)
    tally.count(voteOf(3, NULLIFY, 9))
    tally.count(voteOf(0, NULLIFY, 9))
    const certificate = tally.count(voteOf(2, NULLIFY, 9))!
    assert.ok(verifyCertificate(certificate, epoch, testVerify).ok)
  })

  it('counts one vote per kind, signer and view (R13), and does not mix hashes', () => {
    const tally = new VoteTally(epoch)
    tally.count(voteOf(1, NOTARIZE, 2, hash))
    tally.count(voteOf(2, NOTARIZE, 2, hash))
    assert.equal(tally.check(voteOf(2, NOTARIZE, 2, hash)), 'held')
    assert.equal(tally.check(voteOf(2, NOTARIZE, 2, otherHash)), 'second')
    assert.equal(tally.count(voteOf(2, NOTARIZE, 2, otherHash)), null, 'the first stays')
    assert.equal(tally.count(voteOf(3, NOTARIZE, 2, otherHash)), null)
    assert.notEqual(tally.count(voteOf(0, NOTARIZE, 2, hash)), null)
  })

  const pairs: [first: Vote, second: Vote, isEvidence: boolean][] = [
    [voteOf(1, NOTARIZE, 2, hash), voteOf(1, NOTARIZE, 2, otherHash), true],
    [voteOf(1, FINALIZE, 2, hash), voteOf(1, FINALIZE, 2, otherHash), true],
    [voteOf(1, NULLIFY, 2), voteOf(1, FINALIZE, 2, hash), true],
    [voteOf(1, FINALIZE, 2, hash), voteOf(1, NULLIFY, 2), true],
    [voteOf(1, NOTARIZE, 2, hash), voteOf(1, NULLIFY, 2), false],
    [voteOf(1, NOTARIZE, 2, hash), voteOf(1, FINALIZE, 2, otherHash), false],
    [voteOf(1, NOTARIZE, 2, hash), voteOf(1, NOTARIZE, 3, otherHash), false],
    [voteOf(1, NOTARIZE, 2, hash), voteOf(2, NOTARIZE, 2, otherHash), false],
  ]
  for (const [index, [first, second, isEvidence]] of pairs.entries()) {
    it(`calls pair ${index} ${isEvidence ? 'evidence, once' : 'legal'}`, () => {
      const tally = new VoteTally(epoch)
      tally.count(first)
      assert.deepEqual(tally.evidence(second), isEvidence ? { first, second } : null)
      if (isEvidence) assert.equal(tally.evidence(second), null)
    })
  }
})
