import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { ReadCredit, SendWindow } from '../../src/protocol/window.ts'

const FRAME_BYTES = 16_000

/** A link of so many bytes a millisecond, `wayMs` long each way, that is always kept full. */
function run(bytesPerMs: number, wayMs: number, ms: number, noise: (nowMs: number) => number = () => 0) {
  const window = new SendWindow()
  const credit = new ReadCredit()
  const onWay: { bytes: number; arrivesMs: number }[] = []
  const credits: { total: number; arrivesMs: number }[] = []
  let [linkFreeMs, read, queueingMs] = [0, 0, 0]
  for (let nowMs = 0; nowMs < ms; nowMs += 0.25) {
    while (credits.length > 0 && credits[0]!.arrivesMs <= nowMs) {
      assert.equal(window.credit(credits.shift()!.total, nowMs), true)
    }
    while (window.admits(FRAME_BYTES)) {
      window.sent(FRAME_BYTES, nowMs)
      linkFreeMs = Math.max(linkFreeMs, nowMs) + FRAME_BYTES / bytesPerMs
      onWay.push({ bytes: FRAME_BYTES, arrivesMs: linkFreeMs + wayMs + noise(nowMs) })
    }
    while (onWay.length > 0 && onWay[0]!.arrivesMs <= nowMs) {
      const { bytes } = onWay.shift()!
      credit.read(bytes)
      if (nowMs >= ms / 2) read += bytes
      const total = credit.due()
      if (total !== null) credits.push({ total, arrivesMs: nowMs + wayMs })
    }
    if (nowMs >= ms / 2) queueingMs = Math.max(queueingMs, linkFreeMs - nowMs)
  }
  return { share: read / (bytesPerMs * (ms / 2)), queueingMs, windowBytes: window.bytes }
}

describe('the window of bulk (TN-9)', () => {
  const links = [
    { what: 'a loopback', bytesPerMs: 500_000, wayMs: 0.25, shareMin: 0.8, queueingMaxMs: 6 },
    { what: 'a local network', bytesPerMs: 125_000, wayMs: 0.5, shareMin: 0.8, queueingMaxMs: 6 },
    { what: '50 Mbit/s, 40 ms', bytesPerMs: 6_250, wayMs: 20, shareMin: 0.8, queueingMaxMs: 22 },
    { what: '500 Mbit/s, 40 ms', bytesPerMs: 62_500, wayMs: 20, shareMin: 0.7, queueingMaxMs: 22 },
  ]
  for (const { what, bytesPerMs, wayMs, shareMin, queueingMaxMs } of links) {
    test(`${what}: the link is used, and hardly a queue stands in it`, () => {
      const { share, queueingMs } = run(bytesPerMs, wayMs, 4000)
      assert.ok(share >= shareMin, `${share} of the link`)
      assert.ok(queueingMs <= queueingMaxMs, `${queueingMs} ms in the queue`)
    })
  }

  test('a process that pauses now and then is not taken for a queue', () => {
    const { share } = run(125_000, 0.5, 4000, (nowMs) => (nowMs % 100 < 5 ? 5 : 0))
    assert.ok(share >= 0.6, `${share} of the link`)
  })

  test('a receiver that reads nothing gets no more than the window (W2)', () => {
    const window = new SendWindow()
    let sent = 0
    while (window.admits(FRAME_BYTES)) {
      window.sent(FRAME_BYTES, 0)
      sent += FRAME_BYTES
    }
    assert.ok(sent <= window.bytes)
    assert.equal(window.isFull, true)
  })

  test('credit for more than was sent is refused, whatever it says', () => {
    fc.assert(
      fc.property(fc.nat(200_000), fc.nat(0xffff_ffff), (sent, total) => {
        const window = new SendWindow()
        window.sent(sent, 0)
        assert.equal(window.credit(total, 1), total <= sent)
      }),
    )
  })

  test('both count on past 2^32, and agree', () => {
    const [window, credit] = [new SendWindow(), new ReadCredit()]
    for (let i = 0; i < 60; i++) {
      window.sent(100_000_000, i)
      credit.read(100_000_000)
      assert.equal(window.credit(credit.due()!, i), true)
    }
    assert.equal(window.admits(FRAME_BYTES), true)
  })
})
