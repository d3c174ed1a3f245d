import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FINALIZE, hashToHex, NOTARIZE, NULLIFY } from '@althing/base'
import type { Block } from '@althing/base'
import type { ChainReply, ConsensusMessage } from '../src/consensus/index.ts'
import {
  blockOn,
  certificateOf,
  finalizeFirst,
  genesis,
  hashOfBlock,
  proposalOf,
  Solo,
  voteOf,
} from './consensus-solo.ts'

const first = blockOn(genesis.block, 1)
const firstHash = hashOfBlock(first)

/** `count` blocks on genesis, one a view. */
function chainOf(count: number): Block[] {
  const blocks = [first]
  for (let view = 2; view <= count; view++) blocks.push(blockOn(blocks.at(-1)!, view))
  return blocks
}

function asked(solo: Solo, kind: ConsensusMessage['kind']): string[] {
  return solo.take('send').flatMap(({ to, message }) => (message.kind === kind ? [to] : []))
}

describe('a proposal (R4)', () => {
  const faults: [name: string, change: Partial<Block['header']>][] = [
    ['of another height', { height: 2 }],
    ['of another epoch', { epoch: 1 }],
    ['by another proposer', { proposer: 2 }],
    ['made for another view', { view: 2 }],
    ['with a wrong state root', { stateRoot: new Uint8Array(32).fill(1) }],
  ]
  for (const [name, change] of faults) {
    it(`${name} gets no vote, and its view is given up at once`, () => {
      const solo = new Solo().start().hear(proposalOf(1, blockOn(genesis.block, 1, change)))
      assert.deepEqual(solo.votes(), ['U 1'])
      assert.ok(solo.eventKinds().includes('proposalRefused'))
    })
  }

  it('larger than the chain allows gets no vote', () => {
    const solo = new Solo({ config: { blockBytesMax: 300 } }).start()
    solo.hear(proposalOf(1, blockOn(genesis.block, 1, {}, 'x'.repeat(300))))
    assert.deepEqual(solo.votes(), ['U 1'])
  })

  it('with a body that a relay changed is asked of others; the leader is not blamed', () => {
    const solo = new Solo().start()
    for (const peer of ['relay', 'honest']) solo.input({ kind: 'peerConnected', peer, height: 0 })
    const changed = { ...first, transactions: [Uint8Array.of(1)] }
    solo.hear(proposalOf(1, changed), 'relay')
    assert.deepEqual(
      solo.take('charge').map(({ peer }) => peer),
      ['relay'],
    )
    assert.deepEqual(solo.votes(), [])
    solo.wait(300)
    assert.ok(asked(solo, 'getBlock').includes('honest'))
    solo.hear({ kind: 'block', block: first }, 'honest')
    assert.deepEqual(solo.votes(), ['N 1'])
  })

  it('with a forged certificate beside it is voted on all the same; the deliverer is charged', () => {
    const forged = { ...certificateOf(NULLIFY, 1), view: 2 }
    const solo = new Solo().start().hear(proposalOf(1, first, forged), 'relay')
    assert.deepEqual(solo.votes(), ['N 1'])
    assert.equal(solo.take('charge').length, 1)
  })

  it('brings the certificates that it rests on', () => {
    const solo = new Solo().start().hear(proposalOf(1, first))
    const second = blockOn(first, 3)
    solo.hear(proposalOf(3, second, certificateOf(NOTARIZE, 1, firstHash), certificateOf(NULLIFY, 2)))
    assert.deepEqual(solo.votes(), ['N 1', 'F 1', 'N 3'])
  })

  it('that rests on a nullification which is not held: it is asked for by view', () => {
    const solo = new Solo().start().input({ kind: 'peerConnected', peer: 'peer', height: 0 })
    solo.hear(proposalOf(1, first)).hearCertificate(certificateOf(NOTARIZE, 1, firstHash))
    solo.hearCertificate(certificateOf(NULLIFY, 4)).clear()
    solo.hear(proposalOf(5, blockOn(first, 5), certificateOf(NULLIFY, 2)))
    assert.deepEqual(
      solo.sent('getCertificate').map(({ view }) => view),
      [3],
    )
    solo.hearCertificate(certificateOf(NULLIFY, 3))
    assert.deepEqual(solo.votes(), ['N 5'])
  })

  it('on a block that is notarized and nullified, whose notarization a relay withheld: it is asked for', () => {
    const solo = new Solo().start().input({ kind: 'peerConnected', peer: 'peer', height: 0 })
    solo.hear(proposalOf(1, first)).hearCertificate(certificateOf(NULLIFY, 1)).clear()
    solo.hear(proposalOf(2, blockOn(first, 2)))
    assert.deepEqual(solo.votes(), [])
    assert.deepEqual(
      solo.sent('getCertificate').map(({ view }) => view),
      [1],
    )
    solo.hearCertificate(certificateOf(NOTARIZE, 1, firstHash))
    assert.deepEqual(solo.votes(), ['N 2'])
  })

  it('that builds below the finalized block is refused', () => {
    const solo = new Solo().start()
    finalizeFirst(solo)
    solo.hear(proposalOf(2, blockOn(genesis.block, 2)))
    assert.deepEqual(solo.votes(), ['N 1', 'U 2'])
  })

  it('that a second one contradicts is evidence against the leader', () => {
    const solo = new Solo().start().hear(proposalOf(1, first))
    solo.hear(proposalOf(1, blockOn(genesis.block, 1, {}, 'another')))
    assert.ok(solo.eventKinds().includes('evidenceFound'))
    assert.deepEqual(solo.votes(), ['N 1'])
  })

  it('of another version than the chain state asks for gets no vote, known or not', () => {
    const solo = new Solo().start().hear(proposalOf(1, blockOn(genesis.block, 1, { version: 2 })))
    assert.deepEqual(solo.votes(), ['U 1'])
    assert.ok(!solo.eventKinds().includes('versionUnknown'), 'a leader alone cannot make a release old')
  })

  it('of an unknown version stops the node at that height, and it says so', () => {
    const solo = new Solo().start()
    solo.executor.version = 2
    solo.hear(proposalOf(1, blockOn(genesis.block, 1, { version: 2 })))
    assert.ok(!solo.votes().includes('N 1'))
    assert.deepEqual(
      solo.take('event').flatMap(({ event }) => (event.kind === 'versionUnknown' ? [event] : [])),
      [{ kind: 'versionUnknown', height: 1, version: 2 }],
    )
  })
})

