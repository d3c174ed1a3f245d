import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { EpochLink, Header, NOTARIZE, ZERO_HASH } from '@althing/base'
import type { Certificate } from '@althing/base'
import {
  base64ToBytes,
  bytesToBase64,
  verifyEpochs,
  verifyFinal,
  verifyGenesis,
  verifyKv,
} from '../src/index.ts'
import type { EpochsJson, KvJson, Trusted } from '../src/index.ts'
import * as chain from './fixture.ts'

function trust(): Trusted {
  const trusted = verifyGenesis(chain.genesisAnswer, chain.genesisHash)
  assert(trusted.ok)
  return trusted.value
}

/** The same base64 with one bit of byte `at` turned. */
function damaged(base64: string, at: number): string {
  const bytes = base64ToBytes(base64)!
  bytes.set([bytes.at(at)! ^ 1], at < 0 ? bytes.length + at : at)
  return bytesToBase64(bytes)
}

suite('genesis', () => {
  test('is trusted when block 0 has the expected hash and commits to the document', () => {
    const trusted = trust()
    assert.equal(trusted.networkId, 'test')
    assert.equal(trusted.epoch.set.length, 4)
  })

  const refused = [
    ['another chain', chain.genesisAnswer, ZERO_HASH, 'GENESIS_MISMATCH'],
    [
      'a changed document',
      { ...chain.genesisAnswer, genesis: damaged(chain.genesisAnswer.genesis, -1) },
      chain.genesisHash,
      'GENESIS_MISMATCH',
    ],
    [
      'a changed header',
      { ...chain.genesisAnswer, header: damaged(chain.genesisAnswer.header, 20) },
      chain.genesisHash,
      'GENESIS_MISMATCH',
    ],
    [
      'bytes that are no header',
      { ...chain.genesisAnswer, header: 'AAAA' },
      chain.genesisHash,
      'PROOF_MALFORMED',
    ],
    [
      'text that is no base64',
      { ...chain.genesisAnswer, genesis: '%' },
      chain.genesisHash,
      'PROOF_MALFORMED',
    ],
  ] as const
  for (const [what, answer, hash, code] of refused) {
    test(`${what} is refused`, () => {
      const result = verifyGenesis(answer, hash)
      assert(!result.ok)
      assert.equal(result.fault.code, code)
    })
  }
})

suite('finality', () => {
  test('a quorum of finalize votes makes a header final and says who signed', () => {
    const final = verifyFinal(chain.header, chain.certificate, trust().epoch)
    assert(final.ok)
    assert.deepEqual(final.value.signers, [0, 2, 3])
  })

  test('block 0 needs no certificate', () => {
    const header = Header.deserialize(base64ToBytes(chain.genesisAnswer.header)!)
    assert(verifyFinal(header, null, trust().epoch).ok)
  })

  const refused: [string, Header, Certificate | null, string][] = [
    ['two of four authorities', chain.header, chain.finalize(chain.header, [0, 1]), 'CERTIFICATE_QUORUM'],
    ['no certificate', chain.header, null, 'CERTIFICATE_OTHER_BLOCK'],
    [
      'a certificate of another block',
      { ...chain.header, height: 8 },
      chain.certificate,
      'CERTIFICATE_OTHER_BLOCK',
    ],
    ['a notarization', chain.header, { ...chain.certificate, kind: NOTARIZE }, 'CERTIFICATE_OTHER_BLOCK'],
    ['another view', chain.header, { ...chain.certificate, view: 9 }, 'CERTIFICATE_SIGNATURE'],
    ['another epoch', { ...chain.header, epoch: 1 }, chain.certificate, 'EPOCH_UNKNOWN'],
    [
      'signatures given to others',
      chain.header,
      { ...chain.certificate, bitmap: Uint8Array.of(0b0111) },
      'CERTIFICATE_SIGNATURE',
    ],
  ]
  for (const [what, header, certificate, code] of refused) {
    test(`${what} is not final`, () => {
      const result = verifyFinal(header, certificate, trust().epoch)
      assert(!result.ok)
      assert.equal(result.fault.code, code)
    })
  }
})

