/** Golden bytes of what is said and kept about authorities: changing them is a decision record. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Type } from '@chainsafe/ssz'
import fc from 'fast-check'
import {
  AUTHORITY_RULES_DEFAULT,
  authorityBond,
  authorityEvidence,
  authorityHeartbeat,
  authorityKey,
  authorityProposalId,
  authorityPropose,
  AuthorityRecord,
  authorityRejoin,
  authorityRotateKey,
  AuthorityRules,
  authorityRulesKey,
  authorityUnbond,
  authorityVote,
  BondList,
  bondsKey,
  bytesToHex,
  currentEpochKey,
  decodeAuthorityOperation,
  encodeAuthorityChange,
  EpochRecord,
  hashOf,
  keyRotationSignBytes,
  OperationError,
  pastEpochKey,
  ProposalList,
  proposalsKey,
  ProposalVotes,
  proposalVotesKey,
  protocolKey,
  ProtocolRecord,
  UnbondingList,
  unbondingsKey,
} from '../src/index.ts'
import type { AuthorityChange, Evidence, Operation, Vote } from '../src/index.ts'
import { decode } from '../src/schema/types.ts'

const filled = (byte: number, length = 32): Uint8Array => new Uint8Array(length).fill(byte)
const show = (bytes: Uint8Array): string =>
  bytes.length <= 64 ? bytesToHex(bytes) : `${bytes.length} sha256:${bytesToHex(hashOf(bytes))}`

const vote: Vote = {
  kind: 0,
  epoch: 1,
  anchor: filled(0x66),
  view: 2,
  hash: filled(0x77),
  signer: 3,
  signature: filled(0x88, 64),
}
const evidence: Evidence = { first: vote, second: { ...vote, hash: filled(0x78) } }
const changes: readonly AuthorityChange[] = [
  { kind: 'add', key: filled(1), weight: 2 },
  { kind: 'remove', key: filled(1) },
  { kind: 'changeKey', key: filled(1), newKey: filled(2) },
  { kind: 'changeWeight', key: filled(1), weight: 3 },
  { kind: 'activate', version: 2, height: 9 },
]

suite('operations of authorities', () => {
  const goldenChanges = [
    '92 sha256:4cb8bcd8dcd3ccbf70d49c2a44c391b9c7b9bab0a0243df138bcdbb69c834a5d',
    '92 sha256:d6948431e3c96553e9f3184aa60eb04e7c1c84a6c0f5a1ce225202f1f7deee09',
    '92 sha256:5b5a3a58c7151cb702e258f7d68351f3c83e6e7a42cdf172e75f3c9543768aea',
    '92 sha256:b40beb7b8eb3d673f9bf2b2fdade01d40c6bfa291d691a0b25bfeb62e0f83bd6',
    '92 sha256:93f2712d9a07e3ae1a26ad6bcd76aee13fc51a876070df0db1f1bff091129af7',
  ]
  const operations: readonly (readonly [string, Operation, string])[] = [
    ...changes.map(
      (change, i) =>
        [`propose ${change.kind}`, authorityPropose({ change, expires: 7 }), goldenChanges[i]!] as const,
    ),
    [
      'vote',
      authorityVote({ proposal: filled(5) }),
      '010505050505050505050505050505050505050505050505050505050505050505',
    ],
    ['heartbeat', authorityHeartbeat(), '02'],
    [
      'rejoin',
      authorityRejoin({ nonce: filled(6) }),
      '030606060606060606060606060606060606060606060606060606060606060606',
    ],
    [
      'evidence',
      authorityEvidence(evidence),
      '295 sha256:148448d7d8607ecb814a6361cf55334919ba6a7acf21be8de57d400866e754a8',
    ],
    [
      'rotateKey',
      authorityRotateKey({ newKey: filled(7), possession: filled(8, 64) }),
      '97 sha256:7a771d56503ba3c04a1d06a055ecab6ca9daed795c4bcc1619700b1ace071a7f',
    ],
    ['bond', authorityBond({ amount: 9n }), '060900000000000000'],
    ['unbond', authorityUnbond({ amount: 9n }), '070900000000000000'],
  ]
  for (const [name, { module, body }, bytes] of operations) {
    test(`${name}: encoded as ever, read back, and cut or longer refused`, () => {
      assert.equal(show(body), bytes)
      assert.equal(module, 4)
      const read = decodeAuthorityOperation(body)
      assert.ok(read.ok && name.startsWith(read.value.kind))
      for (let length = 0; length < body.length; length++) {
        const cut = decodeAuthorityOperation(body.subarray(0, length))
        assert.equal(cut.ok ? 'ok' : cut.fault.code, 'OPERATION_MALFORMED', `${length} bytes`)
      }
      assert.ok(!decodeAuthorityOperation(new Uint8Array([...body, 0])).ok)
    })
  }

  test('a change is read back as what was proposed', () => {
    for (const change of changes) {
      const read = decodeAuthorityOperation(authorityPropose({ change, expires: 7 }).body)
      assert.deepEqual(read, { ok: true, value: { kind: 'propose', change, expires: 7 } })
    }
  })

  const wrong: readonly (readonly [string, AuthorityChange])[] = [
    ['a weight of 0', { kind: 'add', key: filled(1), weight: 0 }],
    ['no key', { kind: 'remove', key: filled(0) }],
    ['no new key', { kind: 'changeKey', key: filled(1), newKey: filled(0) }],
    ['a version of 0', { kind: 'activate', version: 0, height: 9 }],
    ['a height of 0', { kind: 'activate', version: 2, height: 0 }],
  ]
  for (const [name, change] of wrong) {
    test(`${name} is no proposal`, () =>
      assert.throws(() => authorityPropose({ change, expires: 7 }), OperationError))
  }

  test('a nonce of zero, an amount of 0 and an unknown operation are refused', () => {
    const codes = [
      authorityRejoin({ nonce: filled(0) }).body,
      authorityBond({ amount: 0n }).body,
      Uint8Array.of(8),
      new Uint8Array(),
    ].map((body) => {
      const read = decodeAuthorityOperation(body)
      return read.ok ? 'ok' : read.fault.code
    })
    assert.deepEqual(codes, [
      'OPERATION_MALFORMED',
      'AMOUNT_INVALID',
      'OPERATION_MALFORMED',
      'OPERATION_MALFORMED',
    ])
  })

  test('whatever the bytes, decoding returns', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(8), (bytes, operation) => {
        decodeAuthorityOperation(new Uint8Array([operation, ...bytes]))
      }),
    )
  })
})

suite('what the state says about authorities', () => {
  function row<T>(
    name: string,
    type: Type<T>,
    value: T,
    bytes: string,
  ): [string, Type<unknown>, unknown, string] {
    return [name, type, value, bytes]
  }
  const rows = [
    row(
      'AuthorityRules',
      AuthorityRules,
      AUTHORITY_RULES_DEFAULT,
      '08000000000400000001000010000100000000000000000000000000000000000000000000000000000000',
    ),
    row(
      'EpochRecord',
      EpochRecord,
      {
        epoch: 1,
        firstHeight: 2,
        anchor: filled(3),
        set: [{ key: filled(4), weight: 5 }],
        rejoinPending: true,
        removalPending: false,
      },
      '94 sha256:a494f975ad001c4aed931f15785fc13bcd59744138bd3af4dba5b027bb821ce9',
    ),
    row(
      'AuthorityRecord',
      AuthorityRecord,
      {
        heartbeatAt: 1,
        proposedAt: 2,
        rejoinedAt: 3,
        rejoinEpoch: 4,
        rejoinNonce: filled(5),
        missedTotal: 6,
        misses: [7, 8],
        offendedAt: 9,
        offenceEpoch: 10,
        offenceView: 11,
        successor: filled(12),
      },
      '148 sha256:0407812b405bd39f671a085dc69493e413abe68a0f21f8c229cc9c08ab76e79b',
    ),
    row(
      'ProposalList',
      ProposalList,
      [
        {
          id: filled(1),
          proposer: filled(2),
          change: encodeAuthorityChange(changes[0]!),
          proposedAt: 3,
          expires: 4,
          approvedAt: 5,
          isOwn: false,
        },
      ],
      '172 sha256:b87a77f6a8559e93e22fbd3e40a21cdc4e4d69c8e6e1c04ab5959c45045c1524',
    ),
    row(
      'ProposalVotes',
      ProposalVotes,
      [filled(1), filled(2)],
      '01010101010101010101010101010101010101010101010101010101010101010202020202020202020202020202020202020202020202020202020202020202',
    ),
    row(
      'ProtocolRecord',
      ProtocolRecord,
      { version: 1, nextVersion: 2, nextHeight: 3 },
      '010002000300000000000000',
    ),
    row(
      'BondList',
      BondList,
      [{ key: filled(1), amount: 2n }],
      '01010101010101010101010101010101010101010101010101010101010101010200000000000000',
    ),
    row(
      'UnbondingList',
      UnbondingList,
      [{ key: filled(1), amount: 2n, epoch: 3 }],
      '010101010101010101010101010101010101010101010101010101010101010102000000000000000300000000000000',
    ),
  ]
  for (const [name, type, value, bytes] of rows) {
    test(`${name}: encoded as ever, read back, hostile bytes refused as values`, () => {
      const encoded = type.serialize(value)
      assert.equal(show(encoded), bytes)
      assert.deepEqual(type.deserialize(encoded), value)
      fc.assert(
        fc.property(fc.nat(encoded.length - 1), fc.nat(255), (index, byte) => {
          const changed = encoded.slice()
          changed[index] = byte
          const decoded = decode(type, changed, 1_000_000)
          if (decoded.ok) assert.deepEqual(type.serialize(decoded.value), changed)
        }),
      )
    })
  }

  const derived: readonly (readonly [string, Uint8Array, string])[] = [
    ['state key of the epoch', currentEpochKey, '0001'],
    ['state key of the rules', authorityRulesKey, '0002'],
    ['state key of the proposals', proposalsKey, '0003'],
    ['state key of the protocol', protocolKey, '0004'],
    ['state key of the bonds', bondsKey, '0005'],
    ['state key of what is unbonded', unbondingsKey, '0006'],
    ['state key of a past epoch', pastEpochKey(258), '10000000000000000102'],
    ['state key of votes', proposalVotesKey(filled(1)), `1001${'01'.repeat(32)}`],
    ['state key of a key', authorityKey(filled(1)), `1002${'01'.repeat(32)}`],
    [
      'id of a proposal',
      authorityProposalId(filled(9), changes[0]!, 7),
      '8c1dd11374b81f62d2208b739c8bfe2633c868c326d7e28af6fed6cc95780396',
    ],
    [
      'sign bytes of a change of key',
      keyRotationSignBytes(filled(1), filled(2), filled(3), 4),
      '125 sha256:3e23410de9c80da633a84910d7dfa5223c5e2e5c28a70088123e5f2f2763ce24',
    ],
  ]
  for (const [name, bytes, expected] of derived) test(name, () => assert.equal(show(bytes), expected))
})
