/**
 * The command's main paths against a real node, as a person types them.
 */
import assert from 'node:assert/strict'
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { althing, TestNetwork } from './support/network.ts'

let network: TestNetwork
let api: string
let bob: string
let bobAccount: string

before(async () => {
  network = await TestNetwork.create({ authorities: 1, intervalMs: 50, policy: 'open' })
  await network.start()
  api = network.nodes[0]!.client.url.origin
  bob = join(network.folder, 'bob.key')
})

after(() => network[Symbol.asyncDispose]())

/** Runs a command with the node's address and, where it signs, a key. @returns what it printed. */
async function run(args: string[], key?: string): Promise<string> {
  const { code, stdout, stderr } = await althing([
    ...args,
    '--api',
    api,
    ...(key === undefined ? [] : ['--key', key]),
  ])
  assert.equal(code, 0, `althing ${args.join(' ')}: ${stderr}`)
  return stdout
}

async function refused(args: string[], key?: string): Promise<string> {
  const { code, stderr } = await althing([
    ...args,
    '--api',
    api,
    ...(key === undefined ? [] : ['--key', key]),
  ])
  assert.ok(code > 0, `althing ${args.join(' ')} should fail`)
  return stderr
}

test('a key is made once, private, and shown without its seed', async () => {
  const made = await althing(['key', 'new', '--key', bob, '--json'])
  assert.equal(made.code, 0, made.stderr)
  bobAccount = (JSON.parse(made.stdout) as { account: string }).account
  assert.equal(statSync(bob).mode & 0o777, 0o600)
  assert.match((await althing(['key', 'new', '--key', bob])).stderr, /KEY_EXISTS/)
  const shown = await althing(['key', 'show', '--key', bob])
  assert.match(shown.stdout, new RegExp(bobAccount))
})

test('money is sent, and what is not there is not', async () => {
  await run(['tx', 'send', bobAccount, '5000'], network.accountKeyFile)
  assert.match(await refused(['tx', 'send', bobAccount, '999999'], bob), /BALANCE_TOO_LOW/)
})

test('a value is put, proved, granted, revoked and deleted', async () => {
  await run(['kv', 'put', 'greeting', 'hello'], network.accountKeyFile)
  assert.equal((await run(['kv', 'get', 'greeting'])).trim(), 'hello')
  const pinned = ['kv', 'get', 'greeting', '--genesis', Buffer.from(network.genesisHash).toString('hex')]
  assert.equal((await run(pinned)).trim(), 'hello')
  assert.ok((await refused(['kv', 'get', 'greeting', '--genesis', 'ab'.repeat(32)])).length > 0)

  assert.match(await refused(['kv', 'put', 'greeting', 'mine'], bob), /NOT_OWNER/)
  await run(['kv', 'grant', 'greeting', bobAccount], network.accountKeyFile)
  await run(['kv', 'put', 'greeting', 'from bob'], bob)
  assert.equal((await run(['kv', 'get', 'greeting'])).trim(), 'from bob')
  await run(['kv', 'revoke', 'greeting', bobAccount], network.accountKeyFile)
  assert.match(await refused(['kv', 'put', 'greeting', 'again'], bob), /NOT_OWNER/)
  await run(['kv', 'delete', 'greeting'], network.accountKeyFile)
  const gone = JSON.parse(await run(['kv', 'get', 'greeting', '--json']).catch(() => '{"exists":false}')) as {
    exists: boolean
  }
  assert.equal(gone.exists, false)
})

test('many keys are loaded from a file', async () => {
  const file = join(network.folder, 'many.json')
  const entries = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`many/${i}`, `value ${i}`]))
  writeFileSync(file, JSON.stringify(entries))
  await run(['kv', 'load', file], network.accountKeyFile)
  assert.equal((await run(['kv', 'get', 'many/199'])).trim(), 'value 199')
})

test('status tells what the node does, for people and for programs', async () => {
  assert.match(await run(['status']), /authority 0 of network/)
  const json = JSON.parse(await run(['status', '--json'])) as unknown
  assert.ok(JSON.stringify(json).includes('"finalized_height"'))
  const nobody = await althing(['status', '--api', 'http://127.0.0.1:9'])
  assert.ok(nobody.code > 0)
})
