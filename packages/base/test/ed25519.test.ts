import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { hexToBytes, isAcceptableKey, portableSigner, utf8ToBytes, verifyPortable } from '../src/index.ts'

const hex = (text: string): Uint8Array => hexToBytes(text)!

suite('keys that may enter the chain (P22)', () => {
  const refused: readonly (readonly [string, string])[] = [
    ['the identity', '0100000000000000000000000000000000000000000000000000000000000000'],
    ['the identity, not canonical', 'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
    ['a point of order 2', 'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
    ['a point of order 4', '0000000000000000000000000000000000000000000000000000000000000000'],
    ['a point of order 8', 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'],
    ['not on the curve', '0200000000000000000000000000000000000000000000000000000000000000'],
    ['y above the field prime', 'f2ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
    ['31 bytes', '17ffad8068dc0de9935d36636f3ad1b5de6de3413b12388e453b05f2a4c1d3'],
  ]
  for (const [name, key] of refused)
    test(`${name}: refused`, () => assert.equal(isAcceptableKey(hex(key)), false))

  test('RFC 8032, section 7.1, test 1: key, signature and verdict', () => {
    const signer = portableSigner(hex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60'))
    const key = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'
    const signature =
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b'
    assert.deepEqual(signer.publicKey, hex(key))
    assert.ok(isAcceptableKey(signer.publicKey))
    assert.deepEqual(signer.sign(new Uint8Array(0)), hex(signature))
    assert.ok(verifyPortable(signer.publicKey, new Uint8Array(0), hex(signature)))
    assert.equal(verifyPortable(signer.publicKey, utf8ToBytes('other'), hex(signature)), false)
  })
})
