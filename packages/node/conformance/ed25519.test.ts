/**
 * The full node's Ed25519 verifier against published vectors, and that the light client's accepts all that it accepts
 * (P22; decision 005).
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { hexToBytes, isAcceptableKey, utf8ToBytes, verifyPortable } from '@althing/base'
import { verifyNative } from '../src/crypto/ed25519.ts'

const folder = join(process.env.ALTHING_VECTORS ?? '../shared/vectors', 'ed25519')
const skip = existsSync(folder) ? false : `no vectors in ${folder}`
const read = <T>(file: string): T => JSON.parse(readFileSync(join(folder, file), 'utf8')) as T
const hex = (text: string): Uint8Array => hexToBytes(text)!

interface Case {
  readonly name: string
  readonly key: Uint8Array
  readonly message: Uint8Array
  readonly signature: Uint8Array
}

interface Wycheproof {
  testGroups: {
    publicKey: { pk: string }
    tests: { tcId: number; msg: string; sig: string; result: string }[]
  }[]
}

const wycheproof = (): (Case & { valid: boolean })[] =>
  read<Wycheproof>('wycheproof-ed25519.json').testGroups.flatMap(({ publicKey, tests }) =>
    tests.map(({ tcId, msg, sig, result }) => ({
      name: `Wycheproof ${tcId}`,
      key: hex(publicKey.pk),
      message: hex(msg),
      signature: hex(sig),
      valid: result === 'valid',
    })),
  )

const zip215 = (): Case[] =>
  read<{ vk_bytes: string; sig_bytes: string }[]>('zip215.json').map(({ vk_bytes, sig_bytes }, index) => ({
    name: `ZIP-215 ${index}`,
    key: hex(vk_bytes),
    message: utf8ToBytes('Zcash'),
    signature: hex(sig_bytes),
  }))

const edgeCases = (): Case[] =>
  read<{ message: string; pub_key: string; signature: string }[]>('edge-cases.json').map((one, index) => ({
    name: `edge case ${index}`,
    key: hex(one.pub_key),
    message: hex(one.message),
    signature: hex(one.signature),
  }))

const accepts = ({ key, message, signature }: Case): boolean => verifyNative(key, message, signature)

suite('Ed25519, native', { skip }, () => {
  test('every Wycheproof case comes out as published', () => {
    for (const one of wycheproof()) assert.equal(accepts(one), one.valid, one.name)
  })

  test('no ZIP-215 case is accepted: their keys are of small order', () => {
    for (const one of zip215()) assert.equal(accepts(one), false, one.name)
  })

  test('of the edge cases only the one that holds without clearing the cofactor, with no small-order point', () => {
    assert.deepEqual(
      edgeCases().flatMap((one, index) => (accepts(one) ? [index] : [])),
      [3],
    )
  })

  test('what it accepts has an acceptable key, and the light client accepts it', () => {
    for (const one of [...wycheproof(), ...zip215(), ...edgeCases()].filter(accepts)) {
      assert.ok(isAcceptableKey(one.key), one.name)
      assert.ok(verifyPortable(one.key, one.message, one.signature), one.name)
    }
  })
})
