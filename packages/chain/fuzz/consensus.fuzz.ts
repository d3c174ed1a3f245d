/**
 * What peers and the disk hand to the consensus core.
 * @module
 */
import assert from 'node:assert/strict'
import { FINALIZE, NOTARIZE, NULLIFY } from '@althing/base'
import { decodeMessage, encodeMessage } from '../src/consensus/message-codec.ts'
import { createVoteLog, encodeRecord, replayVoteLog } from '../src/consensus/vote-log.ts'
import { blockOn, certificateOf, genesis, hashOfBlock, proposalOf, voteOf } from '../test/consensus-solo.ts'

const block = blockOn(genesis.block, 1, {}, 'a transaction')
const hash = hashOfBlock(block)
const finalization = certificateOf(FINALIZE, 1, hash)
const vote = voteOf(2, NOTARIZE, 1, hash)
const identity = { genesis: new Uint8Array(32).fill(1), key: new Uint8Array(32).fill(2) }

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]))
}

const log = concat(
  createVoteLog(identity),
  encodeRecord({ kind: 'block', block }),
  encodeRecord({ kind: 'vote', vote }),
  encodeRecord({ kind: 'certificate', certificate: finalization }),
)

export const targets = {
  consensusMessage: {
    seeds: () =>
      [
        proposalOf(2, block, certificateOf(NOTARIZE, 1, hash), certificateOf(NULLIFY, 1)),
        { kind: 'vote', vote } as const,
        { kind: 'certificate', certificate: finalization } as const,
        { kind: 'status', status: { epoch: 1, view: 2, height: 258, observer: true } } as const,
        { kind: 'getCertificate', epoch: 1, view: 515 } as const,
        { kind: 'getBlock', hash } as const,
        { kind: 'block', block } as const,
        { kind: 'getChain', fromHeight: 7 } as const,
        {
          kind: 'chain',
          reply: { blocks: [block], path: [blockOn(block, 2).header], finalization },
        } as const,
      ].map((message) => encodeMessage(message)),
    run(bytes: Uint8Array): void {
      const decoded = decodeMessage(bytes)
      if (decoded.ok) assert.deepEqual(encodeMessage(decoded.value), bytes)
    },
  },
  /** A torn tail is cut off and never more; what is restored stands in the bytes. */
  voteLog: {
    seeds: () => [log, createVoteLog(identity)],
    run(bytes: Uint8Array): void {
      const replay = replayVoteLog(identity, [{ sequence: 1, bytes }])
      if (!replay.intact) return
      const [segment] = replay.log.segments
      assert.equal(segment!.bytes + replay.tornBytes, bytes.length)
      let written = bytes.length - replay.tornBytes
      for (const record of segment!.records) written -= encodeRecord(record).length
      assert.ok(written > 0, 'the header is before the records')
    },
  },
}
