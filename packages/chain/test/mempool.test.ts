import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { Mempool } from '../src/index.ts'
import type { AdmissionView, MempoolConfig } from '../src/index.ts'
import { label, received, stateOf, viewOf } from './toy-chain.ts'
import type { ToyState } from './toy-chain.ts'

const rich = { nonce: 0, balance: 1_000_000n }
const state = stateOf({ a: rich, b: rich, c: rich, d: rich })
const size = received('a').bytes.length

class Pool {
  readonly mempool: Mempool
  view: AdmissionView
  nowMs = 0

  constructor(config: Partial<MempoolConfig> = {}, start: ToyState = state) {
    this.mempool = new Mempool(config)
    this.view = viewOf(start)
  }

  /** @returns 'ok', the labels and codes of what had to go, or the code of the refusal. */
  add(sender: string, nonce: number, fee = 1, over: Parameters<typeof received>[1] = {}): string {
    const added = this.mempool.add(
      received(sender, { nonce, fee: BigInt(fee), ...over }),
      this.view,
      this.nowMs,
    )
    return added.ok ? ['ok', ...added.value.map(show)].join(' ') : added.fault.code
  }

  /** What is offered for a block on a state, in order. */
  offered(on: AdmissionView = this.view): string {
    const labels: string[] = []
    this.mempool.offer(on, (transaction) => {
      labels.push(label(transaction))
      return 'taken'
    })
    return labels.join(' ')
  }

  /** All that waits, in the order of arrival. */
  content(): string {
    return [...this.mempool.transactions()].map(label).join(' ')
  }
}

const show = ({
  transaction,
  fault,
}: {
  transaction: Parameters<typeof label>[0]
  fault: { code: string }
}): string => `${label(transaction)}:${fault.code}`

suite('order', () => {
  test('M1: a gap is held back, and released when it is filled', () => {
    const pool = new Pool()
    pool.add('a', 0)
    pool.add('a', 2)
    pool.add('a', 3)
    assert.equal(pool.offered(), 'a0')
    assert.equal(pool.mempool.executableCount, 1)
    pool.add('a', 1)
    assert.equal(pool.offered(), 'a0 a1 a2 a3')
    assert.equal(pool.mempool.executableCount, 4)
  })

  test('M2: the higher fee first across senders, never before an earlier nonce of its sender', () => {
    const pool = new Pool()
    pool.add('a', 0, 1)
    pool.add('a', 1, 9)
    pool.add('b', 0, 5)
    pool.add('c', 0, 3)
    assert.equal(pool.offered(), 'b0 c0 a0 a1')
  })

  test('M2: equal fees are all kept, the earlier arrival first', () => {
    const pool = new Pool()
    for (const sender of ['c', 'a', 'd', 'b']) assert.equal(pool.add(sender, 0, 7), 'ok')
    assert.equal(pool.offered(), 'c0 a0 d0 b0')
  })

  test('on a state that is further on, the transactions already in it are left out', () => {
    const pool = new Pool()
    for (const nonce of [0, 1, 2]) pool.add('a', nonce, 5)
    pool.add('b', 0, 1)
    assert.equal(pool.offered(viewOf(stateOf({ a: { nonce: 2, balance: 100n }, b: rich }), 1)), 'a2 b0')
    assert.equal(
      pool.offered(viewOf(stateOf({ a: { nonce: 3, balance: 100n }, b: { nonce: 1, balance: 1n } }), 1)),
      '',
    )
  })

  test('what that state cannot pay, or what is expired there, is left out', () => {
    const pool = new Pool()
    pool.add('a', 0, 5)
    pool.add('b', 0, 1, { validUntil: 3 })
    assert.equal(pool.offered(viewOf(stateOf({ a: { nonce: 0, balance: 4n }, b: rich }), 2)), 'b0')
    assert.equal(pool.offered(viewOf(state, 3)), 'a0')
  })

  test('when one is passed over, later ones of its sender are not offered', () => {
    const pool = new Pool()
    pool.add('a', 0, 9)
    pool.add('a', 1, 9)
    pool.add('b', 0, 1)
    const labels: string[] = []
    pool.mempool.offer(pool.view, (transaction) => {
      labels.push(label(transaction))
      return 'passedOver'
    })
    assert.deepEqual(labels, ['a0', 'b0'])
  })
})

