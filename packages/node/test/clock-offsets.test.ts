import { strict as assert } from 'node:assert'
import { describe, test } from 'node:test'
import { ClockOffsets } from '../src/consensus/clock-offsets.ts'

/** Two nodes whose wall clocks differ, and a way between them that takes time. */
function pair(differenceMs: number): {
  readonly ask: (wayMs: number, backMs: number) => void
  readonly here: ClockOffsets
} {
  let nowMs = 1_000
  const at = (wallMs: number) => ({ monotonicMs: () => nowMs, wallMs: () => wallMs + nowMs })
  const here = new ClockOffsets(at(1_700_000_000_000))
  const there = new ClockOffsets(at(1_700_000_000_000 + differenceMs))
  const ask = (wayMs: number, backMs: number): void => {
    const question = here.question('there')
    nowMs += wayMs
    const answer = there.receive('here', question)
    assert.ok(answer instanceof Uint8Array)
    nowMs += backMs
    assert.equal(here.receive('there', answer), null)
  }
  return { ask, here }
}

describe('the offset of a clock', () => {
  test('is what it differs by, within half of the round trip', () => {
    const { ask, here } = pair(5_000)
    assert.equal(here.of('there'), null)
    ask(30, 10)
    const { offsetMs, uncertaintyMs } = here.of('there')!
    assert.equal(uncertaintyMs, 20)
    assert.ok(Math.abs(offsetMs - 5_000) <= uncertaintyMs)
  })

  test('is taken from the answer with the shortest way', () => {
    const { ask, here } = pair(-3_000)
    ask(400, 20)
    ask(1, 1)
    ask(20, 400)
    assert.deepEqual(here.of('there'), { offsetMs: -3_000, uncertaintyMs: 1 })
  })

  test('takes nothing that was not asked for, and names what is none', () => {
    const { ask, here } = pair(0)
    ask(1, 1)
    const stray = new Uint8Array(13).fill(1)
    assert.equal(here.receive('stranger', stray), null)
    assert.equal(here.of('stranger'), null)
    for (const body of [
      new Uint8Array(),
      new Uint8Array(13),
      new Uint8Array(5).fill(9),
      new Uint8Array(14),
    ]) {
      assert.equal(here.receive('there', body), 'malformed')
    }
    here.forget('there')
    assert.equal(here.of('there'), null)
  })
})
