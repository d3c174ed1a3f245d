import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { concatBytes, equalBytes, FINALIZE, NOTARIZE, NULLIFY, utf8ToBytes } from '@althing/base'
import { createVoteLog, replayVoteLog } from '../src/consensus/index.ts'
import type { VoteLogRecord } from '../src/consensus/index.ts'
import { crc32 } from '../src/consensus/crc32.ts'
import { encodeRecord, encodeSegmentStart, encodeSynced } from '../src/consensus/vote-log.ts'
import { blockOn, certificateOf, genesis, hashOfBlock, signers, voteOf } from './consensus-solo.ts'

const identity = { genesis: genesis.hash, key: signers[0]!.publicKey }
const block = blockOn(genesis.block, 1, {}, 'a transaction')
const records: VoteLogRecord[] = [
  { kind: 'block', block },
  { kind: 'vote', vote: voteOf(0, NOTARIZE, 1, hashOfBlock(block)) },
  { kind: 'certificate', certificate: certificateOf(FINALIZE, 1, hashOfBlock(block)) },
  { kind: 'vote', vote: voteOf(0, NULLIFY, 2) },
  { kind: 'halt', reason: 'a reason', proof: [certificateOf(FINALIZE, 1, hashOfBlock(block))] },
]
const encoded = records.map(encodeRecord)
const start = createVoteLog(identity)
const whole = concatBytes(start, ...encoded)

/** Where the sector after that of `offset` begins. */
function nextSector(offset: number): number {
  return offset - (offset % 512) + 512
}

/** How many records are complete in the first `length` bytes. */
function completeRecords(length: number): number {
  let end = start.length
  let count = 0
  for (const record of encoded) {
    end += record.length
    if (end > length) break
    count += 1
  }
  return count
}

