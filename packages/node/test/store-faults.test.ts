import { strict as assert } from 'node:assert'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { appendFile, chmod, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, test } from 'node:test'
import { bytesToUtf8 } from '@althing/base'
import { lockFolder, lockKey } from '../src/store/folder-lock.ts'
import { openLmdbStore } from '../src/store/lmdb.ts'
import type { StoreOptions } from '../src/store/types.ts'
import { fixtureGenesisHash, fixtureStep } from '../src/testing/chain-fixture.ts'

const options: StoreOptions = { networkId: 'test', genesisHash: fixtureGenesisHash, versionsKept: 4 }
const program = new URL('./commit-forever.ts', import.meta.url).pathname

let folder = ''
const newFolder = (): Promise<string> => mkdtemp(join(folder, 'data-'))

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'althing-store-'))
})
after(() => rm(folder, { recursive: true }))

async function filledStore(path: string): Promise<string> {
  const store = await openLmdbStore(path, options)
  for (let height = 0; height < 10; height++) await store.commit(fixtureStep(height))
  await store.close()
  return join(path, 'chain.mdb')
}

describe('a store whose process is killed', () => {
  test(
    'has everything that it called durable, whole, after each of several kills',
    { timeout: 60_000 },
    async () => {
      const path = await newFolder()
      let announced = -1
      for (const commits of [1, 40, 7, 100]) {
        const child = spawn(process.execPath, [program, path], { stdio: ['ignore', 'pipe', 'inherit'] })
        let seen = 0
        for await (const line of createInterface({ input: child.stdout })) {
          announced = Number(line)
          seen++
          if (seen === commits) child.kill('SIGKILL')
        }
        if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
        assert.equal(child.signalCode, 'SIGKILL')

        const store = await openLmdbStore(path, options)
        assert.ok(store.height >= announced, `announced ${announced}, found ${store.height}`)
        assert.equal(store.nextId, store.height + 2)
        assert.equal(store.transactionCount, store.height + 1)
        for (let height = 0; height <= store.height; height++) {
          assert.equal(store.byHeight(height)?.block.header.height, height)
          const state = store.stateAt(height)
          if (state !== undefined)
            assert.equal(bytesToUtf8(store.readPage(state.rootPage)!), `page ${height + 1}`)
        }
        assert.equal(store.readPage(store.height + 2), undefined)
        await store.close()
      }
    },
  )
})

describe('a data file that cannot be used', () => {
  test('that was cut off is refused, and says what to do', async () => {
    const path = await newFolder()
    const file = await filledStore(path)
    await truncate(file, 5 * 4096)
    await assert.rejects(openLmdbStore(path, options), {
      code: 'STORE_CORRUPT',
      message: /chain\.mdb cannot be used: it is cut off: \d+ bytes of \d+\. Move the file away/,
    })
  })

  test('that is empty, shorter than a page, or something else is refused', async () => {
    for (const content of ['', 'not a database', 'x'.repeat(50_000)]) {
      const path = await newFolder()
      await writeFile(join(path, 'chain.mdb'), content)
      await assert.rejects(openLmdbStore(path, options), {
        code: 'STORE_CORRUPT',
        message: /its first page is not that of a database/,
      })
    }
  })

  test('that has bytes after its end is read as if they were not there', async () => {
    const path = await newFolder()
    await appendFile(await filledStore(path), 'x'.repeat(10_000))
    const store = await openLmdbStore(path, options)
    assert.equal(store.height, 9)
    await store.close()
  })

  test(
    'that may not be written is refused by its access rights',
    { skip: process.getuid?.() === 0 && 'root may write' },
    async () => {
      const path = await newFolder()
      await chmod(await filledStore(path), 0o400)
      await assert.rejects(openLmdbStore(path, options), { code: 'STORE_UNREADABLE' })
    },
  )
})

