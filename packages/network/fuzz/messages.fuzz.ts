/**
 * What the services of peers say to each other, and what is read back from the disk. What decodes encodes to the same bytes.
 * @module
 */
import assert from 'node:assert/strict'
import { portableSigner, sha256 } from '@althing/base'
import type { Result } from '@althing/base'
import * as chain from '../src/protocol/chain-messages.ts'
import { BlockAssembly, compactBlock, isWhole } from '../src/protocol/compact-block.ts'
import {
  decodePacket,
  encodePacket,
  openLetter,
  openReceipt,
  signLetter,
  signReceipt,
} from '../src/protocol/delivery-wire.ts'
import {
  decodeReport,
  encodeReports,
  decodeReports,
  reportHead,
  signReport,
} from '../src/protocol/link-report.ts'
import { decodeNotice, encodeNotice, gossipId, NOTICE_KINDS, noticeKindName } from '../src/protocol/notice.ts'
import type { Notice } from '../src/protocol/notice.ts'
import { peerIdOfKey } from '../src/protocol/peer-id.ts'
import { decodePeerRecord, signPeerRecord } from '../src/protocol/peer-record.ts'
import * as reach from '../src/protocol/reach-messages.ts'
import { decodeRecordFile, encodeRecordFile } from '../src/protocol/record-file.ts'
import type { StoredRecord } from '../src/protocol/record-file.ts'
import { decodeRecords, encodeRecords } from '../src/protocol/record-messages.ts'

const genesis = new Uint8Array(32).fill(1)
const signer = portableSigner(new Uint8Array(32).fill(2))
const peer = peerIdOfKey(signer.publicKey)
const other = peerIdOfKey(new Uint8Array(32).fill(3))
const id = '00112233445566778899aabbccddeeff'
const verify = (): boolean => true

function roundTrips<T>(
  encode: (value: T) => Uint8Array,
  decode: (bytes: Uint8Array) => Result<T>,
  ...values: T[]
) {
  return {
    seeds: () => values.map(encode),
    run(bytes: Uint8Array): void {
      const decoded = decode(bytes)
      if (decoded.ok) assert.deepEqual(encode(decoded.value), bytes)
    },
  }
}

const block: chain.Block = {
  header: Uint8Array.of(1, 2, 3),
  transactions: [Uint8Array.of(4), Uint8Array.of(5, 6)],
}
const compact = compactBlock(block, 'block', ['a', 'b'])
const { encoded: record } = signPeerRecord(
  {
    seq: 7,
    addresses: ['/ip4/1.2.3.4/tcp/9000'],
    nodeType: 'full',
    features: ['f'],
    sealKey: new Uint8Array(32),
  },
  genesis,
  signer,
)
const packet = {
  content: 'letter',
  id,
  attempt: 1,
  flood: false,
  hopsLeft: 4,
  from: peer,
  to: other,
  payload: Uint8Array.of(1),
} as const
const letter = { from: peer, to: other, id, sentMs: 1, expiresMs: 2, kindId: 3, body: Uint8Array.of(9) }
const receipt = { id, sender: peer, recipient: peer }
const report = signReport(
  {
    peer,
    seq: 5,
    nodeType: 'authority',
    software: 'test',
    protocolVersion: 1,
    links: [{ peer: other, latencyMs: 1.5, health: 'healthy' }],
  },
  genesis,
  signer,
)
const gossiped = gossipId(1, sha256(Uint8Array.of(1)))
const notices: readonly Notice[] = [
  { kind: 'announce', spreading: 'tree', ids: [gossiped] },
  { kind: 'announce', spreading: 'flood', ids: [gossiped, gossiped] },
  { kind: 'offer', offers: [{ id: gossiped, bytes: 5_000 }] },
  { kind: 'want', mode: 'graftAndSend', ids: [gossiped] },
  { kind: 'prune', ids: [gossiped] },
  { kind: 'gone', ids: [] },
]
const noticeNames = Object.keys(NOTICE_KINDS)