describe('the vote log', () => {
  it('checks with the CRC-32 of gzip', () => {
    assert.equal(crc32(utf8ToBytes('123456789')), 0xcbf43926)
  })

  it('gives back what was appended', () => {
    const replay = replayVoteLog(identity, [{ sequence: 1, bytes: whole }])
    assert.ok(replay.intact)
    assert.equal(replay.tornBytes, 0)
    assert.deepEqual(replay.log.segments[0]!.records.map(encodeRecord), encoded)
  })

  it('torn at any byte, or with zeros where bytes were not written, keeps every complete record (R12)', () => {
    for (let length = start.length; length <= whole.length; length++) {
      for (const zeros of [0, 1, 600]) {
        const bytes = concatBytes(whole.subarray(0, length), new Uint8Array(zeros))
        const replay = replayVoteLog(identity, [{ sequence: 1, bytes }])
        assert.ok(replay.intact, `torn at ${length}`)
        const [segment] = replay.log.segments
        assert.equal(segment!.records.length, completeRecords(length), `torn at ${length}`)
        assert.equal(segment!.bytes + replay.tornBytes, bytes.length)
      }
    }
  })

  it('keeps what comes before the sectors that a crash lost, whatever comes after them (R12)', () => {
    let durable = start.length
    for (const record of encoded) {
      for (let lost = durable; nextSector(lost) < whole.length; lost = nextSector(lost)) {
        const bytes = whole.slice()
        bytes.fill(0, lost, nextSector(lost))
        if (equalBytes(bytes, whole)) continue
        const replay = replayVoteLog(identity, [{ sequence: 1, bytes }])
        assert.ok(replay.intact, `zeros from ${lost}`)
        assert.equal(replay.log.segments[0]!.records.length, completeRecords(lost), `zeros from ${lost}`)
      }
      durable += record.length
    }
  })

  it('with a lost sector before what was fsynced is not intact (R12)', () => {
    const bytes = concatBytes(whole, encodeSynced(whole.length), encoded[1]!)
    assert.ok(replayVoteLog(identity, [{ sequence: 1, bytes }]).intact)
    bytes.fill(0, 512, 1024)
    assert.ok(!replayVoteLog(identity, [{ sequence: 1, bytes }]).intact)
  })

  it('without a complete header is not intact', () => {
    for (let length = 0; length < start.length; length++) {
      assert.ok(!replayVoteLog(identity, [{ sequence: 1, bytes: whole.subarray(0, length) }]).intact)
    }
    assert.deepEqual(replayVoteLog(identity, []), {
      intact: false,
      reason: 'there is no vote log',
      nextSequence: 1,
    })
  })

  it('with any bit of a complete record flipped is not intact, and says where', () => {
    for (let offset = 0; offset < whole.length; offset++) {
      const bytes = whole.slice()
      bytes[offset]! ^= 1 << (offset % 8)
      const replay = replayVoteLog(identity, [{ sequence: 1, bytes }])
      assert.ok(!replay.intact, `byte ${offset}`)
      assert.match(replay.reason, /segment 1 of the vote log/)
    }
  })

  describe('of several segments', () => {
    const next = concatBytes(encodeSegmentStart(identity, 2, { epoch: 0, view: 2 }, null), encoded[3]!)

    it('is read in order', () => {
      const replay = replayVoteLog(identity, [
        { sequence: 2, bytes: next },
        { sequence: 1, bytes: whole },
      ])
      assert.ok(replay.intact)
      assert.deepEqual(
        replay.log.segments.map(({ records: { length } }) => length),
        [5, 1],
      )
    })

    it('knows the highest view that it forgot', () => {
      const replay = replayVoteLog(identity, [{ sequence: 2, bytes: next }])
      assert.ok(replay.intact)
      assert.deepEqual(replay.log.forgotten, { epoch: 0, view: 2 })
    })

    it('drops a last segment whose start is torn', () => {
      const replay = replayVoteLog(identity, [
        { sequence: 1, bytes: whole },
        { sequence: 2, bytes: next.subarray(0, 30) },
      ])
      assert.ok(replay.intact)
      assert.equal(replay.log.segments.length, 1)
      assert.equal(replay.tornBytes, 30)
    })

    const broken: [name: string, segments: { sequence: number; bytes: Uint8Array }[], reason: RegExp][] = [
      [
        'one torn before the last',
        [
          { sequence: 1, bytes: whole.subarray(0, whole.length - 1) },
          { sequence: 2, bytes: next },
        ],
        /segment 1 .* ends within a record/,
      ],
      [
        'a gap',
        [
          { sequence: 1, bytes: whole },
          { sequence: 3, bytes: encodeSegmentStart(identity, 3, { epoch: 0, view: 2 }, null) },
        ],
        /segment 2 of the vote log is missing/,
      ],
      ['a file under another name', [{ sequence: 4, bytes: next }], /says that it is segment 2/],
    ]
    for (const [name, segments, reason] of broken) {
      it(`with ${name} is not intact`, () => {
        const replay = replayVoteLog(identity, segments)
        assert.ok(!replay.intact)
        assert.match(replay.reason, reason)
        assert.equal(replay.nextSequence, segments.at(-1)!.sequence + 1)
      })
    }
  })

  it('of another chain or key is not intact', () => {
    const segments = [{ sequence: 1, bytes: whole }]
    const other = new Uint8Array(32).fill(9)
    for (const [change, reason] of [
      [{ genesis: other }, /another chain/],
      [{ key: other }, /another key/],
    ] as const) {
      const replay = replayVoteLog({ ...identity, ...change }, segments)
      assert.ok(!replay.intact)
      assert.match(replay.reason, reason)
    }
  })

  it('made after a loss carries the marker and its reason (R12)', () => {
    const rejoin = { nonce: new Uint8Array(32).fill(3), reason: 'segment 4 is damaged' }
    const replay = replayVoteLog(identity, [{ sequence: 5, bytes: createVoteLog(identity, rejoin, 5) }])
    assert.ok(replay.intact)
    assert.equal(replay.log.rejoin!.reason, rejoin.reason)
  })
})
