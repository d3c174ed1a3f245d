import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { CONTROL } from '../../src/protocol/control.ts'
import { FRAME_HEADER_BYTES, writeFrame } from '../../src/protocol/frame.ts'
import type { FrameHeader } from '../../src/protocol/frame.ts'
import type { Hello } from '../../src/protocol/hello.ts'
import { kindTable } from '../../src/protocol/kinds.ts'
import { LANES, perLane } from '../../src/protocol/lane.ts'
import type { SessionEffect } from '../../src/protocol/session-effect.ts'
import { Session } from '../../src/protocol/session.ts'
import { peerTraffic, pulled } from '../../src/testing/traffic.ts'
import { zstd } from '../../src/zstd.ts'

const KINDS = kindTable({
  vote: { id: 1, lane: 'critical', maxBytes: 100 },
  range: { id: 2, lane: 'high', maxBytes: 100_000 },
})
const [VOTE, RANGE] = [KINDS.byName.get('vote')!, KINDS.byName.get('range')!]

const CONFIG = {
  kinds: KINDS,
  lanes: perLane(() => ({ messagesMax: 100, bytesMax: 1_000_000 })),
  messageTtlMs: 10_000,
  handshakeTimeoutMs: 1000,
  pingIntervalMs: 5000,
  peerTimeoutMs: 12_000,
  lingerMs: 100,
  requestsMax: 3,
  priorityEnforcement: true,
  codec: zstd,
}

const HELLO: Hello = {
  versions: { min: 1, max: 1 },
  networkId: 'net',
  genesisHash: new Uint8Array(32),
  status: { height: 1, finalizedHeight: 1, lowestHeight: 0 },
  nodeType: 'full',
  addresses: [],
  features: [],
  credential: new Uint8Array(0),
}

type Kinds = readonly SessionEffect['kind'][]

/** Two sessions and the bytes between them. */
class Pair {
  readonly trafficOfA = peerTraffic()
  readonly a = new Session(CONFIG, HELLO, this.trafficOfA, 0)
  readonly b = new Session(CONFIG, HELLO, peerTraffic(), 0)

  /** Moves what waits, both ways, until nothing does. @returns what happened at each side. */
  exchange(nowMs: number): { a: SessionEffect[]; b: SessionEffect[] } {
    const happened: { a: SessionEffect[]; b: SessionEffect[] } = { a: [], b: [] }
    for (;;) {
      const [fromA, fromB] = [pulled(this.a, nowMs), pulled(this.b, nowMs)]
      if (fromA === null && fromB === null) return happened
      if (fromA !== null) happened.b.push(...this.b.receive(fromA, nowMs))
      if (fromB !== null) happened.a.push(...this.a.receive(fromB, nowMs))
    }
  }

  open(): this {
    this.exchange(0)
    this.a.accept(0)
    this.b.accept(0)
    const { a, b } = this.exchange(0)
    assert.deepEqual([kinds(a), kinds(b)], [['opened'], ['opened']])
    return this
  }
}

function kinds(effects: readonly SessionEffect[]): Kinds {
  return effects.map(({ kind }) => kind)
}

function bytes(header: Partial<FrameHeader>, body: Uint8Array): Uint8Array {
  const out = new Uint8Array(FRAME_HEADER_BYTES + body.length)
  writeFrame(
    out,
    0,
    { kind: 1, lane: 'critical', role: 'message', more: false, compressed: false, requestId: 0, ...header },
    body,
  )
  return out
}

