import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { AdaptiveLimit } from '../../src/protocol/adaptive-limit.ts'
import type { Measurement } from '../../src/protocol/adaptive-limit.ts'
import { InboundLimit, NodeInbound } from '../../src/protocol/inbound-limit.ts'
import { LANES } from '../../src/protocol/lane.ts'
import type { Lane } from '../../src/protocol/lane.ts'
import { NodeBudget, PeerBudget } from '../../src/protocol/send-budget.ts'
import { StepCounts } from '../../src/protocol/steps.ts'
import { TokenBucket } from '../../src/protocol/token-bucket.ts'
import type { TrafficLimits } from '../../src/protocol/traffic-limits.ts'
import { WIDE_LIMITS } from '../../src/testing/traffic.ts'

/** PT-2's own numbers. */
const LIMITS: TrafficLimits = {
  ...WIDE_LIMITS,
  messagesPerSecond: 100,
  messagesBurst: 200,
  bytesPerSecond: 1_250_000,
}

describe('token bucket (PT-2)', () => {
  test('over any time no more is taken than the burst and the rate, plus one debt (B1)', () => {
    const asking = fc.record({ afterMs: fc.nat(2000), count: fc.integer({ min: 1, max: 50 }) })
    fc.assert(
      fc.property(fc.array(asking, { maxLength: 60 }), (askings) => {
        const bucket = new TokenBucket({ perSecond: 20, burst: 30 }, 0)
        let [nowMs, taken, largest] = [0, 0, 0]
        for (const { afterMs, count } of askings) {
          nowMs += afterMs
          if (bucket.readyAtMs(count, nowMs) > nowMs) continue
          bucket.take(count, nowMs)
          taken += count
          largest = Math.max(largest, count)
          assert.ok(taken <= 30 + (20 * nowMs) / 1000 + largest + 1e-6)
        }
      }),
    )
  })

  test('what is named as the time is the time (B2)', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 100 }), (first, second) => {
        const bucket = new TokenBucket({ perSecond: 10, burst: 40 }, 0)
        bucket.take(first, 0)
        const atMs = bucket.readyAtMs(second, 0)
        assert.ok(Number.isFinite(atMs))
        assert.ok(bucket.readyAtMs(second, atMs + 0.001) <= atMs + 0.001)
      }),
    )
  })
})

describe('budgets for sending (PT-2)', () => {
  const inSecond = (budget: PeerBudget<string>, lane: Lane, bytes: number, second: number): number => {
    let taken = 0
    for (let nowMs = second * 1000; nowMs < (second + 1) * 1000; nowMs++) {
      while (
        Math.max(budget.messageReadyAtMs(lane, nowMs), budget.bytesReadyAtMs(lane, 1, bytes, nowMs)) <= nowMs
      ) {
        budget.take(lane, 1, bytes, nowMs)
        taken++
      }
    }
    return taken
  }

  test('lanes have 4, 2, 1 and half of the messages a second, after a burst', () => {
    const expected = { critical: 400, high: 200, normal: 100, low: 50 }
    for (const lane of LANES) {
      const budget = new PeerBudget('a', LIMITS, new NodeBudget(LIMITS, 0), 0)
      const burst = inSecond(budget, lane, 10, 0)
      assert.ok(
        burst >= 2.9 * expected[lane] && burst <= 3 * expected[lane],
        `${lane}: ${burst} in the first`,
      )
      const later = inSecond(budget, lane, 10, 1)
      assert.ok(Math.abs(later - expected[lane]) <= 1, `${lane}: ${later} in the second`)
    }
  })

  test('bulk leaves the bytes of the critical lane alone (M2)', () => {
    const budget = new PeerBudget('a', LIMITS, new NodeBudget(LIMITS, 0), 0)
    while (budget.bytesReadyAtMs('low', 0, 16_000, 0) <= 0) budget.take('low', 0, 16_000, 0)
    assert.equal(budget.bytesReadyAtMs('critical', 1, 1000, 0), 0)
  })

  test('peers share the budget of the node in equal parts, however much each wants (M3)', () => {
    const limits = { ...LIMITS, nodeMultiplier: 1 }
    const node = new NodeBudget<string>(limits, 0)
    const budgets = new Map(
      ['a', 'b', 'c'].map((peer) => [
        peer,
        new PeerBudget(peer, { ...limits, bytesPerSecond: 1e9 }, node, 0),
      ]),
    )
    const bytesByPeer = new Map([...budgets.keys()].map((peer) => [peer, 0]))
    const send = (peer: string, nowMs: number) => {
      const budget = budgets.get(peer)!
      const frameBytes = peer === 'a' ? 16_000 : 1000
      while (budget.bytesReadyAtMs('low', 0, frameBytes, nowMs) <= nowMs) {
        budget.take('low', 0, frameBytes, nowMs)
        if (nowMs >= 1000) bytesByPeer.set(peer, bytesByPeer.get(peer)! + frameBytes)
      }
    }
    for (let nowMs = 0; nowMs < 11_000; nowMs++) {
      for (const peer of budgets.keys()) send(peer, nowMs)
      for (let next = node.nextTurn(nowMs); next !== null; next = node.nextTurn(nowMs)) send(next, nowMs)
    }
    const shares = [...bytesByPeer.values()].map((bytes) => bytes / 12_500_000)
    for (const share of shares) assert.ok(Math.abs(share - 1 / 3) < 0.05, shares.join(', '))
  })

  test('who is gone waits for nothing', () => {
    const node = new NodeBudget<string>({ ...LIMITS, nodeMultiplier: 0.001 }, 0)
    const budget = new PeerBudget('a', LIMITS, node, 0)
    node.take('b', 'low', 1, 1_000_000, 0)
    assert.ok(budget.bytesReadyAtMs('low', 1, 10, 0) > 0)
    assert.equal(node.waitingCount, 1)
    budget.close()
    assert.equal(node.waitingCount, 0)
  })
})

