import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import {
  AMOUNT_MAX,
  concatBytes,
  decodeAccountsOperation,
  decodeKvOperation,
  kvDelete,
  kvGrant,
  KvPut,
  kvPut,
  kvRevoke,
  OperationError,
  transfer,
  utf8ToBytes,
} from '../src/index.ts'

const account = new Uint8Array(32).fill(9)
const key = fc.uint8Array({ minLength: 1, maxLength: 256 })

suite('operations', () => {
  test('what a builder makes its decoder reads', () => {
    fc.assert(
      fc.property(
        key,
        fc.uint8Array({ maxLength: 1000 }),
        fc.bigInt(1n, AMOUNT_MAX),
        (key, value, amount) => {
          assert.deepEqual(decodeKvOperation(kvPut({ key, value }).body), {
            ok: true,
            value: { kind: 'put', key, value },
          })
          assert.deepEqual(decodeKvOperation(kvDelete({ key }).body), {
            ok: true,
            value: { kind: 'delete', key },
          })
          assert.deepEqual(decodeKvOperation(kvGrant({ key, account }).body), {
            ok: true,
            value: { kind: 'grant', key, account },
          })
          assert.deepEqual(decodeKvOperation(kvRevoke({ key, account }).body), {
            ok: true,
            value: { kind: 'revoke', key, account },
          })
          assert.deepEqual(decodeAccountsOperation(transfer({ to: account, amount }).body), {
            ok: true,
            value: { kind: 'transfer', to: account, amount },
          })
        },
      ),
      { numRuns: 50 },
    )
  })

  const put = (key: Uint8Array, value: Uint8Array): Uint8Array =>
    concatBytes(Uint8Array.of(0), KvPut.serialize({ key, value }))
  const refused: readonly (readonly [string, Uint8Array, string])[] = [
    ['no bytes', new Uint8Array(0), 'OPERATION_MALFORMED'],
    ['an unknown operation', Uint8Array.of(200, 1, 2, 3), 'OPERATION_MALFORMED'],
    [
      'bytes after a grant of fixed size',
      concatBytes(Uint8Array.of(2), new Uint8Array(20)),
      'OPERATION_MALFORMED',
    ],
    ['an empty key', put(new Uint8Array(0), account), 'KEY_EMPTY'],
    ['a key of 257 bytes', put(new Uint8Array(257), account), 'KEY_TOO_LONG'],
    ['a value of 64 KiB and a byte', put(account, new Uint8Array(65_537)), 'VALUE_TOO_LARGE'],
  ]
  for (const [name, body, code] of refused) {
    test(`${name}: ${code}`, () => {
      const decoded = decodeKvOperation(body)
      assert.equal(decoded.ok ? 'accepted' : decoded.fault.code, code)
    })
  }

  test('the largest key and value are accepted', () => {
    const body = put(new Uint8Array(256), new Uint8Array(65_536))
    assert.ok(decodeKvOperation(body).ok)
  })

  test('a transfer with a byte more, or of nothing, is refused', () => {
    const body = transfer({ to: account, amount: 1n }).body
    const longer = decodeAccountsOperation(concatBytes(body, Uint8Array.of(0)))
    assert.equal(longer.ok ? 'accepted' : longer.fault.code, 'OPERATION_MALFORMED')
    const nothing = body.slice()
    nothing[33] = 0
    const decoded = decodeAccountsOperation(nothing)
    assert.equal(decoded.ok ? 'accepted' : decoded.fault.code, 'AMOUNT_INVALID')
  })

  test('decoders take any bytes without throwing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (body) => {
        decodeKvOperation(body)
        decodeAccountsOperation(body)
      }),
      { numRuns: 300 },
    )
  })

  const misuses: readonly (readonly [string, () => unknown, string])[] = [
    ['an empty key', () => kvPut({ key: utf8ToBytes(''), value: account }), 'KEY_EMPTY'],
    ['a long key', () => kvDelete({ key: new Uint8Array(257) }), 'KEY_TOO_LONG'],
    ['a large value', () => kvPut({ key: account, value: new Uint8Array(65_537) }), 'VALUE_TOO_LARGE'],
    ['a transfer of nothing', () => transfer({ to: account, amount: 0n }), 'AMOUNT_INVALID'],
    ['a transfer of too much', () => transfer({ to: account, amount: AMOUNT_MAX + 1n }), 'AMOUNT_INVALID'],
    [
      'an account id of 31 bytes',
      () => kvGrant({ key: account, account: new Uint8Array(31) }),
      'OPERATION_MALFORMED',
    ],
  ]
  for (const [name, build, code] of misuses) {
    test(`a builder refuses ${name}: ${code}`, () => {
      assert.throws(build, (error) => error instanceof OperationError && error.code === code)
    })
  }
})
