import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  decodeKvEntry,
  kvDelete,
  kvEntryKey,
  kvGrant,
  kvGrantsKey,
  kvPut,
  kvRevoke,
  MODULE_USER_MIN,
  ok,
  POLICY_OPEN,
  portableSigner,
  sha256,
  transfer,
  utf8ToBytes,
} from '@althing/base'
import type { TransactionBody } from '@althing/base'
import { BUILT_IN_MODULES } from '../src/index.ts'
import type { Module } from '../src/index.ts'
import { idOf, World } from './chain-world.ts'

const key = utf8ToBytes('k')
const put = (value: string) => kvPut({ key, value: utf8ToBytes(value) })
const pay = (to: string, amount: bigint) => transfer({ to: idOf(to), amount })

function world(options: ConstructorParameters<typeof World>[0] = {}): World {
  return new World({ balances: { a: 100n, b: 100n, c: 100n }, memberNames: ['a', 'b'], ...options })
}

const valueIn = (world: World): string | null => {
  const entry = decodeKvEntry(world.get(kvEntryKey(key)) ?? new Uint8Array(0))
  return entry.ok ? new TextDecoder().decode(entry.value.value) : null
}

suite('what a block may carry (PO-4)', () => {
  const rows: readonly (readonly [string, Partial<TransactionBody>, string])[] = [
    ['the next nonce, fee and height right', {}, 'ok'],
    ['a used nonce', { nonce: 0 }, 'NONCE_USED'],
    ['a nonce with a gap before it', { nonce: 2 }, 'NONCE_GAP'],
    ['a fee below the least', { fee: 0n }, 'FEE_TOO_LOW'],
    ['a fee above the balance', { fee: 1000n }, 'BALANCE_TOO_LOW'],
    ['valid until the height of the block', { validUntil: 2 }, 'ok'],
    ['valid until the height before', { validUntil: 1 }, 'EXPIRED'],
    ['another genesis', { genesis: new Uint8Array(32) }, 'WRONG_NETWORK'],
    ['an unknown version', { version: 2 }, 'VERSION_UNKNOWN'],
    ['no operation', { operations: [] }, 'OPERATIONS_MISSING'],
    ['an unknown module', { operations: [{ module: 99, body: key }] }, 'MODULE_UNKNOWN'],
    ['an operation that cannot be read', { operations: [{ module: 2, body: key }] }, 'OPERATION_MALFORMED'],
    ['a sender without an account', { sender: idOf('nobody'), nonce: 0 }, 'BALANCE_TOO_LOW'],
  ]
  for (const [name, over, expected] of rows) {
    test(`${name}: ${expected}`, () => {
      const chain = world()
      chain.assertOutcome('ok', 'a', put('first'))
      const before = chain.balance('a')
      assert.equal(chain.outcome('a', [put('second')], over), expected)
      assert.equal(chain.balance('a'), expected === 'ok' ? before - 1n : before)
    })
  }

  test('every fault of a block is also told before, except a gap: that may be filled yet', () => {
    for (const [name, over, expected] of rows) {
      const chain = world()
      chain.assertOutcome('ok', 'a', put('first'))
      const checked = chain.ledger.check(chain.state, chain.transaction('a', [put('second')], over), 2)
      assert.equal(checked.ok ? 'ok' : checked.fault.code, expected === 'NONCE_GAP' ? 'ok' : expected, name)
    }
  })
})