suite('admission', () => {
  test('what the ledger refuses is refused with its code', () => {
    const pool = new Pool({}, stateOf({ a: { nonce: 1, balance: 10n } }))
    assert.equal(pool.add('a', 0), 'NONCE_USED')
    assert.equal(pool.add('a', 1, 0), 'FEE_TOO_LOW')
    assert.equal(pool.add('a', 1, 11), 'BALANCE_TOO_LOW')
    assert.equal(pool.add('a', 1, 1, { validUntil: 0 }), 'EXPIRED')
    assert.equal(pool.add('a', 1, 1, { genesis: new Uint8Array(32) }), 'WRONG_NETWORK')
    assert.equal(pool.content(), '')
  })

  test('the same transaction twice: DUPLICATE', () => {
    const pool = new Pool()
    pool.add('a', 0)
    assert.equal(pool.add('a', 0), 'DUPLICATE')
  })

  test('M3: the same nonce again needs a tenth more, and then replaces the first', () => {
    const pool = new Pool()
    pool.add('a', 0, 100)
    pool.add('a', 1, 1)
    assert.equal(pool.add('a', 0, 109), 'REPLACEMENT_FEE_TOO_LOW')
    assert.equal(pool.add('a', 0, 110), 'ok a0:REPLACED')
    assert.equal(pool.add('a', 0, 100, { bytes: 11 }), 'REPLACEMENT_FEE_TOO_LOW')
    assert.equal(pool.offered(), 'a0 a1')
    assert.equal(pool.mempool.count, 2)
  })

  test('M4: the fees that wait are within the balance', () => {
    const pool = new Pool({}, stateOf({ a: { nonce: 0, balance: 10n } }))
    assert.equal(pool.add('a', 0, 6), 'ok')
    assert.equal(pool.add('a', 1, 5), 'BALANCE_TOO_LOW')
    assert.equal(pool.add('a', 1, 4), 'ok')
    assert.equal(pool.add('a', 0, 7), 'BALANCE_TOO_LOW')
  })

  test('one sender has a cap, and no nonce may be further ahead than that', () => {
    const pool = new Pool({ senderCountMax: 3 })
    assert.equal(pool.add('a', 3), 'NONCE_GAP')
    for (const nonce of [0, 1, 2]) assert.equal(pool.add('a', nonce), 'ok')
    assert.equal(pool.add('a', 3), 'SENDER_FULL')
    assert.equal(pool.add('b', 0), 'ok')
  })

  test('nextNonce: after all that wait without a gap', () => {
    const pool = new Pool({}, stateOf({ a: { nonce: 4, balance: 100n } }))
    for (const nonce of [4, 5, 7]) pool.add('a', nonce)
    assert.equal(pool.mempool.nextNonce(received('a').transaction.body.sender, pool.view), 6)
    assert.equal(pool.mempool.nextNonce(received('b').transaction.body.sender, pool.view), 0)
  })
})

suite('a full pool (M5)', () => {
  const full = (): Pool => {
    const pool = new Pool({ countMax: 3, senderCountMax: 3 })
    pool.add('a', 0, 2)
    pool.add('b', 0, 5)
    pool.add('b', 1, 3)
    return pool
  }

  test('a fee that is not higher than the least is refused: MEMPOOL_FULL', () => {
    const pool = full()
    assert.equal(pool.add('c', 0, 2), 'MEMPOOL_FULL')
    assert.equal(pool.content(), 'a0 b0 b1')
  })

  test('a higher fee takes the place of the lowest last one, of equal ones the latest', () => {
    const pool = full()
    assert.equal(pool.add('c', 0, 3), 'ok a0:EVICTED')
    assert.equal(pool.add('d', 0, 4), 'ok c0:EVICTED')
    assert.equal(pool.offered(), 'b0 d0 b1')
  })

  test('held-back ones go first, whatever their fee; and they push out nothing that can be executed', () => {
    const pool = new Pool({ countMax: 3, senderCountMax: 3 })
    pool.add('a', 0, 2)
    pool.add('b', 0, 5)
    pool.add('b', 2, 9)
    assert.equal(pool.add('c', 1, 100), 'ok b2:EVICTED')
    assert.equal(pool.add('d', 1, 100), 'MEMPOOL_FULL')
    assert.equal(pool.add('d', 0, 1), 'ok c1:EVICTED')
    assert.equal(pool.add('d', 2, 1000), 'MEMPOOL_FULL')
  })

  test("a sender's own earlier transactions make no room for its later ones", () => {
    const pool = new Pool({ countMax: 2, senderCountMax: 2 })
    pool.add('a', 0, 1)
    pool.add('b', 0, 50)
    assert.equal(pool.add('a', 1, 10), 'MEMPOOL_FULL')
  })

  test('bytes count too', () => {
    const pool = new Pool({ bytesMax: 3 * size })
    for (const sender of ['a', 'b', 'c']) pool.add(sender, 0, sender === 'b' ? 1 : 2)
    assert.equal(pool.add('d', 0, 1), 'MEMPOOL_FULL')
    assert.equal(pool.add('d', 0, 9, { bytes: 11 }), 'ok b0:EVICTED c0:EVICTED')
    assert.equal(pool.mempool.bytes, 2 * size + 1)
  })
})

suite('what the chain takes without a fee (M6)', () => {
  test('goes before the highest fee, and has a place in a full pool', () => {
    const pool = new Pool({ countMax: 3, senderCountMax: 3 })
    pool.add('a', 0, 900)
    pool.add('b', 0, 800)
    pool.add('c', 0, 700)
    assert.equal(pool.add('z', 0, 0), 'ok c0:EVICTED')
    assert.equal(pool.offered(), 'z0 a0 b0')
    assert.equal(pool.add('c', 0, 999_999), 'ok b0:EVICTED', 'which no fee takes from it')
    assert.equal(pool.add('d', 0, 0), 'FEE_TOO_LOW')
  })

  test('is little of one sender', () => {
    const pool = new Pool()
    const added = Array.from({ length: 17 }, (_, nonce) => pool.add('z', nonce, 0))
    assert.deepEqual(added.slice(15), ['ok', 'SENDER_FULL'])
    assert.equal(pool.add('z', 16, 1), 'BALANCE_TOO_LOW')
  })
})