export const targets = {
  chainStatus: roundTrips(chain.encodeChainStatus, chain.decodeChainStatus, {
    tip: { id: 'tip', height: 5 },
    finalizedHeight: 4,
    lowestHeight: 1,
  }),
  blockRequest: roundTrips(chain.encodeBlockRequest, chain.decodeBlockRequest, 'block'),
  rangeRequest: roundTrips(chain.encodeRangeRequest, chain.decodeRangeRequest, { from: 3, count: 100 }),
  locator: roundTrips(chain.encodeLocator, chain.decodeLocator, ['c', 'b', 'a']),
  blocks: roundTrips<readonly chain.Block[]>(chain.encodeBlocks, chain.decodeBlocks, [block, block]),
  partsRequest: roundTrips(chain.encodePartsRequest, chain.decodePartsRequest, {
    id: 'block',
    indexes: [0, 3],
  }),
  parts: roundTrips<readonly Uint8Array[]>(chain.encodeParts, chain.decodeParts, block.transactions),
  transactions: roundTrips<readonly Uint8Array[]>(
    chain.encodeTransactions,
    chain.decodeTransactions,
    block.transactions,
  ),
  /** Whatever is announced, what is put together is what was announced. */
  compactBlock: {
    seeds: () => [chain.encodeCompactBlock(compact)],
    run(bytes: Uint8Array): void {
      const decoded = chain.decodeCompactBlock(bytes)
      if (!decoded.ok) return
      assert.deepEqual(chain.encodeCompactBlock(decoded.value), bytes)
      const assembly = new BlockAssembly(
        decoded.value,
        'block',
        ['a', 'b'],
        (known) => block.transactions[known === 'a' ? 0 : 1]!,
      )
      const whole = assembly.complete([])
      if (whole !== null) assert.ok(isWhole(decoded.value, whole))
    },
  },
  packet: roundTrips(encodePacket, decodePacket, packet),
  letter: {
    seeds: () => [
      signLetter(letter, genesis, signer),
      signReceipt({ ...receipt, outcome: 'delivered' }, genesis, signer),
    ],
    run(bytes: Uint8Array): void {
      const opened = openLetter(bytes, packet, genesis, verify)
      if (opened.ok)
        assert.deepEqual([opened.value.from, opened.value.to, opened.value.id], [peer, other, id])
      openReceipt(bytes, receipt, genesis, verify)
    },
  },
  linkReport: {
    seeds: () => [report],
    run(bytes: Uint8Array): void {
      const head = reportHead(bytes)
      const decoded = decodeReport(bytes)
      if (!decoded.ok) return
      const { report } = decoded.value
      assert.deepEqual(head, { peer: report.peer, seq: report.seq })
    },
  },
  linkReports: roundTrips<readonly Uint8Array[]>(encodeReports, decodeReports, [report, report]),
  gossipNotice: {
    seeds: () =>
      notices.map((notice) => {
        const name = noticeNames.indexOf(noticeKindName(notice))
        return Uint8Array.of(name, ...encodeNotice(notice))
      }),
    run(bytes: Uint8Array): void {
      const name = noticeNames[(bytes[0] ?? 0) % noticeNames.length]!
      const body = bytes.subarray(1)
      const decoded = decodeNotice(name, body)
      if (!decoded.ok) return
      assert.equal(noticeKindName(decoded.value), name)
      assert.deepEqual(encodeNotice(decoded.value), body)
    },
  },
  peerRecord: {
    seeds: () => [record],
    run(bytes: Uint8Array): void {
      const decoded = decodePeerRecord(bytes)
      if (decoded.ok) assert.equal(decoded.value.record.peer, peerIdOfKey(decoded.value.key))
    },
  },
  peerRecords: roundTrips<readonly Uint8Array[]>(encodeRecords, decodeRecords, [record]),
  peerFile: roundTrips<readonly StoredRecord[]>(encodeRecordFile, decodeRecordFile, [
    { encoded: record, lastSeenMs: 1, failures: 2 },
  ]),
  reachNotice: roundTrips(reach.encodeNotice, reach.decodeNotice, {
    isRelay: true,
    addresses: ['/ip4/1.2.3.4/tcp/1'],
  }),
  dialBackRequest: roundTrips(reach.encodeDialBackRequest, reach.decodeDialBackRequest, {
    doors: ['/tcp/1'],
  }),
  dialBackAnswer: roundTrips(reach.encodeDialBackAnswer, reach.decodeDialBackAnswer, {
    host: '/ip4/1.2.3.4',
    reached: ['/tcp/1'],
  }),
}
