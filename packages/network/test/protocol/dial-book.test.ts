import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Random } from '@althing/base'
import { parseAddress } from '../../src/protocol/address.ts'
import { DialBook } from '../../src/protocol/dial-book.ts'

const LIMITS = {
  maxOutbound: 2,
  parallelDialsMax: 10,
  backoffMinMs: 100,
  backoffMaxMs: 1000,
  reservedRedialMs: 200,
  learnedPeersMax: 5,
  maxPerIpBlock: 2,
  peersFloor: 0,
  floorBackoffMaxMs: 300,
}

/** Always the largest jitter-free delay. */
const LONGEST: Random = { next: () => 1, bytes: (length) => new Uint8Array(length) }
const SHORTEST: Random = { ...LONGEST, next: () => 0 }

const at = (name: string) => parseAddress(`/memory/${name}`)!

function book(random = LONGEST): DialBook {
  return new DialBook(LIMITS, 'me', random)
}

/** When a target is dialled, if each dial fails at once. */
function dialTimes(of: DialBook, count: number): number[] {
  const times: number[] = []
  for (let nowMs = 0; times.length < count; nowMs = of.nextDueMs(nowMs, 0)) {
    for (const { key } of of.due(nowMs, 0)) {
      times.push(nowMs)
      of.dialled(key, null, nowMs)
    }
  }
  return times
}

describe('dial book', () => {
  test('a bootstrap address is tried for ever, with exponential back-off (VC-8)', () => {
    const dials = book()
    dials.addBootstrap(at('b'))
    assert.deepEqual(dialTimes(dials, 8), [0, 100, 300, 700, 1500, 2500, 3500, 4500])
  })

  test('jitter takes off up to half', () => {
    const dials = book(SHORTEST)
    dials.addBootstrap(at('b'))
    assert.deepEqual(dialTimes(dials, 4), [0, 50, 150, 350])
  })

  test('a reserved peer is tried at least every 200 ms, for ever', () => {
    const dials = book()
    dials.learn('r', [at('r')], true)
    dials.reserve('r', true)
    const times = dialTimes(dials, 30)
    for (const [i, time] of times.entries()) assert.ok(i === 0 || time - times[i - 1]! <= 200)
  })

  test('a dial to a reserved peer that hangs does not stretch the interval', () => {
    const dials = book()
    dials.learn('r', [at('r')], true)
    dials.reserve('r', true)
    const [dial] = dials.due(0, 0)
    assert.deepEqual(dial?.addresses, ['/memory/r/p2p/r'])
    dials.dialled('r', null, 190)
    assert.equal(dials.nextDueMs(190, 0), 200)
  })

  test('learned peers are dialled while outbound slots are free', () => {
    const dials = book()
    for (const peer of ['a', 'b', 'c']) dials.learn(peer, [at(peer)], false)
    assert.equal(dials.due(0, 0).length, 2)
    assert.equal(dials.due(0, 0).length, 0)
    const full = book()
    full.learn('a', [at('a')], false)
    full.addBootstrap(at('b'))
    assert.deepEqual(
      full.due(0, 2).map(({ key }) => key),
      ['/memory/b'],
    )
  })

  test('learned peers that fail too often are forgotten', () => {
    const dials = book()
    dials.learn('a', [at('a')], false)
    assert.equal(dialTimes(dials, 10).length, 10)
    assert.deepEqual([dials.due(1e9, 0), dials.nextDueMs(1e9, 0)], [[], Infinity])
  })

  test('whoever is connected or is the node itself is not dialled, by whatever address', () => {
    const dials = book()
    dials.addBootstrap(at('b'))
    dials.learn('me', [at('m')], false)
    const [first] = dials.due(0, 0)
    dials.dialled(first!.key, 'x', 0)
    dials.connected('x', 0)
    dials.learn('x', [at('b')], true)
    assert.deepEqual(dials.due(1e6, 0), [])
    dials.disconnected('x', 1e6)
    assert.equal(dials.due(1e6 + 1000, 0).length, 1)
  })

  test('a bootstrap address that turns out to be the node itself is dropped', () => {
    const dials = book()
    dials.addBootstrap(at('b'))
    dials.due(0, 0)
    dials.dialled('/memory/b', 'me', 0)
    assert.equal(dials.nextDueMs(0, 0), Infinity)
  })

  test('the back-off starts again only after a session that lasted', () => {
    const redialAfter = (sessionMs: number) => {
      const dials = book()
      dials.addBootstrap(at('b'))
      const failedAtMs = dialTimes(dials, 4).at(-1)!
      const nowMs = dials.nextDueMs(failedAtMs, 0)
      dials.due(nowMs, 0)
      dials.dialled('/memory/b', 'x', nowMs)
      dials.connected('x', nowMs)
      dials.disconnected('x', nowMs + sessionMs)
      return dials.nextDueMs(nowMs + sessionMs, 0) - nowMs - sessionMs
    }
    assert.deepEqual([redialAfter(10), redialAfter(10_000)], [1000, 100])
  })

  test('a seed whose peer is not known is dialled as it is, without a slot it waits, and it is forgotten when it fails', () => {
    const dials = book()
    dials.addSeed(at('seed'))
    assert.deepEqual(dials.due(0, LIMITS.maxOutbound), [])
    let tries = 0
    for (let nowMs = 0; nowMs < Infinity; nowMs = dials.nextDueMs(nowMs, 0)) {
      for (const { key, addresses } of dials.due(nowMs, 0)) {
        assert.deepEqual(addresses, ['/memory/seed'])
        dials.dialled(key, null, nowMs)
        tries++
      }
    }
    assert.equal(tries, 10)
  })

  test('the book is bounded: a new peer replaces one that failed, or is not taken', () => {
    const dials = book()
    for (let i = 0; i < 50; i++) dials.learn(`p${i}`, [at(`p${i}`)], false)
    assert.deepEqual(
      ['p4', 'p5'].map((peer) => dials.addressesOf(peer).length),
      [1, 0],
    )
    const [dial] = dials.due(0, 0)
    dials.dialled(dial!.key, null, 0)
    dials.learn('fresh', [at('fresh')], false)
    assert.deepEqual(
      ['fresh', dial!.key].map((peer) => dials.addressesOf(peer).length),
      [1, 0],
    )
  })
})

