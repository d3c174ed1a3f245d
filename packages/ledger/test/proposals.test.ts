import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  assembleMultisig,
  authorityProposalId,
  authorityPropose,
  authorityRotateKey,
  authorityVote,
  decodeTransaction,
  keyRotationSignBytes,
  multisigAccountId,
  multisigPolicy,
  ROTATION_STAKE,
} from '@althing/base'
import type { AuthorityChange, Operation } from '@althing/base'
import fc from 'fast-check'
import { AuthorityWorld, EXPIRES, keyOf, nameOf, signerOf } from './authority-world.ts'
import { idOf } from './chain-world.ts'

const add = (name: string, weight = 1): AuthorityChange => ({ kind: 'add', key: keyOf(name), weight })
const remove = (name: string): AuthorityChange => ({ kind: 'remove', key: keyOf(name) })
const propose = (change: AuthorityChange, expires = EXPIRES): Operation =>
  authorityPropose({ change, expires })
const voteFor = (proposer: string, change: AuthorityChange, expires = EXPIRES): Operation =>
  authorityVote({ proposal: authorityProposalId(idOf(proposer), change, expires) })

const identity = new Uint8Array(32)
identity[0] = 1

suite('what authorities decide', () => {
  const changes: readonly [change: AuthorityChange, newcomer: string | null, set: string][] = [
    [add('e'), 'e', 'a b c d e'],
    [add('e', 3), 'e', 'a b c d e:3'],
    [remove('b'), null, 'a c d'],
    [{ kind: 'changeKey', key: keyOf('b'), newKey: keyOf('b2') }, 'b2', 'a b2 c d'],
    [{ kind: 'changeWeight', key: keyOf('b'), weight: 5 }, null, 'a b:5 c d'],
  ]
  for (const [change, newcomer, set] of changes) {
    test(`${change.kind}: holds from the next epoch on, ${set}`, () => {
      const world = new AuthorityWorld()
      world.decide('a c d', change)
      assert.equal(world.set, 'a b c d')
      if (newcomer !== null) assert.equal(world.heartbeat(newcomer), 'ok')
      world.pass(4 - world.height)
      assert.equal(world.set, set)
      assert.deepEqual(world.authorities.proposals, [])
    })
  }

  test('a quorum of the weight decides, and not of the heads', () => {
    const world = new AuthorityWorld({
      authorityNames: [
        ['a', 7],
        ['b', 1],
        ['c', 1],
        ['d', 1],
      ],
    })
    world.decide('b c d', remove('d'))
    assert.equal(world.authorities.proposals[0]?.weight, 3)
    assert.equal(world.authorities.quorumWeight, 7)
    assert.equal(world.authorities.proposals[0]?.approvedAt, null)
    assert.equal(world.free('a', voteFor('b', remove('d'))), 'ok')
    assert.equal(world.endEpoch(), 'a:7 b c')
  })

  test('one short of a quorum decides nothing, and it expires', () => {
    const world = new AuthorityWorld()
    world.decide('a b', remove('d'), 5)
    const [open] = world.authorities.proposals
    assert.deepEqual([open?.weight, open?.approvedAt, open?.voters.map(nameOf)], [2, null, ['a', 'b']])
    world.pass(2)
    assert.equal(world.height, 4)
    assert.equal(world.free('c', voteFor('a', remove('d'), 5)), 'ok', 'the last height counts')
    assert.equal(world.set, 'a b c')

    const late = new AuthorityWorld()
    late.decide('a b', remove('d'), 5)
    late.pass(3)
    assert.deepEqual(late.authorities.proposals, [])
    assert.equal(late.free('c', voteFor('a', remove('d'), 5)), 'PROPOSAL_UNKNOWN')
  })

  test('the order of the votes does not matter', () => {
    const results = new Set<string>()
    fc.assert(
      fc.property(
        fc.shuffledSubarray(['b', 'c', 'd'], { minLength: 3 }),
        fc.boolean(),
        (voters, isOneBlock) => {
          const world = new AuthorityWorld()
          assert.equal(world.free('a', propose(remove('d'))), 'ok')
          const vote = voteFor('a', remove('d'))
          if (isOneBlock) {
            world.block((batch) =>
              voters.map((voter) => batch.apply(world.transaction(voter, [vote], { fee: 0n }))),
            )
            world.pass(3)
          } else for (const voter of voters) world.free(voter, vote)
          results.add(world.set)
        },
      ),
      { numRuns: 20 },
    )
    assert.deepEqual([...results], ['a b c'])
  })

  test('votes of who left do not count in the next epoch; those who stayed are counted with the new quorum', () => {
    const world = new AuthorityWorld({ authorityNames: ['a', 'b', 'c', 'd', 'e'] })
    world.decide('c b e', remove('a'))
    world.decide('a b c d', remove('e'))
    assert.equal(world.height, 7)
    assert.equal(world.set, 'a b c d', 'the quorum of five is four')
    assert.equal(world.authorities.proposals[0]?.weight, 2)
    assert.equal(world.free('d', voteFor('c', remove('a'))), 'ok')
    assert.equal(world.endEpoch(), 'b c d')
  })

  test('with a smaller set, the votes that are there can be enough; what leavers proposed is gone', () => {
    const world = new AuthorityWorld({
      authorityNames: ['a', 'b', 'c', 'd', 'e'],
      rules: { epochBlocksMin: 9 },
    })
    world.decide('b c d', remove('a'))
    assert.equal(world.free('e', propose(remove('b'))), 'ok')
    world.decide('a b c d', remove('e'))
    assert.equal(world.authorities.proposals.length, 3)
    assert.equal(world.endEpoch(), 'a b c d')
    assert.deepEqual(
      world.authorities.proposals.map(({ proposer, approvedAt }) => [nameOf(proposer), approvedAt]),
      [['b', 9]],
    )
    assert.equal(world.endEpoch(), 'b c d')
  })

  test('with fewer to convince, votes that were too few can be enough', () => {
    const world = new AuthorityWorld({ authorityNames: ['a', 'b', 'c', 'd', ['e', 3]] })
    world.decide('a b c', remove('d'))
    world.decide('b a c e', { kind: 'changeWeight', key: keyOf('e'), weight: 1 })
    assert.equal(world.set, 'a b c d e')
    assert.equal(world.authorities.proposals[0]?.approvedAt, null)
    assert.equal(world.free('e', voteFor('a', remove('d'))), 'ok')
    assert.equal(world.endEpoch(), 'a b c e')
  })

  test('what does not fit into one boundary waits for the next, in the order of the proposals', () => {
    const world = new AuthorityWorld({ rules: { epochBlocksMin: 12 } })
    for (const [proposer, name] of [
      ['a', 'e'],
      ['b', 'f'],
    ] as const) {
      world.decide(`${proposer} c d`, add(name))
      assert.equal(world.heartbeat(name), 'ok')
    }
    assert.equal(world.endEpoch(), 'a b c d e')
    assert.equal(world.height, 12)
    assert.equal(world.endEpoch(), 'a b c d e f')
    assert.equal(world.height, 24)
  })

  test('an approved newcomer that gives no sign of life lapses at the first boundary after the expiry', () => {
    const world = new AuthorityWorld()
    world.decide('a b c', add('e'), 10)
    world.pass(16)
    assert.equal(world.authorities.proposals.length, 1)
    world.endEpoch()
    assert.equal(world.set, 'a b c d')
    assert.deepEqual(world.authorities.proposals, [])
    assert.equal(world.heartbeat('e'), 'NOT_CANDIDATE')
  })

  test('a sign of life that is too old does not count (R11)', () => {
    const world = new AuthorityWorld({ rules: { heartbeatBlocks: 8, epochBlocksMin: 15 } })
    world.decide('a b c', add('e'))
    assert.equal(world.heartbeat('e'), 'ok')
    assert.equal(world.heartbeat('e'), 'HEARTBEAT_TOO_SOON')
    assert.equal(world.authorities.candidates[0]?.staleAt, 12)
    world.pass(10)
    assert.equal(world.height, 15)
    assert.equal(world.set, 'a b c d')
    assert.equal(world.heartbeat('e'), 'ok')
    assert.equal(world.set, 'a b c d e')
  })
})