suite('what leaves', () => {
  test('after a block: its transactions, what they overtook, what is expired or cannot be paid any more', () => {
    const pool = new Pool()
    const included = received('a', { fee: 2n })
    pool.mempool.add(included, pool.view, 0)
    pool.add('a', 1)
    pool.add('b', 0, 5)
    pool.add('b', 1, 5)
    pool.add('c', 0, 1, { validUntil: 1 })
    pool.add('d', 0, 1, { validUntil: 2 })
    const overtaking = received('b', { fee: 9n, bytes: 20 })
    const next = stateOf({ a: { nonce: 1, balance: 10n }, b: { nonce: 1, balance: 4n }, c: rich, d: rich })
    pool.view = viewOf(next, 1)
    const removals = pool.mempool.committed([included, overtaking], pool.view).map(show)
    assert.deepEqual(removals, ['b0:NONCE_USED', 'b1:BALANCE_TOO_LOW', 'c0:EXPIRED'])
    assert.equal(pool.content(), 'a1 d0')
    assert.equal(pool.offered(), 'a1 d0')
    assert.equal(pool.mempool.executableCount, 2)
  })

  test('a block that another node made releases what was held back here', () => {
    const pool = new Pool()
    pool.add('a', 1)
    assert.equal(pool.offered(), '')
    pool.view = viewOf(stateOf({ a: { nonce: 1, balance: 10n } }), 1)
    pool.mempool.committed([received('a')], pool.view)
    assert.equal(pool.offered(), 'a1')
  })

  test('what waits for too long', () => {
    const pool = new Pool({ ttlMs: 1000 })
    pool.add('a', 0)
    pool.nowMs = 500
    pool.add('b', 0)
    assert.deepEqual(pool.mempool.expire(999).map(show), [])
    assert.deepEqual(pool.mempool.expire(1000).map(show), ['a0:WAITED_TOO_LONG'])
    assert.equal(pool.content(), 'b0')
  })

  test('a configuration that cannot be is refused at the start', () => {
    assert.throws(() => new Mempool({ countMax: 0 }), /mempool.countMax is 0; expected an integer from 1/)
    assert.throws(
      () => new Mempool({ countMax: 5, senderCountMax: 6 }),
      /senderCountMax 6 is above countMax 5/,
    )
  })
})

suite('properties', () => {
  const command = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constant('add' as const),
        sender: fc.constantFrom('a', 'b', 'c', 'd'),
        nonce: fc.nat(6),
        fee: fc.integer({ min: 1, max: 12 }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('block' as const), count: fc.nat(4) }) },
  )

  test('caps, counts and the order of offers hold whatever happens', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        const config = { countMax: 8, senderCountMax: 5, bytesMax: 7 * size }
        const accounts: Record<string, { nonce: number; balance: bigint }> = {
          a: rich,
          b: rich,
          c: rich,
          d: rich,
        }
        const pool = new Pool(config)
        let height = 0
        for (const command of commands) {
          if (command.kind === 'add') pool.add(command.sender, command.nonce, command.fee)
          else {
            const taken: ReturnType<typeof received>[] = []
            pool.mempool.offer(pool.view, (transaction) => {
              if (taken.length === command.count) return 'stop'
              taken.push(transaction)
              return 'taken'
            })
            for (const transaction of taken) {
              const name = label(transaction)[0]!
              const { nonce, balance } = accounts[name]!
              assert.equal(transaction.transaction.body.nonce, nonce, 'each nonce follows on')
              accounts[name] = { nonce: nonce + 1, balance: balance - transaction.transaction.body.fee }
            }
            height += 1
            pool.view = viewOf(stateOf(accounts), height)
            assert.deepEqual(pool.mempool.committed(taken, pool.view), [])
          }
          const waiting = [...pool.mempool.transactions()]
          assert.ok(waiting.length <= config.countMax)
          assert.equal(pool.mempool.count, waiting.length)
          assert.equal(
            pool.mempool.bytes,
            waiting.reduce((sum, { bytes }) => sum + bytes.length, 0),
          )
          assert.ok(pool.mempool.bytes <= config.bytesMax)
          const offered = pool.offered().split(' ').filter(Boolean)
          assert.equal(pool.mempool.executableCount, offered.length)
          assert.equal(new Set(offered).size, offered.length)
          for (const name of Object.keys(accounts)) {
            const nonces = offered.filter((each) => each[0] === name).map((each) => Number(each.slice(1)))
            assert.deepEqual(
              nonces,
              nonces.map((_, index) => accounts[name]!.nonce + index),
            )
          }
        }
      }),
      { numRuns: 200 },
    )
  })
})
