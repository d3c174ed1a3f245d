import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Blacklist, parseTarget } from '../../src/protocol/blacklist.ts'
import type { BlacklistEntry } from '../../src/protocol/blacklist.ts'
import { placeOf } from '../../src/protocol/ip-block.ts'

const PEER = '12D3KooWR4rEqTvgWa8DzVp1UzgMx8Ge68C7tEdhszungoMih2aL'

function entry(target: string, untilMs: number | null = null, automatic = false): BlacklistEntry {
  const parsed = parseTarget(target)
  assert.ok(parsed.ok)
  return { target: parsed.value, reason: '', by: 'test', automatic, sinceMs: 0, untilMs }
}

describe('blacklist (PT-4)', () => {
  const targets = [
    { text: PEER, is: PEER },
    { text: '10.0.0.1', is: '10.0.0.1' },
    { text: '10.1.2.3/16', is: '10.1.0.0/16' },
    { text: '::ffff:10.0.0.1', is: '10.0.0.1' },
    { text: '::ffff:10.0.0.1/112', is: '10.0.0.0/16' },
    { text: '2001:DB8::1', is: '2001:db8:0:0:0:0:0:1' },
    { text: '2001:db8::1/32', is: '2001:db8:0:0:0:0:0:0/32' },
    { text: 'fe80::1%eth0', is: 'fe80:0:0:0:0:0:0:1' },
    { text: '10.0.0.0/7', is: null },
    { text: '0.0.0.0/0', is: null },
    { text: '2001::/15', is: null },
    { text: '10.0.0.256', is: null },
    { text: '10.0.0.1/33', is: null },
    { text: '10.0.0.1/8/8', is: null },
    { text: '1::2::3', is: null },
    { text: 'example.org', is: null },
    { text: 'joe', is: null },
    { text: '', is: null },
  ]
  for (const { text, is } of targets) {
    test(`"${text}" is ${is ?? 'refused'}`, () => {
      const parsed = parseTarget(text)
      assert.equal(parsed.ok ? parsed.value : null, is)
    })
  }

  const addresses = [
    { banned: '10.0.0.1', address: '/ip4/10.0.0.1/tcp/9000', hit: true },
    { banned: '10.0.0.1', address: '/ip4/10.0.0.2/tcp/9000', hit: false },
    { banned: '10.0.0.0/24', address: '/ip4/10.0.0.2/tcp/9000/p2p/x', hit: true },
    { banned: '10.0.0.0/24', address: '/ip4/10.0.1.2/tcp/9000', hit: false },
    { banned: '10.0.0.1', address: '/ip6/::ffff:10.0.0.1/udp/9000/quic-v1', hit: true },
    { banned: '2001:db8::/32', address: '/ip6/2001:db8:5::1/tcp/9000/ws', hit: true },
    { banned: '10.0.0.1', address: '/ip4/10.0.0.1/tcp/9000/p2p/relay/p2p-circuit/p2p/x', hit: false },
    { banned: '10.0.0.1', address: '/dns/example.org/tcp/9000', hit: false },
    { banned: '10.0.0.1', address: '', hit: false },
  ]
  for (const { banned, address, hit } of addresses) {
    test(`${banned} ${hit ? 'covers' : 'does not cover'} ${address || 'no address'}`, () => {
      const list = new Blacklist()
      list.add(entry(banned))
      assert.equal(list.ofAddress(address, 0) !== undefined, hit)
    })
  }

  test('an entry ends by itself, a permanent one only by hand', () => {
    const list = new Blacklist()
    list.add(entry(PEER, 100))
    list.add(entry('10.0.0.0/8'))
    assert.ok(list.ofPeer(PEER, 99))
    assert.equal(list.ofPeer(PEER, 100), undefined)
    assert.equal(list.entries(100).length, 1)
    list.expire(100)
    assert.equal(list.size, 1)
    assert.ok(list.remove('10.0.0.0/8'))
    assert.equal(list.ofAddress('/ip4/10.0.0.1/tcp/1', 0), undefined)
  })

  test('an automatic ban does not shorten one by hand; a ban by hand counts', () => {
    const list = new Blacklist()
    list.add(entry(PEER, null))
    list.add(entry(PEER, 50, true))
    assert.ok(list.ofPeer(PEER, 1000))
    list.add(entry(PEER, 70))
    assert.equal(list.ofPeer(PEER, 70), undefined)
  })

  test('full, the oldest temporary entry goes; full of permanent ones, it takes no more', () => {
    const list = new Blacklist(2)
    list.add(entry('10.0.0.1', 500))
    list.add(entry('10.0.0.2'))
    assert.ok(list.add(entry('10.0.0.3')).ok)
    assert.deepEqual(
      list.entries(0).map(({ target }) => target),
      ['10.0.0.2', '10.0.0.3'],
    )
    const refused = list.add(entry('10.0.0.4'))
    assert.equal(refused.ok ? '' : refused.fault.code, 'BLACKLIST_FULL')
  })
})

describe('places', () => {
  const places = [
    ['/ip4/8.8.4.4/tcp/1', '8.8.4.4', '8.8.4.0/24', '8.8.0.0/16', 'public'],
    ['/ip4/127.3.0.1/tcp/1', '127.3.0.1', '127.3.0.0/24', '127.3.0.0/16', 'loopback'],
    ['/ip6/::1/tcp/1', '0:0:0:0:0:0:0:0/64', '0:0:0:0:0:0:0:0/56', '0:0:0:0:0:0:0:0/32', 'loopback'],
    ['/ip4/172.31.0.1/tcp/1', '172.31.0.1', '172.31.0.0/24', '172.31.0.0/16', 'private'],
    ['/ip4/172.32.0.1/tcp/1', '172.32.0.1', '172.32.0.0/24', '172.32.0.0/16', 'public'],
    [
      '/ip6/2600:1:2:3ff::9/tcp/1',
      '2600:1:2:3ff:0:0:0:0/64',
      '2600:1:2:300:0:0:0:0/56',
      '2600:1:0:0:0:0:0:0/32',
      'public',
    ],
    [
      '/ip6/fd00::1/tcp/1',
      'fd00:0:0:0:0:0:0:0/64',
      'fd00:0:0:0:0:0:0:0/56',
      'fd00:0:0:0:0:0:0:0/32',
      'private',
    ],
  ] as const
  for (const [address, host, block, region, kind] of places) {
    test(`${address} is ${kind}, in ${block} of ${region}`, () =>
      assert.deepEqual(placeOf(address), { host, block, region, kind }))
  }

  test('names, memory and relays tell no place', () => {
    for (const address of ['/dns/a.b/tcp/1', '/memory/n1', '/ip4/8.8.8.8/tcp/1/p2p/r/p2p-circuit', '']) {
      assert.equal(placeOf(address), null)
    }
  })
})