describe('limits of what is read (PT-2, PO-6)', () => {
  /** A peer that sends as fast as it is read, `perRead` messages at a time. */
  function flood(limit: InboundLimit, perRead: number, untilMs: number) {
    const seen = { slowedAtMs: -1, droppedAtMs: -1, faultAtMs: -1, faults: 0, processed: 0 }
    let nowMs = 0
    while (nowMs < untilMs) {
      limit.read(perRead * 100, nowMs)
      for (let i = 0; i < perRead; i++) {
        if (limit.admits('normal', true, nowMs)) seen.processed++
        else if (seen.droppedAtMs === -1) seen.droppedAtMs = nowMs
      }
      const readOnAtMs = limit.readOnAtMs(nowMs)
      if (readOnAtMs > nowMs && seen.slowedAtMs === -1) seen.slowedAtMs = nowMs
      if (limit.isFault(nowMs)) {
        seen.faults++
        if (seen.faultAtMs === -1) seen.faultAtMs = nowMs
      }
      nowMs = Math.max(readOnAtMs, nowMs + 1)
    }
    return seen
  }

  const wide = { ...LIMITS, bytesPerSecond: 1e9 }

  test('a flooder is read slower, then dropped, then charged, in this order (F1, F2, F3)', () => {
    const { slowedAtMs, droppedAtMs, faultAtMs, faults, processed } = flood(
      new InboundLimit(new NodeInbound(wide, 0), 0),
      50,
      20_000,
    )
    assert.ok(slowedAtMs >= 0 && slowedAtMs < droppedAtMs && droppedAtMs <= faultAtMs)
    assert.ok(droppedAtMs >= 10_000)
    assert.ok(faults >= 5 && faults <= 11, `${faults} faults`)
    assert.ok(processed <= 400 + 20 * 200 + 50, `${processed} processed`)
  })

  test('what one read brings beyond two bursts is dropped at once', () => {
    const limit = new InboundLimit(new NodeInbound(wide, 0), 0)
    let admitted = 0
    for (let i = 0; i < 2000; i++) if (limit.admits('normal', true, 0)) admitted++
    assert.equal(admitted, 800)
    assert.equal(limit.isFault(0), true)
    assert.equal(limit.isFault(0), false)
  })

  test('answers and control messages are never dropped', () => {
    const limit = new InboundLimit(new NodeInbound(wide, 0), 0)
    for (let i = 0; i < 5000; i++) assert.equal(limit.admits('normal', false, 0), true)
  })

  test('a peer that keeps the limits of sending touches nothing, however its messages bunch (F4)', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 20_000 }), { maxLength: 40 }), (stallsMs) => {
        const sender = new PeerBudget('b', LIMITS, new NodeBudget(LIMITS, 0), 0)
        const limit = new InboundLimit(new NodeInbound(LIMITS, 0), 0)
        let nowMs = 0
        for (const stallMs of stallsMs) {
          nowMs += stallMs
          while (sender.messageReadyAtMs('normal', nowMs) <= nowMs) {
            sender.take('normal', 1, 100, nowMs)
            limit.read(100, nowMs)
            assert.equal(limit.admits('normal', true, nowMs), true)
          }
          assert.equal(limit.readOnAtMs(nowMs), nowMs)
        }
      }),
    )
  })

  test('many bytes only slow, for however long (F4)', () => {
    const limit = new InboundLimit(new NodeInbound(LIMITS, 0), 0)
    let [nowMs, slowed] = [0, 0]
    while (nowMs < 60_000) {
      limit.read(1_000_000, nowMs)
      assert.equal(limit.admits('low', true, nowMs), true)
      const readOnAtMs = limit.readOnAtMs(nowMs)
      if (readOnAtMs > nowMs) slowed++
      assert.equal(limit.isFault(nowMs), false)
      nowMs = Math.max(readOnAtMs, nowMs + 1)
    }
    assert.ok(slowed > 10)
  })

  test('the budget of the node slows who takes more than a share of it (F5)', () => {
    const node = new NodeInbound({ ...LIMITS, nodeMultiplier: 1 }, 0)
    const [heavy, light] = [new InboundLimit(node, 0), new InboundLimit(node, 0)]
    heavy.read(2_000_000, 0)
    light.read(1000, 0)
    assert.ok(heavy.readOnAtMs(0) > 0)
    assert.equal(light.readOnAtMs(0), 0)
    for (let i = 0; i < 700; i++) for (const lane of LANES) heavy.admits(lane, false, 2000)
    light.admits('high', true, 2000)
    assert.ok(heavy.readOnAtMs(2000) > 2000)
    assert.equal(light.readOnAtMs(2000), 2000)
  })
})

