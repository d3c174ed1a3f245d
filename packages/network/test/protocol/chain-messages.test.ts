import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { bytesToHex } from '@althing/base'
import type { Result } from '@althing/base'
import * as messages from '../../src/protocol/chain-messages.ts'

const block = { header: Uint8Array.of(0xaa), transactions: [Uint8Array.of(1, 2), Uint8Array.of()] }
const compact = {
  header: Uint8Array.of(0xaa),
  bodyHash: new Uint8Array(32).fill(0xbb),
  shortIds: ['abcdef', '\0\u00ff\u0080def'],
}

interface Row {
  readonly encoded: Uint8Array
  readonly decode: (bytes: Uint8Array) => Result<unknown>
  readonly value: unknown
  readonly golden: string
}

const status = { tip: { id: 'tip', height: 258 }, finalizedHeight: 2, lowestHeight: 1 }
const rows: Readonly<Record<string, Row>> = {
  status: {
    encoded: messages.encodeChainStatus(status),
    decode: messages.decodeChainStatus,
    value: status,
    golden: '1400000002000000000000000100000000000000' + '0c0000000201000000000000746970',
  },
  'block request': {
    encoded: messages.encodeBlockRequest('id'),
    decode: messages.decodeBlockRequest,
    value: 'id',
    golden: '040000006964',
  },
  'range request': {
    encoded: messages.encodeRangeRequest({ from: 258, count: 100 }),
    decode: messages.decodeRangeRequest,
    value: { from: 258, count: 100 },
    golden: '02010000000000006400',
  },
  locator: {
    encoded: messages.encodeLocator(['b', 'a']),
    decode: messages.decodeLocator,
    value: ['b', 'a'],
    golden: '0400000008000000090000006261',
  },
  block: {
    encoded: messages.encodeBlock(block),
    decode: messages.decodeBlock,
    value: block,
    golden: '0800000009000000aa080000000a0000000102',
  },
  blocks: {
    encoded: messages.encodeBlocks([block]),
    decode: messages.decodeBlocks,
    value: [block],
    golden: '04000000040000000800000009000000aa080000000a0000000102',
  },
  'parts request': {
    encoded: messages.encodePartsRequest({ id: 'id', indexes: [0, 258] }),
    decode: messages.decodePartsRequest,
    value: { id: 'id', indexes: [0, 258] },
    golden: '080000000a000000696400000201',
  },
  parts: {
    encoded: messages.encodeParts(block.transactions),
    decode: messages.decodeParts,
    value: block.transactions,
    golden: '04000000080000000a0000000102',
  },
  transactions: {
    encoded: messages.encodeTransactions(block.transactions),
    decode: messages.decodeTransactions,
    value: block.transactions,
    golden: '080000000a0000000102',
  },
  'compact block': {
    encoded: messages.encodeCompactBlock(compact),
    decode: messages.decodeCompactBlock,
    value: compact,
    golden: `28000000${'bb'.repeat(32)}29000000aa61626364656600ff80646566`,
  },
}

describe('messages of a chain', () => {
  for (const [name, { encoded, decode, value, golden }] of Object.entries(rows)) {
    test(`${name}: its bytes do not change, and are read back`, () => {
      assert.equal(bytesToHex(encoded), golden)
      assert.deepEqual(decode(encoded), { ok: true, value })
    })

    test(`${name}: anything else is a fault and no throw`, () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(), (noise, at) => {
          decode(noise)
          const changed = encoded.slice()
          for (const [i, byte] of noise.slice(0, 3).entries()) changed[(at + i) % changed.length] = byte
          decode(changed)
          decode(encoded.subarray(0, at % encoded.length))
        }),
      )
    })
  }

  const refused: readonly (readonly [string, Result<unknown>])[] = [
    ['a range of no blocks', messages.decodeRangeRequest(messages.encodeRangeRequest({ from: 1, count: 0 }))],
    [
      'a range of 101 blocks',
      messages.decodeRangeRequest(messages.encodeRangeRequest({ from: 1, count: 101 })),
    ],
    ['an empty id', messages.decodeBlockRequest(messages.encodeBlockRequest(''))],
    [
      'one part twice',
      messages.decodePartsRequest(messages.encodePartsRequest({ id: 'x', indexes: [3, 3] })),
    ],
  ]
  for (const [what, result] of refused) test(`${what} is refused`, () => assert.equal(result.ok, false))

  test('a block takes as many bytes as are counted for it', () => {
    const alone = messages.encodeBlocks([block]).length
    assert.equal(messages.encodeBlocks([block, block]).length - alone, messages.blockBytes(block))
  })

  test('transactions are cut into messages by size, and a large one travels alone', () => {
    const sizes = [3, 3, 3, 20, 1].map((length) => new Uint8Array(length))
    const cut = messages.transactionMessages(sizes, 8).map((body) => messages.decodeTransactions(body))
    assert.deepEqual(
      cut.map((part) => part.ok && part.value.map(({ length }) => length)),
      [[3, 3], [3], [20], [1]],
    )
    const many = Array.from({ length: messages.MESSAGE_TRANSACTIONS_MAX + 1 }, () => new Uint8Array(1))
    assert.equal(messages.transactionMessages(many, 1_000_000).length, 2)
  })
})
