import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  concatBytes,
  hexToBytes,
  isAcceptableKey,
  portableSigner,
  utf8ToBytes,
  verifyPortable,
} from '@althing/base'
import fc from 'fast-check'
import { nativeSigner, verifyNative } from '../src/crypto/ed25519.ts'

const hex = (text: string): Uint8Array => hexToBytes(text)!

/**
 * Signatures of "althing" that hold when the cofactor is cleared, and whose key A or point R has a torsion part:
 * secret scalar 123456789, nonce 987654321, torsion point of order 8.
 */
const TORSIONED = [
  {
    name: 'R with torsion',
    key: '17ffad8068dc0de9935d36636f3ad1b5de6de3413b12388e453b05f2a4c1d3db',
    signature:
      '6999d5cb5126005c325892f1c6eab824b310708befff12fbaf45dda050cb12f09b3c5bca347774c2c20c3bc909b5fa787dfec51ae07444cf8d0608d564dce70e',
    native: false,
  },
  {
    name: 'A with torsion, k not a multiple of 8',
    key: 'd63c01223147541df4e170763e9e2788a8bf5971f52a93c5829dbe6f5ff6bba9',
    signature:
      '7db0dc9222f3c183457ddde4c708de8e5ea6bf3d5c4404cca14b32729a05c32ac9665962d799c7fd79e57f261397dc45db904b035da96b3833339c02a50c510f',
    native: false,
  },
  {
    name: 'A with torsion, k a multiple of 8',
    key: 'd63c01223147541df4e170763e9e2788a8bf5971f52a93c5829dbe6f5ff6bba9',
    signature:
      'e0ebbdce612fe416c97dc9ee1e94e429ef255ace41e5ed3c9aea325d69820991edb70ce12ec14287ad0453d88930bdef1d0215191b26c93df4f7905c3a3fb70c',
    native: true,
  },
  {
    name: 'A and R with torsion that does not cancel',
    key: 'd63c01223147541df4e170763e9e2788a8bf5971f52a93c5829dbe6f5ff6bba9',
    signature:
      '177932f1c12980670e1b32398c916642b4eb2becc3e0bd325104220ddab79e3c16c89f8bac144fc70ab2accb6034a0b64e393c70b1bdb8f8e7a78907bbec9a04',
    native: false,
  },
  {
    name: 'A and R with torsion that cancels',
    key: 'd63c01223147541df4e170763e9e2788a8bf5971f52a93c5829dbe6f5ff6bba9',
    signature:
      '6999d5cb5126005c325892f1c6eab824b310708befff12fbaf45dda050cb12f0ee1c83dbe4dfce568389301ad18e73cd09f7fba0918ed49ebf9d2eacf219cd0b',
    native: true,
  },
]

suite('the Ed25519 rule of full nodes (P22)', () => {
  for (const { name, key, signature, native } of TORSIONED) {
    test(`${name}: ${native ? 'accepted' : 'refused'} natively, accepted by the light client`, () => {
      const message = utf8ToBytes('althing')
      assert.equal(verifyNative(hex(key), message, hex(signature)), native)
      assert.equal(verifyPortable(hex(key), message, hex(signature)), true)
    })
  }

  test('keys of small order verify nothing, and are no accounts', () => {
    const identity = hex('0100000000000000000000000000000000000000000000000000000000000000')
    const order8 = hex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a')
    for (const key of [identity, order8]) {
      const signature = concatBytes(identity, new Uint8Array(32))
      assert.equal(verifyNative(key, utf8ToBytes('anything'), signature), false)
      assert.equal(verifyPortable(key, utf8ToBytes('anything'), signature), false)
      assert.equal(isAcceptableKey(key), false)
    }
  })

  test('a signature or key of another length is refused and nothing throws', () => {
    const signer = nativeSigner(new Uint8Array(32).fill(1))
    const message = utf8ToBytes('length')
    const signature = signer.sign(message)
    for (const wrong of [
      signature.subarray(0, 63),
      concatBytes(signature, Uint8Array.of(0)),
      new Uint8Array(0),
    ]) {
      assert.equal(verifyNative(signer.publicKey, message, wrong), false)
      assert.equal(verifyPortable(signer.publicKey, message, wrong), false)
    }
    assert.equal(verifyNative(signer.publicKey.subarray(0, 31), message, signature), false)
  })

  test('both signers make the same key and signature, and both verifiers take it', () => {
    const seed32 = fc.uint8Array({ minLength: 32, maxLength: 32 })
    fc.assert(
      fc.property(seed32, fc.uint8Array({ maxLength: 200 }), (seed, message) => {
        const native = nativeSigner(seed)
        const portable = portableSigner(seed)
        assert.deepEqual(native.publicKey, portable.publicKey)
        const signature = native.sign(message)
        assert.deepEqual(signature, portable.sign(message))
        assert.ok(verifyNative(native.publicKey, message, signature))
        assert.ok(verifyPortable(native.publicKey, message, signature))
      }),
      { numRuns: 30 },
    )
  })

  test('whichever one bit is changed, both refuse', () => {
    const signer = nativeSigner(new Uint8Array(32).fill(7))
    const message = utf8ToBytes('one bit')
    const all = concatBytes(signer.publicKey, signer.sign(message))
    fc.assert(
      fc.property(fc.nat(all.length * 8 - 1), (bit) => {
        const changed = all.slice()
        changed[bit >> 3]! ^= 1 << (bit & 7)
        const [key, signature] = [changed.subarray(0, 32), changed.subarray(32)]
        assert.equal(verifyNative(key, message, signature), false)
        assert.equal(verifyPortable(key, message, signature), false)
      }),
      { numRuns: 100 },
    )
  })
})
