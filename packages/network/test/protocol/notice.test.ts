import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { bytesToHex } from '@althing/base'
import {
  decodeNotice,
  encodeNotice,
  gossipId,
  kindIdOf,
  NOTICE_KINDS,
  noticeKindName,
} from '../../src/protocol/notice.ts'
import type { Notice } from '../../src/protocol/notice.ts'

const id = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => String.fromCharCode(...bytes))
const ids = fc.array(id, { maxLength: 20 })
const plain = { noNullPrototype: true }
const notice: fc.Arbitrary<Notice> = fc.oneof(
  fc.record(
    { kind: fc.constant('announce' as const), spreading: fc.constantFrom('tree', 'flood'), ids },
    plain,
  ),
  fc.record(
    {
      kind: fc.constant('offer' as const),
      offers: fc.array(fc.record({ id, bytes: fc.nat({ max: 2 ** 32 - 1 }) }, plain), { maxLength: 20 }),
    },
    plain,
  ),
  fc.record(
    {
      kind: fc.constant('want' as const),
      mode: fc.constantFrom('send', 'graftAndSend', 'graft', 'graftAll'),
      ids,
    },
    plain,
  ),
  fc.record({ kind: fc.constant('prune' as const), ids }, plain),
  fc.record({ kind: fc.constant('gone' as const), ids }, plain),
)

describe('notices of gossip', () => {
  test('come back as they were', () => {
    fc.assert(
      fc.property(notice, (sent) => {
        assert.deepEqual(decodeNotice(noticeKindName(sent), encodeNotice(sent)), { ok: true, value: sent })
      }),
    )
  })

  test('golden bytes', () => {
    const one = gossipId(2, Uint8Array.of(1, 2, 3))
    const hex = '02039058c6f2c0cb492c533b0a4d14ef'
    const cases: readonly (readonly [Notice, string])[] = [
      [{ kind: 'announce', spreading: 'tree', ids: [one] }, hex],
      [{ kind: 'offer', offers: [{ id: one, bytes: 0x010203 }] }, `${hex}00010203`],
      [{ kind: 'want', mode: 'send', ids: [one] }, `00${hex}`],
      [{ kind: 'want', mode: 'graftAndSend', ids: [one] }, `01${hex}`],
      [{ kind: 'want', mode: 'graft', ids: [one] }, `02${hex}`],
      [{ kind: 'want', mode: 'graftAll', ids: [] }, '03'],
      [{ kind: 'prune', ids: [] }, ''],
      [{ kind: 'gone', ids: [one] }, hex],
    ]
    for (const [sent, expected] of cases) assert.equal(bytesToHex(encodeNotice(sent)), expected)
  })

  test('any bytes are read or refused, never worse', () => {
    const name = fc.constantFrom(...Object.keys(NOTICE_KINDS))
    fc.assert(
      fc.property(name, fc.uint8Array({ maxLength: 100 }), (kind, bytes) => {
        const decoded = decodeNotice(kind, bytes)
        if (decoded.ok) assert.deepEqual(encodeNotice(decoded.value), bytes)
        else assert.equal(decoded.fault.code, 'MALFORMED')
      }),
    )
  })

  test('an id names the kind, and differs for each kind and body', () => {
    const [a, b, c] = [
      gossipId(1, Uint8Array.of(1)),
      gossipId(2, Uint8Array.of(1)),
      gossipId(1, Uint8Array.of(2)),
    ]
    assert.equal(new Set([a, b, c]).size, 3)
    assert.deepEqual([a, b, c].map(kindIdOf), [1, 2, 1])
    assert.equal(a.length, 16)
  })
})
