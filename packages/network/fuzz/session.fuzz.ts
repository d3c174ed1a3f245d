/**
 * What a peer sends: frames, control messages, a whole session. None of it may throw, or make the node hold more than its bounds.
 * @module
 */
import assert from 'node:assert/strict'
import { parseAddress, parsePeerAddress } from '../src/protocol/address.ts'
import * as control from '../src/protocol/control.ts'
import type { Hello } from '../src/protocol/hello.ts'
import { kindTable } from '../src/protocol/kinds.ts'
import { perLane } from '../src/protocol/lane.ts'
import { Session } from '../src/protocol/session.ts'
import { peerTraffic, pulled } from '../src/testing/traffic.ts'
import { zstd } from '../src/zstd.ts'

const hello: Hello = {
  versions: { min: 1, max: 2 },
  networkId: 'net',
  genesisHash: new Uint8Array(32),
  status: { height: 3, finalizedHeight: 2, lowestHeight: 1 },
  nodeType: 'authority',
  addresses: ['/ip4/1.2.3.4/tcp/9000'],
  features: ['f'],
  credential: Uint8Array.of(0xcc),
}
const kinds = kindTable({
  vote: { id: 1, lane: 'critical', maxBytes: 100 },
  range: { id: 2, lane: 'high', maxBytes: 100_000 },
})
const config = {
  kinds,
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

/** What a peer says that behaves: the handshake, a message, a request, a ping, goodbye. */
function conversation(): Uint8Array {
  const [a, b] = [new Session(config, hello, peerTraffic(), 0), new Session(config, hello, peerTraffic(), 0)]
  const said: number[] = []
  const exchange = (nowMs: number): void => {
    for (;;) {
      const [fromA, fromB] = [pulled(a, nowMs), pulled(b, nowMs)]
      if (fromA === null && fromB === null) return
      if (fromA !== null) {
        said.push(...fromA)
        if (b.receive(fromA, nowMs).some(({ kind }) => kind === 'judgeHello')) b.accept(nowMs)
      }
      if (fromB !== null && a.receive(fromB, nowMs).some(({ kind }) => kind === 'judgeHello')) a.accept(nowMs)
    }
  }
  exchange(0)
  a.send(kinds.byName.get('vote')!, new Uint8Array(50), 1)
  a.send(kinds.byName.get('range')!, new Uint8Array(5_000), 1)
  a.request(kinds.byName.get('range')!, new Uint8Array(10), 'high', 5_000, 1)
  a.sendStatus(hello.status)
  exchange(1)
  a.tick(5_001)
  exchange(5_001)
  a.close({ code: 'requested', message: 'bye' }, 5_002)
  exchange(5_002)
  return Uint8Array.from(said)
}

function roundTrips<T>(
  encode: (value: T) => Uint8Array,
  decode: (bytes: Uint8Array) => { ok: boolean },
  seed: T,
) {
  return {
    seeds: () => [encode(seed)],
    run(bytes: Uint8Array): void {
      const decoded = decode(bytes) as { ok: true; value: T } | { ok: false }
      if (decoded.ok) assert.deepEqual(encode(decoded.value), bytes)
    },
  }
}

const text = new TextEncoder()

export const targets = {
  session: {
    seeds: () => [conversation()],
    bytesMax: 16_384,
    run(bytes: Uint8Array): void {
      const session = new Session(config, hello, peerTraffic(), 0)
      let open = 0
      // In two pieces, since the stream may be cut anywhere.
      const middle = bytes.length >> 1
      for (const piece of [bytes.subarray(0, middle), bytes.subarray(middle)]) {
        for (const effect of session.receive(piece, 1)) {
          if (effect.kind === 'judgeHello') session.accept(1)
          if (effect.kind === 'deliverRequest') open++
          if (effect.kind === 'deliverMessage') assert.ok(effect.body.length <= effect.of.maxBytes)
        }
      }
      assert.ok(open <= config.requestsMax, `${open} requests of the peer are open`)
      while (session.pull(2) !== null);
      session.tick(20_000)
    },
  },
  hello: roundTrips(control.encodeHello, control.decodeHello, hello),
  status: roundTrips(control.encodeStatus, control.decodeStatus, hello.status),
  errorAnswer: roundTrips(control.encodeError, control.decodeError, { code: 'BUSY', message: 'm' }),
  address: {
    seeds: () =>
      ['/ip4/1.2.3.4/tcp/9000/p2p/12D3KooW', 'example.org:9000', '/dns4/a.b/tcp/1'].map((one) =>
        text.encode(one),
      ),
    bytesMax: 512,
    run(bytes: Uint8Array): void {
      const one = new TextDecoder().decode(bytes)
      parseAddress(one)
      parsePeerAddress(one)
    },
  },
}
