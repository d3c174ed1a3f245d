import { deepEqual } from 'node:assert/strict'
import { test } from 'node:test'
import { ByteVectorType, ListCompositeType } from '@chainsafe/ssz'
import fc from 'fast-check'
import { sha256, transactionsRoot, utf8ToBytes, BLOCK_TRANSACTIONS_MAX } from '../src/index.ts'

const Ids = new ListCompositeType(new ByteVectorType(32), BLOCK_TRANSACTIONS_MAX)

test('the root of transaction ids is the hash tree root of SSZ, for any number of them', () => {
  const counts = fc.oneof(fc.nat(70), fc.constantFrom(127, 128, 129, 2_600))
  fc.assert(
    fc.property(counts, (count) => {
      const ids = Array.from({ length: count }, (_, i) => sha256(utf8ToBytes(`id ${i}`)))
      deepEqual(transactionsRoot(ids), Uint8Array.from(Ids.hashTreeRoot(ids)))
    }),
    { numRuns: 30 },
  )
})