describe('views', () => {
  it('are moved by certificates only: a future nullification is enough (R6)', () => {
    const solo = new Solo().start().hearCertificate(certificateOf(NULLIFY, 40))
    assert.equal(solo.view, 41)
  })

  it('do not move on a notarization of a block that is not here; it is fetched (R5)', () => {
    const solo = new Solo().start().input({ kind: 'peerConnected', peer: 'peer', height: 0 })
    solo.hearCertificate(certificateOf(NOTARIZE, 1, firstHash))
    assert.equal(solo.view, 1)
    assert.deepEqual(asked(solo, 'getBlock'), ['peer'])
    solo.hear({ kind: 'block', block: first })
    assert.equal(solo.view, 2)
    assert.deepEqual(solo.votes(), ['F 1'])
  })

  it('do not move back for a late finalization; the floor rises all the same (R7)', () => {
    const solo = new Solo().start().hear(proposalOf(1, first))
    solo.hearCertificate(certificateOf(NOTARIZE, 1, firstHash)).hearCertificate(certificateOf(NULLIFY, 5))
    solo.hearCertificate(certificateOf(FINALIZE, 1, firstHash))
    assert.deepEqual([solo.view, solo.floor], [6, 1])
  })

  it('commit all uncommitted ancestors in one effect, ending at the finalized block (R7)', () => {
    const [, second, third] = chainOf(3)
    const solo = new Solo().start()
    solo.hear(proposalOf(1, first)).hearCertificate(certificateOf(NOTARIZE, 1, firstHash))
    solo.hear(proposalOf(2, second!)).hearCertificate(certificateOf(NOTARIZE, 2, hashOfBlock(second!)))
    solo.hear(proposalOf(3, third!)).hearCertificate(certificateOf(FINALIZE, 3, hashOfBlock(third!)))
    assert.deepEqual(
      solo
        .take('commit')
        .map(({ blocks, finalization }) => [
          blocks.map(({ block }) => block.header.height),
          finalization?.view,
        ]),
      [[[1, 2, 3], 3]],
    )
  })

  it('emit a reorg when the head leaves a notarized block, and never below the final one', () => {
    const solo = new Solo().start().hear(proposalOf(1, first))
    solo.hearCertificate(certificateOf(NOTARIZE, 1, firstHash)).hearCertificate(certificateOf(NULLIFY, 1))
    const other = blockOn(genesis.block, 2)
    solo.hear(proposalOf(2, other, certificateOf(NULLIFY, 1)))
    solo.hearCertificate(certificateOf(NOTARIZE, 2, hashOfBlock(other)))
    const reorgs = solo.take('event').flatMap(({ event }) => (event.kind === 'reorg' ? [event] : []))
    assert.deepEqual(
      reorgs.map(({ from, to, ancestor }) => [from, to, ancestor].map(hashToHex)),
      [[firstHash, hashOfBlock(other), genesis.hash].map(hashToHex)],
    )
  })

  it('halt the node when a finalized block does not execute here', () => {
    const solo = new Solo({ refuses: (block) => block.header.height === 1 })
      .start()
      .hear(proposalOf(1, first))
    solo.hearCertificate(certificateOf(FINALIZE, 1, firstHash))
    assert.match(solo.core.view(solo.now()).halted!, /not valid here: refused by the test/)
  })
})

