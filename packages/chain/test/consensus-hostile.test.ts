/** What a hostile peer can say: each is refused, charged where its sender must have known better, and bounded (R13). */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FINALIZE, hashToHex, NOTARIZE, NULLIFY, NULL_CERTIFICATES_MAX, ZERO_HASH } from '@althing/base'
import type { Block, Certificate, Vote } from '@althing/base'
import { CertificateStore } from '../src/consensus/certificates.ts'
import { decodeMessage, encodeMessage } from '../src/consensus/index.ts'
import type { ConsensusMessage } from '../src/consensus/index.ts'
import {
  blockOn,
  certificateOf,
  epoch,
  genesis,
  hashOfBlock,
  proposalOf,
  Solo,
  voteOf,
} from './consensus-solo.ts'

const first = blockOn(genesis.block, 1)
const firstHash = hashOfBlock(first)
const FAR = Number.MAX_SAFE_INTEGER

/** Charged with this reason, or null: its sender may only lag, or be ahead. */
function assertRefused(message: ConsensusMessage, reason: RegExp | null): void {
  const solo = new Solo().start()
  solo.input({ kind: 'peerConnected', peer: 'honest', height: 0 }).clear().hear(message, 'liar')
  const charges = solo.take('charge')
  assert.deepEqual(
    charges.map(({ peer }) => peer),
    reason === null ? [] : ['liar'],
  )
  if (reason !== null) assert.match(charges[0]!.reason, reason)
  const { view, floor, authorities } = solo.core.view(solo.now())
  assert.deepEqual([view, floor, solo.finalized], [1, 0, hashToHex(genesis.hash)])
  assert.ok(authorities.every((one) => !one.votedNotarize && !one.votedNullify && !one.votedFinalize))
}

describe('a vote', () => {
  const vote = voteOf(1, NOTARIZE, 1, firstHash)
  const cases: [name: string, change: Partial<Vote>, reason: RegExp | null][] = [
    ['of an unknown kind', { kind: 3 }, /kind 3/],
    ['of another epoch', { epoch: 7 }, null],
    ['of the last epoch there can be', { epoch: FAR }, null],
    ['of another chain', { anchor: firstHash }, /another anchor/],
    ['of view 0', { view: 0 }, null],
    ['of a view that it was not signed for', { view: 2 }, /did not sign/],
    ['101 views ahead', voteOf(1, NULLIFY, 102), null],
    ['of the last view there can be', { view: FAR }, null],
    ['for another block', { hash: genesis.hash }, /did not sign/],
    ['to notarize nothing', { hash: ZERO_HASH }, /hash does not fit/],
    ['to nullify something', { kind: NULLIFY }, /hash does not fit/],
    ['by nobody', { signer: 4 }, /authority 4; there are 4/],
    ['by the last index there can be', { signer: 65_535 }, /authority 65535/],
    ['by another', { signer: 2 }, /did not sign/],
    ['with no signature', { signature: new Uint8Array(64) }, /did not sign/],
  ]
  for (const [name, change, reason] of cases) {
    it(`${name} is ${reason === null ? 'left aside' : 'charged'}`, () =>
      assertRefused({ kind: 'vote', vote: { ...vote, ...change } }, reason))
  }
})

describe('a certificate', () => {
  const real = certificateOf(FINALIZE, 1, firstHash)
  const twice = [real.signatures[0]!, ...real.signatures]
  const cases: [name: string, change: Partial<Certificate>, reason: RegExp | null][] = [
    ['of an unknown kind', { kind: 9 }, /kind 9/],
    ['of another epoch', { epoch: 1 }, null],
    ['of another view', { view: FAR }, /signature of authority 1/],
    ['of another block', { hash: genesis.hash }, /signature of authority 1/],
    ['that finalizes nothing', { hash: ZERO_HASH }, /only a nullification/],
    ['that nullifies something', { kind: NULLIFY }, /only a nullification/],
    ['without a bitmap', { bitmap: new Uint8Array(0) }, /bitmap and signatures/],
    ['with a longer bitmap', { bitmap: Uint8Array.of(0b1110, 0) }, /bitmap and signatures/],
    ['with a bit for nobody', { bitmap: Uint8Array.of(0b11110) }, /bitmap and signatures/],
    ['with a signature too many', { signatures: twice }, /bitmap and signatures/],
    ['with a signer twice', { signatures: [twice[0]!, twice[0]!, twice[2]!] }, /signature of authority 2/],
    [
      'with signatures in another order',
      { signatures: real.signatures.toReversed() },
      /signature of authority/,
    ],
    ['of a minority', certificateOf(FINALIZE, 1, firstHash, [2, 3]), /weight 2; quorum is 3/],
    ['of nobody', { bitmap: Uint8Array.of(0), signatures: [] }, /weight 0/],
  ]
  for (const [name, change, reason] of cases) {
    it(`${name} is ${reason === null ? 'left aside' : 'charged'}`, () =>
      assertRefused({ kind: 'certificate', certificate: { ...real, ...change } }, reason))
  }

  it('of a view far ahead is taken when it verifies, and does not fill the memory (R13)', () => {
    const store = new CertificateStore()
    for (let view = 1; view <= 5_000; view++) {
      store.add(certificateOf(NOTARIZE, view, firstHash), 100)
      store.add(certificateOf(FINALIZE, view, firstHash), 100)
    }
    assert.equal(store.viewsFrom(0).length, 101)
  })
})

