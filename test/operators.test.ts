/**
 * What operators do, by the command line alone: a key behind a signer, accounts of several keys, votes on authorities.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'node:test'
import { althing, TestNetwork, until } from './support/network.ts'

const PROGRAM = fileURLToPath(new URL('./cli/main.ts', import.meta.resolve('althing')))

async function run(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await althing(args)
  assert.equal(code, 0, `althing ${args.join(' ')}: ${stderr}`)
  return stdout.trim()
}

test('one authority behind a signer: its death stops no process, and operators do their work by commands', async () => {
  await using network = await TestNetwork.create({ authorities: 1, idleIntervalMs: 500 })
  const node = network.nodes[0]!
  const inFolder = (name: string): string => join(network.folder, name)
  const keyFile = join(node.folder, 'authority.key')
  const socket = inFolder('signer.sock')
  const signing = ['--key', keyFile, '--guard', inFolder('guard')].concat([
    '--genesis-file',
    join(node.folder, 'genesis.json'),
  ])
  await run('signer', 'init', ...signing)
  const config = readFileSync(node.configFile, 'utf8')
  writeFileSync(node.configFile, config.replace(/^authority_key_file = .*$/m, `signer = "unix:${socket}"`))
  const startSigner = async (): Promise<ChildProcess> => {
    const child = spawn(
      process.execPath,
      [PROGRAM, 'signer', 'start', ...signing, '--listen', `unix:${socket}`],
      {
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    )
    await once(child.stdout, 'data')
    return child
  }

  let signer = await startSigner()
  try {
    await network.start()
    const api = ['--api', node.client.url.href]
    await node.atHeight(2)
    const gone = once(signer, 'exit')
    signer.kill('SIGKILL')
    await gone
    await until('the node says that its signer is away', async () =>
      /signer at unix:.* is away/.test((await node.client.consensus()).observer ?? ''),
    )
    const { finalized_height: stopped } = await node.info()
    assert.match(await run('status', ...api), /It signs no votes: the signer at/)
    signer = await startSigner()
    await node.atHeight(stopped + 3)

    const keys = await Promise.all(
      ['alice', 'bob', 'carol'].map((name) => run('key', 'new', '--key', inFolder(`${name}.key`))),
    )
    const policy = inFolder('treasury.json')
    const treasury = await run('multisig', 'new', policy, ...keys, '--threshold', '2')
    await run('tx', 'send', treasury, '1000', '--key', network.accountKeyFile, ...api)
    const [pay, copy] = [inFolder('pay.json'), inFolder('pay-bob.json')]
    await run('tx', 'build', pay, '--policy', policy, '--to', keys[0]!, '--amount', '400', ...api)
    copyFileSync(pay, copy)
    const told = await run('tx', 'sign', pay, '--key', inFolder('alice.key'))
    assert.match(told, new RegExp(`transfer 400 to ${keys[0]}[^]*Signed by 1 of 2 needed`))
    const early = await althing(['tx', 'submit', pay, ...api])
    assert.match(early.stderr, /1 of 2 signatures are there/)
    await run('tx', 'sign', copy, '--key', inFolder('bob.key'))
    await run('tx', 'combine', pay, copy)
    assert.match(await run('tx', 'submit', pay, ...api), /^final in block/)
    const account = await node.client.account(Buffer.from(keys[0]!, 'hex'))
    assert.equal(account.balance, '400')

    const proposed = await run('authority', 'propose', 'add', keys[2]!, '--key', keyFile, ...api)
    const [proposal] = /[0-9a-f]{64}/.exec(proposed) ?? []
    const shown = await run('authorities', ...api)
    assert.match(shown, new RegExp(`${proposal}  add ${keys[2]} with weight 1\n    approved`))
    assert.match(shown, new RegExp(`Candidates:\n  ${keys[2]}  no sign of life yet`))
  } finally {
    signer.kill('SIGKILL')
  }
})

test('an authority gets another key, by one command said twice, and goes on', async () => {
  await using network = await TestNetwork.create({ authorities: 1, idleIntervalMs: 200 })
  const node = network.nodes[0]!
  await network.start()
  const rotate = ['authority', 'rotate-key', '--config', node.configFile]
  const newKey = join(node.folder, 'authority-2.key')
  await run(...rotate, '--new-key', newKey)
  await node.stop()
  const config = readFileSync(node.configFile, 'utf8')
  const line = `next_authority_key_file = ${JSON.stringify(newKey)}`
  writeFileSync(node.configFile, config.replace('[consensus]', `[consensus]\n${line}`))
  await network.start()
  const told = JSON.parse(await run(...rotate, '--json')) as { new_key: string }
  const { epoch, first_height: first } = await until('the new key is the authority', async () => {
    const state = await node.client.authorities()
    return state.authorities[0]!.public_key === told.new_key && state
  })
  assert.ok(epoch > 0)
  await node.atHeight(first + 3)
  const { observer } = await node.client.consensus()
  assert.equal(observer, null)
})
