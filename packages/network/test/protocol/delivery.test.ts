import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { bytesToHex, portableSigner, sha256 } from '@althing/base'
import fc from 'fast-check'
import { verify } from '../../src/platform/node.ts'
import {
  decodePacket,
  encodePacket,
  openLetter,
  openReceipt,
  packetHash,
  signLetter,
  signReceipt,
} from '../../src/protocol/delivery-wire.ts'
import type { Letter, Packet } from '../../src/protocol/delivery-wire.ts'
import { Inbox } from '../../src/protocol/inbox.ts'
import { Outbox } from '../../src/protocol/outbox.ts'
import { keyOfPeerId, peerIdOfKey } from '../../src/protocol/peer-id.ts'
import { Relay } from '../../src/protocol/relay.ts'
import type { Ways } from '../../src/protocol/relay.ts'

const GENESIS = new Uint8Array(32).fill(7)
const signers = [1, 2, 3, 4, 5].map((byte) => portableSigner(new Uint8Array(32).fill(byte)))
const [ANN, BOB, CAT, DAN, EVE] = signers.map(({ publicKey }) => peerIdOfKey(publicKey)) as [
  string,
  string,
  string,
  string,
  string,
]
const ID = 'ab'.repeat(16)

const packet: Packet = {
  content: 'letter',
  id: ID,
  attempt: 1,
  flood: false,
  hopsLeft: 16,
  from: ANN,
  to: BOB,
  payload: Uint8Array.of(1, 2, 3),
}
const letter: Letter = {
  from: ANN,
  to: BOB,
  id: ID,
  sentMs: 1000,
  expiresMs: 31_000,
  kindId: 3,
  body: Uint8Array.of(9, 9),
}

describe('peer ids', () => {
  test('a key and its text say the same, both ways', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (key) => {
        assert.deepEqual(keyOfPeerId(peerIdOfKey(key)), key)
      }),
    )
  })
  const strangers = [
    '',
    '1',
    ANN.slice(1),
    `${ANN}1`,
    ANN.replace('D', '0'),
    `${ANN.slice(0, 51)}!`,
    'QmYwAPJzv5CZsnA',
  ]
  for (const text of strangers) test(`"${text}" is none`, () => assert.equal(keyOfPeerId(text), null))
})

describe('packets, letters, receipts', () => {
  test('a packet comes out as it went in; its bytes are pinned', () => {
    const encoded = encodePacket(packet)
    assert.deepEqual(decodePacket(encoded), { ok: true, value: packet })
    assert.equal(bytesToHex(sha256(encoded)).slice(0, 16), '7ec6469cfd7264ac')
  })

  test('copies of a packet are known as such whatever number of hops they have left', () => {
    assert.equal(packetHash(packet), packetHash({ ...packet, hopsLeft: 3 }))
    assert.notEqual(packetHash(packet), packetHash({ ...packet, payload: Uint8Array.of(1, 2, 4) }))
    assert.notEqual(packetHash(packet), packetHash({ ...packet, attempt: 2 }))
  })

  test('any bytes decode to a packet or to a fault', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const decoded = decodePacket(bytes)
        if (decoded.ok) assert.deepEqual(encodePacket(decoded.value), bytes)
      }),
    )
  })

  const signed = signLetter(letter, GENESIS, signers[0]!)
  const opens = (bytes: Uint8Array, of = packet, genesis = GENESIS) => openLetter(bytes, of, genesis, verify)

  test('a letter says who wrote it, to whom; its bytes are pinned', () => {
    assert.deepEqual(opens(signed), { ok: true, value: letter })
    assert.equal(bytesToHex(sha256(signed)).slice(0, 16), '592fc17c4e17f8a4')
  })

  const wrong: Readonly<Record<string, () => boolean>> = {
    'of another sender': () => opens(signed, { ...packet, from: CAT }).ok,
    'for another recipient': () => opens(signed, { ...packet, to: CAT }).ok,
    'under another id': () => opens(signed, { ...packet, id: 'cd'.repeat(16) }).ok,
    'of another network': () => opens(signed, packet, new Uint8Array(32)).ok,
    'signed by someone else': () => opens(signLetter(letter, GENESIS, signers[2]!)).ok,
  }
  for (const [what, isOpened] of Object.entries(wrong)) {
    test(`a letter ${what} is none`, () => assert.equal(isOpened(), false))
  }

  test('a letter with any bit changed is none', () => {
    fc.assert(
      fc.property(fc.nat(signed.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
        const changed = signed.slice()
        changed[at]! ^= mask
        assert.equal(opens(changed).ok, false)
      }),
      { numRuns: 50 },
    )
  })

  const about = { id: ID, sender: ANN, recipient: BOB }
  const receipt = signReceipt({ id: ID, sender: ANN, outcome: 'delivered' }, GENESIS, signers[1]!)
  const reads = (bytes: Uint8Array, of = about, genesis = GENESIS) => openReceipt(bytes, of, genesis, verify)

  test('a receipt is of one letter, one recipient, one network', () => {
    assert.deepEqual(reads(receipt), { ok: true, value: 'delivered' })
    const others = [
      reads(receipt, { ...about, id: 'cd'.repeat(16) }),
      reads(receipt, { ...about, sender: CAT }),
      reads(receipt, { ...about, recipient: CAT }),
      reads(receipt, about, new Uint8Array(32)),
      reads(Uint8Array.of(9, ...receipt.subarray(1))),
      reads(Uint8Array.of(1, ...receipt.subarray(1))),
      reads(receipt.subarray(1)),
    ]
    assert.deepEqual(
      others.map(({ ok }) => ok),
      others.map(() => false),
    )
  })
})