suite('what is refused, with its reason, and put into no block for free', () => {
  const rows: readonly [name: string, sender: string, operation: Operation, code: string][] = [
    ['a proposal of an outsider', 'x', propose(remove('a')), 'NOT_AUTHORITY'],
    ['the vote of an outsider', 'x', voteFor('a', remove('d')), 'NOT_AUTHORITY'],
    ['a vote for nothing', 'b', voteFor('b', remove('d')), 'PROPOSAL_UNKNOWN'],
    ['a vote for other terms', 'b', voteFor('a', remove('d'), EXPIRES + 1), 'PROPOSAL_UNKNOWN'],
    ['a vote twice', 'a', voteFor('a', remove('d')), 'VOTE_EXISTS'],
    ['a proposal right after the last', 'a', propose(remove('c')), 'PROPOSAL_TOO_SOON'],
    ['one that is over at once', 'b', propose(remove('d'), 2), 'PROPOSAL_EXPIRY'],
    ['adding who is there', 'b', propose(add('a')), 'CHANGE_IMPOSSIBLE'],
    ['removing who is not there', 'b', propose(remove('x')), 'CHANGE_IMPOSSIBLE'],
    [
      'a new weight of who is not there',
      'b',
      propose({ kind: 'changeWeight', key: keyOf('x'), weight: 2 }),
      'CHANGE_IMPOSSIBLE',
    ],
    [
      'a key that another has',
      'b',
      propose({ kind: 'changeKey', key: keyOf('c'), newKey: keyOf('a') }),
      'CHANGE_IMPOSSIBLE',
    ],
    [
      'a key of small order (P22)',
      'b',
      propose({ kind: 'add', key: identity, weight: 1 }),
      'KEY_UNACCEPTABLE',
    ],
    [
      'a change to a key of small order (P22)',
      'b',
      propose({ kind: 'changeKey', key: keyOf('c'), newKey: identity }),
      'KEY_UNACCEPTABLE',
    ],
    [
      'a version that skips one',
      'b',
      propose({ kind: 'activate', version: 3, height: 5_000 }),
      'CHANGE_IMPOSSIBLE',
    ],
    [
      'an activation before the end of the vote',
      'b',
      propose({ kind: 'activate', version: 2, height: EXPIRES }),
      'PROPOSAL_EXPIRY',
    ],
    ['the heartbeat of an authority', 'b', { module: 4, body: Uint8Array.of(2) }, 'NOT_CANDIDATE'],
    ['the heartbeat of an outsider', 'x', { module: 4, body: Uint8Array.of(2) }, 'NOT_CANDIDATE'],
  ]
  for (const [name, sender, operation, code] of rows) {
    test(`${name}: ${code}`, () => {
      const world = new AuthorityWorld({ balances: { x: 10n } })
      assert.equal(world.free('a', propose(remove('d'))), 'ok')
      assert.equal(world.free(sender, operation), code)
      assert.equal(world.nonce(sender), sender === 'a' ? 1 : 0, 'no block carried it')
    })
  }

  test('several keys together are no authority', () => {
    const policy = multisigPolicy(1, [idOf('a'), idOf('b')])
    assert.ok(policy.ok)
    const sender = multisigAccountId(policy.value)
    const world = new AuthorityWorld({ allocations: [{ account: sender, balance: 10n }] })
    const transaction = world.transaction('a', [voteFor('a', remove('d'))], { sender })
    const signed = assembleMultisig(transaction.body, policy.value, [
      { key: idOf('a'), signature: new Uint8Array(64) },
    ])
    const decoded = signed.ok ? decodeTransaction(signed.value) : signed
    assert.ok(decoded.ok)
    const result = world.block((batch) => batch.apply(decoded.value))
    assert.equal(result.ok && result.value.fault?.code, 'KEY_NEEDED')
  })

  test('with a fee a block carries it, and the receipt says why it had no effect', () => {
    const world = new AuthorityWorld({ balances: { x: 10n } })
    assert.equal(world.outcome('x', [propose(remove('a'))]), 'receipt NOT_AUTHORITY')
    assert.deepEqual([world.nonce('x'), world.balance('x')], [1, 9n])
  })

  test('free is one operation, and no transfer beside it', () => {
    const world = new AuthorityWorld()
    const two = [propose(remove('d')), { module: 4, body: Uint8Array.of(2) }]
    assert.equal(world.outcome('a', two, { fee: 0n }), 'FEE_TOO_LOW')
  })

  test('a new proposal takes the place of the open one, not of an approved one', () => {
    const world = new AuthorityWorld({ rules: { epochBlocksMin: 8 } })
    world.decide('a b', remove('d'))
    world.pass(6)
    assert.equal(world.free('a', propose(remove('c'))), 'ok')
    assert.equal(world.authorities.proposals.length, 1)
    for (const voter of ['b', 'd']) assert.equal(world.free(voter, voteFor('a', remove('c'))), 'ok')
    assert.equal(world.set, 'a b d')
  })

  test('where stake decides, nobody is voted in or out', () => {
    const world = new AuthorityWorld({
      rules: { rotation: ROTATION_STAKE, setMin: 1, setMax: 10, bondMin: 1n, weightUnit: 1n },
    })
    assert.equal(world.free('a', propose(remove('d'))), 'CHANGE_NOT_ALLOWED')
    assert.equal(world.free('a', propose({ kind: 'activate', version: 2, height: 5_000 })), 'ok')
  })
})

