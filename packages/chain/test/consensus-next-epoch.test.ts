/** What one core does with an epoch that has ended, and with the one that began (R7, R11, P5, P8, P15). */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { epochAfter, FINALIZE, hashToHex, makeEvidence, NOTARIZE, NULLIFY } from '@althing/base'
import type { Epoch } from '@althing/base'
import { createVoteLog } from '../src/consensus/index.ts'
import { encodeRecord } from '../src/consensus/vote-log.ts'
import {
  blockOn,
  certificateOf,
  ending,
  epoch,
  genesis,
  hashOfBlock,
  proposalOf,
  signers,
  Solo,
  voteOf,
} from './consensus-solo.ts'
import { rejoinTransaction } from './consensus-world.ts'

const rotation = ({ height }: { height: number }): typeof epoch.set | null =>
  height === 1 ? epoch.set : null
const last = ending(blockOn(genesis.block, 1))
const lastHash = hashOfBlock(last)
const end = certificateOf(FINALIZE, 1, lastHash)
const next: Epoch = epochAfter(last, lastHash)

/** In view 1 of epoch 1. */
function inNextEpoch(): Solo {
  const solo = new Solo({ rotation }).start().hear(proposalOf(1, last)).hearCertificate(end)
  assert.equal(solo.core.epoch.epoch, 1)
  return solo.flush().clear()
}

describe('an epoch that has ended', () => {
  it('gets no vote any more, and its votes and proposals change nothing (R11)', () => {
    const solo = inNextEpoch()
    for (const signer of [1, 2, 3]) solo.hearVote(voteOf(signer, NULLIFY, 2))
    solo.hear(proposalOf(2, blockOn(genesis.block, 2))).hearCertificate(certificateOf(NULLIFY, 7))
    assert.deepEqual(solo.votes(), [])
    assert.deepEqual([solo.view, solo.floor], [1, 0])
    assert.deepEqual(solo.take('charge'), [])
  })

  it('is served for ever: its last block, its finalization, the chain up to it (R11)', () => {
    const solo = inNextEpoch()
    solo
      .hear({ kind: 'getBlock', hash: lastHash })
      .hear({ kind: 'getCertificate', epoch: 0, view: 1 })
      .hear({ kind: 'getChain', fromHeight: 1 })
    assert.equal(solo.sent('block').length, 1)
    assert.deepEqual(solo.sent('certificate')[0]!.certificate, end)
    assert.deepEqual(solo.sent('chain')[0]!.reply.finalization, end)
  })

  it('is shown to a peer that is still in it', () => {
    const solo = inNextEpoch()
    solo.hear({ kind: 'status', status: { epoch: 0, view: 3, height: 0, observer: false } }, 'behind')
    assert.deepEqual(solo.sent('certificate')[0]!.certificate, end)
  })

  it('ends with its own votes, and not with a finalization of a child (P7)', () => {
    const child = blockOn(last, 2, { epoch: 0 })
    const solo = new Solo({ rotation }).start().input({ kind: 'peerConnected', peer: 'peer', height: 2 })
    const finalization = certificateOf(FINALIZE, 2, hashOfBlock(child))
    solo.hear({ kind: 'chain', reply: { blocks: [last, child], path: [], finalization } })
    assert.match(solo.take('charge')[0]!.reason, /which ended the epoch/)
    solo.hear({ kind: 'chain', reply: { blocks: [last], path: [child.header], finalization } })
    assert.equal(solo.finalized, hashToHex(genesis.hash))
  })

  it('is found to have finalized another block: the node halts with both proofs, and stays so (R7, P21)', () => {
    const other = blockOn(genesis.block, 3, {}, 'another')
    const solo = inNextEpoch().hearCertificate(certificateOf(FINALIZE, 3, hashOfBlock(other)))
    const { halted, haltProof } = solo.core.view(solo.now())
    assert.match(halted!, /conflicting finalizations: view 3 of epoch 0/)
    assert.deepEqual(
      haltProof.map(({ hash }) => hashToHex(hash)),
      [lastHash, hashOfBlock(other)].map(hashToHex),
    )
    solo.restart().wait(30_000)
    assert.deepEqual(solo.votes(), [])
    assert.equal(solo.core.view(solo.now()).haltProof.length, 2)
  })

  it('late finalizations of it, by blocks that are final, say nothing', () => {
    const solo = inNextEpoch()
      .hearCertificate(end)
      .hearCertificate(certificateOf(FINALIZE, 9, lastHash))
    assert.equal(solo.core.view(solo.now()).halted, null)
    assert.deepEqual(solo.take('charge'), [])
  })
})