describe('adaptive limits (PT-2, PT-12)', () => {
  const SECOND: Measurement = { windowMs: 1000, bytes: 0, blockedMs: 0, latencyMs: null }
  const MB = 1_000_000

  const rows: { what: string; measured: readonly Partial<Measurement>[]; to: number; why: string | null }[] =
    [
      {
        what: 'follow a link that is slow',
        measured: [{ bytes: 5 * MB, blockedMs: 900 }],
        to: 10 * MB,
        why: 'drain',
      },
      {
        what: 'rise again when they were reached and the link had room',
        measured: [
          { bytes: 5 * MB, blockedMs: 900 },
          { bytes: 9 * MB, blockedMs: 0 },
        ],
        to: 20 * MB,
        why: 'room',
      },
      {
        what: 'fall when the latency rose',
        measured: [
          { bytes: 5 * MB, blockedMs: 900, latencyMs: 10 },
          { bytes: 6 * MB, latencyMs: 200 },
        ],
        to: 7 * MB,
        why: 'latency',
      },
      {
        what: 'do not fall below the floor',
        measured: [{ bytes: 10, blockedMs: 1000 }],
        to: 256 * 1024,
        why: 'drain',
      },
      {
        what: 'do not rise above the ceiling',
        measured: [{ bytes: 99 * MB }],
        to: 100 * MB,
        why: null,
      },
      { what: 'stay where nothing is sent', measured: [{ latencyMs: 5000 }], to: 100 * MB, why: null },
    ]
  for (const { what, measured, to, why } of rows) {
    test(what, () => {
      const limit = new AdaptiveLimit(100 * MB)
      const moves = measured.map((one, i) => limit.observe({ ...SECOND, ...one }, i * 1000))
      assert.equal(Math.round(limit.perSecond), to)
      assert.equal(moves.at(-1)?.why ?? null, why)
    })
  }

  test('are always between floor and ceiling', () => {
    const anything = fc.record({
      windowMs: fc.integer({ min: 1000, max: 100_000 }),
      bytes: fc.nat(1e9),
      blockedMs: fc.nat(100_000),
      latencyMs: fc.option(fc.double({ min: 0, max: 1e5, noNaN: true })),
    })
    fc.assert(
      fc.property(fc.array(anything), fc.integer({ min: 1, max: 1e9 }), (measured, ceiling) => {
        const limit = new AdaptiveLimit(ceiling)
        for (const one of measured) {
          limit.observe(one, 0)
          assert.ok(limit.perSecond >= limit.floor && limit.perSecond <= ceiling)
        }
      }),
    )
  })
})

test('steps are counted by lane, drops by reason too (PT-10)', () => {
  const steps = new StepCounts()
  steps.pass('creation', 'high')
  steps.enter('queue', 'low')
  steps.enter('queue', 'low')
  steps.leave('queue', 'low')
  steps.drop('queue', 'low', 'expired')
  steps.drop('validation', 'low', 'expired', 2)
  const { creation, queue } = steps.view()
  assert.deepEqual([creation.entered.high, creation.left.high, creation.entered.low], [1, 1, 0])
  assert.deepEqual([queue.entered.low, queue.left.low], [2, 1])
  assert.deepEqual(queue.droppedByReason, { expired: { critical: 0, high: 0, normal: 0, low: 1 } })
  assert.deepEqual(steps.droppedByReason(), { expired: 3 })
})
