/**
 * A node that cannot start says which file or key, what was found and what to do; its exit code is not zero.
 */
import assert from 'node:assert/strict'
import { chmodSync, cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { althing, TestNetwork, until } from './support/network.ts'
import type { TestNode } from './support/network.ts'

let network: TestNetwork
let node: TestNode

before(async () => {
  network = await TestNetwork.create({ authorities: 1, full: 1, intervalMs: 50 })
  node = network.nodes[0]!
})

after(() => network[Symbol.asyncDispose]())

/** Starts a copy of the node's folder after a change to it. */
async function startChanged(change: (folder: string) => void, ...args: string[]): ReturnType<typeof althing> {
  const folder = join(network.folder, 'changed')
  rmSync(folder, { recursive: true, force: true })
  cpSync(node.folder, folder, { recursive: true })
  change(folder)
  return althing(['start', '--config', join(folder, 'config.toml'), ...args])
}

function edit(file: string, from: string | RegExp, to: string): void {
  const before = readFileSync(file, 'utf8')
  const after = before.replace(from, to)
  assert.notEqual(after, before, `nothing to change in ${file}`)
  writeFileSync(file, after)
}

const rows: [string, (folder: string) => void, RegExp][] = [
  [
    'a misspelt key of the configuration',
    (folder) => edit(join(folder, 'config.toml'), 'listen =', 'lisen ='),
    /network\.lisen[\s\S]*network\.listen/,
  ],
  [
    'a value of the wrong kind',
    (folder) => edit(join(folder, 'config.toml'), /port = \d+/, 'port = "many"'),
    /api\.port[\s\S]*many/,
  ],
  ['no genesis file', (folder) => rmSync(join(folder, 'genesis.json')), /genesis\.json/],
  [
    'a genesis file cut short',
    (folder) => truncateSync(join(folder, 'genesis.json'), 100),
    /genesis\.json.*(not JSON|cut off)/,
  ],
  ['no authority key', (folder) => rmSync(join(folder, 'authority.key')), /authority\.key/],
  [
    'an authority key cut short',
    (folder) => truncateSync(join(folder, 'authority.key'), 20),
    /authority\.key/,
  ],
  [
    'a key that others can read',
    (folder) => chmodSync(join(folder, 'authority.key'), 0o644),
    /chmod 600|0600/,
  ],
]

for (const [name, change, expected] of rows) {
  test(`start refused: ${name}`, async () => {
    const { code, stderr } = await startChanged(change)
    assert.ok(code > 0, `exit code ${code}`)
    assert.match(stderr, expected)
    assert.doesNotMatch(stderr, /\n\s+at /, 'no stack for what a person can mend')
  })
}

test('start refused: folder in use, port in use, data of another network, unknown layout, damaged data', async () => {
  await network.start([node])
  const locked = await althing(['start', '--config', node.configFile])
  assert.ok(locked.code > 0)
  assert.match(locked.stderr, new RegExp(`in use by process ${node.pid}`))
  await node.stop()

  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  for (const setting of [`api.port=${port}`, `network.listen=/ip4/127.0.0.1/tcp/${port}`]) {
    const busy = await althing(['start', '--config', node.configFile, '--set', setting])
    assert.ok(busy.code > 0, setting)
    assert.match(busy.stderr, new RegExp(`LISTEN_FAILED[^]*${port}`))
  }
  server.close()

  await using other = await TestNetwork.create({ authorities: 1 })
  const foreign = await startChanged((folder) => {
    cpSync(join(other.nodes[0]!.folder, 'genesis.json'), join(folder, 'genesis.json'))
    cpSync(join(other.nodes[0]!.folder, 'authority.key'), join(folder, 'authority.key'))
    edit(join(folder, 'config.toml'), /id = ".*"\n/, '')
  })
  assert.ok(foreign.code > 0)
  assert.match(foreign.stderr, /is of network/)

  const damaged = await startChanged((folder) => truncateSync(join(folder, 'data', 'chain.mdb'), 5_000))
  assert.ok(damaged.code > 0)
  assert.match(damaged.stderr, /chain\.mdb/)
})

test('a node of another genesis is refused, and both sides log why', async () => {
  await network.start([node])
  await using other = await TestNetwork.create({ authorities: 1, intervalMs: 50 })
  const target = (await node.info()).addresses[0]!
  const stranger = other.nodes[0]!
  stranger.start('--set', `network.bootstrap=${target}`)
  await stranger.ready()
  await until(
    'both say why',
    () => /genesis|network/i.test(refusal(node)) && /genesis|network/i.test(refusal(stranger)),
  )
  assert.equal((await node.client.peers()).peer_count, 0)
})

function refusal(of: TestNode): string {
  return of
    .log()
    .split('\n')
    .filter((line) => /refused|mismatch/i.test(line))
    .join('\n')
}