describe('inbox', () => {
  const limits = { perSenderMax: 3, totalMax: 5, windowMs: 10_000, skewMs: 1000 }
  let inbox: Inbox

  beforeEach(() => {
    inbox = new Inbox(limits)
  })

  const of = (id: string, changes: Partial<Letter> = {}): Letter => ({
    ...letter,
    id,
    sentMs: 0,
    expiresMs: 5000,
    ...changes,
  })

  const rows: readonly (readonly [what: string, changes: Partial<Letter>, nowMs: number, kind: string])[] = [
    ['in its time', {}, 100, 'new'],
    ['a little late', {}, 6000, 'new'],
    ['too late', {}, 6001, 'stale'],
    ['from a clock that is a little ahead', { sentMs: 1000 }, 0, 'new'],
    ['from the future', { sentMs: 1001 }, 0, 'stale'],
    ['that would live too long', { expiresMs: 10_001 }, 100, 'stale'],
  ]
  for (const [what, changes, nowMs, kind] of rows) {
    test(`a letter ${what} is ${kind}`, () => assert.equal(inbox.arrived(of('a', changes), nowMs).kind, kind))
  }

  test('a copy is a copy until the letter would be stale; its outcome is told again', () => {
    inbox.arrived(of('a'), 0)
    assert.deepEqual(inbox.arrived(of('a'), 10), { kind: 'copy', outcome: null })
    inbox.finished(of('a'), 'refused')
    assert.deepEqual(inbox.arrived(of('a'), 6000), { kind: 'copy', outcome: 'refused' })
    assert.deepEqual(inbox.arrived(of('a'), 6001), { kind: 'stale' })
  })

  test('one sender cannot take the room of others, nor all of them more than there is', () => {
    const kinds = (from: string) => ['a', 'b', 'c', 'd'].map((id) => inbox.arrived(of(id, { from }), 0).kind)
    assert.deepEqual(kinds(ANN), ['new', 'new', 'new', 'noRoom'])
    assert.deepEqual(kinds(CAT), ['new', 'new', 'noRoom', 'noRoom'])
    assert.equal(inbox.arrived(of('e', { sentMs: 6000, expiresMs: 9000 }), 7000).kind, 'new')
    assert.equal(inbox.size, 1)
  })

  test('whatever comes when, no id is new twice while a copy of it could count', () => {
    const arrival = fc.record({ id: fc.constantFrom('a', 'b', 'c', 'd', 'e'), waitMs: fc.nat(2500) })
    fc.assert(
      fc.property(fc.array(arrival, { maxLength: 40 }), (arrivals) => {
        const box = new Inbox(limits)
        const taken = new Set<string>()
        let nowMs = 0
        for (const { id, waitMs } of arrivals) {
          nowMs += waitMs
          if (box.arrived(of(id), nowMs).kind !== 'new') continue
          assert.ok(!taken.has(id))
          taken.add(id)
        }
      }),
    )
  })
})

