/** What travels as the header of a final block: its bytes, and what it proves (R7, R10). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Header } from '../src/index.ts'
import {
  bytesToHex,
  decodeFinalHeader,
  FINAL_HEADER_BYTES_MAX,
  FINALITY_PATH_MAX,
  FinalHeader,
  FINALIZE,
  hashOf,
} from '../src/index.ts'

const filled = (byte: number, length = 32): Uint8Array => new Uint8Array(length).fill(byte)

function headerAt(height: number): Header {
  const roots = { parent: filled(2), txRoot: filled(3), stateRoot: filled(4), nextSet: filled(0) }
  return { version: 1, epoch: 5, height, view: 6, proposer: 7, timestamp: 8, ...roots }
}

/** SHA-256 of the encoded header below. */
const GOLDEN = 'eaf4aa40d2d343c17dc46744f5888fd42fa74d548ae2f71ca71bc24ba0221976'

const final: FinalHeader = {
  header: headerAt(9),
  nextSet: [],
  path: [headerAt(10)],
  finalization: [
    {
      kind: FINALIZE,
      epoch: 5,
      view: 6,
      hash: filled(1),
      bitmap: Uint8Array.of(1),
      signatures: [filled(9, 64)],
    },
  ],
}

test('its bytes do not change, and are read back', () => {
  const encoded = FinalHeader.serialize(final)
  assert.equal(bytesToHex(hashOf(encoded)), GOLDEN)
  assert.deepEqual(decodeFinalHeader(encoded), { ok: true, value: final })
})

test('without a certificate there is block 0 only, and block 0 has none', () => {
  const read = (changes: Partial<FinalHeader>) =>
    decodeFinalHeader(FinalHeader.serialize({ ...final, ...changes })).ok
  assert.equal(read({ finalization: [] }), false)
  assert.equal(read({ header: headerAt(0) }), false)
  assert.equal(read({ header: headerAt(0), finalization: [] }), true)
})

test('anything else is a fault and no throw', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => !decodeFinalHeader(bytes).ok))
})

test('the largest fits', () => {
  const path = Array.from({ length: FINALITY_PATH_MAX }, (_, i) => headerAt(i))
  const signatures = Array.from({ length: 256 }, () => filled(9, 64))
  const nextSet = Array.from({ length: 256 }, () => ({ key: filled(1), weight: 1 }))
  const certificate = { ...final.finalization[0]!, bitmap: filled(255), signatures }
  const largest = FinalHeader.serialize({ ...final, nextSet, path, finalization: [certificate] })
  assert.ok(largest.length <= FINAL_HEADER_BYTES_MAX, `${largest.length}`)
})
