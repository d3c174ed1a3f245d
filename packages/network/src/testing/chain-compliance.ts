/**
 * What a user's own chain must give the network: one suite for each of its four parts.
 * @module
 */
import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import type { BlockInfo, BlockStore, Consensus, Mempool, TransactionStore } from '../enhanced/ports.ts'
import type { Block } from '../protocol/chain-messages.ts'

/** How to make valid blocks of the chain under test. */
export interface ChainUnderTest {
  readonly genesis: Block
  readonly readInfo: (block: Block) => BlockInfo
  /**
   * A valid block on a stored parent, with valid transactions of its own that no block has yet. Two calls give two blocks, of equal
   * weight where the chain has such a thing.
   */
  makeBlock(parent: BlockInfo): Block | Promise<Block>
}

interface Made {
  readonly info: BlockInfo
  readonly block: Block
}

type Make<T> = () => T | Promise<T>

async function makeOn(chain: ChainUnderTest, parent: BlockInfo): Promise<Made> {
  const block = await chain.makeBlock(parent)
  return { info: chain.readInfo(block), block }
}

/** @param make a store that has the genesis only. */
export function blockStoreCompliance(name: string, chain: ChainUnderTest, make: Make<BlockStore>): void {
  describe(`block store ${name}`, () => {
    const genesis = chain.readInfo(chain.genesis)
    let store: BlockStore
    beforeEach(async () => {
      store = await make()
    })

    test('begins with the genesis', async () => {
      assert.equal(await store.has(genesis.id), true)
      assert.equal(await store.idAt(0), genesis.id)
      assert.equal(await store.idAt(1), null)
      assert.equal(await store.lowestHeight(), 0)
      assertSameBlock(await store.get(genesis.id), chain.genesis)
    })

    test('knows nothing of blocks that it was not given', async () => {
      assert.equal(await store.has('unheard of'), false)
      assert.equal(await store.get('unheard of'), null)
    })

    test('gives back a block as it was put, also when it was put twice', async () => {
      const { info, block } = await makeOn(chain, genesis)
      await store.put(info, block)
      await store.put(info, block)
      assert.equal(await store.has(info.id), true)
      assertSameBlock(await store.get(info.id), block)
    })

    test('has a block on the best chain only once it is told so', async () => {
      const { info, block } = await makeOn(chain, genesis)
      await store.put(info, block)
      assert.equal(await store.idAt(1), null)
      await store.switchTo({ removed: [], added: [info] })
      assert.equal(await store.idAt(1), info.id)
    })

    test('changes branches in one step, to a longer or a shorter one, and keeps the blocks of both', async () => {
      const a1 = await makeOn(chain, genesis)
      const b1 = await makeOn(chain, genesis)
      const b2 = await makeOn(chain, b1.info)
      for (const { info, block } of [a1, b1, b2]) await store.put(info, block)
      await store.switchTo({ removed: [], added: [a1.info] })
      await store.switchTo({ removed: [a1.info], added: [b1.info, b2.info] })
      assert.deepEqual([await store.idAt(1), await store.idAt(2)], [b1.info.id, b2.info.id])
      assertSameBlock(await store.get(a1.info.id), a1.block)
      await store.switchTo({ removed: [b2.info, b1.info], added: [a1.info] })
      assert.deepEqual([await store.idAt(1), await store.idAt(2)], [a1.info.id, null])
      assertSameBlock(await store.get(b2.info.id), b2.block)
    })

    test('begins at a checkpoint, if it can', async (context) => {
      if (store.beginAt === undefined) return context.skip('no beginAt: no fast sync')
      const below = await makeOn(chain, genesis)
      const { info, block } = await makeOn(chain, below.info)
      await store.beginAt(info, block)
      assert.equal(await store.lowestHeight(), info.height)
      assert.deepEqual([await store.idAt(info.height), await store.idAt(info.height + 1)], [info.id, null])
      assertSameBlock(await store.get(info.id), block)
    })
  })
}

export function transactionStoreCompliance(name: string, make: Make<TransactionStore>): void {
  describe(`transaction store ${name}`, () => {
    const block: BlockInfo = { id: 'block', parentId: 'parent', height: 1 }
    const one = { id: 'one', bytes: new Uint8Array([1, 2, 3]) }
    const two = { id: 'two', bytes: new Uint8Array(0) }
    let store: TransactionStore
    beforeEach(async () => {
      store = await make()
    })

    test('has the transactions of a block that came', async () => {
      await store.add(block, [one, two])
      assert.deepEqual([await store.has('one'), await store.has('two')], [true, true])
      assert.deepEqual(bytesOf(await store.get('one')), [1, 2, 3])
      assert.deepEqual(bytesOf(await store.get('two')), [])
    })

    test('has no others', async () => {
      assert.equal(await store.has('one'), false)
      assert.equal(await store.get('one'), null)
    })

    test('takes a block twice, since a crash may come between it and what follows', async () => {
      await store.add(block, [one])
      await store.add(block, [one])
      assert.equal(await store.has('one'), true)
    })

    test('forgets those of a block that left, and takes them again in another', async () => {
      await store.add(block, [one, two])
      await store.remove(block, [one, two])
      assert.deepEqual([await store.has('one'), await store.has('two')], [false, false])
      await store.add({ ...block, id: 'other' }, [two])
      assert.deepEqual([await store.has('one'), await store.has('two')], [false, true])
    })
  })
}

