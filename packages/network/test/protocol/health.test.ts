import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HEALTH, PeerHealth } from '../../src/protocol/health.ts'

const WELL = { silentMs: 0, latencyMs: 10 }

function connected(): PeerHealth {
  const health = new PeerHealth({ peerTimeoutMs: 60_000 })
  health.connected(0)
  return health
}

describe('health of a link (PT-3)', () => {
  const sights = [
    { what: 'a prompt answer', sight: WELL, state: 'healthy' },
    { what: 'no round trip yet', sight: { silentMs: 0, latencyMs: null }, state: 'healthy' },
    { what: 'silence of half the timeout', sight: { silentMs: 30_000, latencyMs: 10 }, state: 'healthy' },
    { what: 'a longer silence', sight: { silentMs: 30_001, latencyMs: 10 }, state: 'degraded' },
    { what: 'a round trip of a second', sight: { silentMs: 0, latencyMs: 1000 }, state: 'healthy' },
    { what: 'a longer one', sight: { silentMs: 0, latencyMs: 1001 }, state: 'degraded' },
  ]
  for (const { what, sight, state } of sights) {
    test(`${what}: ${state}`, () => {
      const health = connected()
      health.assess(sight, 1)
      assert.equal(health.state, state)
    })
  }

  test('four requests in a row without an answer degrade it, answers mend it', () => {
    const health = connected()
    for (let i = 0; i < 3; i++) health.failed()
    assert.equal(health.assess(WELL, 1), null)
    health.failed()
    assert.equal(health.assess(WELL, 2)?.to, 'degraded')
    for (let i = 0; i < 10; i++) health.answered()
    assert.equal(health.assess(WELL, 3)?.to, 'healthy')
  })

  test('it does not flap around the limit', () => {
    const health = connected()
    const changes = [1001, 999, 1001, 600, 501, 500, 900].map(
      (latencyMs, i) => health.assess({ silentMs: 0, latencyMs }, i)?.to ?? '-',
    )
    assert.deepEqual(changes, ['degraded', '-', '-', '-', '-', 'healthy', '-'])
  })

  test('the history says when and why, and is bounded', () => {
    const health = connected()
    health.assess({ silentMs: 0, latencyMs: 2000 }, 5)
    health.disconnected('silent', 9)
    assert.deepEqual(
      health.history.map(({ atMs, to, cause }) => [atMs, to, cause]),
      [
        [0, 'healthy', 'connected'],
        [5, 'degraded', 'a round trip takes 2000 ms'],
        [9, 'disconnected', 'silent'],
      ],
    )
    for (let i = 0; i < 100; i++) {
      health.connected(i)
      health.disconnected('again', i)
    }
    assert.equal(health.history.length, HEALTH.historyMax)
  })

  test('quality falls with latency, silence and failures, and is 0 without a session', () => {
    const quality = (health: PeerHealth, silentMs: number, latencyMs: number) =>
      health.quality({ silentMs, latencyMs })
    const health = connected()
    assert.deepEqual(
      [
        quality(health, 0, 0),
        quality(health, 0, 500),
        quality(health, 45_000, 0),
        quality(health, 60_000, 0),
      ],
      [100, 50, 50, 0],
    )
    health.failed()
    assert.equal(quality(health, 0, 0), 90)
    health.disconnected('', 1)
    assert.equal(quality(health, 0, 0), 0)
  })
})