describe('a proposal', () => {
  const withBlock = (block: Block): ConsensusMessage => proposalOf(1, block)
  const other = proposalOf(1, first)
  assert.ok(other.kind === 'proposal')
  const { proposal } = other
  const cases: [name: string, message: ConsensusMessage, reason: RegExp | null][] = [
    ['of another epoch', { kind: 'proposal', proposal: { ...proposal, epoch: 1 } }, null],
    ['of a far view', { kind: 'proposal', proposal: { ...proposal, view: FAR } }, null],
    [
      'of a view that is not its leader’s',
      { kind: 'proposal', proposal: { ...proposal, view: 2 } },
      /did not sign/,
    ],
    [
      'with another block',
      { kind: 'proposal', proposal: { ...proposal, block: genesis.block } },
      /did not sign/,
    ],
  ]
  for (const [name, message, reason] of cases) {
    it(`${name} is ${reason === null ? 'left aside' : 'charged'}`, () => assertRefused(message, reason))
  }

  const faults: [name: string, change: Partial<Block['header']>][] = [
    ['version', { version: 65_535 }],
    ['epoch', { epoch: FAR }],
    ['height', { height: FAR }],
    ['parent', { parent: genesis.block.header.txRoot }],
    ['view', { view: FAR }],
    ['proposer', { proposer: 65_535 }],
    ['timestamp', { timestamp: 0 }],
    ['stateRoot', { stateRoot: firstHash }],
    ['nextSet', { nextSet: firstHash }],
  ]
  for (const [field, change] of faults) {
    it(`whose ${field} is wrong gets no vote`, () => {
      const solo = new Solo().start().hear(withBlock({ ...first, header: { ...first.header, ...change } }))
      assert.ok(!solo.votes().includes('N 1'))
    })
  }

  it('with more nullifications than may be attached is not decoded', () => {
    const nullCertificates = Array.from({ length: NULL_CERTIFICATES_MAX }, () => certificateOf(NULLIFY, 1))
    const message: ConsensusMessage = { kind: 'proposal', proposal: { ...proposal, nullCertificates } }
    assert.ok(decodeMessage(encodeMessage(message)).ok)
    nullCertificates.push(certificateOf(NULLIFY, 1))
    assert.ok(!decodeMessage(encodeMessage(message)).ok)
  })
})

describe('a flood', () => {
  it('of blocks that nobody asked for, requests, claims and statuses is answered in bounds and changes nothing', () => {
    const solo = new Solo().start()
    for (let i = 0; i < 2_000; i++) {
      const peer = `peer ${i}`
      solo.hear({ kind: 'block', block: blockOn(first, 2, {}, `${i}`) }, peer)
      solo.hear({ kind: 'status', status: { epoch: i, view: FAR, height: FAR, observer: false } }, peer)
      solo.hear({ kind: 'getCertificate', epoch: FAR, view: i }, peer)
      solo.hear({ kind: 'getChain', fromHeight: i }, peer)
      solo.hear({ kind: 'getBlock', hash: firstHash }, peer)
    }
    assert.equal(solo.sent('getChain').length, 1)
    assert.equal(solo.effects.filter(({ kind }) => kind === 'append' || kind === 'commit').length, 0)
    assert.deepEqual([solo.view, solo.floor], [1, 0])
  })

  it('of contradicting votes by one authority costs one place each and one proof', () => {
    const solo = new Solo().start()
    for (let i = 0; i < 500; i++)
      solo.hearVote(
        voteOf(
          2,
          NOTARIZE,
          1 + (i % 100),
          Uint8Array.from(firstHash, (b) => b ^ i),
        ),
      )
    assert.equal(solo.sent('evidence').length, 1)
    assert.equal(solo.core.epoch.epoch, epoch.epoch)
  })
})