describe('idle (R14)', () => {
  it('waits with the view; a transaction, a proposal or a nullify vote wakes it', () => {
    const wakes: [name: string, wake: (solo: Solo) => void][] = [
      [
        'a transaction',
        (solo) => {
          solo.executor.pool.push(Uint8Array.of(1))
          solo.input({ kind: 'poolChanged' })
        },
      ],
      ['a nullify vote', (solo) => solo.hearVote(voteOf(2, NULLIFY, 1))],
      ['a proposal', (solo) => solo.hear(proposalOf(1, first))],
    ]
    for (const [name, wake] of wakes) {
      const solo = new Solo().start().wait(5_000)
      assert.equal(solo.core.view(solo.now()).idle, true, name)
      assert.deepEqual(solo.votes(), [], name)
      wake(solo)
      assert.equal(solo.core.view(solo.now()).idle, false, name)
      solo.wait(1_100)
      assert.ok(solo.votes().includes('U 1'), name)
    }
  })

  it('lets the leader propose one empty block per idle interval', () => {
    const solo = new Solo().start()
    for (const view of [1, 2, 3]) solo.hearCertificate(certificateOf(NULLIFY, view))
    assert.deepEqual(solo.wait(9_000).votes(), [])
    assert.deepEqual(solo.wait(200).votes(), ['N 4'])
    assert.equal(solo.sent('proposal')[0]!.proposal.block.transactions.length, 0)
  })

  it('ends for the leader with the first transaction, at once', () => {
    const solo = new Solo().start()
    for (const view of [1, 2, 3]) solo.hearCertificate(certificateOf(NULLIFY, view))
    solo.executor.pool.push(Uint8Array.of(1))
    solo.input({ kind: 'poolChanged' })
    assert.equal(solo.sent('proposal')[0]!.proposal.block.transactions.length, 1)
  })
})

describe('a silent leader (R8)', () => {
  it('is skipped at once while a quorum is heard', () => {
    const solo = new Solo().start()
    const status = { kind: 'status', status: { epoch: 0, view: 1, height: 0, observer: false } } as const
    for (let i = 0; i < 5; i++) {
      solo.wait(1_000)
      for (const authority of [2, 3]) {
        solo.input({ kind: 'messageReceived', from: `${authority}`, authority, message: status })
      }
    }
    solo.executor.pool.push(Uint8Array.of(1))
    solo.clear().hearCertificate(certificateOf(NULLIFY, 4))
    assert.deepEqual(solo.votes(), ['U 5'], 'authority 1 leads view 5')
  })
})

