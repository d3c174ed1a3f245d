import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  faultyWeightMax,
  FINALIZE,
  makeCertificate,
  NULLIFY,
  portableSigner,
  quorumWeight,
  sha256,
  totalWeight,
  verifyCertificate,
  verifyPortable,
  voteSignBytes,
  ZERO_HASH,
} from '../src/index.ts'
import type { AuthoritySet, Certificate, Epoch } from '../src/index.ts'

const ofWeights = (...weights: number[]): AuthoritySet =>
  weights.map((weight) => ({ key: ZERO_HASH, weight }))
const ofSize = (n: number): AuthoritySet => ofWeights(...Array.from({ length: n }, () => 1))

suite('quorum arithmetic: f = ⌊(W − 1) / 3⌋, Q = W − f', () => {
  for (const [n, faulty, quorum] of [
    [1, 0, 1],
    [2, 0, 2],
    [3, 0, 3],
    [4, 1, 3],
    [5, 1, 4],
    [6, 1, 5],
    [7, 2, 5],
    [50, 16, 34],
  ] as const) {
    test(`of ${n} authorities ${faulty} may be faulty and ${quorum} are a quorum`, () => {
      assert.equal(faultyWeightMax(ofSize(n)), faulty)
      assert.equal(quorumWeight(ofSize(n)), quorum)
    })
  }

  test('two quorums of any set share more than the faulty weight', () => {
    for (let n = 1; n <= 100; n++) {
      const set = ofSize(n)
      assert.ok(2 * quorumWeight(set) - totalWeight(set) > faultyWeightMax(set), `n = ${n}`)
    }
  })

  test('weights count, not heads', () => assert.equal(quorumWeight(ofWeights(4, 1, 1, 1)), 5))
})

suite('certificates (P17)', () => {
  const signers = Array.from({ length: 4 }, (_, i) => portableSigner(sha256(Uint8Array.of(i))))
  const epoch: Epoch = {
    epoch: 3,
    anchor: sha256(Uint8Array.of(1)),
    set: signers.map(({ publicKey }) => ({ key: publicKey, weight: 1 })),
  }
  const hash = sha256(Uint8Array.of(2))
  const message = voteSignBytes(FINALIZE, epoch.anchor, 3, 7, hash)
  const by = (...indices: number[]): Certificate => {
    const signatureByIndex = new Map(indices.map((index) => [index, signers[index]!.sign(message)]))
    return makeCertificate({ kind: FINALIZE, epoch: 3, view: 7, hash }, 4, signatureByIndex)
  }
  const codeOf = (certificate: Certificate, of: Epoch = epoch): string => {
    const verified = verifyCertificate(certificate, of, verifyPortable)
    return verified.ok ? 'ok' : verified.fault.code
  }
  const good = by(3, 0, 1)

  const rows: readonly (readonly [string, Certificate, string])[] = [
    ['three of four, votes in any order', good, 'ok'],
    ['two of four', by(0, 1), 'CERTIFICATE_QUORUM'],
    ['an unknown kind', { ...good, kind: 3 }, 'CERTIFICATE_KIND'],
    ['another kind', { ...good, kind: 0 }, 'CERTIFICATE_SIGNATURE'],
    ['a nullification of a block', { ...good, kind: NULLIFY }, 'CERTIFICATE_HASH'],
    ['a finalization of nothing', { ...good, hash: ZERO_HASH }, 'CERTIFICATE_HASH'],
    ['another epoch', { ...good, epoch: 4 }, 'CERTIFICATE_EPOCH'],
    ['another view', { ...good, view: 8 }, 'CERTIFICATE_SIGNATURE'],
    ['another block', { ...good, hash: message.subarray(0, 32) }, 'CERTIFICATE_SIGNATURE'],
    ['a bit that nobody signed for', { ...good, bitmap: Uint8Array.of(0b1111) }, 'CERTIFICATE_BITMAP'],
    ['a bit beyond the set', { ...good, bitmap: Uint8Array.of(0b10011) }, 'CERTIFICATE_BITMAP'],
    ['a longer bitmap', { ...good, bitmap: Uint8Array.of(0b1011, 0) }, 'CERTIFICATE_BITMAP'],
    [
      'a signature too many',
      { ...good, signatures: [...good.signatures, good.signatures[0]!] },
      'CERTIFICATE_BITMAP',
    ],
    [
      'signatures in another order',
      { ...good, signatures: good.signatures.toReversed() },
      'CERTIFICATE_SIGNATURE',
    ],
  ]
  for (const [name, certificate, code] of rows)
    test(`${name}: ${code}`, () => assert.equal(codeOf(certificate), code))

  test('the same votes prove nothing on another chain or epoch start', () => {
    assert.equal(codeOf(good, { ...epoch, anchor: hash }), 'CERTIFICATE_SIGNATURE')
  })
})
