import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { bytesToHex, concatBytes } from '@althing/base'
import { FRAME_HEADER_BYTES, FrameDecoder, writeFrame } from '../../src/protocol/frame.ts'
import type { Frame, FrameHeader, FramePart } from '../../src/protocol/frame.ts'
import { LANES } from '../../src/protocol/lane.ts'

const anyFrame: fc.Arbitrary<Frame> = fc.record(
  {
    kind: fc.nat(255),
    lane: fc.constantFrom(...LANES),
    role: fc.constantFrom('message' as const, 'request' as const, 'answer' as const),
    more: fc.boolean(),
    compressed: fc.boolean(),
    requestId: fc.nat(0xffff_ffff),
    body: fc.uint8Array({ maxLength: 300 }),
  },
  { noNullPrototype: true },
)

function encode(header: FrameHeader, body: Uint8Array): Uint8Array {
  const out = new Uint8Array(FRAME_HEADER_BYTES + body.length)
  assert.equal(writeFrame(out, 0, header, body), out.length)
  return out
}

/** The frames that the parts are of; the last one must be whole. */
function framesOf(parts: readonly FramePart[]): Frame[] {
  const frames: Frame[] = []
  for (const { kind, lane, role, more, compressed, requestId, isFirst, body } of parts) {
    const before = isFirst ? undefined : frames.pop()?.body
    const whole = concatBytes(before ?? new Uint8Array(0), body)
    frames.push({ kind, lane, role, more, compressed, requestId, body: whole })
  }
  assert.equal(parts.at(-1)?.missing ?? 0, 0)
  return frames
}

/** `bytes` in pieces that end where `cuts` say. */
function chunks(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b)
  return ends.map((end, i) => bytes.subarray(i === 0 ? 0 : ends[i - 1], end))
}

describe('frame', () => {
  test('the bytes of a frame do not change', () => {
    const header = {
      kind: 2,
      lane: 'low',
      role: 'answer',
      more: true,
      compressed: false,
      requestId: 0x01020304,
    } as const
    assert.equal(bytesToHex(encode(header, Uint8Array.of(0xdd, 0xee))), '00000008021701020304ddee')
    assert.equal(
      bytesToHex(encode({ ...header, compressed: true }, Uint8Array.of(0xdd, 0xee))),
      '00000008023701020304ddee',
    )
  })

  test('frames come out as they went in, however the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(anyFrame, { maxLength: 8 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        (frames, cuts) => {
          const decoder = new FrameDecoder()
          const stream = concatBytes(...frames.map((frame) => encode(frame, frame.body)))
          const parts = chunks(stream, cuts).flatMap((chunk) => {
            const { parts, fault } = decoder.push(chunk)
            assert.equal(fault, null)
            return parts
          })
          assert.deepEqual(framesOf(parts), frames)
          assert.equal(decoder.unreadBytes, 0)
        },
      ),
    )
  })

  test('hostile bytes never throw, and never hold more than a header', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 20 }), (stream) => {
        const decoder = new FrameDecoder()
        for (const chunk of stream) decoder.push(chunk)
        assert.ok(decoder.unreadBytes < FRAME_HEADER_BYTES)
      }),
    )
  })

  const faults = [
    { what: 'a length that leaves no room for the header', bytes: [0, 0, 0, 5], code: 'FRAME_SHORT' },
    { what: 'a length above the largest frame', bytes: [0, 0, 0x40, 7], code: 'FRAME_TOO_LARGE' },
    { what: 'the largest length', bytes: [0xff, 0xff, 0xff, 0xff], code: 'FRAME_TOO_LARGE' },
    { what: 'a role that does not exist', bytes: [0, 0, 0, 6, 1, 0b11000, 0, 0, 0, 0], code: 'FRAME_FLAGS' },
    { what: 'flags that do not exist', bytes: [0, 0, 0, 6, 1, 0b1000000, 0, 0, 0, 0], code: 'FRAME_FLAGS' },
  ]
  for (const { what, bytes, code } of faults) {
    test(`${what} is a fault, after which nothing is read`, () => {
      const decoder = new FrameDecoder()
      const good = encode(
        { kind: 1, lane: 'high', role: 'message', more: false, compressed: false, requestId: 0 },
        new Uint8Array(3),
      )
      const { parts, fault } = decoder.push(concatBytes(good, Uint8Array.from(bytes), good))
      assert.deepEqual([parts.length, fault?.code], [1, code])
      assert.deepEqual([decoder.push(good).parts.length, decoder.unreadBytes], [0, 0])
    })
  }
})
