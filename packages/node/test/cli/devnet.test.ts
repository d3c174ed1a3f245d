import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { suite, test } from 'node:test'
import type { TestContext } from 'node:test'
import { bytesToHex } from '@althing/base'
import { resourcesOf } from '../../src/cli/dataset.ts'
import { choosePorts, isPortFree } from '../../src/cli/devnet/ports.ts'
import { newNodes, openDevnet } from '../../src/cli/devnet/folder.ts'
import { createLiveView } from '../../src/cli/devnet/live-view.ts'
import { readVocabularies, vocabularyFiles } from '../../src/cli/devnet/vocabularies.ts'
import { loadConfig } from '../../src/config/index.ts'
import { barLine } from '../../src/cli/progress.ts'

suite('ports', () => {
  const tables: [string, number[], number[], number[]][] = [
    ['all free', [9000, 8545, 9001, 8546], [], [9000, 8545, 9001, 8546]],
    ['one taken: the next one, and no port twice', [9000, 9001, 9002], [9000], [9001, 9002, 9003]],
    ['wanted twice', [9000, 9000], [], [9000, 9001]],
  ]
  for (const [what, wanted, taken, expected] of tables) {
    test(what, async () => {
      assert.deepEqual(await choosePorts(wanted, (port) => Promise.resolve(!taken.includes(port))), expected)
    })
  }

  test('they end at 65535', async () => {
    await assert.rejects(
      choosePorts([65_535], () => Promise.resolve(false)),
      RangeError,
    )
  })

  test('a port in use is not free', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    assert.equal(await isPortFree(port), false)
    await new Promise((resolve) => server.close(resolve))
    assert.equal(await isPortFree(port), true)
  })
})

suite('datasets', () => {
  test('one key per resource; blank nodes are named after their file', () => {
    const { entries, statements } = resourcesOf([
      {
        name: 'a',
        text: '<x:s> <x:p> "_:b0 <x:o> \\" ." .\n_:b0 <x:p> <x:o> <x:g> .\n\n# comment\n<x:s> <x:p> _:b0 .\n',
      },
      { name: 'b', text: '<x:s> <x:p> "1"@en .\n_:b0 <x:p> "2"^^<x:t> .' },
    ])
    assert.deepEqual(entries, [
      { key: 'x:s', value: '<x:s> <x:p> "_:b0 <x:o> \\" ." .\n<x:s> <x:p> _:a.b0 .\n<x:s> <x:p> "1"@en .\n' },
      { key: '_:a.b0', value: '_:a.b0 <x:p> <x:o> <x:g> .\n' },
      { key: '_:b.b0', value: '_:b.b0 <x:p> "2"^^<x:t> .\n' },
    ])
    assert.equal(statements, 5)
  })

  test('a line that is no statement is named', () => {
    assert.throws(() => resourcesOf([{ name: 'a', text: '<x:s> <x:p> .' }]), {
      code: 'DATASET_INVALID',
      message: /^a, line 1 is not an N-Quads statement/,
    })
  })

  test('the vocabularies are 37,892 statements about 5,975 resources, 99 of them blank nodes', async () => {
    const { entries, statements } = await readVocabularies(vocabularyFiles())
    assert.equal(statements, 37_892)
    assert.equal(entries.length, 5_975)
    assert.equal(entries.filter(({ key }) => key.startsWith('_:')).length, 99)
  })
})