describe('outbox', () => {
  const limits = {
    messagesMax: 3,
    bytesMax: 100,
    underWayMax: 2,
    retryMinMs: 1000,
    retryMaxMs: 4000,
    bytesPerSecond: Infinity,
  }
  let outbox: Outbox

  beforeEach(() => {
    outbox = new Outbox(limits)
  })

  const add = (id: string, changes: { bytes?: number; to?: string; deadlineMs?: number } = {}) =>
    outbox.add({ id, to: BOB, bytes: 10, deadlineMs: 20_000, ...changes }, 0)
  const due = (nowMs: number) =>
    outbox.due(nowMs).map(({ kind, id, attempts }) => `${kind} ${id} ${attempts}`)

  test('a letter is sent at once, then with growing pauses, and given up at its deadline', () => {
    add('a')
    const times: string[] = []
    for (let nowMs = 0; nowMs <= 21_000; nowMs += 500) {
      for (const effect of due(nowMs)) times.push(`${nowMs} ${effect}`)
    }
    assert.deepEqual(times, [
      '0 attempt a 1',
      '1000 attempt a 2',
      '3000 attempt a 3',
      '7000 attempt a 4',
      '11000 attempt a 5',
      '15000 attempt a 6',
      '19000 attempt a 7',
      '20000 giveUp a 7',
    ])
    assert.deepEqual([outbox.size, outbox.bytes, outbox.nextDueMs()], [0, 0, Infinity])
  })

  test('it holds so many letters, and so many bytes', () => {
    assert.deepEqual(
      [add('a', { bytes: 60 }), add('b', { bytes: 60 }), add('c', { bytes: 40 })],
      [true, false, true],
    )
    assert.ok(outbox.remove('a'))
    assert.ok(!outbox.remove('a'))
    assert.deepEqual([add('d'), add('e'), add('f')], [true, true, false])
  })

  test('a burst to one recipient waits its turn, and holds up nobody else', () => {
    for (const id of ['a', 'b']) add(id)
    assert.deepEqual(due(0), ['attempt a 1', 'attempt b 1'])
    add('c')
    assert.deepEqual([due(0), outbox.nextDueMs()], [[], 1000])
    outbox.remove('a')
    assert.equal(outbox.nextDueMs(), 0)
    assert.deepEqual(due(500), ['attempt c 1'])
    add('d', { to: CAT })
    assert.deepEqual(due(500), ['attempt d 1'])
  })

  test('when the recipient appears what waits for it goes at once; with the first peer everything', () => {
    add('b')
    add('c', { to: CAT })
    due(0)
    outbox.peerAppeared(CAT, false, 100)
    assert.deepEqual(due(100), ['attempt c 2'])
    outbox.peerAppeared(DAN, true, 200)
    assert.deepEqual(due(200), ['attempt b 2', 'attempt c 3'])
  })
})

describe('relay', () => {
  const limits = { bytes: { perSecond: 10, burst: 20 }, seenMax: 100, seenMs: 60_000 }
  const ways = (neighbours: readonly string[], next: string | null = null): Ways => ({
    neighbours: new Set(neighbours),
    nextHop: () => next,
  })
  let relay: Relay

  beforeEach(() => {
    relay = new Relay(CAT, limits, 0)
  })

  test('to the recipient where there is a link, else along the map, else to all', () => {
    const rows: readonly (readonly [Ways, boolean, readonly string[]])[] = [
      [ways([BOB, DAN, EVE], DAN), false, [BOB]],
      [ways([BOB, DAN, EVE], DAN), true, [BOB]],
      [ways([DAN, EVE], DAN), false, [DAN]],
      [ways([DAN, EVE], DAN), true, [DAN, EVE]],
      [ways([DAN, EVE]), false, [DAN, EVE]],
      [ways([DAN, EVE], BOB), false, [DAN, EVE]],
      [ways([]), false, []],
    ]
    for (const [given, flood, expected] of rows)
      assert.deepEqual(relay.ways({ to: BOB, flood }, given), expected)
  })

  test('a copy is taken once, and never goes back to where it came from, or to who wrote it', () => {
    const all = ways([ANN, DAN, EVE])
    assert.deepEqual(relay.received(packet, DAN, all, 0), { kind: 'pass', to: [EVE], hopsLeft: 15 })
    assert.deepEqual(relay.received(packet, EVE, all, 0), { kind: 'drop', reason: 'seen' })
    assert.deepEqual(relay.received({ ...packet, attempt: 2 }, EVE, all, 0), {
      kind: 'pass',
      to: [DAN],
      hopsLeft: 15,
    })
  })

  test('it takes what is its own, and nothing that it wrote itself', () => {
    assert.deepEqual(relay.received({ ...packet, to: CAT, hopsLeft: 0 }, DAN, ways([DAN]), 0), {
      kind: 'take',
    })
    assert.deepEqual(relay.received({ ...packet, from: CAT }, DAN, ways([DAN]), 0), {
      kind: 'drop',
      reason: 'seen',
    })
  })

  test('hops end, and nobody sets more than there may be', () => {
    const left = (hopsLeft: number, attempt: number) =>
      relay.received({ ...packet, hopsLeft, attempt }, DAN, ways([EVE]), 0)
    assert.deepEqual(left(0, 1), { kind: 'drop', reason: 'hops' })
    assert.deepEqual(left(255, 2), { kind: 'pass', to: [EVE], hopsLeft: 31 })
  })

  test('the bytes that one neighbour has passed on are bounded, and each copy counts', () => {
    const pass = (attempt: number, from: string, nowMs: number) =>
      relay.received(
        { ...packet, payload: new Uint8Array(8), attempt, flood: true },
        from,
        ways([DAN, EVE, ANN]),
        nowMs,
      ).kind
    assert.deepEqual([pass(1, DAN, 0), pass(2, DAN, 0), pass(3, DAN, 0)], ['pass', 'pass', 'drop'])
    assert.equal(pass(4, EVE, 0), 'pass')
    assert.equal(pass(5, DAN, 1000), 'pass')
  })
})
