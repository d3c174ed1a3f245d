import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readFields } from '../src/libp2p/reserve.ts'

test('the fields of what a relay answers are read', () => {
  // type = STATUS, status = OK, and a reservation that ends at 1,700,000,000 s.
  const reservation = [0x08, 0x80, 0xe2, 0xcf, 0xaa, 0x06]
  const { numbers, messages } = readFields(
    Uint8Array.from([0x08, 2, 0x1a, reservation.length, ...reservation, 0x28, 100]),
  )
  assert.deepEqual(
    [...numbers],
    [
      [1, 2],
      [5, 100],
    ],
  )
  assert.equal(readFields(messages.get(3)!).numbers.get(1), 1_700_000_000)
})

test('whatever a relay answers, it is read or refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      try {
        readFields(bytes)
      } catch (error) {
        assert.ok(error instanceof Error)
      }
    }),
  )
})
