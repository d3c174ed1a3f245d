import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  bytesToHex,
  compareBytes,
  divergingBit,
  hexToBytes,
  keyBit,
  leafHash,
  sha256,
  successor,
  utf8ToBytes,
  verifyKey,
  verifyRange,
  ZERO_HASH,
} from '../src/index.ts'

const keys = fc.uint8Array({ minLength: 1, maxLength: 6 })

describe('trie keys', () => {
  test('bit strings order as the bytes do, and none is a prefix of another', () => {
    fc.assert(
      fc.property(keys, keys, (a, b) => {
        const bit = divergingBit(a, b)
        if (bit === -1) assert.deepEqual(a, b)
        else {
          assert.equal(Math.sign(keyBit(a, bit) - keyBit(b, bit)), Math.sign(compareBytes(a, b)))
          for (let i = 0; i < bit; i++) assert.equal(keyBit(a, i), keyBit(b, i))
        }
      }),
    )
  })
})

describe('state proof verifier', () => {
  test('arbitrary bytes are a fault, never a throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), keys, fc.boolean(), (noise, key, isFramed) => {
        const proof = isFramed ? Uint8Array.of(1, 0, ...noise) : noise
        assert.equal(verifyKey(sha256(key), key, proof).ok, false)
        assert.equal(verifyRange(sha256(key), key, null, proof).ok, false)
      }),
      { numRuns: 3000 },
    )
  })

  test('the deepest nesting that bytes can ask for is a fault', () => {
    const steps = new Uint8Array(100_000).fill(1)
    steps[1] = 0
    assert.equal(verifyRange(ZERO_HASH, new Uint8Array(0), null, steps).ok, false)
  })

  test('the empty state has one proof, for every question', () => {
    const empty = Uint8Array.of(1, 0)
    assert.deepEqual(verifyKey(ZERO_HASH, utf8ToBytes('a'), empty), { ok: true, value: { value: null } })
    assert.deepEqual(verifyRange(ZERO_HASH, new Uint8Array(0), null, empty), {
      ok: true,
      value: { entries: [], next: null },
    })
    const limited = Uint8Array.of(1, 1, 1, 0x61)
    assert.equal(verifyRange(ZERO_HASH, utf8ToBytes('a'), null, limited).ok, false)
  })

  test('a single entry proves itself and the absence of every other key', () => {
    const root = leafHash(utf8ToBytes('a'), sha256(utf8ToBytes('v')))
    const present = hexToBytes('0100' + '00' + '0161' + '0176')!
    assert.deepEqual(verifyKey(root, utf8ToBytes('a'), present), {
      ok: true,
      value: { value: utf8ToBytes('v') },
    })
    const absent = hexToBytes('0100' + '00' + '0161' + bytesToHex(sha256(utf8ToBytes('v'))))!
    assert.deepEqual(verifyKey(root, utf8ToBytes('b'), absent), { ok: true, value: { value: null } })
    assert.equal(verifyKey(root, utf8ToBytes('a'), absent).ok, false)
  })

  test('a question without an answer is said to be one', () => {
    const isRange = (result: ReturnType<typeof verifyKey> | ReturnType<typeof verifyRange>) =>
      !result.ok && result.fault.code === 'PROOF_RANGE'
    assert.ok(isRange(verifyKey(ZERO_HASH, new Uint8Array(0), Uint8Array.of(1, 0))))
    assert.ok(isRange(verifyKey(ZERO_HASH, new Uint8Array(513), Uint8Array.of(1, 0))))
    assert.ok(isRange(verifyRange(ZERO_HASH, utf8ToBytes('b'), utf8ToBytes('b'), Uint8Array.of(1, 0))))
    assert.ok(
      !isRange(verifyRange(ZERO_HASH, utf8ToBytes('b'), successor(utf8ToBytes('b')), Uint8Array.of(1, 0))),
    )
  })
})
