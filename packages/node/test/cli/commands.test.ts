import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { genesisFromFile } from '@althing/ledger'
import { chainOf } from '../../src/genesis-state.ts'
import { voteLogFolder } from '../../src/consensus/authority-keys.ts'
import { readKeyFile } from '../../src/keys/index.ts'
import { loadConfig } from '../../src/config/index.ts'
import { bytesToHex } from '@althing/base'
import { althing } from './program.ts'

suite('the command line', { concurrency: 2 }, () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'althing-cli-'))
  })
  after(() => rm(folder, { recursive: true }))

  test('--help lists every command and first steps', async () => {
    const { code, stdout } = await althing('--help')
    assert.equal(code, 0)
    for (const command of ['devnet', 'init', 'start', 'key', 'tx', 'kv', 'peer', 'status']) {
      assert.match(stdout, new RegExp(`^  ${command} `, 'm'))
    }
    assert.match(stdout, /First steps:/)
  })

  const wrong: [string[], RegExp][] = [
    [['statu'], /^error USAGE: unknown command 'statu' \(Did you mean status\?\)$/m],
    [['tx', 'send', 'abc', '1'], /^error USAGE: .*Found "abc"; expected 64 hexadecimal digits\.$/m],
    [['devnet', '--interval', '1ms'], /^error USAGE: .*expected a duration from 10ms to 60000ms/m],
    [['init', '--authorities', '0'], /^error USAGE: .*expected a whole number from 1 to 256/m],
    [['init', '--host', 'a', 'b', '--authorities', '3'], /^error USAGE: 2 hosts for 3 nodes/m],
    [['graph', 'create', 'products'], /^error USAGE: .*Found "products"; expected an absolute IRI/m],
    [['query', 'ASK {}', '--graph', 'g'], /^error USAGE: .*Found "g"; expected an absolute IRI/m],
    [['start', '--set', 'port'], /^error USAGE: .*expected key=value/m],
  ]
  for (const [args, message] of wrong) {
    test(`"${args.join(' ')}" says what is wrong`, async () => {
      const { code, stdout, stderr } = await althing(...args)
      assert.notEqual(code, 0)
      assert.equal(stdout, '')
      assert.match(stderr, message)
    })
  }

  test('a node that is not there: code, address and advice, as JSON too', async () => {
    const text = await althing('kv', 'get', 'k', '--api', 'http://127.0.0.1:1')
    assert.equal(text.code, 1)
    assert.match(
      text.stderr,
      /^error API_UNREACHABLE: no connection to http:\/\/127\.0\.0\.1:1.*\nIs the node running\?/,
    )
    const json = await althing('kv', 'get', 'k', '--api', 'http://127.0.0.1:1', '--json')
    assert.equal(json.code, 1)
    assert.equal((JSON.parse(json.stderr) as { error: { code: string } }).error.code, 'API_UNREACHABLE')
  })

  test('key new makes a file for its owner alone, shows its account, and overwrites nothing', async () => {
    const file = join(folder, 'alice.key')
    const made = await althing('key', 'new', '--key', file)
    assert.equal(made.code, 0)
    assert.match(made.stdout, /^[0-9a-f]{64}\n$/)
    assert.equal((await stat(file)).mode & 0o777, 0o600)
    const shown = await althing('key', 'show', '--key', file, '--json')
    assert.equal((JSON.parse(shown.stdout) as { account: string }).account, made.stdout.trim())
    const seed = (JSON.parse(await readFile(file, 'utf8')) as { seed: string }).seed
    assert(!shown.stdout.includes(seed))
    const again = await althing('key', 'new', '--key', file)
    assert.equal(again.code, 1)
    assert.match(again.stderr, /^error KEY_EXISTS: /)
  })

  test('a missing key file is named before any node is asked', async () => {
    const { code, stderr } = await althing('kv', 'put', 'k', 'v', '--key', join(folder, 'none.key'))
    assert.equal(code, 1)
    assert.match(stderr, /^error KEY_MISSING: .*none\.key/)
  })

  test('init makes a network whose files fit together', async () => {
    const network = join(folder, 'network')
    const made = await althing(
      'init',
      network,
      '--authorities',
      '3',
      '--full',
      '1',
      '--interval',
      '1s',
      '--json',
    )
    assert.equal(made.code, 0, made.stderr)
    const said = JSON.parse(made.stdout) as {
      genesis_hash: string
      network_id: string
      nodes: { config: string }[]
    }

    const genesis = genesisFromFile(JSON.parse(await readFile(join(network, 'genesis.json'), 'utf8')))
    assert(genesis.ok)
    assert.equal(bytesToHex(chainOf(genesis.value).hash), said.genesis_hash)
    assert.equal(genesis.value.authorities.length, 3)
    assert.equal(genesis.value.intervalMs, 1_000)

    const configs = await Promise.all(said.nodes.map(({ config }) => loadConfig({ file: config })))
    assert.deepEqual(
      configs.map(({ node }) => node.type),
      ['authority', 'authority', 'authority', 'full'],
    )
    assert.deepEqual(
      configs.map(({ api }) => api.port),
      [8545, 8546, 8547, 8548],
    )
    for (const { node, consensus, network: links } of configs) {
      assert.equal(links.id, said.network_id)
      assert.equal(links.bootstrap.length, 3)
      await stat(node.genesisFile)
      assert.equal((await stat(node.keyFile)).mode & 0o777, 0o600)
      if (consensus.authorityKeyFile === null) continue
      assert.equal((await stat(consensus.authorityKeyFile)).mode & 0o777, 0o600)
      // A first vote log: without one the node would take its votes for lost, and observe (R12).
      const { publicKey } = await readKeyFile(consensus.authorityKeyFile)
      await stat(join(voteLogFolder(node.dataFolder, publicKey), '00000001.votes'))
    }

    const again = await althing('init', network)
    assert.equal(again.code, 1)
    assert.match(again.stderr, /^error FILE_EXISTS: /)
  })

  test('status says which nodes do not answer', async () => {
    const { code, stdout, stderr } = await althing('status', '--api', '127.0.0.1:1', '127.0.0.1:2')
    assert.equal(code, 1)
    assert.match(stdout, /127\.0\.0\.1:1\/\n {2}API_UNREACHABLE/)
    assert.match(stderr, /^error NODE_UNREACHABLE: .*127\.0\.0\.1:1.*127\.0\.0\.1:2/)
  })

  test('the default address is the one that the configuration has by default', async () => {
    const { api } = await loadConfig({})
    const { stderr } = await althing('kv', 'get', 'k', '--api', '')
    assert.match(stderr, new RegExp(`expected an address such as http://${api.host}:${api.port}`))
  })
})