/** @param transactions at least two valid ones, with their ids. */
export function mempoolCompliance(
  name: string,
  transactions: readonly { readonly id: string; readonly bytes: Uint8Array }[],
  make: Make<Mempool>,
): void {
  describe(`mempool ${name}`, () => {
    const [one, two] = transactions
    assert.ok(one !== undefined && two !== undefined, 'two transactions are needed')
    let mempool: Mempool
    beforeEach(async () => {
      mempool = await make()
    })

    test('keeps what it takes', () => {
      assert.equal(mempool.add(one.id, one.bytes), true)
      assert.equal(mempool.has(one.id), true)
      assert.deepEqual(bytesOf(mempool.get(one.id)), [...one.bytes])
      assert.deepEqual([...mempool.ids()], [one.id])
    })

    test('has one of each', () => {
      mempool.add(one.id, one.bytes)
      mempool.add(one.id, one.bytes)
      assert.deepEqual([...mempool.ids()], [one.id])
    })

    test('knows nothing of others, and can be told to forget them', () => {
      mempool.remove(two.id)
      assert.equal(mempool.has(two.id), false)
      assert.equal(mempool.get(two.id), null)
    })

    test('forgets what is in a block now', () => {
      mempool.add(one.id, one.bytes)
      mempool.add(two.id, two.bytes)
      mempool.remove(one.id)
      assert.deepEqual([mempool.has(one.id), [...mempool.ids()]], [false, [two.id]])
    })
  })
}

/** @param make a consensus at the genesis. What it asks of stores it must find there: see `store`. */
export function consensusCompliance(
  name: string,
  chain: ChainUnderTest,
  make: Make<{
    readonly consensus: Consensus
    /** As the network stores a block before it tells the consensus. */
    store(info: BlockInfo, block: Block): void | Promise<void>
  }>,
): void {
  describe(`consensus ${name}`, () => {
    const genesis = chain.readInfo(chain.genesis)
    let consensus: Consensus
    let under: Awaited<ReturnType<typeof make>>
    beforeEach(async () => {
      under = await make()
      consensus = under.consensus
    })

    const give = async ({ info, block }: Made): Promise<string> => {
      await under.store(info, block)
      return (await consensus.blockStored(info, block)).id
    }

    test('begins at the genesis, which has height 0 and is all that is final', () => {
      assert.deepEqual([consensus.tip().id, consensus.tip().height], [genesis.id, 0])
      assert.equal(consensus.finalizedHeight(), 0)
    })

    test('reads a header always the same, and gives each block another id', async () => {
      const one = await makeOn(chain, genesis)
      const other = await makeOn(chain, genesis)
      assert.deepEqual(consensus.readHeader(one.block.header), { ok: true, value: one.info })
      assert.deepEqual([one.info.parentId, one.info.height], [genesis.id, 1])
      assert.notEqual(one.info.id, other.info.id)
    })

    test('reads no header and no transaction out of rubbish, and does not throw', () => {
      for (const rubbish of [new Uint8Array(0), new Uint8Array(100).fill(0xff)]) {
        assert.equal(consensus.readHeader(rubbish).ok, false)
        consensus.transactionId(rubbish)
      }
    })

    test('calls a good block valid', async () => {
      const { info, block } = await makeOn(chain, genesis)
      assert.equal((await consensus.judgeHeader(info, block.header)).verdict, 'valid')
      assert.equal((await consensus.judgeBlock(info, block)).verdict, 'valid')
    })

    test('calls a block with a transaction too few or too many invalid', async () => {
      const { info, block } = await makeOn(chain, genesis)
      const other = await makeOn(chain, genesis)
      const bodies = [block.transactions.slice(1), [...block.transactions, ...other.block.transactions]]
      for (const transactions of bodies) {
        if (transactions.length === block.transactions.length) continue
        assert.equal((await consensus.judgeBlock(info, { ...block, transactions })).verdict, 'invalid')
      }
    })

    test('follows a block, and a longer branch in place of a shorter', async () => {
      const a1 = await makeOn(chain, genesis)
      assert.equal(await give(a1), a1.info.id)
      assert.equal(consensus.tip().id, a1.info.id)
      const b1 = await makeOn(chain, genesis)
      await give(b1)
      const b2 = await makeOn(chain, b1.info)
      await give(b2)
      const b3 = await makeOn(chain, b2.info)
      assert.equal(await give(b3), b3.info.id)
      assert.equal(consensus.tip().id, b3.info.id)
    })

    test('calls the transactions of a good block valid for the mempool, each with an id', async () => {
      const { block } = await makeOn(chain, genesis)
      for (const bytes of block.transactions) {
        const id = consensus.transactionId(bytes)
        assert.ok(id.ok)
        const judgements = await consensus.judgeTransactions([{ id: id.value, bytes }])
        assert.deepEqual(judgements, [{ verdict: 'valid' }])
      }
    })
  })
}

function assertSameBlock(found: Block | null, expected: Block): void {
  assert.ok(found !== null, 'the block is there')
  assert.deepEqual(bytesOf(found.header), bytesOf(expected.header))
  assert.deepEqual(found.transactions.map(bytesOf), expected.transactions.map(bytesOf))
}

function bytesOf(bytes: Uint8Array | null): number[] | null {
  return bytes === null ? null : [...bytes]
}
