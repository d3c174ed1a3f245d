import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { bytesToHex, portableSigner, sha256, verifyPortable } from '@althing/base'
import fc from 'fast-check'
import { peerIdOf } from '../../src/index.ts'
import { peerIdOfKey } from '../../src/protocol/peer-id.ts'
import { decodePeerRecord, PEER_RECORD_BYTES_MAX, signPeerRecord } from '../../src/protocol/peer-record.ts'

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
  const decode = (bytes: Uint8Array, genesis = GENESIS) => decodePeerRecord(bytes, genesis, verifyPortable)

  test('says who signed it and what', () => {
    assert.deepEqual(decode(signed.encoded), { ok: true, value: signed })
    assert.equal(signed.peer, peerIdOfKey(SIGNER.publicKey))
  })

  test('its bytes are pinned', () => {
    assert.equal(signed.encoded.length, 217)
    assert.equal(bytesToHex(sha256(signed.encoded)).slice(0, 16), '83e74a5a155d2dc7')
  })

  test('is worth nothing in another network', () => {
    const there = decode(signed.encoded, new Uint8Array(32).fill(8))
    assert.equal(!there.ok && there.fault.code, 'BAD_SIGNATURE')
  })

  test('with any byte changed, cut or added it is refused', () => {
    fc.assert(
      fc.property(fc.nat(signed.encoded.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = signed.encoded.slice()
        changed[at]! ^= flip
        assert.equal(decode(changed).ok, false)
        assert.equal(decode(signed.encoded.subarray(0, at)).ok, false)
      }),
      { numRuns: 50 },
    )
  })

  test('bytes of any kind are read or refused, never a throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => assert.equal(decode(bytes).ok, false)),
    )
  })

  test('the largest fits its bound', () => {
    const largest = signPeerRecord(
      {
        ...CONTENT,
        addresses: new Array<string>(8).fill(`/memory/${'x'.repeat(248)}`),
        features: new Array<string>(24).fill('f'.repeat(64)),
      },
      GENESIS,
      SIGNER,
    )
    assert.ok(largest.encoded.length <= PEER_RECORD_BYTES_MAX)
    assert.equal(decode(largest.encoded).ok, true)
  })
})

test('a peer id is as libp2p writes it', async () => {
  for (let fill = 0; fill < 20; fill++) {
    const seed = new Uint8Array(32).fill(fill)
    assert.equal(peerIdOfKey(portableSigner(seed).publicKey), await peerIdOf(seed))
  }
})
