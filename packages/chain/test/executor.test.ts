import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  Block,
  hashToHex,
  hashOf,
  headerHash,
  transactionId,
  transactionsRoot,
  utf8ToBytes,
} from '@althing/base'
import type { BlockHash, Header } from '@althing/base'
import fc from 'fast-check'
import { BlockExecutor, Mempool } from '../src/index.ts'
import type { HeaderDraft } from '../src/index.ts'
import { encode, label, received, stateOf, ToyLedger } from './toy-chain.ts'
import type { ToyState } from './toy-chain.ts'

const ANCHOR: BlockHash = hashOf(utf8ToBytes('block 0'))
const ANCHOR_HEADER: Header = {
  ...draft(ANCHOR, 0),
  txRoot: ANCHOR,
  stateRoot: ANCHOR,
  nextSet: ANCHOR,
}
const rich = { nonce: 0, balance: 1_000n }
const start = stateOf({ a: rich, b: rich, c: rich })
const BLOCK_BYTES_MAX = 4096

/** One node's pool and executor. */
class Node {
  readonly mempool = new Mempool()
  readonly unsigned = new Set<string>()
  readonly executor: BlockExecutor<ToyState>

  constructor(state: ToyState = start, blockBytesMax = BLOCK_BYTES_MAX) {
    this.executor = new BlockExecutor(
      { blockBytesMax },
      {
        ledger: new ToyLedger(),
        mempool: this.mempool,
        isVerified: ({ transaction }) => !this.unsigned.has(hashToHex(transaction.body.sender)),
      },
      { hash: ANCHOR, header: ANCHOR_HEADER, state },
    )
  }

  add(sender: string, over: Parameters<typeof encode>[1] = {}): void {
    const one = this.executor.receive(encode(sender, over))
    assert.ok(one.ok)
    const added = this.mempool.add(one.value, this.executor.admission, 0)
    assert.ok(added.ok, added.ok ? '' : added.fault.message)
  }

  build(parent: BlockHash, height: number, empty = false): { block: Block; hash: BlockHash } {
    return this.executor.build(parent, draft(parent, height), empty)
  }

  /** @returns 'ok' or the code of the fault. */
  execute(block: Block): string {
    const result = this.executor.execute(block, headerHash(block.header))
    return result.ok ? 'ok' : result.fault.code
  }

  finalize(hash: BlockHash): void {
    const { transactions } = this.executor.finalize(hash)
    this.mempool.committed(transactions, this.executor.admission)
  }
}

function draft(parent: BlockHash, height: number): HeaderDraft {
  return { version: 1, epoch: 0, height, parent, view: height, proposer: 0, timestamp: height * 100 }
}

const labels = (block: Block): string[] =>
  block.transactions.map((bytes) => {
    const one = new Node().executor.receive(bytes)
    assert.ok(one.ok)
    return label(one.value)
  })

/** A block whose roots are those of its transactions, so that only what the test breaks is wrong. */
function blockOf(transactions: Uint8Array[], over: Partial<Header> = {}): Block {
  const state = new ToyLedger().begin(start, { height: 1 })
  for (const bytes of transactions) {
    const one = new Node().executor.receive(bytes)
    if (one.ok) state.apply(one.value.transaction)
  }
  const header: Header = {
    ...draft(ANCHOR, 1),
    txRoot: transactionsRoot(transactions.map(transactionId)),
    stateRoot: new ToyLedger().root(state.end().state),
    nextSet: new Uint8Array(32),
    ...over,
  }
  return { header, transactions, nextSet: [] }
}

