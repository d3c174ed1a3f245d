import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Reservations } from '../../src/protocol/reservations.ts'
import type { ReservationEffect, ReservationInput } from '../../src/protocol/reservations.ts'

const LIMITS = {
  relaysMax: 1,
  confirmIntervalMs: 1000,
  answerTimeoutMs: 200,
  retryMinMs: 100,
  retryMaxMs: 1000,
}

/** What happens, and what is ordered, line by line. */
class Transcript {
  readonly reservations: Reservations
  constructor(limits = LIMITS) {
    this.reservations = new Reservations(limits)
  }

  at(nowMs: number, input: ReservationInput): string[] {
    return this.reservations.handle(input, nowMs).map(effectText)
  }
}

function effectText(effect: ReservationEffect): string {
  return effect.kind === 'ask' ? `ask ${effect.relay}` : `announce [${effect.relays.join(' ')}]`
}

const WANTED = { kind: 'wantChanged', isWanted: true } as const
const TIME = { kind: 'timeElapsed' } as const
const offered = (relay: string) => ({ kind: 'relayOffered', relay }) as const
const gone = (relay: string) => ({ kind: 'relayGone', relay }) as const
const granted = (relay: string, lifeMs = 60_000) => ({ kind: 'placeGranted', relay, lifeMs }) as const
const refused = (relay: string) => ({ kind: 'placeRefused', relay }) as const

describe('places at relays (PT-8)', () => {
  /** Node r1 holds a place since 10 ms, r2 offers one. */
  function held(): Transcript {
    const transcript = new Transcript()
    transcript.at(0, offered('r1'))
    transcript.at(0, offered('r2'))
    assert.deepEqual(transcript.at(0, WANTED), ['ask r1'])
    assert.deepEqual(transcript.at(10, granted('r1')), ['announce [r1]'])
    return transcript
  }

  test('nobody is asked while no relay is wanted', () => {
    const transcript = new Transcript()
    assert.deepEqual(transcript.at(0, offered('r1')), [])
    assert.equal(transcript.reservations.nextDueMs(0), Infinity)
  })

  test('V1: as many places are held as are wanted', () => {
    const transcript = new Transcript({ ...LIMITS, relaysMax: 2 })
    for (const relay of ['r1', 'r2', 'r3']) transcript.at(0, offered(relay))
    assert.deepEqual(transcript.at(0, WANTED), ['ask r1', 'ask r2'])
    assert.deepEqual(transcript.at(5, granted('r2')), ['announce [r2]'])
    assert.deepEqual(transcript.at(6, granted('r1')), ['announce [r1 r2]'])
  })

  test('V2: when the relay goes, its address goes and the next is asked, at once', () => {
    const transcript = held()
    assert.deepEqual(transcript.at(500, gone('r1')), ['announce []', 'ask r2'])
    assert.deepEqual(transcript.at(510, granted('r2')), ['announce [r2]'])
  })

  test('V2: a relay that comes back is asked again', () => {
    const transcript = new Transcript()
    transcript.at(0, WANTED)
    assert.deepEqual(transcript.at(0, offered('r1')), ['ask r1'])
    transcript.at(10, granted('r1'))
    assert.deepEqual(transcript.at(20, gone('r1')), ['announce []'])
    assert.deepEqual(transcript.at(30, offered('r1')), ['ask r1'])
  })

  test('V3: a place is confirmed; a relay that does not answer then has lost it', () => {
    const transcript = held()
    assert.equal(transcript.reservations.nextDueMs(10), 1010)
    assert.deepEqual(transcript.at(1009, TIME), [])
    assert.deepEqual(transcript.at(1010, TIME), ['ask r1'])
    assert.equal(transcript.reservations.nextDueMs(1010), 1210)
    assert.deepEqual(transcript.at(1210, TIME), ['announce []', 'ask r2'])
  })

  test('V3: a place that lasts only shortly is confirmed at half its time', () => {
    const transcript = new Transcript()
    transcript.at(0, offered('r1'))
    transcript.at(0, WANTED)
    transcript.at(0, granted('r1', 600))
    assert.deepEqual(transcript.at(300, TIME), ['ask r1'])
    assert.deepEqual(transcript.at(310, granted('r1', 600)), [])
  })

  test('V4: who refuses is asked again after a time that doubles, up to the maximum', () => {
    const transcript = new Transcript()
    transcript.at(0, offered('r1'))
    transcript.at(0, WANTED)
    let nowMs = 0
    for (const waitMs of [100, 200, 400, 800, 1000, 1000]) {
      assert.deepEqual(transcript.at(nowMs, refused('r1')), [])
      assert.equal(transcript.reservations.nextDueMs(nowMs), nowMs + waitMs)
      nowMs += waitMs
      assert.deepEqual(transcript.at(nowMs, TIME), ['ask r1'])
    }
  })

  test('V4: an answer that comes after its time changes nothing', () => {
    const transcript = held()
    transcript.at(500, gone('r1'))
    transcript.at(600, offered('r1'))
    assert.deepEqual(transcript.at(610, granted('r1')), [])
    assert.deepEqual(transcript.at(620, granted('r2')), ['announce [r2]'])
  })

  test('V5: when no relay is wanted any more, none is announced or confirmed', () => {
    const transcript = held()
    assert.deepEqual(transcript.at(500, { kind: 'wantChanged', isWanted: false }), ['announce []'])
    assert.equal(transcript.reservations.nextDueMs(500), Infinity)
    assert.deepEqual(transcript.at(5000, TIME), [])
  })
})