describe('the next epoch', () => {
  it('starts at view 1 on the last block, with the set of that block and no other (P8)', () => {
    const solo = inNextEpoch()
    assert.deepEqual(solo.core.epoch.set, last.nextSet)
    const first = blockOn(last, 1, { epoch: 1 })
    solo.hear({
      kind: 'proposal',
      proposal: {
        epoch: 1,
        view: 1,
        block: first,
        parentCertificate: [],
        nullCertificates: [],
        signature: voteOf(1, NOTARIZE, 1, hashOfBlock(first), next).signature,
      },
    })
    assert.deepEqual(solo.votes(), ['N 1'])
    solo.hearCertificate(certificateOf(FINALIZE, 1, hashOfBlock(first), [1, 2, 3], next))
    assert.equal(solo.finalized, hashToHex(hashOfBlock(first)))
  })

  it('with another set than the chain state gives is refused with its block (P8)', () => {
    const fewer = ending(blockOn(genesis.block, 1), epoch.set.slice(1))
    const solo = new Solo({ rotation }).start().hear(proposalOf(1, fewer))
    assert.deepEqual(solo.votes(), ['U 1'])
  })

  it('takes no vote that is signed for the epoch before', () => {
    const solo = inNextEpoch()
    const old = voteOf(1, NULLIFY, 1)
    solo.hearVote({ ...old, epoch: 1 }).hearVote({ ...old, epoch: 1, anchor: lastHash })
    assert.equal(solo.take('charge').length, 2)
  })

  it('is resumed from its own records, those of the epoch before left out (P5)', () => {
    const solo = inNextEpoch().wait(1_000_000)
    const votes = solo.votes().length
    assert.ok(votes > 0)
    solo.disk.append(encodeRecord({ kind: 'vote', vote: voteOf(0, NULLIFY, 60) }))
    solo.restart()
    const { epoch: resumed, view } = solo.core.view(solo.now())
    assert.equal(resumed, 1)
    assert.ok(view < 60, `${view}`)
    const again = solo.wait(20_000).sent('vote')
    assert.ok(again.every(({ vote }) => vote.epoch === 1))
  })

  it('is entered again after a crash before its start was on disk, with the votes that were given in it (P15)', () => {
    const solo = new Solo({ rotation }).start().hear(proposalOf(1, last)).hearCertificate(end).clear()
    const given = solo
      .wait(1_000_000)
      .sent('vote')
      .filter(({ vote }) => vote.epoch === 1)
    assert.ok(given.length > 0)
    assert.equal(solo.store.height, 0)
    solo.restart()
    const { epoch: resumed, view } = solo.core.view(solo.now())
    assert.equal(resumed, 1)
    assert.ok(view >= Math.max(...given.map(({ vote }) => vote.view)))
    assert.equal(solo.take('commit')[0]!.finalization!.epoch, 0)
  })
})