suite('data folder', () => {
  const options = { authorities: 2, full: 1, intervalMs: 500 }

  async function emptyFolder(t: TestContext): Promise<string> {
    const parent = await mkdtemp(join(tmpdir(), 'althing-devnet-'))
    t.after(() => rm(parent, { recursive: true }))
    return join(parent, 'devnet')
  }

  test('names authorities first', () => {
    assert.deepEqual(
      newNodes({ authorities: 2, full: 1 }).map(({ name, kind }) => [name, kind]),
      [
        ['node-0', 'authority'],
        ['node-1', 'authority'],
        ['full-0', 'full'],
      ],
    )
  })

  test('is made once and continued after, on other ports where one is taken', async (t) => {
    const folder = await emptyFolder(t)
    const made = await openDevnet(folder, options, 1_700_000_000_000)
    assert(made.isNew)
    made.lock.release()
    const taken = made.nodes[0]!.apiPort
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(taken, '127.0.0.1', resolve))
    t.after(() => server.close())

    const continued = await openDevnet(folder, { ...options, authorities: 9 }, 1_800_000_000_000)
    assert(!continued.isNew)
    assert.deepEqual(bytesToHex(continued.genesisHash), bytesToHex(made.genesisHash))
    assert.deepEqual(
      continued.nodes.map(({ name }) => name),
      ['node-0', 'node-1', 'full-0'],
    )
    assert.notEqual(continued.nodes[0]!.apiPort, taken)
    const config = await loadConfig({ file: join(folder, 'node-0', 'config.toml') })
    assert.equal(config.api.port, continued.nodes[0]!.apiPort)
  })

  test('with other content is refused', async (t) => {
    const folder = await emptyFolder(t)
    await writeFile(join(folder, '..', 'file'), '')
    await assert.rejects(openDevnet(join(folder, '..'), options, 0), { code: 'FILE_EXISTS' })
  })

  test('in use is refused, and its configurations stay', async (t) => {
    const folder = await emptyFolder(t)
    const { nodes } = await openDevnet(folder, options, 1_700_000_000_000)
    const config = join(folder, 'node-0', 'config.toml')
    const before = await readFile(config, 'utf8')
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(nodes[0]!.apiPort, '127.0.0.1', resolve))
    t.after(() => server.close())
    await assert.rejects(openDevnet(folder, options, 0), { code: 'STORE_LOCKED' })
    assert.equal(await readFile(config, 'utf8'), before)
  })

  test('with a damaged devnet.json is refused, and nothing is overwritten', async (t) => {
    const folder = await emptyFolder(t)
    const { lock } = await openDevnet(folder, options, 1_700_000_000_000)
    lock.release()
    const file = join(folder, 'devnet.json')
    await writeFile(file, '{"version":')
    await assert.rejects(openDevnet(folder, options, 0), { code: 'INPUT_INVALID' })
    assert.equal(await readFile(file, 'utf8'), '{"version":')
  })
})

suite('what is shown', () => {
  test('a bar says how much of how many', () => {
    assert.equal(barLine(0, 200, 'keys'), `${'░'.repeat(30)}   0 %  0 of 200 keys`)
    assert.equal(barLine(199, 200, 'keys'), `${'█'.repeat(29)}░  99 %  199 of 200 keys`)
    assert.equal(barLine(1_200, 1_200, 'keys'), `${'█'.repeat(30)} 100 %  1,200 of 1,200 keys`)
  })

  test('a pipe gets plain lines without cursor codes', () => {
    const { stream, written } = screen({ isTTY: false })
    const view = createLiveView(stream)
    view.say('hello')
    view.draw([{ name: 'node-0', info: null, isDown: false }], ['footer'])
    for (let done = 0; done <= 100; done++) view.progress(done, 100, 'keys', () => assert.fail())
    view.end()
    assert.equal(written(), 'hello\n25 of 100 keys\n50 of 100 keys\n75 of 100 keys\n100 of 100 keys\n')
  })

  test('a terminal is redrawn in place, below lines that stay', () => {
    const { stream, written } = screen({ isTTY: true, columns: 60 })
    const view = createLiveView(stream)
    view.draw([{ name: 'node-0', info: null, isDown: false }], ['footer'])
    const before = written().length
    view.say('stays')
    const after = written().slice(before)
    assert(after.startsWith('\u001B[4A\u001B[0Jstays\n'))
    assert.match(after, /node-0 .*starting/)
  })
})

function screen(properties: { isTTY: boolean; columns?: number }) {
  let text = ''
  const write = (part: Buffer, _encoding: unknown, done: () => void): void => {
    text += part.toString()
    done()
  }
  const stream = Object.assign(new Writable({ write }), properties) as unknown as NodeJS.WriteStream
  return { stream, written: () => text }
}
