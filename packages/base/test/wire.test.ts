/**
 * Golden bytes of every wire object: changing them is a decision record. And what holds for all of them: they round
 * trip, and hostile bytes are refused as values, never thrown.
 */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Type } from '@chainsafe/ssz'
import fc from 'fast-check'
import {
  Account,
  accountKey,
  AUTHORITY_RULES_DEFAULT,
  Authority,
  AuthoritySet,
  Block,
  bytesToHex,
  Certificate,
  Genesis,
  genesisHeader,
  hashOf,
  Header,
  headerHash,
  isHeaderOfGenesis,
  kvDelete,
  KvEntry,
  kvEntryKey,
  kvGrant,
  KvGrants,
  kvGrantsKey,
  kvPut,
  kvRevoke,
  Member,
  memberKey,
  Operation,
  Parameters,
  parametersKey,
  portableSigner,
  Proposal,
  signTransaction,
  Transaction,
  TransactionBody,
  transactionId,
  transactionSignBytes,
  transactionsRoot,
  transfer,
  utf8ToBytes,
  Vote,
  voteSignBytes,
} from '../src/index.ts'
import { decode } from '../src/schema/types.ts'

const filled = (byte: number, length = 32): Uint8Array => new Uint8Array(length).fill(byte)
const text = utf8ToBytes

const operation = kvPut({ key: text('k'), value: text('v') })
const body: TransactionBody = {
  version: 1,
  genesis: filled(0x11),
  sender: filled(0x22),
  nonce: 3,
  validUntil: 4,
  fee: 5n,
  operations: [operation, transfer({ to: filled(0x33), amount: 6n })],
}
const transaction: Transaction = { body, witness: filled(0x44, 65) }
const header: Header = {
  version: 1,
  epoch: 2,
  height: 3,
  parent: filled(0x11),
  view: 4,
  proposer: 5,
  timestamp: 6,
  txRoot: filled(0x22),
  stateRoot: filled(0x33),
  nextSet: filled(0x44),
}
const authority: Authority = { key: filled(0x55), weight: 7 }
const block: Block = { header, transactions: [text('one'), text('two')], nextSet: [authority] }
const vote: Vote = {
  kind: 0,
  epoch: 1,
  anchor: filled(0x66),
  view: 2,
  hash: filled(0x77),
  signer: 3,
  signature: filled(0x88, 64),
}
const certificate: Certificate = {
  kind: 2,
  epoch: 1,
  view: 2,
  hash: filled(0x77),
  bitmap: Uint8Array.of(0b101),
  signatures: [filled(0x88, 64), filled(0x99, 64)],
}
const proposal: Proposal = {
  epoch: 1,
  view: 2,
  block,
  parentCertificate: [certificate],
  nullCertificates: [],
  signature: filled(0xaa, 64),
}
const genesis: Genesis = {
  version: 1,
  networkId: text('golden'),
  timestamp: 1,
  authorities: [authority],
  allocations: [{ account: filled(0x22), balance: 8n }],
  members: [filled(0x22)],
  policy: 1,
  feeSink: filled(0),
  feeMin: 9n,
  intervalMs: 500,
  idleIntervalMs: 30_000,
  blockBytesMax: 1_048_576,
  authorityRules: AUTHORITY_RULES_DEFAULT,
}

interface Golden {
  readonly name: string
  readonly type: Type<unknown>
  readonly value: unknown
  /** As `show` says it. */
  readonly bytes: string
}

function row<T>(name: string, type: Type<T>, value: T, bytes: string): Golden {
  return { name, type, value, bytes }
}

