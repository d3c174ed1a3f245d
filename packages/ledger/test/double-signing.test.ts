import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  authorityEvidence,
  authorityPropose,
  authorityRotateKey,
  authorityUnbond,
  EVIDENCE_NONE,
  EVIDENCE_SLASH,
  FINALIZE,
  keyRotationSignBytes,
  makeEvidence,
  NOTARIZE,
  NULLIFY,
  ROTATION_STAKE,
  voteSignBytes,
  ZERO_HASH,
} from '@althing/base'
import type { AuthorityRules, Evidence, Hash, Vote, VoteKind } from '@althing/base'
import { AuthorityWorld, EXPIRES, keyOf, nameOf, signerOf } from './authority-world.ts'
import { hashAt, idOf } from './chain-world.ts'

const BLOCK_1 = hashAt(1_001)
const BLOCK_2 = hashAt(1_002)

/** Votes of one authority in the world's present epoch. */
class Voter {
  readonly #name: string
  readonly #signer: number
  readonly #epoch: number
  readonly #anchor: Hash

  constructor(world: AuthorityWorld, name: string) {
    const { epoch, anchor, set } = world.authorities
    assert.ok(anchor !== null, 'the epoch has its first block')
    this.#name = name
    this.#signer = set.findIndex(({ key }) => nameOf(key) === name)
    this.#epoch = epoch
    this.#anchor = anchor
  }

