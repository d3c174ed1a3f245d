import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { bytesToHex, hexToBytes } from '@althing/base'
import * as control from '../../src/protocol/control.ts'
import type { Hello } from '../../src/protocol/hello.ts'

const HELLO: Hello = {
  versions: { min: 1, max: 2 },
  networkId: 'net',
  genesisHash: new Uint8Array(32).fill(0xaa),
  status: { height: 3, finalizedHeight: 2, lowestHeight: 1 },
  nodeType: 'authority',
  addresses: ['/memory/a'],
  features: ['f'],
  credential: Uint8Array.of(0xcc),
}

const GOLDEN = [
  {
    name: 'Hello',
    value: HELLO,
    encode: control.encodeHello,
    decode: control.decodeHello,
    hex: `010002004d000000${'aa'.repeat(32)}03000000000000000200000000000000010000000000000000500000005d000000620000006e6574040000002f6d656d6f72792f610400000066cc`,
  },
  {
    name: 'HelloRefused and Disconnect',
    value: { code: 'genesis-mismatch', message: 'no' } as const,
    encode: control.encodeReason,
    decode: control.decodeReason,
    hex: '0c050000006e6f',
  },
  {
    name: 'StatusUpdate',
    value: HELLO.status,
    encode: control.encodeStatus,
    decode: control.decodeStatus,
    hex: '030000000000000002000000000000000100000000000000',
  },
  {
    name: 'ErrorAnswer',
    value: { code: 'BUSY', message: 'm' },
    encode: control.encodeError,
    decode: control.decodeError,
    hex: '080000000c000000425553596d',
  },
]

describe('control messages', () => {
  for (const { name, value, encode, decode, hex } of GOLDEN) {
    test(`the bytes of ${name} do not change`, () => {
      assert.equal(bytesToHex((encode as (value: unknown) => Uint8Array)(value)), hex)
      assert.deepEqual(decode(hexToBytes(hex)!), { ok: true, value })
    })
  }

  test('the bytes of Ping and Pong do not change', () => {
    assert.equal(bytesToHex(control.encodePing(0x01020304)), '04030201')
    assert.deepEqual(control.decodePing(hexToBytes('04030201')!), { ok: true, value: { nonce: 0x01020304 } })
  })

  test('the numbers of the kinds do not change', () => {
    assert.deepEqual(control.CONTROL, {
      hello: 128,
      helloAccepted: 129,
      helloRefused: 130,
      disconnect: 131,
      ping: 132,
      pong: 133,
      statusUpdate: 136,
      cancel: 137,
      errorAnswer: 138,
      drained: 139,
      credit: 140,
    })
  })

  test('hostile bytes are a fault, never a throw', () => {
    const decoders = [
      ...GOLDEN.map(({ decode }) => decode as (bytes: Uint8Array) => { ok: boolean }),
      control.decodePing,
    ]
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        for (const decode of decoders) decode(bytes)
      }),
    )
  })

  test('a message with one byte changed is a fault or another message, and encodes to the same bytes', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const bytes = control.encodeHello(HELLO)
        bytes[at % bytes.length]! ^= change
        const decoded = control.decodeHello(bytes)
        if (decoded.ok) assert.deepEqual(control.encodeHello(decoded.value), bytes)
      }),
    )
  })

  const refused = [
    { what: 'a node type that does not exist', bytes: changed(control.encodeHello(HELLO), 64, 9) },
    { what: 'an empty range of versions', bytes: changed(control.encodeHello(HELLO), 0, 3) },
    { what: 'text that is not UTF-8', bytes: changed(control.encodeHello(HELLO), 77, 0xff) },
    { what: 'more than a hello may hold', bytes: new Uint8Array(17 * 1024) },
    { what: 'trailing bytes', bytes: Uint8Array.of(...control.encodeHello(HELLO), ...new Uint8Array(1100)) },
  ]
  for (const { what, bytes } of refused) {
    test(`a hello with ${what} is refused`, () => assert.equal(control.decodeHello(bytes).ok, false))
  }

  test('a long reason is cut at a character', () => {
    const decoded = control.decodeReason(
      control.encodeReason({ code: 'not-admitted', message: 'é'.repeat(200) }),
    )
    assert.deepEqual(decoded, { ok: true, value: { code: 'not-admitted', message: 'é'.repeat(128) } })
  })
})

function changed(bytes: Uint8Array, at: number, value: number): Uint8Array {
  bytes[at] = value
  return bytes
}
