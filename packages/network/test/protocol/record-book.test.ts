import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { SignedPeerRecord } from '../../src/protocol/peer-record.ts'
import { RecordBook } from '../../src/protocol/record-book.ts'
import { decodeRecordFile, encodeRecordFile } from '../../src/protocol/record-file.ts'

const HOUR_MS = 3_600_000
const NOW = 100 * HOUR_MS

function record(peer: string, seq: number): SignedPeerRecord {
  const encoded = new TextEncoder().encode(`${peer}@${seq}`)
  return { peer, seq, addresses: [], nodeType: 'full', features: [], sealKey: new Uint8Array(32), encoded }
}

describe('record book (PT-5, TN-4)', () => {
  const rows = [
    { what: 'the first of a peer', seqs: [5], taken: [true] },
    {
      what: 'a newer one, not the same and not an older one (B1)',
      seqs: [5, 6, 6, 5],
      taken: [true, true, false, false],
    },
    {
      what: 'one of a clock that is ahead by an hour, not by more (B2)',
      seqs: [NOW + HOUR_MS + 1, NOW + HOUR_MS],
      taken: [false, true],
    },
  ]
  for (const { what, seqs, taken } of rows) {
    test(`takes ${what}`, () => {
      const book = new RecordBook(10)
      assert.deepEqual(
        seqs.map((seq) => book.put(record('a', seq), NOW)),
        taken,
      )
    })
  }

  test('a newer record keeps what is known of the peer', () => {
    const book = new RecordBook(10)
    book.put(record('a', 1), NOW)
    book.seen('a', NOW)
    book.put(record('a', 2), NOW)
    assert.deepEqual([book.get('a')?.record.seq, book.get('a')?.lastSeenMs], [2, NOW])
  })

  test('full, it forgets who could not be reached, then who was not seen for longest (B3)', () => {
    const book = new RecordBook(3)
    for (const peer of ['seen', 'failed', 'stranger']) book.put(record(peer, 1), NOW)
    book.seen('seen', NOW)
    book.failed('failed')
    assert.ok(book.put(record('new', 2), NOW))
    assert.ok(book.put(record('newer', 3), NOW))
    assert.deepEqual([...book.all()].map((entry) => entry.record.peer).sort(), ['new', 'newer', 'seen'])
    assert.equal(book.put(record('old stranger', 1), NOW), false)
  })

  test('its file holds all of it; other bytes are refused', () => {
    const book = new RecordBook(3)
    book.put(record('a', 1), NOW)
    book.put(record('b', 2), NOW)
    book.seen('a', NOW)
    book.failed('b')
    const bytes = encodeRecordFile(book.stored())
    assert.deepEqual(decodeRecordFile(bytes), {
      ok: true,
      value: [
        { encoded: record('a', 1).encoded, lastSeenMs: NOW, failures: 0 },
        { encoded: record('b', 2).encoded, lastSeenMs: 0, failures: 1 },
      ],
    })
    for (const other of [new Uint8Array(0), bytes.subarray(0, 40), bytes.slice(1)]) {
      assert.equal(decodeRecordFile(other).ok, false)
    }
  })
})