  vote(kind: VoteKind, hash: Hash, over: Partial<Vote> = {}): Vote {
    const fields = {
      kind,
      epoch: this.#epoch,
      anchor: this.#anchor,
      view: 7,
      hash,
      signer: this.#signer,
      ...over,
    }
    const { anchor, epoch, view } = fields
    const message = voteSignBytes(kind, anchor, epoch, view, fields.hash)
    return { ...fields, signature: signerOf(this.#name).sign(message), ...over }
  }
}

function begun(rules: Partial<AuthorityRules> = {}): AuthorityWorld {
  const world = new AuthorityWorld({ rules })
  world.pass(1)
  return world
}

const doubleOf = (world: AuthorityWorld, name: string): Evidence => {
  const voter = new Voter(world, name)
  return makeEvidence(voter.vote(NOTARIZE, BLOCK_1), voter.vote(NOTARIZE, BLOCK_2))
}

suite('double signatures', () => {
  const guilty: readonly [name: string, (voter: Voter) => [Vote, Vote]][] = [
    ['two notarize votes', (d) => [d.vote(NOTARIZE, BLOCK_1), d.vote(NOTARIZE, BLOCK_2)]],
    ['two finalize votes', (d) => [d.vote(FINALIZE, BLOCK_1), d.vote(FINALIZE, BLOCK_2)]],
    ['nullify and finalize', (d) => [d.vote(NULLIFY, ZERO_HASH), d.vote(FINALIZE, BLOCK_1)]],
  ]
  for (const [name, votes] of guilty) {
    test(`${name}: who signed them leaves, and never comes back with that key`, () => {
      const world = begun()
      const [first, second] = votes(new Voter(world, 'd'))
      assert.equal(world.free('a', authorityEvidence({ first, second })), 'ok')
      assert.deepEqual(world.authorities.members[3]?.offence, { epoch: 0, view: 7, height: 2 })
      assert.equal(world.endEpoch(), 'a b c')
      assert.equal(world.height, 4, 'as soon as the least length allows')
      const again = authorityPropose({
        change: { kind: 'add', key: keyOf('d'), weight: 1 },
        expires: EXPIRES,
      })
      assert.equal(world.free('a', again), 'KEY_BARRED')
    })
  }

  const framed: readonly [name: string, (voter: Voter, other: Voter) => [Vote, Vote], code: string][] = [
    [
      'a forged signature',
      (d, c) => [d.vote(NOTARIZE, BLOCK_1), { ...c.vote(NOTARIZE, BLOCK_2), signer: 3 }],
      'VOTE_SIGNATURE',
    ],
    [
      'a vote for a block whose hash was changed',
      (d) => [d.vote(NOTARIZE, BLOCK_1), { ...d.vote(NOTARIZE, BLOCK_1), hash: BLOCK_2 }],
      'VOTE_SIGNATURE',
    ],
    [
      'notarize, then nullify',
      (d) => [d.vote(NOTARIZE, BLOCK_1), d.vote(NULLIFY, ZERO_HASH)],
      'EVIDENCE_LEGAL',
    ],
    [
      'finalize for another block than notarize',
      (d) => [d.vote(NOTARIZE, BLOCK_1), d.vote(FINALIZE, BLOCK_2)],
      'EVIDENCE_LEGAL',
    ],
    ['the same vote twice', (d) => [d.vote(NOTARIZE, BLOCK_1), d.vote(NOTARIZE, BLOCK_1)], 'EVIDENCE_LEGAL'],
    [
      'votes of two views',
      (d) => [d.vote(NOTARIZE, BLOCK_1), d.vote(NOTARIZE, BLOCK_2, { view: 8 })],
      'EVIDENCE_LEGAL',
    ],
    [
      'votes of two authorities',
      (d, c) => [d.vote(NOTARIZE, BLOCK_1), c.vote(NOTARIZE, BLOCK_2)],
      'EVIDENCE_LEGAL',
    ],
    [
      "votes on another chain's anchor",
      (d) => {
        const anchor = hashAt(77)
        return [d.vote(NOTARIZE, BLOCK_1, { anchor }), d.vote(NOTARIZE, BLOCK_2, { anchor })]
      },
      'VOTE_EPOCH',
    ],
    [
      'votes of an epoch that has not come',
      (d) => [d.vote(NOTARIZE, BLOCK_1, { epoch: 1 }), d.vote(NOTARIZE, BLOCK_2, { epoch: 1 })],
      'EVIDENCE_EPOCH',
    ],
    [
      'an authority that does not exist',
      (d) => [d.vote(NOTARIZE, BLOCK_1, { signer: 4 }), d.vote(NOTARIZE, BLOCK_2, { signer: 4 })],
      'VOTE_SIGNER',
    ],
    [
      'an unknown kind of vote',
      (d) => [d.vote(NOTARIZE, BLOCK_1, { kind: 9 }), d.vote(NOTARIZE, BLOCK_2, { kind: 9 })],
      'VOTE_KIND',
    ],
    ['a nullify vote with a hash', (d) => [d.vote(NULLIFY, BLOCK_1), d.vote(FINALIZE, BLOCK_2)], 'VOTE_HASH'],
  ]
  for (const [name, votes, code] of framed) {
    test(`${name} frames nobody: ${code}`, () => {
      const world = begun()
      const [first, second] = votes(new Voter(world, 'd'), new Voter(world, 'c'))
      assert.equal(world.free('a', authorityEvidence({ first, second })), code)
      assert.ok(world.authorities.members.every(({ offence }) => offence === null))
    })
  }

  test('are told once, by members for free and by others for a fee', () => {
    const world = new AuthorityWorld({ balances: { x: 10n } })
    world.pass(1)
    const evidence = authorityEvidence(doubleOf(world, 'd'))
    assert.equal(world.free('x', evidence), 'FEE_TOO_LOW')
    assert.equal(world.outcome('x', [evidence]), 'ok')
    assert.equal(world.free('a', evidence), 'EVIDENCE_KNOWN')
  })

  test('of a past epoch count as long as it is remembered', () => {
    const rules = { epochBlocksMin: 1, epochBlocksMax: 2, accountabilityEpochs: 2 }
    for (const [blocks, code] of [
      [4, 'ok'],
      [6, 'EVIDENCE_EPOCH'],
    ] as const) {
      const world = begun(rules)
      const evidence = authorityEvidence(doubleOf(world, 'd'))
      world.pass(blocks)
      assert.equal(world.free('a', evidence), code)
    }
  })

  test('are not escaped by a new key', () => {
    const world = begun()
    const evidence = authorityEvidence(doubleOf(world, 'd'))
    const message = keyRotationSignBytes(world.genesisHash, idOf('d'), keyOf('d2'), 0)
    const possession = signerOf('d2').sign(message)
    assert.equal(world.free('d', authorityRotateKey({ newKey: keyOf('d2'), possession })), 'ok')
    assert.equal(world.endEpoch(), 'a b c d2')
    assert.equal(world.free('a', evidence), 'ok')
    assert.equal(world.endEpoch(), 'a b c')
  })

  test('of more than may leave at once: the others leave at the next boundaries', () => {
    const world = begun()
    for (const name of ['d', 'c']) {
      assert.equal(world.free('a', authorityEvidence(doubleOf(world, name))), 'ok')
    }
    assert.equal(world.endEpoch(), 'a b c')
    assert.equal(world.endEpoch(), 'a b')
    assert.equal(world.height, 8)
  })

  test('of the last authority change nothing: a set is never empty', () => {
    const world = new AuthorityWorld({ authorityNames: ['a'] })
    world.pass(1)
    assert.equal(world.free('a', authorityEvidence(doubleOf(world, 'a'))), 'ok')
    assert.equal(world.endEpoch(), 'a')
    assert.equal(world.height, 20)
  })

  test('under policy none are recorded, and nobody leaves', () => {
    const world = begun({ evidence: EVIDENCE_NONE })
    assert.equal(world.free('a', authorityEvidence(doubleOf(world, 'd'))), 'ok')
    assert.equal(world.authorities.members[3]?.offence?.height, 2)
    assert.equal(world.endEpoch(), 'a b c d')
    assert.equal(world.height, 20)
  })

  test('are paid for with what was unbonded since, too', () => {
    const world = new AuthorityWorld({
      balances: { d: 1n },
      authorityNames: [
        ['a', 100],
        ['b', 100],
        ['c', 100],
        ['d', 100],
      ],
      rules: {
        evidence: EVIDENCE_SLASH,
        slashPercent: 10,
        rotation: ROTATION_STAKE,
        setMin: 1,
        setMax: 4,
        bondMin: 20n,
        weightUnit: 1n,
      },
    })
    world.pass(1)
    assert.equal(world.outcome('d', [authorityUnbond({ amount: 80n })]), 'ok')
    assert.equal(world.free('a', authorityEvidence(doubleOf(world, 'd'))), 'ok')
    const { members, unbondings } = world.authorities
    assert.deepEqual([members[3]?.bond, unbondings.map(({ amount }) => amount)], [18n, [72n]])
  })

  for (const [where, feeSink, got] of [
    ['burned', ZERO_HASH, 0n],
    ['paid to the fee sink', idOf('sink'), 51n],
  ] as const) {
    test(`under policy slash cost a part of the bond, rounded up: ${where}`, () => {
      const world = new AuthorityWorld({
        feeSink,
        authorityNames: [
          ['a', 101],
          ['b', 101],
          ['c', 101],
          ['d', 101],
        ],
        rules: {
          evidence: EVIDENCE_SLASH,
          slashPercent: 50,
          rotation: ROTATION_STAKE,
          setMin: 1,
          setMax: 4,
          bondMin: 40n,
          weightUnit: 1n,
        },
      })
      world.pass(1)
      assert.equal(world.free('a', authorityEvidence(doubleOf(world, 'd'))), 'ok')
      assert.equal(world.authorities.members[3]?.bond, 50n)
      assert.equal(world.balance('sink'), got)
      assert.equal(world.endEpoch(), 'a:101 b:101 c:101', 'with a bond that is large enough still')
    })
  }
})
