import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { placeOf } from '../../src/protocol/ip-block.ts'
import { PeerTable } from '../../src/protocol/peer-table.ts'
import type { Direction, Judgement, LinkRecord, Verdict } from '../../src/protocol/peer-table.ts'

const LIMITS = { maxInbound: 2, maxPerIp: 2, maxPerIpBlock: 3, handshakeTimeoutMs: 1000 }

function link(peer: string, direction: Direction, address = ''): LinkRecord {
  const isRelayed = address.includes('/p2p-circuit')
  return {
    peer,
    direction,
    phase: 'handshaking',
    openedMs: 0,
    reserved: false,
    place: placeOf(address),
    isRelayed,
  }
}

function table(localPeer = 'm', limits = LIMITS): PeerTable<LinkRecord> {
  return new PeerTable(limits, localPeer, ({ place, openedMs }) => ({
    block: place?.block ?? null,
    region: place?.region ?? null,
    openedMs,
    latencyMs: null,
    reputation: 0,
    quality: 100,
  }))
}

function code(verdict: Verdict | Judgement<LinkRecord>): string {
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
  of.add(record)
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
      peers.add(newcomer)
      assert.equal(code(peers.judge(newcomer, ageMs)), verdict)
    })
  }

  test('a second dial to the same peer is dropped', () => {
    for (const has of ['outbound handshaking', 'inbound accepted', 'inbound open'] as const) {
      const peers = table()
      const [direction, phase] = has.split(' ') as [Direction, LinkRecord['phase']]
      existing(peers, 'x', direction, phase, 0)
      assert.equal(code(peers.add(link('x', 'outbound'))), 'duplicate')
    }
    assert.equal(code(table('m').add(link('m', 'outbound'))), 'duplicate')
  })

  test('a session that opens closes what it replaces, and is the one session', () => {
    const peers = table('z')
    const old = existing(peers, 'x', 'outbound', 'open', 0)
    const fresh = link('x', 'inbound')
    peers.add(fresh)
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
    peers.add(fourth)
    assert.equal(code(peers.judge(fourth, 0)), 'ok')
    peers.opened(fourth, 0)
    const fifth = link('e', 'inbound')
    peers.add(fifth)
    assert.equal(code(peers.judge(fifth, 0)), 'slots-full')
    fifth.reserved = true
    assert.equal(code(peers.judge(fifth, 0)), 'ok')
  })

  const PLACES = [
    { what: 'one address', has: ['1.2.3.4', '1.2.3.4'], comes: '1.2.3.4', code: 'slots-full' },
    { what: 'another address of the block', has: ['1.2.3.4', '1.2.3.4'], comes: '1.2.3.5', code: 'ok' },
    { what: 'one block', has: ['1.2.3.4', '1.2.3.5', '1.2.3.6'], comes: '1.2.3.7', code: 'slots-full' },
    { what: 'one private block', has: ['10.0.0.1', '10.0.0.2', '10.0.0.3'], comes: '10.0.0.4', code: 'ok' },
    { what: 'one private address', has: ['10.0.0.1', '10.0.0.1'], comes: '10.0.0.1', code: 'slots-full' },
    { what: 'loopback', has: ['127.0.0.1', '127.0.0.1', '127.0.0.1'], comes: '127.0.0.1', code: 'ok' },
    { what: 'one /64', has: ['2001:db8::1', '2001:db8::2'], comes: '2001:db8::3', code: 'slots-full' },
    {
      what: 'one /56',
      has: ['2001:db8::1', '2001:db8:0:1::1', '2001:db8:0:2::1'],
      comes: '2001:db8:0:3::1',
      code: 'slots-full',
    },
    { what: 'another /56', has: ['2001:db8::1', '2001:db8::2'], comes: '2001:db8:0:100::1', code: 'ok' },
  ]
  const addressOf = (ip: string) => `/ip${ip.includes(':') ? 6 : 4}/${ip}/tcp/9000`
  for (const { what, has, comes, code: expected } of PLACES) {
    test(`after ${has.length} sessions, one more from ${what}: ${expected} (PO-6)`, () => {
      const peers = table('m', { ...LIMITS, maxInbound: 10 })
      for (const [i, ip] of has.entries()) {
        const record = link(`p${i}`, 'inbound', addressOf(ip))
        peers.add(record)
        peers.opened(record, 0)
      }
      const newcomer = link('x', 'inbound', addressOf(comes))
      peers.add(newcomer)
      assert.equal(code(peers.judge(newcomer, 0)), expected)
      newcomer.reserved = true
      assert.equal(code(peers.judge(newcomer, 0)), 'ok')
    })
  }

  test('an address with twice its limit of links, open or not, gets no more connections', () => {
    const peers = table()
    const place = placeOf(addressOf('1.2.3.4'))
    for (let i = 0; i < 4; i++) {
      assert.ok(peers.hasRoomAt(place))
      peers.add(link(`p${i}`, 'inbound', addressOf('1.2.3.4')))
    }
    assert.ok(!peers.hasRoomAt(place))
    assert.ok(peers.hasRoomAt(placeOf(addressOf('1.2.3.5'))))
  })

  test('when all slots are taken, a peer from elsewhere takes that of one of a crowd', () => {
    const peers = table('m', { ...LIMITS, maxInbound: 3 })
    for (const ip of ['1.1.1.1', '1.1.1.2', '2.2.2.2']) {
      const record = link(ip, 'inbound', addressOf(ip))
      peers.add(record)
      peers.opened(record, 0)
    }
    const crowded = link('x', 'inbound', addressOf('2.2.2.3'))
    assert.equal(code(peers.judge(crowded, 0)), 'slots-full')
    const judgement = peers.judge(link('y', 'inbound', addressOf('3.3.3.3')), 0)
    assert.ok(judgement.ok)
    assert.match(judgement.evict?.peer ?? '', /^1\.1\.1/)
  })
})

describe('direct and relayed links (T7)', () => {
  const RELAYED = '/ip4/11.0.0.2/tcp/4001/p2p/r/p2p-circuit'

  for (const local of ['a', 'z']) {
    const side = local < 'm' ? 'the smaller id' : 'the larger id'
    test(`a direct link replaces a relayed session, seen by ${side}`, () => {
      const peers = table(local)
      const relayed = link('m', 'outbound', RELAYED)
      peers.add(relayed)
      peers.opened(relayed, 0)
      const direct = link('m', 'outbound')
      assert.equal(code(peers.add(direct)), 'ok')
      assert.equal(code(peers.judge(direct, 1)), 'ok')
      assert.deepEqual(peers.opened(direct, 1), [relayed])
    })

    test(`a relayed link never replaces a direct session, seen by ${side}`, () => {
      const peers = table(local)
      existing(peers, 'm', 'inbound', 'open', 0)
      const relayed = link('m', 'inbound', RELAYED)
      peers.add(relayed)
      assert.equal(code(peers.judge(relayed, 1_000_000)), 'duplicate')
    })
  }

  test('a link that drains takes no messages, and no slot', () => {
    const peers = table()
    const relayed = link('a', 'inbound', RELAYED)
    peers.add(relayed)
    peers.opened(relayed, 0)
    relayed.phase = 'draining'
    assert.equal(peers.open('a'), undefined)
    assert.equal(peers.slotsUsed('inbound'), 0)
  })
})