const golden: readonly Golden[] = [
  row('Operation', Operation, operation, '0200060000000008000000090000006b76'),
  row(
    'TransactionBody',
    TransactionBody,
    body,
    '166 sha256:a9863a52384b32b470e9281ac7bfe0dcd22c2038b76975237474cb3594809343',
  ),
  row(
    'Transaction',
    Transaction,
    transaction,
    '239 sha256:0d8e7334e768929d012ad856c4e5e347632820f1b253b907475ea104ff7a74ff',
  ),
  row(
    'Header',
    Header,
    header,
    '164 sha256:ea6f77f20c5c3117248c2a8dd2b8dc90da9533ba61bc3a780ab9d603687b9000',
  ),
  row(
    'Authority',
    Authority,
    authority,
    '55555555555555555555555555555555555555555555555555555555555555550700000000000000',
  ),
  row(
    'AuthoritySet',
    AuthoritySet,
    [authority, authority],
    '80 sha256:e3ce6f8f7f33b51db9ddd8dfa008be241429378649a76aa83a812cdb6513c927',
  ),
  row('Block', Block, block, '226 sha256:e6cc83a36ae702d2ad47d77980b1c07f69a7ce21055c7ec42b2a27452f7a603a'),
  row(
    'Genesis',
    Genesis,
    genesis,
    '240 sha256:7cd4c5a1627df759cdd872f6cf99950c2fc499627ce45b248ddb6dbc47389528',
  ),
  row('Vote', Vote, vote, '147 sha256:6c2c54f314eed72b41b839e10c9cb49178f1b078ec5281e16ba7f6384c2c8dcb'),
  row(
    'Certificate',
    Certificate,
    certificate,
    '186 sha256:f14fc80222cf449593ff68e7dd897c798d5b2d26109be4988bf46b1e5e917ef6',
  ),
  row(
    'Proposal',
    Proposal,
    proposal,
    '508 sha256:821eeade2d1f730fc1328a38fe81687d2e95095d72d7c9f217ba0907499c4ea7',
  ),
  row(
    'Parameters',
    Parameters,
    { version: 1, policy: 1, feeSink: filled(0), feeMin: 9n },
    '01000100000000000000000000000000000000000000000000000000000000000000000900000000000000',
  ),
  row('Account', Account, { nonce: 1, balance: 2n }, '01000000000000000200000000000000'),
  row(
    'KvEntry',
    KvEntry,
    { owner: filled(0x22), height: 3, value: text('v') },
    '222222222222222222222222222222222222222222222222222222222222222203000000000000002c00000076',
  ),
  row(
    'KvGrants',
    KvGrants,
    [filled(0x22), filled(0x33)],
    '22222222222222222222222222222222222222222222222222222222222222223333333333333333333333333333333333333333333333333333333333333333',
  ),
  row('Member', Member, { since: 1 }, '0100000000000000'),
]

/** Hexadecimal digits; for more than 64 bytes their number and hash. */
const show = (bytes: Uint8Array): string =>
  bytes.length <= 64 ? bytesToHex(bytes) : `${bytes.length} sha256:${bytesToHex(hashOf(bytes))}`

