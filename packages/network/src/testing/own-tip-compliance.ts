/**
 * What a chain that moves its tip by itself, as one with finality does, must give the network: the four parts together, since blocks enter
 * it by none of them alone.
 * @module
 */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, test } from 'node:test'
import type { ChainParts } from '../enhanced/block-import.ts'
import type { BlockInfo } from '../enhanced/ports.ts'
import type { Block } from '../protocol/chain-messages.ts'
import type { ChainUnderTest } from './chain-compliance.ts'
import { until } from './until.ts'

interface Made {
  readonly info: BlockInfo
  readonly block: Block
}

/** A chain at its genesis. */
export interface OwnTipChain extends AsyncDisposable {
  readonly parts: ChainParts
}

/** @param chain its `makeBlock` gives blocks that the chain will call its own. */
export function ownTipCompliance(
  name: string,
  chain: ChainUnderTest,
  make: () => OwnTipChain | Promise<OwnTipChain>,
): void {
  describe(`chain with a tip of its own: ${name}`, () => {
    const genesis = chain.readInfo(chain.genesis)
    let under: OwnTipChain
    let parts: ChainParts
    beforeEach(async () => {
      under = await make()
      parts = under.parts
    })
    afterEach(() => under[Symbol.asyncDispose]())

    const makeOn = async (parent: BlockInfo): Promise<Made> => {
      const block = await chain.makeBlock(parent)
      return { info: chain.readInfo(block), block }
    }
    /** As the network does it. */
    const give = async ({ info, block }: Made): Promise<void> => {
      const { consensus, blockStore } = parts
      assert.equal(await blockStore.has(info.parentId), true)
      assert.deepEqual(await consensus.judgeHeader(info, block.header), { verdict: 'valid' })
      assert.deepEqual(await consensus.judgeBlock(info, block), { verdict: 'valid' })
      await blockStore.put(info, block)
      await consensus.blockStored(info, block)
    }
    const isTip = ({ id }: BlockInfo) => parts.consensus.tip().id === id

    test('begins with the genesis, and knows of nothing else', async () => {
      const { consensus, blockStore, txStore, mempool } = parts
      assert.deepEqual([consensus.tip(), consensus.finalizedHeight()], [genesis, 0])
      assert.deepEqual([await blockStore.idAt(0), await blockStore.idAt(1)], [genesis.id, null])
      assert.equal(await blockStore.lowestHeight(), 0)
      assert.deepEqual(await blockStore.get(genesis.id), chain.genesis)
      for (const id of ['unheard of', 'ab'.repeat(32)]) {
        assert.deepEqual([await blockStore.has(id), await blockStore.get(id)], [false, null])
        assert.deepEqual([await txStore.has(id), await txStore.get(id)], [false, null])
        assert.deepEqual([mempool.has(id), mempool.get(id)], [false, null])
      }
    })

    test('reads a header always the same, gives each block another id, and reads none out of rubbish', async () => {
      const { consensus } = parts
      const [one, other] = [await makeOn(genesis), await makeOn(genesis)]
      assert.deepEqual(consensus.readHeader(one.block.header), { ok: true, value: one.info })
      assert.deepEqual([one.info.parentId, one.info.height], [genesis.id, 1])
      assert.notEqual(one.info.id, other.info.id)
      for (const rubbish of [new Uint8Array(0), new Uint8Array(100).fill(0xff)]) {
        assert.equal(consensus.readHeader(rubbish).ok, false)
        consensus.transactionId(rubbish)
      }
    })

    test('calls transactions too few or too many invalid', async () => {
      const [{ info, block }, other] = [await makeOn(genesis), await makeOn(genesis)]
      const bodies = [block.transactions.slice(1), [...block.transactions, ...other.block.transactions]]
      for (const transactions of bodies)
        assert.equal((await parts.consensus.judgeBlock(info, { ...block, transactions })).verdict, 'invalid')
    })

    test('a block that was put becomes the tip, with its transactions, which wait no more', async () => {
      const { consensus, blockStore, txStore, mempool } = parts
      const made = await makeOn(genesis)
      const transactions = made.block.transactions.map((bytes) => {
        const id = consensus.transactionId(bytes)
        assert.ok(id.ok)
        return { id: id.value, bytes }
      })
      assert.ok(transactions.length > 0, 'the chain under test makes blocks with transactions')
      const judged = await consensus.judgeTransactions(transactions)
      assert.ok(judged.every(({ verdict }) => verdict === 'valid'))
      for (const { id, bytes } of transactions) assert.equal(mempool.add(id, bytes), true)
      await give(made)
      assert.equal(await blockStore.has(made.info.id), true)
      await until('it is the tip', () => isTip(made.info))
      assert.equal(await blockStore.idAt(1), made.info.id)
      const found = await blockStore.get(made.info.id)
      assert.deepEqual(found && chain.readInfo(found), made.info)
      assert.deepEqual(found?.transactions.map(bytesOf), made.block.transactions.map(bytesOf))
      for (const { id, bytes } of transactions) {
        assert.equal(await txStore.has(id), true)
        assert.deepEqual(bytesOf(await txStore.get(id)), bytesOf(bytes))
        assert.deepEqual([mempool.has(id), [...mempool.ids()].includes(id)], [false, false])
      }
    })

    test('takes blocks faster than it makes them its own, also twice', async () => {
      let parent = genesis
      for (let height = 1; height <= 5; height++) {
        const made = await makeOn(parent)
        await give(made)
        await parts.blockStore.put(made.info, made.block)
        parent = made.info
      }
      await until('the last is the tip', () => isTip(parent))
      assert.equal(await parts.blockStore.idAt(5), parent.id)
    })
  })
}

function bytesOf(bytes: Uint8Array | null): number[] | null {
  return bytes === null ? null : [...bytes]
}
