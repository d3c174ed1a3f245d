/** The block that ends an epoch, until it is final: proposed again, and nothing built on it (R11, P6, P7). */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { equalBytes, FINALIZE, hashToHex, NOTARIZE, NULLIFY, ZERO_HASH } from '@althing/base'
import {
  blockOn,
  certificateOf,
  ending,
  epoch,
  genesis,
  hashOfBlock,
  proposalOf,
  Solo,
  voteOf,
} from './consensus-solo.ts'

/** Every block of the first height ends epoch 0. */
const rotation = ({ height }: { height: number }): typeof epoch.set | null =>
  height === 1 ? epoch.set : null
const last = ending(blockOn(genesis.block, 1))
const lastHash = hashOfBlock(last)

/** In view 2, after the last block was notarized in view 1. */
function afterNotarization(): Solo {
  return new Solo({ rotation })
    .start()
    .hear(proposalOf(1, last))
    .hearCertificate(certificateOf(NOTARIZE, 1, lastHash))
    .clear()
}

describe('the block that ends an epoch', () => {
  it('is proposed again, and voted for as often, until it is final (R11)', () => {
    const solo = afterNotarization().hear(proposalOf(2, last))
    assert.deepEqual(solo.votes(), ['N 2'])
    solo.hearCertificate(certificateOf(NULLIFY, 2)).hear(proposalOf(3, last))
    assert.deepEqual(solo.votes(), ['N 2', 'N 3'])
    solo.hearCertificate(certificateOf(FINALIZE, 3, lastHash))
    assert.equal(solo.finalized, hashToHex(lastHash))
    assert.equal(solo.core.epoch.epoch, 1)
    assert.deepEqual(solo.core.epoch.anchor, lastHash)
    assert.equal(solo.view, 1)
  })

  it('is what a leader proposes after it, whatever waits in its pool (R11)', () => {
    const solo = afterNotarization()
    solo.executor.pool.push(new TextEncoder().encode('for the next epoch'))
    for (const view of [2, 3]) solo.hearCertificate(certificateOf(NULLIFY, view))
    const [own] = solo.wait(1_000).sent('proposal')
    assert.ok(own !== undefined)
    assert.equal(own.proposal.view, 4)
    assert.ok(equalBytes(hashOfBlock(own.proposal.block), lastHash))
  })

  it('has no child in its epoch (P6)', () => {
    const solo = afterNotarization().hear(proposalOf(2, blockOn(last, 2)))
    assert.deepEqual(solo.votes(), ['U 2'])
  })

  it('may not be proposed again in place of one that was notarized instead (P7)', () => {
    const other = ending(blockOn(genesis.block, 1, {}, 'another'))
    const solo = afterNotarization().hear(proposalOf(2, other))
    assert.ok(!solo.votes().includes('N 2'))
  })

  it('may not be proposed again once a later view notarized another (P7, P10)', () => {
    const other = ending(blockOn(genesis.block, 2))
    const solo = new Solo({ rotation }).start().hear(proposalOf(1, last))
    solo.hearCertificate(certificateOf(NULLIFY, 1)).hear(proposalOf(2, other))
    solo
      .hearCertificate(certificateOf(NOTARIZE, 1, lastHash))
      .hearCertificate(certificateOf(NOTARIZE, 2, hashOfBlock(other)))
    solo.clear().hear(proposalOf(3, last))
    assert.ok(!solo.votes().includes('N 3'))
    solo.hear(proposalOf(3, other))
    assert.ok(!solo.votes().includes('N 3'), 'the first proposal of the view counts')
  })

  it('proposed again in an epoch that rests on it gets no vote (P7)', () => {
    const solo = afterNotarization().hearCertificate(certificateOf(FINALIZE, 1, lastHash))
    const next = { epoch: 1, anchor: lastHash, set: epoch.set }
    solo.hearCertificate(certificateOf(NULLIFY, 1, ZERO_HASH, [1, 2, 3], next)).clear()
    const { signature } = voteOf(2, NOTARIZE, 2, lastHash, next)
    const hints = { parentCertificate: [], nullCertificates: [] }
    solo.hear({ kind: 'proposal', proposal: { epoch: 1, view: 2, block: last, signature, ...hints } })
    assert.deepEqual(solo.votes(), ['U 2'])
  })

  it('is the only kind that may be proposed again (R11)', () => {
    const block = blockOn(genesis.block, 1)
    const solo = new Solo()
      .start()
      .hear(proposalOf(1, block))
      .hearCertificate(certificateOf(NOTARIZE, 1, hashOfBlock(block)))
    solo.clear().hear(proposalOf(2, block))
    assert.deepEqual(solo.votes(), ['U 2'])
  })
})
