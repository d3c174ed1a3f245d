import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { utf8ToBytes } from '@althing/base'
import { open, openingKey, openReceiptSeal, seal, sealReceipt } from '../src/delivery/sealing.ts'
import type { Opened, Sealed } from '../src/delivery/sealing.ts'
import { sealKeyPairOf } from '../src/protocol/seal-key.ts'

const PAIR = sealKeyPairOf(new Uint8Array(32).fill(1))
const OTHER = sealKeyPairOf(new Uint8Array(32).fill(2))
const CONTEXT = utf8ToBytes('who to whom')
const TEXT = utf8ToBytes('what')
const NONCE = new Uint8Array(12)

describe('sealing (RFC 9180)', () => {
  let sealed: Sealed
  let opened: Opened | null

  before(async () => {
    sealed = await seal(PAIR.publicKey, CONTEXT, TEXT)
    opened = await open(await openingKey(PAIR), CONTEXT, sealed.payload)
  })

  test('the recipient reads it; it grows by 48 bytes', () => {
    assert.deepEqual(opened?.plaintext, TEXT)
    assert.equal(sealed.payload.length, TEXT.length + 48)
  })

  test('the same twice looks different', async () => {
    assert.notDeepEqual((await seal(PAIR.publicKey, CONTEXT, TEXT)).payload, sealed.payload)
  })

  test('nobody else reads it, nor with another context, nor altered, nor cut', async () => {
    const [key, other] = [await openingKey(PAIR), await openingKey(OTHER)]
    const altered = sealed.payload.slice()
    altered[40]! ^= 1
    const attempts = [
      open(other, CONTEXT, sealed.payload),
      open(key, utf8ToBytes('who to another'), sealed.payload),
      open(key, CONTEXT, altered),
      open(key, CONTEXT, sealed.payload.subarray(0, 20)),
      open(key, CONTEXT, new Uint8Array(0)),
    ]
    assert.deepEqual(await Promise.all(attempts), [null, null, null, null, null])
  })

  test('a receipt comes back under a key that only the two ends have', async () => {
    assert.ok(opened !== null)
    const payload = await sealReceipt(opened.receiptKey, NONCE, TEXT)
    assert.deepEqual(await openReceiptSeal(sealed.receiptKey, payload), TEXT)
    const another = await seal(PAIR.publicKey, CONTEXT, TEXT)
    assert.equal(await openReceiptSeal(another.receiptKey, payload), null)
    assert.equal(await openReceiptSeal(sealed.receiptKey, payload.subarray(1)), null)
  })
})