describe('a disk that is full', () => {
  test(
    'refuses the commit and keeps the ones before',
    { skip: process.platform === 'win32' && 'needs ulimit' },
    async () => {
      const path = await newFolder()
      await filledStore(path)
      const script = 'trap "" XFSZ; ulimit -f 256; exec "$0" "$@"'
      const child = spawn('sh', ['-c', script, process.execPath, program, path], {
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      let errors = ''
      child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
      await once(child, 'close')
      assert.match(errors, /STORE_FULL/)
      assert.match(errors, /no space is left on the disk/)
      const store = await openLmdbStore(path, options)
      assert.ok(store.height >= 9)
      await store.commit(fixtureStep(store.height + 1))
      await store.close()
    },
  )
})

describe('the lock of a data folder', () => {
  test('keeps a second one out, names the process, and is free after release', async () => {
    const path = await newFolder()
    const lock = lockFolder(path)
    assert.throws(() => lockFolder(path), {
      code: 'STORE_LOCKED',
      message: `The data folder ${path} is in use by process ${process.pid}. Stop that process first, or use another one.`,
    })
    lock.release()
    lockFolder(path).release()
    lock.release()
  })

  test('an authority key has its own lock, and a copy of its file is kept out too (PC-3)', async () => {
    const [file, copy] = [join(await newFolder(), 'authority.key'), join(await newFolder(), 'copy.key')]
    const key = randomBytes(32)
    const lock = lockKey(file, key)
    assert.throws(() => lockKey(file, randomBytes(32)), { code: 'STORE_LOCKED' })
    assert.throws(() => lockKey(copy, key), { code: 'STORE_LOCKED', message: /or in a copy of it/ })
    lock.release()
    lockKey(copy, key).release()
  })

  test('of a killed process is taken over', async () => {
    const path = await newFolder()
    const code = `import { lockFolder } from ${JSON.stringify(new URL('../src/store/folder-lock.ts', import.meta.url).href)}
      lockFolder(process.argv[1]); console.log('locked'); setInterval(() => {}, 1e6)`
    const child = spawn(process.execPath, ['--input-type=module', '-e', code, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(child.stdout, 'data')
    assert.throws(() => lockFolder(path), { message: new RegExp(`process ${child.pid}\\.`) })
    child.kill('SIGKILL')
    await once(child, 'exit')
    lockFolder(path).release()
  })

  test('of a process whose number was given to another is taken over', async () => {
    const path = await newFolder()
    const lock = lockFolder(path)
    const file = join(path, 'node.lock.1')
    const holder = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>
    await writeFile(file, JSON.stringify({ ...holder, started: 'another boot:1' }))
    lockFolder(path).release()
    lock.release()
  })

  test('goes to exactly one of many that follow a dead holder', { timeout: 60_000 }, async () => {
    const path = await newFolder()
    await writeFile(join(path, 'node.lock.7'), JSON.stringify({ pid: 2 ** 22 + 1, started: 'gone' }))
    const code = `import { lockFolder } from ${JSON.stringify(new URL('../src/store/folder-lock.ts', import.meta.url).href)}
      process.stdin.once('data', () => {
        try { lockFolder(process.argv[1]); console.log('held') } catch (error) { console.log(error.code) }
      })
      console.log('ready')`
    const children = Array.from({ length: 4 }, () =>
      spawn(process.execPath, ['--input-type=module', '-e', code, path], {
        stdio: ['pipe', 'pipe', 'inherit'],
      }),
    )
    const lines = children.map((child) => createInterface({ input: child.stdout })[Symbol.asyncIterator]())
    for (const line of lines) assert.equal((await line.next()).value, 'ready')
    for (const child of children) child.stdin.write('go\n')
    const results = await Promise.all(lines.map(async (line) => (await line.next()).value as string))
    for (const child of children) child.kill()
    assert.deepEqual(results.sort(), ['STORE_LOCKED', 'STORE_LOCKED', 'STORE_LOCKED', 'held'])
  })
})