suite('building', () => {
  test('what one node builds another executes, to the same state and receipts', () => {
    const [maker, other] = [new Node(), new Node()]
    maker.add('a', { fee: 3n })
    maker.add('a', { nonce: 1, bytes: 0 })
    maker.add('b', { fee: 2n })
    const { block, hash } = maker.build(ANCHOR, 1)
    assert.deepEqual(labels(block), ['a0', 'b0', 'a1'])
    assert.equal(other.execute(block), 'ok')
    const [made, executed] = [maker.executor.executed(hash), other.executor.executed(hash)]
    assert.deepEqual(executed?.state, made?.state)
    assert.deepEqual(executed?.receipts, made?.receipts)
    assert.deepEqual(
      made?.receipts.map(({ ok, fault }) => fault?.code ?? ok),
      [true, true, 'TOY_FAILED'],
    )
  })

  test('on a parent that is not final yet, its transactions are not taken again', () => {
    const node = new Node()
    node.add('a', { fee: 9n })
    node.add('b')
    const first = node.build(ANCHOR, 1)
    assert.equal(node.executor.hasExecutable(ANCHOR), true)
    assert.equal(node.executor.hasExecutable(first.hash), false)
    node.add('a', { nonce: 1 })
    assert.equal(node.executor.hasExecutable(first.hash), true)
    assert.deepEqual(labels(node.build(first.hash, 2).block), ['a1'])
    assert.deepEqual(labels(node.build(ANCHOR, 1).block), ['a0', 'b0', 'a1'])
  })

  test('an empty block is asked for', () => {
    const node = new Node()
    node.add('a')
    assert.equal(node.build(ANCHOR, 1, true).block.transactions.length, 0)
  })

  test('a block keeps within its bytes; smaller ones of other senders still go in', () => {
    const node = new Node()
    node.add('a', { fee: 9n, bytes: 3000 })
    node.add('b', { fee: 8n, bytes: 3000 })
    node.add('b', { fee: 8n, nonce: 1 })
    node.add('c', { fee: 1n })
    const { block } = node.build(ANCHOR, 1)
    assert.deepEqual(labels(block), ['a0', 'c0'])
    assert.ok(Block.serialize(block).length <= BLOCK_BYTES_MAX)
  })

  test('after views without a block a leader proposes smaller ones, which grow again; every node takes them', () => {
    const most = 1_048_576
    const node = new Node(start, most)
    const other = new Node(start, most)
    for (let nonce = 0; nonce < 36; nonce++) node.add('a', { nonce, fee: 1n, bytes: 30_000 })
    const sizeAfter = (failedViews: number): number => {
      const { block } = node.executor.build(ANCHOR, { ...draft(ANCHOR, 1), view: 1 + failedViews }, false)
      assert.equal(other.execute(block), 'ok')
      return block.transactions.length
    }
    const full = sizeAfter(0)
    assert.equal(sizeAfter(1), full, 'one leader that is gone changes nothing')
    const half = sizeAfter(2)
    assert.ok(half <= full / 2 && half > full / 3)
    assert.ok(sizeAfter(20) >= 1, 'any transaction still fits')
    const sizes = Array.from({ length: 8 }, () => sizeAfter(0))
    assert.deepEqual(
      sizes,
      sizes.toSorted((a, b) => a - b),
    )
    assert.equal(sizes.at(-1), full)
  })

  test('one whose signature does not hold leaves the pool, and the block is made of the others', () => {
    const node = new Node()
    node.add('a', { fee: 9n })
    node.add('b')
    node.unsigned.add(hashToHex(received('a').transaction.body.sender))
    assert.deepEqual(labels(node.build(ANCHOR, 1).block), ['b0'])
    assert.equal(node.mempool.count, 1)
  })

  test('any pool: the other node executes every block, and after enough blocks nothing executable waits', () => {
    const arbitrary = fc.record({
      sender: fc.constantFrom('a', 'b', 'c'),
      nonce: fc.nat(4),
      fee: fc.bigInt(1n, 400n),
      bytes: fc.constantFrom(0, 10, 1500),
    })
    fc.assert(
      fc.property(fc.array(arbitrary, { maxLength: 15 }), (all) => {
        const [maker, other] = [new Node(), new Node()]
        for (const { sender, ...over } of all) {
          maker.mempool.add(received(sender, over), maker.executor.admission, 0)
        }
        let parent = ANCHOR
        for (let height = 1; maker.executor.hasExecutable(parent); height++) {
          assert.ok(height <= all.length, 'each block takes at least one')
          const { block, hash } = maker.build(parent, height)
          assert.equal(other.execute(block), 'ok')
          maker.finalize(hash)
          other.finalize(hash)
          parent = hash
        }
        assert.equal(maker.mempool.executableCount, 0)
      }),
      { numRuns: 50 },
    )
  })
})

