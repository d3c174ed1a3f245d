/**
 * Commits of very different sizes, so that a store's file grows, leaves pages free and uses them again. As a program,
 * `node uneven-commits.ts <folder> <count>` makes that many and says the height of each once it is durable.
 */
import { openLmdbStore } from '../src/store/lmdb.ts'
import type { CommitBatch, StoreOptions } from '../src/store/types.ts'
import { fixtureBatch, fixtureGenesisHash, fixtureTree } from '../src/testing/chain-fixture.ts'

export const unevenOptions: StoreOptions = {
  networkId: 'test',
  genesisHash: fixtureGenesisHash,
  versionsKept: 1,
}

/** With this one LMDB leaves free pages at the end of the file twice. */
const SEED = 10
const PAGES_MAX = 600

/** A number in [0, 1) for each two numbers. */
function draw(height: number, what: number): number {
  let mixed = Math.imul(height * 4 + what + SEED, 0x9e37_79b1)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x85eb_ca6b)
  return ((mixed ^ (mixed >>> 13)) >>> 0) / 2 ** 32
}

/** Ids and contents of the pages that the commit of this height adds; the first is the state's root. */
export function unevenPages(height: number): [id: number, content: Uint8Array][] {
  const count = 1 + Math.floor(draw(height, 0) < 0.3 ? draw(height, 1) * PAGES_MAX : draw(height, 1) * 20)
  const bytes = 1 + Math.floor(draw(height, 2) < 0.5 ? 60 : draw(height, 3) * 1_500)
  return Array.from({ length: count }, (_, index) => {
    const id = 1 + height * PAGES_MAX + index
    return [id, new Uint8Array(bytes).fill(id % 251)]
  })
}

/** All pages of the commit before are stale. */
export function unevenStep(height: number): CommitBatch {
  const pages = unevenPages(height)
  return fixtureBatch(
    [height],
    fixtureTree(1 + (height + 1) * PAGES_MAX, {
      rootPage: pages[0]![0],
      pages,
      stalePages: height === 0 ? [] : unevenPages(height - 1).map(([id]) => id),
    }),
  )
}

if (import.meta.main) {
  const [folder, count] = process.argv.slice(2)
  const store = await openLmdbStore(folder!, unevenOptions)
  for (let height = 0; height < Number(count); height++) {
    await store.commit(unevenStep(height))
    process.stdout.write(`${height}\n`)
  }
  process.kill(process.pid, 'SIGKILL')
}
