/**
 * A program that commits until it is killed: `node commit-forever.ts <folder>`. Writes the height of each commit, one
 * a line, when the store has called it durable.
 * @module
 */
import { openLmdbStore } from '../src/store/lmdb.ts'
import { VERSIONS_KEPT_DEFAULT } from '../src/store/types.ts'
import { fixtureGenesisHash, fixtureStep } from '../src/testing/chain-fixture.ts'

const store = await openLmdbStore(process.argv[2]!, {
  networkId: 'test',
  genesisHash: fixtureGenesisHash,
  versionsKept: VERSIONS_KEPT_DEFAULT,
})
for (let height = store.height + 1; ; height++) {
  await store.commit(fixtureStep(height))
  process.stdout.write(`${height}\n`)
}