suite('an authority changes its own key without stopping', () => {
  function rotation(world: AuthorityWorld, from: string, to: string, signer = to): Operation {
    const message = keyRotationSignBytes(world.genesisHash, idOf(from), keyOf(to), world.nonce(from))
    return authorityRotateKey({ newKey: keyOf(to), possession: signerOf(signer).sign(message) })
  }

  test('the new key takes the seat at the next boundary; nobody votes', () => {
    const world = new AuthorityWorld()
    assert.equal(world.free('b', rotation(world, 'b', 'b2')), 'ok')
    assert.equal(world.set, 'a b c d', 'the old key signs to the end of the epoch')
    assert.equal(world.authorities.proposals[0]?.isOwn, true)
    assert.equal(world.endEpoch(), 'a b2 c d')
    assert.equal(world.height, 4)
  })

  test('only who has the new key can bring it', () => {
    const world = new AuthorityWorld()
    assert.equal(world.free('b', rotation(world, 'b', 'b2', 'c')), 'POSSESSION_INVALID')
    const replayed = rotation(world, 'b', 'b2')
    assert.equal(world.free('c', replayed), 'POSSESSION_INVALID', 'it is for one old key')
    assert.equal(world.free('x', rotation(world, 'x', 'b2')), 'NOT_AUTHORITY')
    assert.equal(world.free('b', rotation(world, 'b', 'c')), 'CHANGE_IMPOSSIBLE')
  })

  test('at most max(1, f) keys change at a boundary; missed turns go along', () => {
    const world = new AuthorityWorld()
    world.block(() => {}, 1)
    const missed = world.authorities.members.find(({ missedTotal }) => missedTotal === 1)!
    const name = nameOf(missed.key)
    assert.equal(world.free(name, rotation(world, name, 'new')), 'ok')
    const other = name === 'a' ? 'b' : 'a'
    assert.equal(world.free(other, rotation(world, other, 'other')), 'ok')
    world.endEpoch()
    const keys = world.authorities.set.map(({ key }) => nameOf(key))
    assert.ok(keys.includes('new') && !keys.includes('other'))
    assert.equal(world.authorities.members.find(({ key }) => nameOf(key) === 'new')?.missedTotal, 1)
    world.endEpoch()
    assert.ok(world.authorities.set.some(({ key }) => nameOf(key) === 'other'))
  })
})

