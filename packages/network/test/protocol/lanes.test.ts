import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { FRAGMENT_BYTES_MAX, FrameDecoder } from '../../src/protocol/frame.ts'
import type { Frame, FramePart } from '../../src/protocol/frame.ts'
import { LANES, perLane } from '../../src/protocol/lane.ts'
import type { Lane } from '../../src/protocol/lane.ts'
import { Lanes, PIECE_BYTES_MAX } from '../../src/protocol/lanes.ts'
import type { Outflow, Outgoing } from '../../src/protocol/lanes.ts'
import { REASSEMBLY_BYTES_MAX, Reassembler } from '../../src/protocol/reassembly.ts'
import { StepCounts } from '../../src/protocol/steps.ts'
import { peerTraffic, pulled } from '../../src/testing/traffic.ts'

const MIB = 1024 * 1024

/** No limits. */
class Open implements Outflow {
  readonly steps = new StepCounts()
  messageReadyAtMs(_lane: Lane, nowMs: number): number {
    return nowMs
  }
  bytesReadyAtMs(_lane: Lane, _messages: number, _bytes: number, nowMs: number): number {
    return nowMs
  }
  take(): void {}
  sent(): void {}
}

function lanes(messagesMax = 1000, bytesMax = 64 * MIB, outflow: Outflow = new Open()): Lanes {
  return new Lanes(
    perLane(() => ({ messagesMax, bytesMax })),
    outflow,
  )
}

function message(lane: Lane, bytes: number, more: Partial<Outgoing> = {}): Outgoing {
  return {
    kind: 1,
    lane,
    role: 'message',
    requestId: 0,
    body: new Uint8Array(bytes),
    compressed: false,
    plainBytes: bytes,
    gossip: false,
    expiresAtMs: Infinity,
    ...more,
  }
}

function pullFrames(from: Lanes, nowMs = 0): readonly FramePart[] | null {
  const piece = pulled(from, nowMs)
  if (piece === null) return null
  assert.ok(piece.length <= PIECE_BYTES_MAX)
  const decoded = new FrameDecoder().push(piece)
  assert.equal(decoded.fault, null)
  return decoded.parts
}

function pullAll(from: Lanes): FramePart[] {
  const all: FramePart[] = []
  for (let frames = pullFrames(from); frames !== null; frames = pullFrames(from)) all.push(...frames)
  return all
}

