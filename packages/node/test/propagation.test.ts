import { strict as assert } from 'node:assert'
import { beforeEach, describe, test } from 'node:test'
import { silentLog } from '@althing/base'
import type { LogFields } from '@althing/base'
import type { NetworkEvent, PeerView } from '@althing/network'
import { BlockPropagation, HEIGHTS_MAX } from '../src/propagation.ts'

describe('when each peer had a block (PO-10)', () => {
  let nowMs: number
  let lines: LogFields[]
  let propagation: BlockPropagation

  beforeEach(() => {
    nowMs = 1000
    lines = []
    const log = { ...silentLog, debug: (_: string, fields: LogFields = {}) => void lines.push(fields) }
    propagation = new BlockPropagation({ wallMs: () => nowMs, log })
  })

  const connected = (peer: string, height: number): NetworkEvent => ({
    kind: 'peerConnected',
    peer: { id: peer, height, finalizedHeight: height } as PeerView,
  })
  const says = (peer: string, height: number, finalizedHeight = height): NetworkEvent => ({
    kind: 'peerStatus',
    peer,
    status: { height, finalizedHeight, lowestHeight: 0 },
  })
  const sightings = (height: number) => Object.fromEntries(propagation.at(height)?.sightingByPeer ?? [])

  test('the first word of a peer counts, for every height on its way there', () => {
    propagation.observe(connected('a', 4))
    propagation.arrived(5, 'notarized')
    nowMs = 1200
    propagation.observe(says('a', 6, 5))
    nowMs = 1500
    propagation.observe(says('a', 6, 6))
    assert.deepEqual(sightings(5), { a: { hasMs: 1200, finalMs: 1200 } })
    assert.deepEqual(sightings(6), { a: { hasMs: 1200, finalMs: 1500 } })
    assert.deepEqual(propagation.at(5)?.here, { hasMs: 1000, finalMs: null })
  })

  test('what a peer had before it connected is not known, nor what a stranger says', () => {
    propagation.arrived(5, 'final')
    propagation.observe(connected('a', 5))
    propagation.observe(says('a', 5))
    propagation.observe(says('stranger', 5))
    assert.deepEqual(sightings(5), {})
  })

  test('a peer that sends a block has it, whatever it says later', () => {
    propagation.observe(connected('a', 4))
    propagation.sent('a', 5)
    propagation.sent('stranger', 5)
    nowMs = 1300
    propagation.observe(says('a', 5))
    assert.deepEqual(sightings(5), { a: { hasMs: 1000, finalMs: 1300 } })
  })

  test('when all peers have it, a line says how long that took', () => {
    propagation.observe(connected('a', 0))
    propagation.observe(connected('b', 0))
    propagation.arrived(1, 'final')
    nowMs = 1100
    propagation.observe(says('a', 1))
    nowMs = 1300
    propagation.observe(says('b', 1))
    propagation.observe(says('b', 1))
    assert.deepEqual(lines, [{ height: 1, peers: 2, spreadMs: 300 }])
    assert.equal(propagation.latestSpreadMs, 300)
  })

  test('memory is bounded, whatever a peer claims', () => {
    propagation.observe(connected('liar', 0))
    propagation.observe(says('liar', Number.MAX_SAFE_INTEGER))
    for (let height = 1; height <= 2 * HEIGHTS_MAX; height++) propagation.arrived(height, 'final')
    assert.equal(propagation.at(HEIGHTS_MAX), undefined)
    assert.notEqual(propagation.at(HEIGHTS_MAX + 1), undefined)
    assert.equal(propagation.at(2 * HEIGHTS_MAX + 100), undefined)
  })
})