suite('epochs (R11)', () => {
  const encode = (link: EpochLink): EpochsJson => ({
    epoch: 1,
    links: [bytesToBase64(EpochLink.serialize(link))],
  })

  test('are followed to the present authorities; blocks before and after the change are final by their own', () => {
    assert(!verifyFinal(chain.laterHeader, chain.laterCertificate, trust().epoch).ok)
    const followed = verifyEpochs(trust(), encode(chain.link))
    assert(followed.ok)
    const { epoch, pastEpochs } = followed.value
    assert.equal(epoch.epoch, 1)
    assert.deepEqual(epoch.set, chain.link.nextSet)
    assert(verifyFinal(chain.laterHeader, chain.laterCertificate, epoch).ok)
    assert(verifyFinal(chain.header, chain.certificate, pastEpochs[0]!).ok)
    assert(verifyKv(chain.key, chain.presentAnswer, followed.value).ok, 'an older answer')
  })

  const { link } = chain
  const refused: [string, EpochsJson, string][] = [
    ['another set', encode({ ...link, nextSet: chain.genesis.authorities }), 'LINK_SET'],
    ['no set', encode({ ...link, nextSet: [] }), 'LINK_SET'],
    ['the next epoch', encode({ ...link, header: { ...link.header, epoch: 1 } }), 'LINK_EPOCH'],
    ['a block that is not final', encode({ ...link, finalization: chain.certificate }), 'LINK_FINALIZATION'],
    [
      'a certificate by those who come in',
      encode({
        ...link,
        finalization: chain.finalize(link.header, [0, 1, 2], chain.genesisHash, chain.nextAuthorities),
      }),
      'CERTIFICATE_SIGNATURE',
    ],
    [
      'a minority',
      encode({ ...link, finalization: chain.finalize(link.header, [1, 2]) }),
      'CERTIFICATE_QUORUM',
    ],
    [
      'the same step twice',
      { epoch: 2, links: [...encode(link).links, ...encode(link).links] },
      'LINK_EPOCH',
    ],
    ['bytes that are none', { epoch: 1, links: ['AAAA'] }, 'PROOF_MALFORMED'],
    ['too many at once', { epoch: 1, links: Array.from({ length: 65 }, () => 'AAAA') }, 'PROOF_MALFORMED'],
  ]
  for (const [what, answer, code] of refused) {
    test(`${what} is refused`, () => {
      const result = verifyEpochs(trust(), answer)
      assert(!result.ok)
      assert.equal(result.fault.code, code)
    })
  }
})

suite('key-value answers', () => {
  test('a value is proved, with its owner and the height that wrote it', () => {
    const proved = verifyKv(chain.key, chain.presentAnswer, trust())
    assert(proved.ok)
    assert.deepEqual(proved.value.entry?.value, chain.value)
    assert.deepEqual(proved.value.entry?.owner, chain.owner.publicKey)
    assert.equal(proved.value.entry?.writtenAt, 6)
    assert.deepEqual(proved.value.at.signers, [0, 2, 3])
  })

  test('absence is proved', () => {
    const proved = verifyKv(chain.absentKey, chain.absentAnswer, trust())
    assert(proved.ok)
    assert.equal(proved.value.entry, null)
  })

  const present = chain.presentAnswer
  const proof = present.proof!
  const refused: [string, KvJson, string][] = [
    ['another value', { ...present, value: bytesToBase64(Uint8Array.of(1)) }, 'ANSWER_NOT_PROVED'],
    ['no value', { ...present, exists: false, value: null, owner: null }, 'ANSWER_NOT_PROVED'],
    ['another owner', { ...present, owner: '00'.repeat(32) }, 'ANSWER_NOT_PROVED'],
    ['another height', { ...present, height: 8 }, 'ANSWER_NOT_PROVED'],
    ['no proof', { ...present, proof: null }, 'PROOF_MISSING'],
    ['a proof of absence of another key', { ...present, proof: chain.absentAnswer.proof }, 'PROOF_MALFORMED'],
    [
      'a changed state proof',
      { ...present, proof: { ...proof, state: damaged(proof.state, -1) } },
      'PROOF_MISMATCH',
    ],
    [
      'a changed signature',
      { ...present, proof: { ...proof, certificate: damaged(proof.certificate!, -1) } },
      'CERTIFICATE_SIGNATURE',
    ],
    [
      'a changed header',
      { ...present, proof: { ...proof, header: damaged(proof.header, 18) } },
      'CERTIFICATE_OTHER_BLOCK',
    ],
    [
      'a missing certificate',
      { ...present, proof: { ...proof, certificate: null } },
      'CERTIFICATE_OTHER_BLOCK',
    ],
  ]
  for (const [what, answer, code] of refused) {
    test(`${what} is refused`, () => {
      const result = verifyKv(chain.key, answer, trust())
      assert(!result.ok)
      assert.equal(result.fault.code, code)
    })
  }

  test('a value that a proof shows for one key is refused for another', () => {
    const result = verifyKv(chain.absentKey, { ...present, key: chain.absentKey }, trust())
    assert(!result.ok)
  })

  test('no byte of a proof can change unnoticed', () => {
    const trusted = trust()
    for (const part of ['header', 'certificate', 'state'] as const) {
      const length = base64ToBytes(proof[part]!)!.length
      for (let at = 0; at < length; at++) {
        const answer = { ...present, proof: { ...proof, [part]: damaged(proof[part]!, at) } }
        assert(!verifyKv(chain.key, answer, trusted).ok, `${part}, byte ${at}`)
      }
    }
  })
})
