/**
 * What every chain store must do. An implementation runs it in its own tests.
 * @module
 */
import { strict as assert } from 'node:assert'
import { describe, test } from 'node:test'
import { Block, bytesToUtf8, transactionId, utf8ToBytes } from '@althing/base'
import type { ChainStore, StoreOptions } from '../store/types.ts'
import {
  fixtureBatch,
  fixtureBlock,
  fixtureFinalization,
  fixtureGenesisHash,
  fixtureStep,
  fixtureTree,
} from './chain-fixture.ts'

/** One medium, on which a store can be opened again after it was closed. */
export interface StoreMedium extends AsyncDisposable {
  open(options: StoreOptions): Promise<ChainStore>
}

const options: StoreOptions = { networkId: 'test', genesisHash: fixtureGenesisHash, versionsKept: 4 }

export function storeCompliance(name: string, createMedium: () => Promise<StoreMedium>): void {
  const withStore = (body: (store: ChainStore, medium: StoreMedium) => Promise<void>) => async () => {
    await using medium = await createMedium()
    const store = await medium.open(options)
    try {
      await body(store, medium)
    } finally {
      await store.close()
    }
  }

  describe(`${name}: a chain store`, () => {
    test(
      'a new store is before block 0 and has nothing',
      withStore(async (store) => {
        assert.equal(store.height, -1)
        assert.equal(store.nextId, 1)
        assert.equal(store.transactionCount, 0)
        assert.equal(store.byHeight(0), undefined)
        assert.equal(store.byHash(new Uint8Array(32)), undefined)
        assert.equal(store.latestState(), undefined)
        assert.equal(store.provableState(), undefined)
        assert.equal(store.transaction(new Uint8Array(32)), undefined)
        assert.equal(store.readPage(1), undefined)
      }),
    )

    test(
      'a committed block is found by height, by hash and by its transactions',
      withStore(async (store) => {
        const genesis = fixtureBlock({ height: 0 })
        const fault = { code: 'NOT_OWNER', message: 'the key „k“ is another account’s' }
        const block = fixtureBlock({
          height: 1,
          transactions: ['a', 'b'],
          receipts: [{ ok: true }, { ok: false, fault }],
        })
        await store.commit({ blocks: [genesis], finalization: null, tree: fixtureTree(1) })
        await store.commit({
          blocks: [block],
          finalization: fixtureFinalization(block),
          tree: fixtureTree(1),
        })
        assert.equal(store.height, 1)
        assert.equal(store.transactionCount, 2)
        assert.deepEqual(plain(store.byHeight(1)?.block), plain(block.block))
        assert.deepEqual(plain(store.byHash(block.hash)), plain(store.byHeight(1)))
        assert.deepEqual(plain(store.encodedBlock(1)), plain(Block.serialize(block.block)))
        assert.equal(store.heightOf(genesis.hash), 0)
        const [first, second] = ['a', 'b'].map((text) => store.transaction(transactionId(utf8ToBytes(text))))
        assert.deepEqual(first, { height: 1, index: 0, receipt: { ok: true } })
        assert.deepEqual(second, { height: 1, index: 1, receipt: { ok: false, fault } })
        assert.equal(store.transaction(transactionId(utf8ToBytes('c'))), undefined)
      }),
    )

    test(
      'several blocks go in one commit; only the one that the certificate names has a finalization',
      withStore(async (store) => {
        await store.commit(fixtureStep(0))
        await store.commit(fixtureBatch([1, 2, 3], fixtureTree(2)))
        assert.equal(store.height, 3)
        assert.equal(store.finalizationAt(1), undefined)
        assert.equal(store.finalizationAt(2), undefined)
        assert.deepEqual(plain(store.finalizationAt(3)?.hash), plain(store.byHeight(3)?.hash))
        assert.equal(store.stateAt(2), undefined)
        assert.equal(store.stateAt(3)?.height, 3)
        assert.equal(store.byHeight(4), undefined)
      }),
    )

    test(
      'blocks that are final by a later one need no finalization, and proofs stay on the version before (R10)',
      withStore(async (store) => {
        await store.commit(fixtureStep(0))
        await store.commit(fixtureStep(1))
        await store.commit({ ...fixtureStep(2), finalization: null })
        assert.equal(store.height, 2)
        assert.equal(store.finalizationAt(2), undefined)
        assert.equal(store.provableState()?.height, 1)
        await store.commit(fixtureStep(3))
        assert.equal(store.provableState()?.height, 3)
      }),
    )

    test(
      'a finalization of a block that is still to come is not kept, and proofs stay on the version before',
      withStore(async (store) => {
        await store.commit(fixtureStep(0))
        assert.equal(store.provableState()?.height, 0)
        await store.commit(fixtureStep(1))
        const ahead = fixtureFinalization(fixtureBlock({ height: 9 }))
        await store.commit({ ...fixtureStep(2), finalization: ahead })
        assert.equal(store.finalizationAt(2), undefined)
        assert.equal(store.latestState()?.height, 2)
        assert.equal(store.provableState()?.height, 1)
      }),
    )

    test(
      'nothing of a commit can be read before it resolves',
      withStore(async (store) => {
        await store.commit(fixtureStep(0))
        const committing = store.commit(fixtureStep(1))
        assert.equal(store.height, 0)
        assert.equal(store.byHeight(1), undefined)
        await committing
        assert.equal(store.height, 1)
        assert.notEqual(store.byHeight(1), undefined)
      }),
    )

    test(
      'a block that does not follow, and a second commit under way, are bugs of the caller',
      withStore(async (store) => {
        await assert.rejects(store.commit(fixtureStep(1)), /block 1 does not follow block -1/)
        await store.commit(fixtureStep(0))
        await assert.rejects(store.commit(fixtureStep(0)), /block 0 does not follow block 0/)
        const committing = store.commit(fixtureStep(1))
        await assert.rejects(store.commit(fixtureStep(1)), /one at a time/)
        await committing
      }),
    )

    test(
      'pages, values and roots are there after closing and opening',
      withStore(async (store, medium) => {
        const root = new Uint8Array(32).fill(3)
        const long = new Uint8Array(100_000).fill(5)
        const tree = fixtureTree(4, {
          rootPage: 2,
          root,
          pages: [
            [1, utf8ToBytes('one')],
            [2, utf8ToBytes('two')],
          ],
          values: [[3, long]],
        })
        await store.commit(fixtureBatch([0, 1], tree))
        await store.close()
        const again = await medium.open(options)
        assert.equal(again.height, 1)
        assert.equal(again.nextId, 4)
        assert.equal(again.transactionCount, 2)
        assert.deepEqual(plain(again.latestState()), plain({ height: 1, rootPage: 2, root }))
        assert.equal(again.provableState()?.height, 1)
        assert.equal(text(again.readPage(1)), 'one')
        assert.deepEqual(plain(again.readValue(3)), plain(long))
        await again.close()
      }),
    )

    test(
      'versions older than the window go, with the pages that only they used; the others stay whole',
      withStore(async (store) => {
        for (let height = 0; height <= 20; height++) await store.commit(fixtureStep(height))
        assert.equal(store.stateAt(15), undefined)
        assert.equal(store.readPage(16), undefined)
        for (let height = 16; height <= 20; height++) {
          assert.equal(store.stateAt(height)?.rootPage, height + 1)
          assert.equal(text(store.readPage(height + 1)), `page ${height + 1}`)
        }
      }),
    )

    test(
      'many stale pages go over several commits, and all of them go',
      withStore(async (store) => {
        const ids = Array.from({ length: 30_000 }, (_, i) => i + 1)
        const next = ids.length + 1
        await store.commit(
          fixtureBatch([0], fixtureTree(next, { pages: ids.map((id) => [id, Uint8Array.of(1)]) })),
        )
        await store.commit(fixtureBatch([1], fixtureTree(next, { stalePages: ids })))
        const left = (): number => ids.filter((id) => store.readPage(id) !== undefined).length
        const counts: number[] = []
        for (let height = 2; height <= 16; height++) {
          await store.commit(fixtureBatch([height], fixtureTree(next)))
          counts.push(left())
        }
        assert.equal(counts.at(-1), 0)
        assert.ok(
          counts.some((count) => count > 0 && count < ids.length),
          `deleted in one commit: ${counts.join()}`,
        )
      }),
    )

    test(
      'the version that proofs are made on is kept, however old it becomes',
      withStore(async (store) => {
        await store.commit(fixtureStep(0))
        await store.commit(fixtureStep(1))
        const ahead = fixtureFinalization(fixtureBlock({ height: 99 }))
        for (let height = 2; height <= 20; height++)
          await store.commit({ ...fixtureStep(height), finalization: ahead })
        const provable = store.provableState()
        assert.equal(provable?.height, 1)
        assert.equal(text(store.readPage(provable.rootPage)), 'page 2')
      }),
    )

    test(
      'a store of another network or genesis is refused by name',
      withStore(async (store, medium) => {
        await store.close()
        await assert.rejects(medium.open({ ...options, networkId: 'other' }), {
          code: 'STORE_WRONG_NETWORK',
          message: /of network test .* the genesis file is of other/,
        })
        await assert.rejects(medium.open({ ...options, genesisHash: new Uint8Array(32) }), {
          code: 'STORE_WRONG_NETWORK',
        })
      }),
    )
  })
}

function text(bytes: Uint8Array | undefined): string | null {
  return bytes === undefined ? null : bytesToUtf8(bytes)
}

/** Byte strings as hex, so that Buffer and Uint8Array compare as equal. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]))
}
