import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  AUTHORITY_RULES_DEFAULT,
  bytesToHex,
  decodeParameters,
  Genesis,
  memberKey,
  parametersKey,
  POLICY_OPEN,
} from '@althing/base'
import { genesisFromFile, genesisProblems, genesisToFile } from '../src/index.ts'
import type { GenesisFile } from '../src/index.ts'
import { genesisOf, idOf, World } from './chain-world.ts'

const genesis = genesisOf({
  balances: { a: 10n ** 18n },
  memberNames: ['a', 'b'],
  policy: POLICY_OPEN,
  feeSink: idOf('sink'),
})
const file: GenesisFile = genesisToFile(genesis)
const identity = '01'.padEnd(64, '0')
const stake = { rotation: 'stake', setMin: 1, setMax: 9, bondMin: '1000', weightUnit: '1000' } as const

suite('genesis.json', () => {
  test('what is written is read back as the same bytes, through JSON', () => {
    const read = genesisFromFile(JSON.parse(JSON.stringify(file)))
    assert.ok(read.ok)
    assert.deepEqual(Genesis.serialize(read.value), Genesis.serialize(genesis))
  })

  test('rules about authorities that are absent have their defaults', () => {
    for (const [authorityRules, expected] of [
      [undefined, AUTHORITY_RULES_DEFAULT],
      [{ heartbeatBlocks: 9 }, { ...AUTHORITY_RULES_DEFAULT, heartbeatBlocks: 9 }],
    ] as const) {
      const read = genesisFromFile({ ...file, authorityRules })
      assert.ok(read.ok)
      assert.deepEqual(read.value.authorityRules, expected)
    }
  })

  test('no fee sink is null', () => {
    const burning = genesisToFile(genesisOf({}))
    assert.equal(burning.feeSink, null)
    assert.ok(genesisFromFile(burning).ok)
  })

  const wrong: readonly (readonly [string, unknown, RegExp])[] = [
    ['not an object', [], /^the file: found \[\]; expected an object/],
    ['a text for a number', { ...file, intervalMs: '500' }, /^intervalMs: found "500"; expected an integer/],
    ['a number for an amount', { ...file, feeMin: 1 }, /^feeMin: found 1; expected digits in quotes/],
    ['a fraction', { ...file, blockBytesMax: 1.5 }, /^blockBytesMax: found 1.5; expected an integer/],
    ['an unknown policy', { ...file, policy: 'all' }, /^policy: found "all"; expected "members" or "open"/],
    [
      'a short key',
      { ...file, members: ['ab'] },
      /^members\[0\]: found "ab"; expected 64 hexadecimal digits/,
    ],
    [
      'a misspelt key',
      { ...file, memberz: [] },
      /^memberz: found \[\]; expected no such key; known: version/,
    ],
    ['a missing list', { ...file, authorities: undefined }, /^authorities: found nothing; expected a list/],
    ['no authority', { ...file, authorities: [] }, /^authorities: found 0 authorities; expected 1 to 256/],
    [
      'an authority of small order',
      { ...file, authorities: [{ key: identity, weight: 1 }] },
      /^authorities\[0\]\.key: found 0100.*small order/,
    ],
    [
      'an authority twice',
      { ...file, authorities: [...file.authorities, ...file.authorities] },
      /^authorities\[1\]\.key: found .* again; expected each key once/,
    ],
    [
      'a weight of 0',
      { ...file, authorities: [{ ...file.authorities[0], weight: 0 }] },
      /^authorities\[0\]\.weight/,
    ],
    ['a member of small order', { ...file, members: [identity] }, /^members\[0\]: .*small order/],
    ['a fee sink of small order', { ...file, feeSink: identity }, /^feeSink: /],
    [
      'more money than fits',
      {
        ...file,
        allocations: [
          { account: bytesToHex(idOf('a')), balance: '18446744073709551615' },
          { account: bytesToHex(idOf('b')), balance: '1' },
        ],
      },
      /^allocations: found balances of 18446744073709551616 together/,
    ],
    [
      'an idle interval below the interval',
      { ...file, idleIntervalMs: 1 },
      /^idleIntervalMs: found 1; expected at least/,
    ],
    ['blocks too small for a transaction', { ...file, blockBytesMax: 1000 }, /^blockBytesMax: found 1000/],
    [
      'blocks too large for a message',
      { ...file, blockBytesMax: 10_000_000 },
      /^blockBytesMax: found 10000000/,
    ],
    [
      'a longest epoch below the shortest',
      { ...file, authorityRules: { epochBlocksMin: 20, epochBlocksMax: 10 } },
      /^authorityRules.epochBlocksMax: found 10; expected at least epochBlocksMin, which is 20/,
    ],
    [
      'a slash where nobody has a bond',
      { ...file, authorityRules: { evidence: 'slash', slashPercent: 10 } },
      /^authorityRules.evidence: found "slash"; expected rotation "stake" with it/,
    ],
    [
      'a slash of nothing',
      { ...file, authorityRules: { ...stake, evidence: 'slash' } },
      /^authorityRules.slashPercent: found 0; expected 1 to 100/,
    ],
    [
      'a rule that its policy does not have',
      { ...file, authorityRules: { missedMax: 3 } },
      /^authorityRules.missedMax: found 3; expected 0 unless rotation is "performance"/,
    ],
    [
      'a bond that the first authorities do not reach',
      { ...file, authorityRules: { ...stake, bondMin: '1001' } },
      /^authorityRules.bondMin: found 1001; expected at most the bond of an authority of genesis, 1000/,
    ],
    [
      'weights beyond 2^53',
      { ...file, authorityRules: { ...stake, bondMin: '1', weightUnit: '1' } },
      /^authorityRules.weightUnit: found 1; expected at least 112/,
    ],
    [
      'a misspelt rule',
      { ...file, authorityRules: { epochBlocks: 3 } },
      /^authorityRules.epochBlocks: found 3; expected no such key; known: epochBlocksMin/,
    ],
    ['rules that are none', { ...file, authorityRules: 7 }, /^authorityRules: found 7; expected an object/],
    ['an empty network id', { ...file, networkId: '' }, /^networkId: found ""/],
    ['a network id with a space', { ...file, networkId: 'a b' }, /^networkId: found "a b"/],
  ]
  for (const [name, content, message] of wrong) {
    test(`${name}: refused, with path, found and expected`, () => {
      const read = genesisFromFile(content)
      assert.ok(!read.ok)
      assert.equal(read.fault.code, 'GENESIS_INVALID')
      assert.match(read.fault.message, message)
    })
  }

  test('all problems are told at once', () => {
    const read = genesisFromFile({ ...file, policy: 1, feeMin: 2, version: -1 })
    assert.deepEqual(read.ok ? [] : read.fault.problems.map(({ path }) => path), [
      'version',
      'policy',
      'feeMin',
    ])
  })
})

suite('genesis state', () => {
  test('holds parameters, allocations and members', () => {
    const world = new World({ balances: { a: 7n }, memberNames: ['b'], feeMin: 3n })
    assert.equal(world.balance('a'), 7n)
    assert.notEqual(world.get(memberKey(idOf('b'))), null)
    assert.equal(world.get(memberKey(idOf('a'))), null)
    const parameters = decodeParameters(world.get(parametersKey)!)
    assert.equal(parameters.ok && parameters.value.feeMin, 3n)
  })

  test('a genesis without problems has none, and one with problems makes no state', () => {
    assert.deepEqual(genesisProblems(genesis), [])
    assert.throws(() => new World({ authorities: [] }), /authorities: found 0/)
  })
})