describe('dial book below the floor of peers (PO-3, VC-8)', () => {
  const floor = () => new DialBook({ ...LIMITS, peersFloor: 1 }, 'me', LONGEST)

  test('redials wait less, and nobody is forgotten for failing', () => {
    const dials = floor()
    dials.learn('a', [at('a')], false)
    const times = dialTimes(dials, 20)
    assert.deepEqual(times.slice(0, 5), [0, 100, 300, 600, 900])
    assert.equal(times.length, 20)
  })

  test('when the last peer goes, those that were put off are tried soon', () => {
    const dials = floor()
    dials.addBootstrap(at('b'))
    dials.learn('a', [at('a')], false)
    dials.connected('a', 0)
    for (let nowMs = 0; nowMs < 3000; nowMs = dials.nextDueMs(nowMs, 1)) {
      for (const { key } of dials.due(nowMs, 1)) dials.dialled(key, null, nowMs)
    }
    dials.disconnected('a', 3100)
    assert.ok(dials.nextDueMs(3100, 0) <= 3400)
  })
})

test('D7: over a relay is tried before private addresses, and after public ones', () => {
  const texts = ['/ip4/10.1.0.2/tcp/1', '/ip4/11.0.0.2/tcp/1/p2p/relay/p2p-circuit', '/ip4/11.0.0.9/tcp/1']
  const book = new DialBook(LIMITS, 'local', { next: () => 0, bytes: (length) => new Uint8Array(length) })
  book.learn(
    'peer',
    texts.map((text) => parseAddress(text)!),
    true,
  )
  const [dial] = book.due(0, 0)
  assert.deepEqual(
    dial!.addresses.map((text) => text.replace('/p2p/peer', '')),
    [texts[2], texts[1], texts[0]],
  )
})

describe('dial book and address blocks (PO-3)', () => {
  const ip = (host: string) => parseAddress(`/ip4/${host}/tcp/1`)!
  const learned = (hosts: readonly string[]) => {
    const dials = new DialBook({ ...LIMITS, maxOutbound: 9, learnedPeersMax: 99 }, 'me', LONGEST)
    for (const host of hosts) dials.learn(`p${host.replaceAll('.', '-')}`, [ip(host)], false)
    return dials
  }

  test('D8: a block full of addresses gets two dials; the others are for peers elsewhere', () => {
    const hosts = ['66.6.6.1', '66.6.6.2', '66.6.6.3', '66.6.6.4', '20.1.0.1', '20.2.0.1']
    const dials = learned(hosts).due(0, 0)
    assert.deepEqual(
      dials.map(({ key }) => key),
      ['p66-6-6-1', 'p20-1-0-1', 'p20-2-0-1', 'p66-6-6-2'],
    )
  })

  test('D8: of a region full of addresses, each in a block of its own, one is dialled before all who are elsewhere', () => {
    const dials = new DialBook({ ...LIMITS, maxOutbound: 4, learnedPeersMax: 100 }, 'me', LONGEST)
    const learn = (ip: string) => dials.learn(ip, [parseAddress(`/ip4/${ip}/tcp/9000`)!], true)
    for (let i = 0; i < 50; i++) learn(`66.6.${i}.1`)
    for (const ip of ['20.1.0.1', '30.1.0.1', '40.1.0.1']) learn(ip)
    const dialled = dials.due(0, 0).map(({ key }) => key.split('.')[0])
    assert.deepEqual(new Set(dialled), new Set(['20', '30', '40', '66']))
  })

  test('D8: where there is nobody yet is dialled first; private networks are one site, and not limited', () => {
    const dials = learned(['66.6.6.1', '66.6.6.2', '20.1.0.1'])
    dials.connected('p66-6-6-1', 0)
    assert.deepEqual(
      dials.due(0, 1).map(({ key }) => key),
      ['p20-1-0-1', 'p66-6-6-2'],
    )
    assert.equal(learned(['10.0.0.1', '10.0.0.2', '10.0.0.3']).due(0, 0).length, 3)
  })
})