suite('golden bytes', () => {
  for (const { name, type, value, bytes } of golden) {
    test(`${name}: encoded as ever, and read back`, () => {
      const encoded = type.serialize(value)
      assert.equal(show(encoded), bytes)
      assert.deepEqual(type.deserialize(encoded), value)
    })
  }

  const derived: readonly (readonly [string, Uint8Array, string])[] = [
    [
      'body of transfer',
      transfer({ to: filled(0x33), amount: 6n }).body,
      '0033333333333333333333333333333333333333333333333333333333333333330600000000000000',
    ],
    ['body of kv.put', operation.body, '0008000000090000006b76'],
    ['body of kv.delete', kvDelete({ key: text('k') }).body, '01040000006b'],
    [
      'body of kv.grant',
      kvGrant({ key: text('k'), account: filled(0x22) }).body,
      '022400000022222222222222222222222222222222222222222222222222222222222222226b',
    ],
    [
      'body of kv.revoke',
      kvRevoke({ key: text('k'), account: filled(0x22) }).body,
      '032400000022222222222222222222222222222222222222222222222222222222222222226b',
    ],
    ['state key of the parameters', parametersKey, '0000'],
    [
      'state key of an account',
      accountKey(filled(0x22)),
      '012222222222222222222222222222222222222222222222222222222222222222',
    ],
    ['state key of an entry', kvEntryKey(text('k')), '026b'],
    ['state key of grants', kvGrantsKey(text('k')), '036b'],
    [
      'state key of a member',
      memberKey(filled(0x22)),
      '042222222222222222222222222222222222222222222222222222222222222222',
    ],
    [
      'sign bytes of a transaction',
      transactionSignBytes(body, 'golden'),
      '186 sha256:882c8b0b71d85cbc62e2d71efa0f562abda4a83c5425de760b3fdf045b8ad7d1',
    ],
    [
      'sign bytes of a vote',
      voteSignBytes(1, filled(0x11), 2, 3, filled(0)),
      '96 sha256:d7811a637cc7a46ac1ba4310820193a37036a06a83a162963a64a987fc578210',
    ],
    [
      'signed transaction',
      signTransaction(body, 'golden', portableSigner(filled(1))),
      '239 sha256:e17fe7607530ca6e9c4747f56228f73e3cec0d043f43fa71d144dcd86c5d654b',
    ],
    [
      'transaction id',
      transactionId(Transaction.serialize(transaction)),
      '0d8e7334e768929d012ad856c4e5e347632820f1b253b907475ea104ff7a74ff',
    ],
    [
      'transactions root',
      transactionsRoot([filled(1), filled(2), filled(3)]),
      'bc4de64bbeac44ee43d2e564d1a21279ecfaeb54901b2cc5922703c760b23cec',
    ],
    ['header hash', headerHash(header), 'aa64e77277ce713550963a948abceb4ba4743f132518d304613636f41a158aaa'],
    [
      'hash of block 0',
      headerHash(genesisHeader(genesis, filled(0xbb))),
      '200722d1e8ca6a11d518f9af27358535ead0982737cf16aa2059ba64c3f7f263',
    ],
  ]
  for (const [name, bytes, expected] of derived) test(name, () => assert.equal(show(bytes), expected))

  test('block 0 is known by its genesis', () => {
    const first = genesisHeader(genesis, filled(0xbb))
    assert.ok(isHeaderOfGenesis(first, genesis))
    assert.equal(isHeaderOfGenesis(first, { ...genesis, networkId: text('other') }), false)
    assert.equal(isHeaderOfGenesis({ ...first, timestamp: 2 }, genesis), false)
  })
})

suite('hostile bytes', () => {
  for (const { name, type, value } of golden) {
    const encoded = type.serialize(value)

    test(`${name}: cut or longer, it is refused, unless that is the encoding of another value`, () => {
      for (let length = 0; length < encoded.length; length++) {
        const cut = decode(type, encoded.subarray(0, length), 1_000_000)
        if (cut.ok)
          assert.deepEqual(type.serialize(cut.value), encoded.subarray(0, length), `cut to ${length} bytes`)
      }
      const longer = new Uint8Array(encoded.length + 1)
      longer.set(encoded)
      const decoded = decode(type, longer, 1_000_000)
      if (decoded.ok) assert.deepEqual(type.serialize(decoded.value), longer)
    })

    test(`${name}: whatever the bytes, decoding returns; what it accepts encodes to the same bytes`, () => {
      const flips = fc.array(fc.tuple(fc.nat(encoded.length - 1), fc.nat(255)), {
        minLength: 1,
        maxLength: 4,
      })
      const mutated = flips.map((changes) => {
        const bytes = encoded.slice()
        for (const [index, byte] of changes) bytes[index] = byte
        return bytes
      })
      fc.assert(
        fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 300 })), (bytes) => {
          const decoded = decode(type, bytes, 1_000_000)
          if (decoded.ok) assert.deepEqual(type.serialize(decoded.value), bytes)
        }),
        { numRuns: 150 },
      )
    })
  }
})