suite('fees and transfers', () => {
  test('the fee leaves the sender and reaches the sink', () => {
    const chain = world({ feeSink: idOf('sink') })
    assert.equal(chain.outcome('a', [pay('b', 10n)], { fee: 5n }), 'ok')
    assert.deepEqual([chain.balance('a'), chain.balance('b'), chain.balance('sink')], [85n, 110n, 5n])
  })

  test('without a sink the fee is burned', () => {
    const chain = world()
    chain.assertOutcome('ok', 'a', pay('b', 10n))
    assert.deepEqual([chain.balance('a'), chain.balance('b')], [89n, 110n])
  })

  test('the sink pays its own fee to itself', () => {
    const chain = world({ feeSink: idOf('a') })
    chain.assertOutcome('ok', 'a', pay('b', 10n))
    assert.equal(chain.balance('a'), 90n)
  })

  test('a transfer to oneself changes nothing but the fee', () => {
    const chain = world()
    chain.assertOutcome('ok', 'a', pay('a', 50n))
    assert.equal(chain.balance('a'), 99n)
  })

  test('a transfer above what the fee leaves fails, and the fee and nonce are taken', () => {
    const chain = world()
    chain.assertOutcome('receipt BALANCE_TOO_LOW', 'a', pay('b', 100n))
    assert.deepEqual([chain.balance('a'), chain.nonce('a'), chain.balance('b')], [99n, 1, 100n])
  })

  test('operations take effect all together or not at all', () => {
    const chain = world()
    chain.assertOutcome('receipt BALANCE_TOO_LOW', 'a', put('x'), pay('b', 40n), pay('b', 60n))
    assert.equal(valueIn(chain), null)
    assert.equal(chain.balance('b'), 100n)
    chain.assertOutcome('ok', 'a', put('x'), pay('b', 40n), pay('b', 10n))
    assert.equal(valueIn(chain), 'x')
    assert.equal(chain.balance('b'), 150n)
  })

  test('what a failed transaction began is undone before the next one of the same block', () => {
    const chain = world()
    const failing = chain.transaction('a', [put('x'), pay('b', 1000n)])
    const next = chain.transaction('b', [pay('a', 1n)])
    chain.block((batch) => [failing, next].forEach((transaction) => assert.ok(batch.apply(transaction).ok)))
    assert.equal(valueIn(chain), null)
  })

  test('a key of small order becomes no account (P22)', () => {
    const chain = world()
    const identity = new Uint8Array(32)
    identity[0] = 1
    chain.assertOutcome('receipt ACCOUNT_UNACCEPTABLE', 'a', transfer({ to: identity, amount: 1n }))
    chain.assertOutcome('ok', 'a', put('x'))
    chain.assertOutcome('receipt ACCOUNT_UNACCEPTABLE', 'a', kvGrant({ key, account: identity }))
    const free = world({ feeMin: 0n })
    assert.equal(
      free.outcome('a', [put('x')], { sender: identity, fee: 0n, nonce: 0 }),
      'ACCOUNT_UNACCEPTABLE',
    )
  })

  test('a new account spends what it got, in the same block', () => {
    const chain = world()
    const [first, second] = [
      chain.transaction('a', [pay('new', 20n)]),
      chain.transaction('new', [pay('b', 5n)]),
    ]
    chain.block((batch) => {
      assert.ok(batch.apply(first).ok)
      assert.deepEqual(batch.account(idOf('new')), { nonce: 0, balance: 20n })
      assert.ok(batch.apply(second).ok)
    })
    assert.equal(chain.balance('new'), 14n)
  })
})