describe('session', () => {
  test('is open for nobody before both accepted', () => {
    const pair = new Pair()
    const { a, b } = pair.exchange(0)
    assert.deepEqual([kinds(a), kinds(b)], [['judgeHello'], ['judgeHello']])
    assert.deepEqual(pair.a.accept(0), [])
    assert.deepEqual(kinds(pair.exchange(0).b), [])
    assert.equal(pair.b.state, 'handshaking')
    assert.deepEqual(kinds(pair.b.accept(0)), ['opened'])
    assert.deepEqual(kinds(pair.exchange(0).a), ['opened'])
  })

  test('a refusal is the end for both, with the same reason', () => {
    const pair = new Pair()
    pair.exchange(0)
    const reason = { code: 'not-admitted', message: 'no' } as const
    pair.a.accept(0)
    assert.deepEqual(pair.b.close(reason, 0), [{ kind: 'ended', by: 'local', reason, wasOpen: false }])
    assert.deepEqual(pair.exchange(0).a, [{ kind: 'ended', by: 'remote', reason, wasOpen: false }])
  })

  test('the reason is the last that is sent: what was queued is dropped', () => {
    const { a, b, trafficOfA } = new Pair().open()
    for (let i = 0; i < 5; i++) a.send(RANGE, new Uint8Array(90_000), 0)
    pulled(a, 0)
    a.close({ code: 'requested', message: '' }, 0)
    assert.deepEqual(kinds(b.receive(pulled(a, 0)!, 0)), ['ended'])
    assert.equal(pulled(a, 0), null)
    assert.deepEqual(trafficOfA.steps.droppedByReason(), { closed: 5 })
  })

  test('who ended waits for the other to close the link, but not for ever', () => {
    const pair = new Pair().open()
    pair.a.close({ code: 'requested', message: '' }, 0)
    assert.equal(pair.a.nextDeadlineMs, 100)
    assert.deepEqual(pair.a.tick(99), [])
    assert.deepEqual(kinds(pair.a.tick(100)), ['abortLink'])
    assert.deepEqual([pair.a.tick(101), pair.a.nextDeadlineMs], [[], Infinity])
  })

  test('when both end at once, nobody waits', () => {
    const pair = new Pair().open()
    pair.a.close({ code: 'requested', message: '' }, 0)
    pair.b.close({ code: 'requested', message: '' }, 0)
    const { a, b } = pair.exchange(0)
    assert.deepEqual([kinds(a), kinds(b)], [['abortLink'], ['abortLink']])
  })

  test('every open request settles once, whatever ends the session', () => {
    const ends: ((pair: Pair) => readonly SessionEffect[])[] = [
      ({ a }) => a.linkClosed(),
      ({ a }) => a.close({ code: 'requested', message: '' }, 0),
      ({ a }) => a.receive(new Uint8Array(20).fill(0xff), 0),
      (pair) => {
        pair.b.close({ code: 'requested', message: '' }, 0)
        return pair.exchange(0).a
      },
    ]
    for (const end of ends) {
      const pair = new Pair().open()
      pair.a.request(RANGE, new Uint8Array(1), 'high', 1000, 0)
      pair.a.request(RANGE, new Uint8Array(1), 'high', 2000, 0)
      assert.deepEqual(kinds(end(pair)), ['settleRequest', 'settleRequest', 'ended'])
      assert.deepEqual(
        [pair.a.tick(5000), pair.a.linkClosed()].flat().filter(({ kind }) => kind !== 'abortLink'),
        [],
      )
    }
  })

  test('a request times out when it was said, is withdrawn there, and its late answer is nothing', () => {
    const pair = new Pair().open()
    const id = pair.a.request(RANGE, new Uint8Array(1), 'high', 700, 0)!
    assert.deepEqual(kinds(pair.exchange(0).b), ['deliverRequest'])
    assert.equal(pair.a.nextDeadlineMs <= 700, true)
    assert.deepEqual(pair.a.tick(700), [
      { kind: 'settleRequest', requestId: id, outcome: { kind: 'timedOut' } },
    ])
    assert.deepEqual(kinds(pair.exchange(700).b), ['abandonRequest'])
    pair.b.answer(id, new Uint8Array(5), 700)
    assert.deepEqual(pair.exchange(700), { a: [], b: [] })
    assert.deepEqual(
      pair.a.receive(bytes({ kind: 2, role: 'answer', requestId: id }, new Uint8Array(5)), 700),
      [],
    )
  })

  test('open requests are bounded at both sides', () => {
    const pair = new Pair().open()
    const ask = () => pair.a.request(RANGE, new Uint8Array(1), 'high', 1000, 0)
    assert.deepEqual(
      [1, 2, 3, 4].map(ask).map((id) => id !== null),
      [true, true, true, false],
    )
    pair.exchange(0)
    const fourth = pair.b.receive(bytes({ kind: 2, role: 'request', requestId: 77 }, new Uint8Array(1)), 0)
    assert.deepEqual(fourth, [])
    assert.notEqual(pulled(pair.b, 0), null)
    const again = new Pair().open()
    again.b.receive(bytes({ kind: 2, role: 'request', requestId: 7 }, new Uint8Array(1)), 0)
    assert.deepEqual(
      kinds(again.b.receive(bytes({ kind: 2, role: 'request', requestId: 7 }, new Uint8Array(1)), 0)),
      ['abandonRequest', 'ended'],
    )
  })

  test('pings measure the round trip and keep an idle session open', () => {
    const pair = new Pair().open()
    pair.a.tick(0)
    const ping = pulled(pair.a, 0)!
    pair.b.receive(ping, 20)
    pair.a.receive(pulled(pair.b, 20)!, 40)
    assert.equal(pair.a.latencyMs, 40)
    for (let nowMs = 1000; nowMs < 60_000; nowMs += 1000) {
      assert.deepEqual([pair.a.tick(nowMs), pair.b.tick(nowMs)], [[], []])
      pair.exchange(nowMs)
    }
    assert.deepEqual([pair.a.state, pair.b.state], ['open', 'open'])
  })

  const deaths = [
    { what: 'hears nothing', code: 'silent', before: () => {} },
    {
      what: 'can write nothing',
      code: 'stopped-reading',
      before: ({ a, b }: Pair) => {
        a.linkWritable(false, 0)
        b.sendStatus(HELLO.status)
        a.receive(pulled(b, 11_000)!, 11_000)
      },
    },
  ]
  for (const { what, code, before } of deaths) {
    test(`a session that ${what} for 12 s is ended as ${code}`, () => {
      const pair = new Pair().open()
      before(pair)
      assert.deepEqual(kinds(pair.a.tick(11_999)), [])
      const [effect] = pair.a.tick(12_000)
      assert.equal(effect?.kind === 'ended' && effect.reason.code, code)
    })
  }

  test('a peer that we do not read is not called silent', () => {
    const { a } = new Pair().open()
    a.pauseReading()
    assert.deepEqual(a.tick(100_000), [])
    a.resumeReading(100_000)
    assert.deepEqual(a.tick(111_000), [])
    assert.deepEqual(kinds(a.tick(112_000)), ['ended'])
  })

  test('a writable moment ends the suspicion of not reading', () => {
    const { a } = new Pair().open()
    a.linkWritable(false, 0)
    a.linkWritable(true, 10_000)
    a.linkWritable(false, 11_000)
    assert.equal(a.tick(11_900).length, 0)
  })

  const duringHandshake = [
    { what: 'a message', frame: bytes({ kind: 1 }, new Uint8Array(1)) },
    { what: 'a ping', frame: bytes({ kind: CONTROL.ping }, new Uint8Array(4)) },
    {
      what: 'an acceptance before the hello',
      frame: bytes({ kind: CONTROL.helloAccepted }, new Uint8Array(0)),
    },
  ]
  for (const { what, frame } of duringHandshake) {
    test(`${what} during the handshake is a fault`, () => {
      const [effect] = new Session(CONFIG, HELLO, peerTraffic(), 0).receive(frame, 0)
      assert.equal(effect?.kind === 'ended' && effect.reason.code, 'protocol-fault')
    })
  }

  test('no bytes of a peer make it throw, and what it holds is bounded', () => {
    const hostile = fc.record({
      kind: fc.oneof(fc.nat(255), fc.constantFrom(1, 2, ...Object.values(CONTROL))),
      lane: fc.constantFrom(...LANES),
      role: fc.constantFrom('message' as const, 'request' as const, 'answer' as const),
      more: fc.boolean(),
      requestId: fc.nat(3),
      body: fc.uint8Array({ maxLength: 40 }),
    })
    fc.assert(
      fc.property(fc.array(hostile, { maxLength: 30 }), (frames) => {
        const { a } = new Pair().open()
        a.request(RANGE, new Uint8Array(1), 'high', 1000, 0)
        for (const frame of frames) a.receive(bytes(frame, frame.body), 0)
        a.send(VOTE, new Uint8Array(1), 0)
        for (const lane of LANES) assert.ok(a.lanes.depth(lane).messages <= 100)
      }),
    )
  })
})