describe('catch-up (R10)', () => {
  const replyOf = (blocks: Block[], path: Block[] = []): ConsensusMessage => {
    const last = path.at(-1) ?? blocks.at(-1)!
    const finalization = certificateOf(FINALIZE, last.header.view, hashOfBlock(last))
    return { kind: 'chain', reply: { blocks, path: path.map(({ header }) => header), finalization } }
  }

  it('of a node exactly one block behind', () => {
    const solo = new Solo().start().input({ kind: 'peerConnected', peer: 'peer', height: 1 })
    solo.wait(200)
    assert.deepEqual(
      solo.sent('getChain').map(({ fromHeight }) => fromHeight),
      [1],
    )
    solo.hear(replyOf([first]))
    assert.equal(solo.finalized, hashToHex(firstHash))
    assert.deepEqual([solo.view, solo.floor], [2, 1])
  })

  it('goes on with the same peer until it is level, and no further', () => {
    const blocks = chainOf(5)
    const solo = new Solo().start().input({ kind: 'peerConnected', peer: 'peer', height: 5 })
    solo.hear(replyOf(blocks.slice(0, 2))).hear(replyOf(blocks.slice(2, 5)))
    assert.deepEqual(
      solo.sent('getChain').map(({ fromHeight }) => fromHeight),
      [1, 3],
    )
    assert.equal(solo.core.finalized.block.header.height, 5)
  })

  it('by a capped reply with a path of headers moves the tip, not the floor nor the view', () => {
    const blocks = chainOf(4)
    const solo = new Solo().start().input({ kind: 'peerConnected', peer: 'peer', height: 4 })
    solo.hear(replyOf(blocks.slice(0, 2), blocks.slice(2)))
    assert.equal(solo.core.finalized.block.header.height, 2)
    assert.deepEqual([solo.view, solo.floor], [1, 0])
    assert.equal(solo.take('commit')[0]!.finalization, null)
    solo.hear(replyOf(blocks.slice(2)))
    assert.deepEqual([solo.core.finalized.block.header.height, solo.view, solo.floor], [4, 5, 4])
  })

  const [, second, third] = chainOf(3)
  const finalization = certificateOf(FINALIZE, 2, hashOfBlock(second!))
  const lies: [name: string, reply: ChainReply][] = [
    ['no blocks', { blocks: [], path: [], finalization }],
    [
      'a missing link',
      { blocks: [first, third!], path: [], finalization: certificateOf(FINALIZE, 3, hashOfBlock(third!)) },
    ],
    ['a certificate of another block', { blocks: [first], path: [], finalization }],
    ['a notarization', { blocks: [first], path: [], finalization: certificateOf(NOTARIZE, 1, firstHash) }],
    [
      'too few signatures',
      { blocks: [first], path: [], finalization: certificateOf(FINALIZE, 1, firstHash, [1, 2]) },
    ],
    [
      'a changed body',
      { blocks: [{ ...first, transactions: [Uint8Array.of(1)] }, second!], path: [], finalization },
    ],
  ]
  for (const [name, reply] of lies) {
    it(`charges a reply with ${name}, and nothing becomes final`, () => {
      const solo = new Solo().start().input({ kind: 'peerConnected', peer: 'peer', height: 9 })
      solo.hear({ kind: 'chain', reply })
      assert.equal(solo.take('charge').length, 1)
      assert.equal(solo.finalized, hashToHex(genesis.hash))
    })
  }

  it('is not fed by replies that nobody asked for', () => {
    const solo = new Solo().start().hear(replyOf([first]))
    assert.equal(solo.finalized, hashToHex(genesis.hash))
  })

  it('serves unflushed blocks too, bounded in bytes but never empty', () => {
    const solo = new Solo({ config: { chainReplyBytesMax: 1 } }).start()
    finalizeFirst(solo)
    const next = blockOn(first, 2)
    solo
      .hear(proposalOf(2, next))
      .hearCertificate(certificateOf(FINALIZE, 2, hashOfBlock(next)))
      .clear()
    solo.hear({ kind: 'getChain', fromHeight: 1 }).hear({ kind: 'getChain', fromHeight: 3 })
    const replies = solo.sent('chain').map(({ reply }) => reply.blocks.map(({ header }) => header.height))
    assert.deepEqual(replies, [[1]])
  })

  it('serves a capped reply with its path when no block in it has a direct finalization', () => {
    const blocks = chainOf(3)
    const solo = new Solo({ config: { chainReplyBytesMax: 1 } }).start()
    for (const block of blocks.slice(0, 2)) {
      const { view } = block.header
      solo.hear(proposalOf(view, block)).hearCertificate(certificateOf(NOTARIZE, view, hashOfBlock(block)))
    }
    solo.hear(proposalOf(3, blocks[2]!)).hearCertificate(certificateOf(FINALIZE, 3, hashOfBlock(blocks[2]!)))
    const { reply } = solo.clear().hear({ kind: 'getChain', fromHeight: 1 }).sent('chain')[0]!
    assert.deepEqual([reply.blocks.length, reply.path.length, reply.finalization.view], [1, 2, 3])
  })
})