suite('key-value entries (PO-12)', () => {
  test('who writes first owns: others cannot write, delete, grant or revoke', () => {
    const chain = world()
    chain.assertOutcome('ok', 'a', put('of a'))
    chain.assertOutcome('receipt NOT_OWNER', 'b', put('of b'))
    chain.assertOutcome('receipt NOT_OWNER', 'b', kvDelete({ key }))
    chain.assertOutcome('receipt NOT_OWNER', 'b', kvGrant({ key, account: idOf('b') }))
    chain.assertOutcome('receipt NOT_OWNER', 'b', kvRevoke({ key, account: idOf('b') }))
    assert.equal(valueIn(chain), 'of a')
  })

  test('an entry says who owns it and at which height it was written', () => {
    const chain = world()
    chain.assertOutcome('ok', 'a', put('1'))
    chain.assertOutcome('ok', 'a', put('2'))
    const entry = decodeKvEntry(chain.get(kvEntryKey(key))!)
    assert.deepEqual(entry, { ok: true, value: { owner: idOf('a'), height: 2, value: utf8ToBytes('2') } })
  })

  test('policy members: others write nothing; policy open: any account does', () => {
    world().assertOutcome('receipt NOT_MEMBER', 'c', put('of c'))
    world({ policy: POLICY_OPEN }).assertOutcome('ok', 'c', put('of c'))
  })

  test('a grant lets an account write the value and nothing else, until it is revoked', () => {
    const chain = world()
    chain.assertOutcome('ok', 'a', put('of a'), kvGrant({ key, account: idOf('b') }))
    chain.assertOutcome('ok', 'b', put('of b'))
    assert.equal(valueIn(chain), 'of b')
    chain.assertOutcome('receipt NOT_OWNER', 'b', kvDelete({ key }))
    chain.assertOutcome('receipt NOT_OWNER', 'b', kvGrant({ key, account: idOf('c') }))
    chain.assertOutcome('receipt GRANT_EXISTS', 'a', kvGrant({ key, account: idOf('b') }))
    chain.assertOutcome('ok', 'a', kvRevoke({ key, account: idOf('b') }))
    chain.assertOutcome('receipt NOT_OWNER', 'b', put('again'))
    chain.assertOutcome('receipt GRANT_UNKNOWN', 'a', kvRevoke({ key, account: idOf('b') }))
  })

  test('a grant does not make a member', () => {
    const chain = world()
    chain.assertOutcome('ok', 'a', put('of a'), kvGrant({ key, account: idOf('c') }))
    chain.assertOutcome('receipt NOT_MEMBER', 'c', put('of c'))
  })

  test('a deleted key is free, and its grants are gone', () => {
    const chain = world()
    chain.assertOutcome('ok', 'a', put('of a'), kvGrant({ key, account: idOf('b') }))
    chain.assertOutcome('ok', 'a', kvDelete({ key }))
    assert.equal(chain.get(kvGrantsKey(key)), null)
    chain.assertOutcome('receipt KEY_UNKNOWN', 'a', kvDelete({ key }))
    chain.assertOutcome('ok', 'b', put('of b'))
    chain.assertOutcome('receipt NOT_OWNER', 'a', put('of a again'))
  })

  test('a key has 64 grants at most', () => {
    const chain = world({ balances: { a: 1000n } })
    const grants = Array.from({ length: 65 }, (_, i) => {
      const account = portableSigner(sha256(Uint8Array.of(i))).publicKey
      return kvGrant({ key, account })
    })
    chain.assertOutcome('ok', 'a', put('x'), ...grants.slice(0, 63))
    chain.assertOutcome('ok', 'a', grants[63]!)
    chain.assertOutcome('receipt GRANTS_FULL', 'a', grants[64]!)
  })
})

suite('modules', () => {
  const stateKey = Uint8Array.of(0x80, 1)
  const counter: Module<number> = {
    id: MODULE_USER_MIN,
    name: 'counter',
    decode: (body) => ok(body.length),
    apply(step, { state }) {
      if (step === 0) return { code: 'STEP_ZERO', message: 'a step of 0; at least 1 expected' }
      state.put(stateKey, Uint8Array.of((state.get(stateKey)?.[0] ?? 0) + step))
      return null
    },
  }

  test('a registered module applies its operations, and fails as the built-in ones do', () => {
    const chain = world({ modules: [...BUILT_IN_MODULES, counter] })
    const count = (length: number) => ({ module: counter.id, body: new Uint8Array(length) })
    chain.assertOutcome('ok', 'a', count(2), count(3))
    chain.assertOutcome('receipt STEP_ZERO', 'a', count(1), count(0))
    assert.deepEqual(chain.get(stateKey), Uint8Array.of(5))
  })

  test('two modules with one id stop the start', () => {
    assert.throws(() => world({ modules: [counter, counter] }), /both have the id 1024/)
  })
})