suite('refusals: each with its code', () => {
  const good = [encode('a'), encode('b')]
  const rows: readonly (readonly [string, Block, string])[] = [
    ['a good one', blockOf(good), 'ok'],
    ['another state root', blockOf(good, { stateRoot: new Uint8Array(32) }), 'STATE_ROOT_MISMATCH'],
    ['another transactions root', blockOf(good, { txRoot: new Uint8Array(32) }), 'TX_ROOT_MISMATCH'],
    [
      'transactions in another order',
      { ...blockOf(good), transactions: good.toReversed() },
      'TX_ROOT_MISMATCH',
    ],
    ['an unknown version', blockOf(good, { version: 2 }), 'BLOCK_VERSION_WRONG'],
    ['a next set', blockOf(good, { nextSet: ANCHOR }), 'NEXT_SET_MISMATCH'],
    ['a transaction twice', blockOf([good[0]!, good[0]!]), 'TRANSACTION_DUPLICATE'],
    ['a nonce gap', blockOf([encode('a', { nonce: 1 })]), 'NONCE_GAP'],
    ['a used nonce', blockOf([good[0]!, encode('a', { bytes: 11 })]), 'NONCE_USED'],
    ['an expired transaction', blockOf([encode('a', { validUntil: 0 })]), 'EXPIRED'],
    ['one of another chain', blockOf([encode('a', { genesis: ANCHOR })]), 'WRONG_NETWORK'],
    ['one that cannot pay', blockOf([encode('a', { fee: 1001n })]), 'BALANCE_TOO_LOW'],
    ['bytes that are no transaction', blockOf([utf8ToBytes('garbage')]), 'TRANSACTION_MALFORMED'],
    ['a transaction that is too large', blockOf([new Uint8Array(131_073)]), 'BLOCK_TOO_LARGE'],
    [
      'too many bytes',
      blockOf([encode('a', { bytes: 2000 }), encode('b', { bytes: 2000 })]),
      'BLOCK_TOO_LARGE',
    ],
    ['an unsigned transaction', blockOf([encode('c')]), 'SIGNATURE_INVALID'],
  ]
  for (const [name, block, code] of rows) {
    test(`${name}: ${code}`, () => {
      const node = new Node()
      node.unsigned.add(hashToHex(received('c').transaction.body.sender))
      assert.equal(node.execute(block), code)
      assert.equal(node.executor.executed(headerHash(block.header)) !== undefined, code === 'ok')
    })
  }
})

suite('unfinalized results', () => {
  test('two blocks on one parent are kept apart; the one that lost is dropped', () => {
    const node = new Node()
    node.add('a')
    const first = node.build(ANCHOR, 1)
    const second = node.build(ANCHOR, 1, true)
    node.finalize(second.hash)
    node.executor.drop([first.hash])
    assert.equal(node.executor.executed(first.hash), undefined)
    assert.equal(node.executor.final.height, 1)
    assert.deepEqual(labels(node.build(second.hash, 2).block), ['a0'])
  })

  test('blocks become final one by one, in order', () => {
    const node = new Node()
    const first = node.build(ANCHOR, 1, true)
    const second = node.build(first.hash, 2, true)
    assert.throws(() => node.executor.finalize(second.hash), /height 2 became final after 0/)
    node.finalize(first.hash)
    node.finalize(second.hash)
    assert.equal(node.executor.final.height, 2)
    assert.throws(() => node.executor.drop([second.hash]), /newest final block/)
  })

  test('executing again what is known, or on an unknown parent', () => {
    const node = new Node()
    const { block } = node.build(ANCHOR, 1)
    assert.equal(node.execute(block), 'ok')
    assert.throws(
      () => new Node().execute({ ...block, header: { ...block.header, parent: new Uint8Array(32) } }),
      /parent/,
    )
  })
})
