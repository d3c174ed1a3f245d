import { strict as assert } from 'node:assert'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { utf8ToBytes } from '@althing/base'
import { openLmdbStore } from '../src/store/lmdb.ts'
import { MemoryDisk, openMemoryStore } from '../src/store/memory.ts'
import { storeCompliance } from '../src/testing/index.ts'

storeCompliance('memory', async () => {
  const disk = new MemoryDisk()
  return { open: (options) => openMemoryStore(options, disk), [Symbol.asyncDispose]: async () => {} }
})

storeCompliance('LMDB', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'althing-store-'))
  return {
    open: (options) => openLmdbStore(folder, options),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  }
})

test('a store with an unknown layout, or an unreadable record of its chain, is refused', async () => {
  const options = { networkId: 'test', genesisHash: new Uint8Array(32), versionsKept: 4 }
  const disk = new MemoryDisk()
  const meta = disk.tables.get('meta')!
  const identity = { version: 99, networkId: 'test', genesisHash: '00'.repeat(32) }
  meta.set('identity', utf8ToBytes(JSON.stringify(identity)))
  await assert.rejects(openMemoryStore(options, disk), {
    code: 'STORE_VERSION_UNKNOWN',
    message: /has layout version 99; this program knows 1\. Use the release that wrote it/,
  })
  meta.set('identity', utf8ToBytes('{'))
  await assert.rejects(openMemoryStore(options, disk), { code: 'STORE_CORRUPT' })
})
