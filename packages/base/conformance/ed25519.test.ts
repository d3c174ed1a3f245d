/**
 * The light client's Ed25519 verifier and the key rule against published vectors (P22; decision 005).
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { hexToBytes, isAcceptableKey, verifyPortable } from '../src/index.ts'

const folder = join(process.env.ALTHING_VECTORS ?? '../shared/vectors', 'ed25519')
const skip = existsSync(folder) ? false : `no vectors in ${folder}`
const read = <T>(file: string): T => JSON.parse(readFileSync(join(folder, file), 'utf8')) as T
const hex = (text: string): Uint8Array => hexToBytes(text)!

interface Wycheproof {
  testGroups: {
    publicKey: { pk: string }
    tests: { tcId: number; msg: string; sig: string; result: string; comment: string }[]
  }[]
}

suite('Ed25519, portable', { skip }, () => {
  test('every Wycheproof case comes out as published', () => {
    for (const { publicKey, tests } of read<Wycheproof>('wycheproof-ed25519.json').testGroups) {
      for (const { tcId, msg, sig, result, comment } of tests) {
        const verdict = verifyPortable(hex(publicKey.pk), hex(msg), hex(sig))
        assert.equal(verdict, result === 'valid', `case ${tcId}: ${comment}`)
      }
    }
  })

  test('no key of the ZIP-215 cases is acceptable, so none of their signatures verifies', () => {
    for (const { vk_bytes, sig_bytes } of read<{ vk_bytes: string; sig_bytes: string }[]>('zip215.json')) {
      assert.equal(isAcceptableKey(hex(vk_bytes)), false, vk_bytes)
      assert.equal(
        verifyPortable(hex(vk_bytes), new TextEncoder().encode('Zcash'), hex(sig_bytes)),
        false,
        sig_bytes,
      )
    }
  })

  test('the edge cases: small-order and non-canonical keys and s out of range are refused', () => {
    const cases = read<{ message: string; pub_key: string; signature: string }[]>('edge-cases.json')
    const verdicts = cases.map((one) =>
      verifyPortable(hex(one.pub_key), hex(one.message), hex(one.signature)),
    )
    const accepted = verdicts.flatMap((verdict, index) => (verdict ? [index] : []))
    assert.deepEqual(accepted, [2, 3, 4, 5])
  })
})