describe('evidence', () => {
  const [one, two] = [hashOfBlock(last), hashOfBlock(blockOn(genesis.block, 1))]
  const evidence = makeEvidence(voteOf(2, NOTARIZE, 1, one), voteOf(2, NOTARIZE, 1, two))

  it('found here is told once for each signer and epoch, the same bytes by everybody', () => {
    const solo = new Solo().start()
    solo.hearVote(voteOf(2, NOTARIZE, 1, two)).hearVote(voteOf(2, NOTARIZE, 1, one))
    solo.hearVote(voteOf(2, NULLIFY, 5)).hearVote(voteOf(2, FINALIZE, 5, one))
    assert.deepEqual(
      solo.sent('evidence').map((message) => message.evidence),
      [evidence],
    )
    assert.equal(solo.eventKinds().filter((kind) => kind === 'evidenceFound').length, 1)
  })

  it('of this epoch or one before is taken from a peer and handed on; what proves nothing is charged', () => {
    for (const solo of [new Solo().start(), inNextEpoch()]) {
      solo.hear({ kind: 'evidence', evidence }).hear({ kind: 'evidence', evidence })
      assert.equal(solo.eventKinds().filter((kind) => kind === 'evidenceFound').length, 1)
      assert.deepEqual(solo.take('charge'), [])
      const legal = makeEvidence(voteOf(1, NOTARIZE, 1, one), voteOf(1, NULLIFY, 1))
      const forged = { ...makeEvidence(voteOf(1, NOTARIZE, 1, one), voteOf(1, NOTARIZE, 1, two)) }
      forged.second = { ...forged.second, signature: forged.first.signature }
      solo.hear({ kind: 'evidence', evidence: legal }).hear({ kind: 'evidence', evidence: forged })
      assert.equal(solo.take('charge').length, 2)
      assert.equal(solo.eventKinds().filter((kind) => kind === 'evidenceFound').length, 1)
    }
  })
})

describe('a rejoin (R12)', () => {
  const nonce = new Uint8Array(32).fill(7)
  const key = signers[0]!.publicKey
  const rejoining = ending(blockOn(genesis.block, 1, {}, rejoinTransaction(key, nonce)))
  const hash = hashOfBlock(rejoining)

  function lost(): Solo {
    const solo = new Solo({ rotation })
    solo.disk.segments.clear()
    const marker = { nonce, reason: 'disk replaced' }
    solo.disk.create(8, createVoteLog({ genesis: genesis.hash, key }, marker, 8))
    return solo.restart()
  }

  it('is asked for until it is on the chain', () => {
    const solo = lost().wait(5_000)
    assert.ok(solo.take('submitRejoin').length >= 2)
    assert.deepEqual(solo.take('submitRejoin')[0], { kind: 'submitRejoin', key, nonce })
    solo.hear(proposalOf(1, rejoining)).hearCertificate(certificateOf(FINALIZE, 1, hash))
    solo.clear().wait(5_000)
    assert.deepEqual(solo.take('submitRejoin'), [])
  })

  it('with another nonce than the marker has is none', () => {
    const other = ending(blockOn(genesis.block, 1, {}, rejoinTransaction(key, hash)))
    const solo = lost().hear(proposalOf(1, other))
    solo.hearCertificate(certificateOf(FINALIZE, 1, hashOfBlock(other))).wait(30_000)
    assert.match(solo.core.view(solo.now()).observer!, /disk replaced/)
  })

  it('whose epoch ends gives the voice back in the next one, and never in the one of the loss', () => {
    const solo = lost()
      .hear(proposalOf(1, rejoining))
      .hearCertificate(certificateOf(FINALIZE, 1, hash))
    assert.equal(solo.core.view(solo.now()).observer, null)
    assert.equal(solo.restoredLog().rejoin, null)
    // The end of epoch 0 did not reach the block store, and no record of it is left.
    assert.equal(solo.store.height, 0)
    solo.restart().wait(30_000)
    assert.equal(solo.core.epoch.epoch, 0)
    assert.deepEqual(solo.votes(), [])
    assert.match(solo.core.view(solo.now()).observer!, /it has voted in an epoch after 0/)
    solo
      .hear(proposalOf(1, rejoining))
      .hearCertificate(certificateOf(FINALIZE, 1, hash))
      .wait(30_000)
    assert.equal(solo.core.view(solo.now()).observer, null)
    assert.ok(solo.sent('vote').length > 0)
    assert.ok(solo.sent('vote').every(({ vote }) => vote.epoch === 1))
  })
})
