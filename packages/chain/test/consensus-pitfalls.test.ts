import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FINALIZE, hashToHex, NOTARIZE, NULLIFY } from '@althing/base'
import type { Certificate } from '@althing/base'
import { createVoteLog } from '../src/consensus/index.ts'
import { encodeRecord } from '../src/consensus/vote-log.ts'
import {
  blockOn,
  certificateOf,
  epoch,
  finalizeFirst,
  genesis,
  hashOfBlock,
  proposalOf,
  signers,
  Solo,
  voteOf,
} from './consensus-solo.ts'
import { World } from './consensus-world.ts'

const first = blockOn(genesis.block, 1)
const firstHash = hashOfBlock(first)

/** A view is given up after interval + T0, or idle + interval + T0. */
const BUSY_MS = 1_200
const IDLE_MS = 11_200

describe('pitfalls of the consensus rules', () => {
  it('P1: nothing signs a finalize vote for a view that was nullified, not the retransmission either', () => {
    const solo = new Solo().start().wait(IDLE_MS)
    assert.deepEqual(solo.votes(), ['U 1'])
    solo
      .hear(proposalOf(1, first))
      .hearCertificate(certificateOf(NOTARIZE, 1, firstHash))
      .wait(10_000)
    assert.ok(!solo.votes().some((vote) => vote === 'F 1'))
  })

  it('P2: a notarization that comes after the own nullify vote moves the view', () => {
    const solo = new Solo().start().wait(IDLE_MS)
    solo.hear(proposalOf(1, first)).hearCertificate(certificateOf(NOTARIZE, 1, firstHash))
    assert.equal(solo.view, 2)
  })

  it('P3: after a restart the own vote is in the tally: exactly a quorum with two others', () => {
    const solo = new Solo().start().hear(proposalOf(1, first))
    assert.deepEqual(solo.votes(), ['N 1'])
    solo.restart()
    solo.hearVote(voteOf(1, NOTARIZE, 1, firstHash)).hearVote(voteOf(2, NOTARIZE, 1, firstHash))
    assert.equal(solo.view, 2)
    assert.deepEqual(solo.votes(), ['F 1'])
  })

  it('P4: after a restart the nullify timer is armed', () => {
    const solo = new Solo().start().hear(proposalOf(1, first)).restart().wait(BUSY_MS)
    assert.deepEqual(solo.votes(), ['N 1', 'U 1'])
  })

  it('P4: a restart resumes in the highest view that it voted in, and votes no second time there', () => {
    const solo = new Solo().start()
    solo.executor.pool.push(new TextEncoder().encode('one'))
    for (const view of [1, 2, 3]) solo.hearCertificate(certificateOf(NULLIFY, view))
    const own = solo.wait(BUSY_MS).sent('proposal').at(-1)!.proposal
    solo.restart()
    assert.equal(solo.view, 4)
    solo.executor.pool.push(new TextEncoder().encode('news'))
    const resent = solo.input({ kind: 'poolChanged' }).wait(15_000).sent('proposal')
    assert.ok(resent.length > 0)
    for (const { proposal } of resent) {
      assert.equal(hashToHex(hashOfBlock(proposal.block)), hashToHex(hashOfBlock(own.block)))
    }
  })

  it('P5: records of another epoch are not replayed', () => {
    const solo = new Solo()
    const old = { ...voteOf(0, NULLIFY, 9), epoch: 7 }
    solo.disk.append(encodeRecord({ kind: 'vote', vote: old }))
    solo.disk.append(
      encodeRecord({ kind: 'certificate', certificate: { ...certificateOf(NULLIFY, 8), epoch: 7 } }),
    )
    solo.restart()
    assert.equal(solo.view, 1)
    assert.equal(solo.core.view(solo.now()).authorities[0]!.votedNullify, false)
  })

  it('P6: a block that ends the epoch gets no vote while no rule asks for one', () => {
    const ending = blockOn(genesis.block, 1, { nextSet: genesis.hash })
    const solo = new Solo().start().hear(proposalOf(1, ending))
    assert.ok(!solo.votes().includes('N 1'))
  })

  it('P9: certificates from the floor on are given by view, nullifications too', () => {
    const solo = new Solo().start()
    finalizeFirst(solo)
    solo.hearCertificate(certificateOf(NULLIFY, 2)).clear()
    for (const view of [1, 2]) solo.hear({ kind: 'getCertificate', epoch: 0, view })
    const given = solo.sent('certificate').map(({ certificate }) => [certificate.kind, certificate.view])
    assert.deepEqual(given, [
      [FINALIZE, 1],
      [NULLIFY, 2],
    ])
  })

  it('P10: a block deserves no vote on a parent that a later notarization has replaced', () => {
    const second = blockOn(first, 2)
    const solo = new Solo()
      .start()
      .hear(proposalOf(1, first))
      .hearCertificate(certificateOf(NOTARIZE, 1, firstHash))
    solo
      .hear(proposalOf(2, second))
      .hearCertificate(certificateOf(NOTARIZE, 2, hashOfBlock(second)))
      .clear()
    solo.hear(proposalOf(3, blockOn(first, 3)))
    assert.deepEqual(solo.votes(), [])
    solo.hearCertificate(certificateOf(NULLIFY, 2))
    assert.deepEqual(solo.votes(), ['N 3'], 'it does once the view between is nullified, too')
  })

  it('P11: a forged finalization is charged and does not take the place of the real one', () => {
    const real = certificateOf(FINALIZE, 1, firstHash)
    const forged: Certificate = { ...real, hash: genesis.hash }
    const solo = new Solo().start().hear(proposalOf(1, first)).hearCertificate(forged, 'liar')
    assert.deepEqual(
      solo.take('charge').map(({ peer }) => peer),
      ['liar'],
    )
    solo.hearCertificate(real)
    assert.equal(solo.finalized, hashToHex(firstHash))
  })

  it('P13: a certificate that is not of the own proposal is taken, and F may differ from the own N', () => {
    const solo = new Solo({ config: { idleIntervalMs: 0 } }).start()
    for (const view of [1, 2, 3]) solo.hearCertificate(certificateOf(NULLIFY, view))
    solo.wait(BUSY_MS)
    const twin = blockOn(genesis.block, 4, {}, 'by the same key elsewhere')
    solo
      .clear()
      .hear(proposalOf(4, twin))
      .hearCertificate(certificateOf(NOTARIZE, 4, hashOfBlock(twin)))
    solo.hear({ kind: 'block', block: twin })
    assert.deepEqual(solo.votes(), ['F 4'])
    assert.ok(solo.eventKinds().includes('evidenceFound'))
  })

  it('P14: every vote is in the log before it is sent, and the block that it is for', () => {
    const solo = new Solo({ config: { idleIntervalMs: 0 } }).start()
    solo.hear(proposalOf(1, first)).hearCertificate(certificateOf(NOTARIZE, 1, firstHash))
    for (const view of [2, 3]) solo.hearCertificate(certificateOf(NULLIFY, view))
    solo.wait(BUSY_MS)
    const kinds = solo.effects.flatMap((effect) => {
      if (effect.kind === 'append') return ['append']
      return effect.kind === 'broadcast' && effect.message.kind !== 'status' ? [effect.message.kind] : []
    })
    assert.deepEqual(
      kinds.slice(0, 3),
      ['append', 'append', 'vote'],
      'block, vote, and only then the message',
    )
    const restored = solo.restoredLog().segments.flatMap(({ records }) => records)
    for (const sent of solo.votes()) {
      const isLogged = restored.some(
        (record) => record.kind === 'vote' && `${'NUF'[record.vote.kind]} ${record.vote.view}` === sent,
      )
      assert.ok(isLogged, sent)
    }
  })

  it('P15: the floor comes from the block store', () => {
    const solo = new Solo()
    solo.store.commit([{ block: first, hash: firstHash }], certificateOf(FINALIZE, 5, firstHash))
    solo.restart()
    assert.equal(solo.floor, 5)
    assert.equal(solo.view, 6)
  })

  it('P16: the vote log stays bounded while blocks become final, and what is left is enough to go on', () => {
    const world = new World(4, 1, { segmentBytesMax: 4_000 }).startAll()
    for (let i = 0; i < 60; i++) {
      world.submit(`transaction ${i}`)
      const height = world.nodes[0]!.height
      assert.ok(world.runUntil(() => world.nodes.every((node) => node.height > height), 3_000))
    }
    const [node] = world.nodes
    const bytes = node!.disk.read().reduce((sum, segment) => sum + segment.bytes.length, 0)
    assert.ok(bytes < 20_000, `${bytes} bytes`)
    assert.ok(Math.min(...node!.disk.segments.keys()) > 1, 'the first segment has gone')
    const view = node!.core.view(world.now()).view
    node!.crash()
    node!.start()
    assert.ok(node!.core.view(world.now()).view >= view - 1)
  })

  const badCertificates: [string, Partial<Certificate>][] = [
    ['a longer bitmap', { bitmap: Uint8Array.of(0b1110, 0) }],
    ['a padding bit', { bitmap: Uint8Array.of(0b1_1110) }],
    ['fewer signatures than bits', { signatures: [] }],
    ['less than a quorum', certificateOf(FINALIZE, 1, firstHash, [1, 2])],
    ['another view', { view: 2 }],
  ]
  for (const [name, change] of badCertificates) {
    it(`P17: a certificate with ${name} is refused`, () => {
      const solo = new Solo().start().hear(proposalOf(1, first))
      solo.hearCertificate({ ...certificateOf(FINALIZE, 1, firstHash), ...change })
      assert.equal(solo.take('charge').length, 1)
      assert.equal(solo.finalized, hashToHex(genesis.hash))
    })
  }

  it('P17: a lie about height costs one request to the liar and a timeout; then another peer is asked', () => {
    const solo = new Solo({ config: { idleIntervalMs: 60_000 } }).start()
    const requests = (): string[] =>
      solo.take('send').flatMap(({ to, message }) => (message.kind === 'getChain' ? [to] : []))
    solo.input({ kind: 'peerConnected', peer: 'honest', height: 0 })
    const lie = { kind: 'status', status: { epoch: 0, view: 1, height: 1e9, observer: false } } as const
    for (let i = 0; i < 50; i++) solo.hear(lie, 'liar')
    assert.deepEqual(requests(), ['liar'])
    solo.hear({ kind: 'status', status: { epoch: 0, view: 2, height: 1, observer: false } }, 'honest')
    assert.deepEqual(requests(), ['liar'], 'one outstanding')
    solo.wait(2_500)
    assert.deepEqual(requests(), ['liar', 'honest'])
    const finalization = certificateOf(FINALIZE, 1, firstHash)
    solo.hear({ kind: 'chain', reply: { blocks: [first], path: [], finalization } }, 'honest')
    assert.equal(solo.finalized, hashToHex(firstHash))
  })

  it('P18: only the proposer timestamp counts: early waits, within the interval is refused', () => {
    const solo = new Solo().start()
    const early = blockOn(genesis.block, 1, { timestamp: genesis.block.header.timestamp + 2_000 })
    solo.hear(proposalOf(1, early))
    assert.deepEqual(solo.votes(), [], '1,000 ms ahead, drift is 500 ms')
    solo.wait(500)
    assert.deepEqual(solo.votes(), ['N 1'])
    const hasty = blockOn(genesis.block, 1, { timestamp: genesis.block.header.timestamp + 99 })
    assert.deepEqual(new Solo().start().hear(proposalOf(1, hasty)).votes(), ['U 1'])
  })

  it('P20: what the boot itself does is appended, committed and sent', () => {
    const solo = new Solo().start().hear(proposalOf(1, first))
    for (const signer of [1, 2]) {
      solo.disk.append(
        encodeRecord({ kind: 'certificate', certificate: certificateOf(NOTARIZE, 1, firstHash) }),
      )
      assert.ok(signer)
    }
    solo.restart()
    assert.deepEqual(solo.votes(), ['F 1'])
    const appended = solo.effects.findIndex((effect) => effect.kind === 'append')
    const voted = solo.effects.findIndex(
      (effect) => effect.kind === 'broadcast' && effect.message.kind === 'vote',
    )
    assert.ok(appended >= 0 && appended < voted)
    solo.disk.append(
      encodeRecord({ kind: 'certificate', certificate: certificateOf(FINALIZE, 1, firstHash) }),
    )
    solo.restart()
    assert.equal(solo.take('commit').length, 1)
  })

  it('P21: conflicting finality is terminal, on disk first, and proved; serving goes on', () => {
    const solo = new Solo().start()
    finalizeFirst(solo)
    solo.flush().clear()
    const other = blockOn(genesis.block, 1, {}, 'another')
    solo.hearCertificate(certificateOf(FINALIZE, 1, hashOfBlock(other)))
    const kinds = solo.effects.map((effect) => effect.kind)
    assert.ok(kinds.indexOf('append') < kinds.indexOf('broadcast'))
    assert.equal(solo.sent('certificate').length, 2, 'both finalizations are published')
    assert.match(solo.core.view(solo.now()).halted!, /conflicting finalizations/)
    const second = blockOn(first, 2)
    solo
      .clear()
      .hear(proposalOf(2, second))
      .hearCertificate(certificateOf(FINALIZE, 2, hashOfBlock(second)))
      .wait(30_000)
    assert.deepEqual(solo.votes(), [])
    assert.deepEqual(solo.take('commit'), [])
    solo.restart().wait(30_000)
    assert.match(solo.core.view(solo.now()).halted!, /conflicting finalizations/, 'also after a restart')
    assert.deepEqual(solo.votes(), [])
    solo.hear({ kind: 'getChain', fromHeight: 1 })
    assert.equal(solo.sent('chain').length, 1)
  })

  it('P21: a finalization of a block beside ours is a conflict in any later view', () => {
    const solo = new Solo().start().input({ kind: 'peerConnected', peer: 'peer', height: 0 })
    finalizeFirst(solo)
    const other = blockOn(genesis.block, 3, {}, 'another')
    solo.hearCertificate(certificateOf(FINALIZE, 3, hashOfBlock(other)))
    solo.hear({ kind: 'block', block: other })
    assert.ok(solo.eventKinds().includes('halted'))
  })

  it('P21: a finalization of a block beside ours is a conflict below the floor, too', () => {
    const solo = new Solo().start()
    const later = blockOn(genesis.block, 3)
    solo.hearCertificate(certificateOf(NULLIFY, 1)).hearCertificate(certificateOf(NULLIFY, 2))
    solo.hear(proposalOf(3, later)).hearCertificate(certificateOf(FINALIZE, 3, hashOfBlock(later)))
    assert.equal(solo.floor, 3)
    solo.hearCertificate(certificateOf(FINALIZE, 2, hashOfBlock(blockOn(genesis.block, 2))))
    assert.ok(solo.eventKinds().includes('halted'))
  })

  it('P21: a finalized chain that does not build on ours is a conflict, also when it is higher', () => {
    const solo = new Solo().start()
    finalizeFirst(solo)
    solo.flush().input({ kind: 'peerConnected', peer: 'fork', height: 9 })
    const other = blockOn(genesis.block, 2, {}, 'another')
    const above = blockOn(other, 3)
    const finalization = certificateOf(FINALIZE, 3, hashOfBlock(above))
    solo.hear({ kind: 'chain', reply: { blocks: [above], path: [], finalization } }, 'fork')
    assert.ok(solo.eventKinds().includes('halted'))
  })

  it('R12: without an intact log no vote is signed, across restarts, and Status says observer', () => {
    const solo = new Solo()
    const identity = { genesis: genesis.hash, key: signers[0]!.publicKey }
    solo.disk.segments.clear()
    solo.disk.create(
      8,
      createVoteLog(identity, { nonce: new Uint8Array(32).fill(7), reason: 'disk replaced' }, 8),
    )
    for (let boot = 0; boot < 2; boot++) {
      solo.restart().hear(proposalOf(1, first)).wait(30_000)
      assert.deepEqual(solo.votes(), [])
      assert.match(solo.core.view(solo.now()).observer!, /disk replaced/)
      assert.ok(solo.sent('status').every(({ status }) => status.observer))
    }
    solo.hearCertificate(certificateOf(FINALIZE, 1, firstHash))
    assert.equal(solo.finalized, hashToHex(firstHash), 'it follows all the same')
  })

  it('R12: a vote log that is behind a lost block store still forbids the views that it forgot', () => {
    const solo = new Solo()
    const log = solo.restoredLog()
    solo.restart({ ...log, forgotten: { epoch: epoch.epoch, view: 41 } })
    assert.equal(solo.view, 42)
  })
})