suite('a new version of the protocol (Versions)', () => {
  const activate = (height: number): AuthorityChange => ({ kind: 'activate', version: 2, height })

  test('a quorum sets the height from which blocks have it', () => {
    const world = new AuthorityWorld()
    world.decide('a b c', activate(2_000))
    assert.deepEqual(world.authorities.protocol, { version: 1, next: { version: 2, height: 2_000 } })
    const versions = [1_999, 2_000, 9_999].map((height) => world.ledger.blockVersion(world.state, height))
    assert.deepEqual(versions, [1, 2, 2])
  })

  test('while it has not come it can be put off', () => {
    const world = new AuthorityWorld()
    world.decide('a b c', activate(2_000))
    world.decide('b a c', activate(3_000))
    assert.equal(world.ledger.blockVersion(world.state, 2_999), 1)
    assert.equal(world.ledger.blockVersion(world.state, 3_000), 2)
  })

  test('after it has come the next one follows', () => {
    const world = new AuthorityWorld()
    world.decide('a b c', activate(11), 10)
    world.pass(20)
    world.decide('a b c', { kind: 'activate', version: 3, height: 50 }, 40)
    assert.deepEqual(
      [30, 49, 50].map((height) => world.ledger.blockVersion(world.state, height)),
      [2, 2, 3],
    )
  })
})
