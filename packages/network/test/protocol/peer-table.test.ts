import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { PeerTable } from '../../src/protocol/peer-table.ts'
import type { Direction, LinkRecord, Verdict } from '../../src/protocol/peer-table.ts'

const LIMITS = { maxInbound: 2, handshakeTimeoutMs: 1000, faultsMax: 3, faultWindowMs: 100, cooldownMs: 500 }

function link(peer: string, direction: Direction): LinkRecord {
  return { peer, direction, phase: 'handshaking', openedMs: 0, reserved: false }
}

function table(localPeer = 'm'): PeerTable<LinkRecord> {
  return new PeerTable(LIMITS, localPeer)
}

function code(verdict: Verdict): string {
  return verdict.ok ? 'ok' : verdict.reason.code
}

/** A link of this peer that is there already. */
function existing(
  of: PeerTable<LinkRecord>,
  peer: string,
  direction: Direction,
  phase: LinkRecord['phase'],
  nowMs: number,
) {
  const record = link(peer, direction)
  of.add(record, nowMs)
  if (phase === 'open') of.opened(record, nowMs)
  record.phase = phase
  return record
}

describe('peer table (PT-9)', () => {
  const hellos = [
    { local: 'a', has: 'outbound handshaking', comes: 'inbound', ageMs: 0, verdict: 'duplicate' },
    { local: 'z', has: 'outbound handshaking', comes: 'inbound', ageMs: 0, verdict: 'ok' },
    { local: 'a', has: 'inbound accepted', comes: 'inbound', ageMs: 0, verdict: 'duplicate' },
    { local: 'z', has: 'outbound accepted', comes: 'inbound', ageMs: 0, verdict: 'ok' },
    { local: 'a', has: 'outbound open', comes: 'inbound', ageMs: 999, verdict: 'duplicate' },
    { local: 'a', has: 'outbound open', comes: 'inbound', ageMs: 1000, verdict: 'ok' },
    { local: 'z', has: 'outbound open', comes: 'inbound', ageMs: 0, verdict: 'ok' },
  ] as const
  for (const { local, has, comes, ageMs, verdict } of hellos) {
    test(`${local === 'a' ? 'the smaller' : 'the larger'} id with a link ${has} for ${ageMs} ms answers ${verdict} to one ${comes}`, () => {
      const peers = table(local)
      const [direction, phase] = has.split(' ') as [Direction, LinkRecord['phase']]
      existing(peers, 'm', direction, phase, 0)
      const newcomer = link('m', comes)
      peers.add(newcomer, ageMs)
      assert.equal(code(peers.judge(newcomer, ageMs)), verdict)
    })
  }

  test('a second dial to the same peer is dropped', () => {
    for (const has of ['outbound handshaking', 'inbound accepted', 'inbound open'] as const) {
      const peers = table()
      const [direction, phase] = has.split(' ') as [Direction, LinkRecord['phase']]
      existing(peers, 'x', direction, phase, 0)
      assert.equal(code(peers.add(link('x', 'outbound'), 0)), 'duplicate')
    }
    assert.equal(code(table('m').add(link('m', 'outbound'), 0)), 'duplicate')
  })

  test('a session that opens closes what it replaces, and is the one session', () => {
    const peers = table('z')
    const old = existing(peers, 'x', 'outbound', 'open', 0)
    const fresh = link('x', 'inbound')
    peers.add(fresh, 10)
    assert.deepEqual(peers.opened(fresh, 10), [old])
    peers.remove(old)
    assert.equal(peers.open('x'), fresh)
    assert.deepEqual([...peers.allOpen()], [fresh])
  })

  test('inbound slots are counted without reserved and outbound peers', () => {
    const peers = table()
    existing(peers, 'a', 'inbound', 'open', 0).reserved = true
    existing(peers, 'b', 'outbound', 'open', 0)
    existing(peers, 'c', 'inbound', 'open', 0)
    const fourth = link('d', 'inbound')
    peers.add(fourth, 0)
    assert.equal(code(peers.judge(fourth, 0)), 'ok')
    peers.opened(fourth, 0)
    const fifth = link('e', 'inbound')
    peers.add(fifth, 0)
    assert.equal(code(peers.judge(fifth, 0)), 'slots-full')
    fifth.reserved = true
    assert.equal(code(peers.judge(fifth, 0)), 'ok')
  })

  test('faults in a window send a peer away until the cool-down is over', () => {
    const peers = table()
    assert.deepEqual(
      [0, 1, 200, 201, 202].map((ms) => peers.fault('x', ms)),
      [false, false, false, false, true],
    )
    const back = link('x', 'inbound')
    peers.add(back, 300)
    assert.equal(code(peers.judge(back, 300)), 'cooling-down')
    const dialled = link('x', 'outbound')
    assert.equal(code(peers.add(dialled, 300)), 'cooling-down')
    peers.remove(dialled)
    peers.expire(702)
    assert.equal(code(peers.judge(back, 702)), 'ok')
  })
})
