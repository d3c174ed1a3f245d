import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { zstdCompressSync } from 'node:zlib'
import { utf8ToBytes } from '@althing/base'
import { Compression, COMPRESSION_FEATURE } from '../../src/protocol/compression.ts'
import type { Hello } from '../../src/protocol/hello.ts'
import { FRAME_HEADER_BYTES, writeFrame } from '../../src/protocol/frame.ts'
import { kindTable } from '../../src/protocol/kinds.ts'
import { perLane } from '../../src/protocol/lane.ts'
import { Session } from '../../src/protocol/session.ts'
import { peerTraffic, pulled } from '../../src/testing/traffic.ts'
import { zstd } from '../../src/zstd.ts'

const KINDS = kindTable({
  vote: { id: 1, lane: 'critical', maxBytes: 100_000 },
  range: { id: 2, lane: 'high', maxBytes: 100_000 },
  sealed: { id: 3, lane: 'high', maxBytes: 100_000, compress: false },
})
const [VOTE, RANGE, SEALED] = [...KINDS.byName.values()]
const TEXT = utf8ToBytes('the same again and again, '.repeat(2000))

const CONFIG = {
  kinds: KINDS,
  lanes: perLane(() => ({ messagesMax: 100, bytesMax: 1_000_000 })),
  messageTtlMs: 10_000,
  handshakeTimeoutMs: 1000,
  pingIntervalMs: 5000,
  peerTimeoutMs: 12_000,
  lingerMs: 100,
  requestsMax: 3,
  priorityEnforcement: true,
  codec: zstd,
}

function hello(features: readonly string[]): Hello {
  return {
    versions: { min: 1, max: 1 },
    networkId: 'net',
    genesisHash: new Uint8Array(32),
    status: { height: 1, finalizedHeight: 1, lowestHeight: 0 },
    nodeType: 'full',
    addresses: [],
    features,
    credential: new Uint8Array(0),
  }
}

/** Two sessions that are open. */
function pair(featuresOfB: readonly string[] = [COMPRESSION_FEATURE]): [Session, Session] {
  const a = new Session(CONFIG, hello([COMPRESSION_FEATURE]), peerTraffic(), 0)
  const b = new Session(CONFIG, hello(featuresOfB), peerTraffic(), 0)
  for (let i = 0; i < 2; i++) {
    const [fromA, fromB] = [pulled(a, 0)!, pulled(b, 0)!]
    for (const [session, bytes] of [
      [a, fromB],
      [b, fromA],
    ] as const) {
      for (const { kind } of session.receive(bytes, 0)) if (kind === 'judgeHello') session.accept(0)
    }
  }
  assert.deepEqual([a.state, b.state], ['open', 'open'])
  return [a, b]
}

describe('compression (PT-13)', () => {
  test('a long message takes less on the way and arrives as it was', () => {
    const [a, b] = pair()
    a.send(RANGE!, TEXT, 0)
    const piece = pulled(a, 0)!
    assert.ok(piece.length < TEXT.length / 10)
    assert.deepEqual(b.receive(piece, 0), [
      { kind: 'deliverMessage', of: RANGE, body: Buffer.from(TEXT), origin: 0 },
    ])
  })

  const plain = [
    { what: 'a peer that does not offer it', features: [], kind: RANGE!, body: TEXT },
    { what: 'the critical lane', features: [COMPRESSION_FEATURE], kind: VOTE!, body: TEXT },
    { what: 'a kind that is encrypted already', features: [COMPRESSION_FEATURE], kind: SEALED!, body: TEXT },
    {
      what: 'a short message',
      features: [COMPRESSION_FEATURE],
      kind: RANGE!,
      body: TEXT.subarray(0, 1000),
    },
    {
      what: 'bytes that would not become fewer',
      features: [COMPRESSION_FEATURE],
      kind: RANGE!,
      body: randomBytes(50_000),
    },
  ]
  for (const { what, features, kind, body } of plain) {
    test(`${what}: nothing is compressed`, () => {
      const [a] = pair(features)
      a.send(kind, body, 0)
      let bytes = 0
      for (let piece = pulled(a, 0); piece !== null; piece = pulled(a, 0)) bytes += piece.length
      assert.ok(bytes > body.length)
    })
  }

  test('a kind that never pays is tried less and less', () => {
    let tries = 0
    const counting = {
      ...zstd,
      compress: (body: Uint8Array) => {
        tries++
        return body
      },
    }
    const compression = new Compression(counting)
    for (let i = 0; i < 1000; i++) assert.equal(compression.compress(RANGE!, 'high', TEXT), null)
    assert.ok(tries < 40, `${tries} tries`)
  })

  const bad = [
    { what: 'a bomb', body: zstdCompressSync(new Uint8Array(10_000_000)), features: [COMPRESSION_FEATURE] },
    { what: 'what is no zstd', body: randomBytes(2000), features: [COMPRESSION_FEATURE] },
    {
      what: 'half of a message',
      body: zstdCompressSync(randomBytes(2000)).subarray(0, 900),
      features: [COMPRESSION_FEATURE],
    },
    { what: 'compression that was not agreed on', body: zstdCompressSync(TEXT), features: [] },
  ]
  for (const { what, body, features } of bad) {
    test(`${what} is a fault`, () => {
      const [, b] = pair(features)
      const frame = new Uint8Array(FRAME_HEADER_BYTES + body.length)
      const header = { kind: RANGE!.id, lane: 'high', role: 'message', more: false, requestId: 0 } as const
      writeFrame(frame, 0, { ...header, compressed: true }, body)
      const [effect] = b.receive(frame, 0)
      assert.equal(effect?.kind === 'ended' && effect.reason.code, 'protocol-fault')
    })
  }
})