describe('lanes (PT-1)', () => {
  test('critical goes first, and leaves a share of each piece to the others', () => {
    const queue = lanes()
    for (const lane of ['low', 'normal', 'high', 'critical'] as const) {
      for (let i = 0; i < 200; i++) queue.push(message(lane, 1000))
    }
    const frames = pullFrames(queue)!
    const critical = frames.filter(({ lane }) => lane === 'critical').length
    assert.deepEqual(
      frames.slice(0, critical).every(({ lane }) => lane === 'critical'),
      true,
    )
    assert.equal(critical, 48)
    assert.equal(frames.length - critical, 16)
  })

  test('critical takes the whole piece when nobody else waits', () => {
    const queue = lanes()
    for (let i = 0; i < 200; i++) queue.push(message('critical', 1000))
    assert.equal(pullFrames(queue)!.length, 64)
  })

  test('the other lanes share by weight, so that none starves', () => {
    const queue = lanes()
    for (const lane of ['low', 'normal', 'high'] as const) {
      for (let i = 0; i < 900; i++) queue.push(message(lane, 1014))
    }
    const taken = { critical: 0, high: 0, normal: 0, low: 0 }
    for (let i = 0; i < 14; i++) for (const { lane } of pullFrames(queue)!) taken[lane]++
    assert.deepEqual(taken, { critical: 0, high: 512, normal: 256, low: 128 })
  })

  test('lanes share by weight also where bytes are short, and critical has its own (L6)', () => {
    const limits = { bytesPerSecond: 1_000_000, messagesPerSecond: 1e6, messagesBurst: 1e6 }
    const queue = lanes(10_000, 64 * MIB, peerTraffic(limits))
    for (const lane of ['low', 'normal', 'high'] as const) {
      for (let i = 0; i < 8; i++) queue.push(message(lane, MIB))
      for (let i = 0; i < 900; i++) queue.push(message(lane, 1000))
    }
    const bytes = { critical: 0, high: 0, normal: 0, low: 0 }
    for (let nowMs = 0; nowMs < 8000; nowMs = Math.max(nowMs + 1, Math.ceil(queue.readyAtMs))) {
      if (nowMs < 1000) queue.push(message('critical', 100))
      for (let frames = pullFrames(queue, nowMs); frames !== null; frames = pullFrames(queue, nowMs)) {
        for (const { lane, body } of frames) bytes[lane] += body.length
      }
      assert.equal(queue.depth('critical').messages, 0)
    }
    const all = bytes.high + bytes.normal + bytes.low
    assert.ok(all > 7_500_000 && all < 8_500_000, `${all} bytes in 8 s`)
    assert.ok(Math.abs(bytes.high / all - 4 / 7) < 0.05 && Math.abs(bytes.low / all - 1 / 7) < 0.05)
  })

  test('a critical message gets between the fragments of bulk', () => {
    const queue = lanes()
    queue.push(message('low', 10 * MIB))
    pullFrames(queue)
    queue.push(message('critical', 100))
    assert.equal(pullFrames(queue)![0]?.lane, 'critical')
  })

  test('a full lane refuses the newest, and drops the oldest gossip for new gossip', () => {
    const outflow = new Open()
    const queue = lanes(3, MIB, outflow)
    assert.equal(queue.push(message('normal', 1, { kind: 1 })), true)
    assert.equal(queue.push(message('normal', 1, { kind: 2, gossip: true })), true)
    assert.equal(queue.push(message('normal', 1, { kind: 3, gossip: true })), true)
    assert.equal(queue.push(message('normal', 1, { kind: 4 })), false)
    assert.equal(queue.push(message('normal', 1, { kind: 5, gossip: true })), true)
    assert.deepEqual(
      pullAll(queue).map(({ kind }) => kind),
      [1, 3, 5],
    )
    assert.deepEqual(outflow.steps.droppedByReason(), { 'queue full': 1, 'replaced by newer gossip': 1 })
  })

  test('lanes are bounded in bytes too', () => {
    const queue = lanes(1000, 2500)
    assert.deepEqual(
      [1, 2, 3].map(() => queue.push(message('high', 1000))),
      [true, true, false],
    )
    assert.deepEqual(queue.depth('high'), { messages: 2, bytes: 2000 })
    assert.equal(queue.isReady('high'), false)
    assert.equal(queue.isReady('low'), true)
  })

  test('what waited too long is dropped, but what has begun is finished', () => {
    const outflow = new Open()
    const queue = lanes(1000, MIB, outflow)
    queue.push(message('low', 100_000, { kind: 1, expiresAtMs: 10 }))
    queue.push(message('low', 1, { kind: 2, expiresAtMs: 10 }))
    queue.push(message('low', 1, { kind: 3, expiresAtMs: 20 }))
    const kinds = [...pullFrames(queue, 0)!, ...pullFrames(queue, 10)!].map(({ kind }) => kind)
    assert.deepEqual(kinds, [1, 1, 1, 1, 1, 1, 1, 3])
    assert.deepEqual(outflow.steps.droppedByReason(), { expired: 1 })
  })

  test('senders keep to what a receiver reassembles, and everything arrives in the order of its lane', () => {
    const sent = fc.record({
      lane: fc.constantFrom(...LANES),
      bytes: fc.oneof(fc.nat(100), fc.nat(3 * FRAGMENT_BYTES_MAX), fc.constant(10 * MIB)),
    })
    fc.assert(
      fc.property(fc.array(sent, { maxLength: 8 }), (messages) => {
        const queue = lanes(1000, 1024 * MIB)
        for (const [i, { lane, bytes }] of messages.entries())
          queue.push(message(lane, bytes, { requestId: i }))
        const reassembler = new Reassembler()
        const arrived: Frame[] = []
        for (const frame of pullAll(queue)) {
          const whole = reassembler.add(frame, 10 * MIB)
          assert.notEqual(whole.kind, 'fault')
          assert.ok(reassembler.heldBytes <= REASSEMBLY_BYTES_MAX)
          if (whole.kind === 'complete') arrived.push(whole.message)
        }
        assert.equal(reassembler.heldBytes, 0)
        for (const lane of LANES) {
          const expected = messages.flatMap((one, i) => (one.lane === lane ? [[i, one.bytes]] : []))
          const got = arrived
            .filter((one) => one.lane === lane)
            .map(({ requestId, body }) => [requestId, body.length])
          assert.deepEqual(got, expected)
        }
      }),
      { numRuns: 20 },
    )
  })
})

describe('reassembly', () => {
  const piece = (header: Partial<FramePart>): FramePart => ({
    kind: 1,
    lane: 'high',
    role: 'message',
    more: true,
    compressed: false,
    requestId: 0,
    body: new Uint8Array(FRAGMENT_BYTES_MAX),
    isFirst: true,
    missing: 0,
    ...header,
  })

  const faults = [
    {
      what: 'a message beyond what its kind allows',
      frames: [piece({}), piece({})],
      bytesMax: 20_000,
      code: 'MESSAGE_TOO_LARGE',
    },
    {
      what: 'a fragment of another message',
      frames: [piece({}), piece({ kind: 2 })],
      bytesMax: MIB,
      code: 'FRAGMENT_ORDER',
    },
    {
      what: 'a whole message inside another',
      frames: [piece({}), piece({ requestId: 1, more: false })],
      bytesMax: MIB,
      code: 'FRAGMENT_ORDER',
    },
    {
      what: 'an empty fragment',
      frames: [piece({ body: new Uint8Array(0) })],
      bytesMax: MIB,
      code: 'FRAGMENT_EMPTY',
    },
  ]
  for (const { what, frames, bytesMax, code } of faults) {
    test(`${what} is a fault`, () => {
      const reassembler = new Reassembler()
      const last = frames.map((frame) => reassembler.add(frame, bytesMax)).at(-1)
      assert.ok(last?.kind === 'fault')
      assert.equal(last.fault.code, code)
    })
  }

  test('incomplete messages of all lanes together are bounded', () => {
    const reassembler = new Reassembler()
    const fragments = REASSEMBLY_BYTES_MAX / FRAGMENT_BYTES_MAX
    const add = (i: number) => reassembler.add(piece({ lane: i % 2 === 0 ? 'high' : 'low' }), 10 * MIB).kind
    for (let i = 0; i < fragments; i++) assert.equal(add(i), 'incomplete')
    assert.equal(add(fragments), 'fault')
    assert.ok(reassembler.heldBytes <= REASSEMBLY_BYTES_MAX + FRAGMENT_BYTES_MAX)
  })
})
