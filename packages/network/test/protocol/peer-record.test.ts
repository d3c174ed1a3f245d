import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { bytesToHex, portableSigner, sha256, verifyPortable } from '@althing/base'
import fc from 'fast-check'
import { peerIdOf } from '../../src/index.ts'
import { peerIdOfKey } from '../../src/protocol/peer-id.ts'
import {
  decodePeerRecord,
  isProved,
  PEER_RECORD_BYTES_MAX,
  signPeerRecord,
} from '../../src/protocol/peer-record.ts'

const SEED = new Uint8Array(32).fill(1)
const GENESIS = new Uint8Array(32).fill(7)
const SIGNER = portableSigner(SEED)
const CONTENT = {
  seq: 1_750_000_000_000,
  addresses: ['/ip4/10.0.0.1/tcp/9000', '/dns/a.example/tcp/443/wss'],
  nodeType: 'authority',
  features: ['sealed/1'],
  sealKey: new Uint8Array(32).fill(9),
} as const

describe('signed peer record (PT-5, TN-4)', () => {
  const signed = signPeerRecord(CONTENT, GENESIS, SIGNER)
  /** Null unless it is well-formed and proved. */
  const read = (bytes: Uint8Array, genesis = GENESIS) => {
    const decoded = decodePeerRecord(bytes)
    return decoded.ok && isProved(decoded.value, genesis, verifyPortable) ? decoded.value.record : null
  }

  test('says who signed it and what', () => {
    assert.deepEqual(read(signed.encoded), signed)
    assert.equal(signed.peer, peerIdOfKey(SIGNER.publicKey))
  })

  test('its bytes are pinned', () => {
    assert.equal(signed.encoded.length, 217)
    assert.equal(bytesToHex(sha256(signed.encoded)).slice(0, 16), '83e74a5a155d2dc7')
  })

  test('is worth nothing in another network', () => {
    assert.equal(read(signed.encoded, new Uint8Array(32).fill(8)), null)
  })

  test('with any byte changed, cut or added it is refused', () => {
    fc.assert(
      fc.property(fc.nat(signed.encoded.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = signed.encoded.slice()
        changed[at]! ^= flip
        assert.equal(read(changed), null)
        assert.equal(read(signed.encoded.subarray(0, at)), null)
      }),
      { numRuns: 50 },
    )
  })

  test('bytes of any kind are read or refused, never a throw', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => assert.equal(read(bytes), null)))
  })

  test('the largest fits its bound', () => {
    const largest = signPeerRecord(
      {
        ...CONTENT,
        addresses: Array.from({ length: 8 }, () => `/memory/${'x'.repeat(248)}`),
        features: Array.from({ length: 24 }, () => 'f'.repeat(64)),
      },
      GENESIS,
      SIGNER,
    )
    assert.ok(largest.encoded.length <= PEER_RECORD_BYTES_MAX)
    assert.deepEqual(read(largest.encoded), largest)
  })
})

test('a peer id is as libp2p writes it', async () => {
  for (let fill = 0; fill < 20; fill++) {
    const seed = new Uint8Array(32).fill(fill)
    assert.equal(peerIdOfKey(portableSigner(seed).publicKey), await peerIdOf(seed))
  }
})
