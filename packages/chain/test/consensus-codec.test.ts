import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { bytesToHex, FINALIZE, NOTARIZE, NULLIFY, sha256 } from '@althing/base'
import { decodeMessage, encodeMessage, MESSAGE_BYTES_MAX } from '../src/consensus/index.ts'
import type { ConsensusMessage } from '../src/consensus/index.ts'
import { blockOn, certificateOf, genesis, hashOfBlock, proposalOf, voteOf } from './consensus-solo.ts'

const block = blockOn(genesis.block, 1, {}, 'a transaction')
const hash = hashOfBlock(block)
const finalization = certificateOf(FINALIZE, 1, hash)

const golden: [message: ConsensusMessage, bytes: string][] = [
  [
    { kind: 'status', status: { epoch: 1, view: 2, height: 258, observer: true } },
    '0401000000000000000200000000000000020100000000000001',
  ],
  [{ kind: 'getCertificate', epoch: 1, view: 515 }, '0501000000000000000302000000000000'],
  [{ kind: 'getBlock', hash: new Uint8Array(32).fill(0xab) }, `06${'ab'.repeat(32)}`],
  [{ kind: 'getChain', fromHeight: 7 }, '080700000000000000'],
]

/** Larger ones, by the SHA-256 of their bytes. */
const goldenHashes: [message: ConsensusMessage, length: number, hash: string][] = [
  [
    proposalOf(2, block, certificateOf(NOTARIZE, 1, hash), certificateOf(NULLIFY, 1)),
    790,
    '4cde08f903acdc362fafdf9a6f74ad521fb09d001b00c55230c2817ef1fc3375',
  ],
  [
    { kind: 'vote', vote: voteOf(2, NOTARIZE, 1, hash) },
    148,
    '3de8b0aae7c7eaae4d10b840ac3ef93b4c39bcc3ef062c081741c6699b9df532',
  ],
  [
    { kind: 'certificate', certificate: finalization },
    251,
    'ec94b7265ca425cc45e9ef58eab6482c54ec2b9301f18275756bfe82425360ca',
  ],
  [{ kind: 'block', block }, 190, '1dda383c116afafd12935122bdb3b6c83294b76f9380f93eba4e9289c57c546f'],
  [
    { kind: 'chain', reply: { blocks: [block], path: [blockOn(block, 2).header], finalization } },
    620,
    '3a191d87fab1106f4e40ffd98f6751b3cc7a633bd9657f5693a45345fcd7ff37',
  ],
]

describe('the codec of consensus messages', () => {
  for (const [message, bytes] of golden) {
    it(`writes ${message.kind} as it always did`, () => {
      assert.equal(bytesToHex(encodeMessage(message)), bytes)
    })
  }
  for (const [message, length, digest] of goldenHashes) {
    it(`writes ${message.kind} as it always did`, () => {
      const bytes = encodeMessage(message)
      assert.equal(bytes.length, length)
      assert.equal(bytesToHex(sha256(bytes)), digest)
    })
  }

  const all = [...golden, ...goldenHashes].map(([message]) => message)
  for (const message of all) {
    it(`reads back ${message.kind}`, () => {
      const bytes = encodeMessage(message)
      const decoded = decodeMessage(bytes)
      assert.ok(decoded.ok)
      assert.equal(decoded.value.kind, message.kind)
      assert.deepEqual(encodeMessage(decoded.value), bytes)
    })
  }

  it('never throws, and what it accepts has one encoding', () => {
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc
        .tuple(
          fc.constantFrom(...all),
          fc.nat(),
          fc.integer({ min: 1, max: 255 }),
          fc.integer({ min: -40, max: 40 }),
        )
        .map(([message, at, flip, change]) => {
          const bytes = encodeMessage(message)
          bytes[at % bytes.length]! ^= flip
          return change < 0
            ? bytes.slice(0, change)
            : new Uint8Array([...bytes, ...Array.from({ length: change }, () => flip)])
        }),
    )
    fc.assert(
      fc.property(hostile, (bytes) => {
        const decoded = decodeMessage(bytes)
        if (decoded.ok) assert.deepEqual(encodeMessage(decoded.value), Uint8Array.from(bytes))
        else assert.ok(['MALFORMED', 'TOO_LARGE', 'MESSAGE_KIND'].includes(decoded.fault.code))
      }),
      { numRuns: 2_000 },
    )
  })

  it('looks at the size first', () => {
    const tooLarge = decodeMessage(new Uint8Array(MESSAGE_BYTES_MAX + 1).fill(7))
    assert.ok(!tooLarge.ok && tooLarge.fault.code === 'TOO_LARGE')
    const largeVote = decodeMessage(new Uint8Array(2_000).fill(2))
    assert.ok(!largeVote.ok && largeVote.fault.code === 'TOO_LARGE')
  })
})
