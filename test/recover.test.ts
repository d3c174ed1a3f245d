/**
 * The way out when more authorities are lost for ever than the rules can bear (docs/recover.md): real processes.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { althing, TestNetwork, until } from './support/network.ts'
import type { TestNode } from './support/network.ts'

interface Proposal {
  readonly genesis_hash: string
  readonly height: number
}

async function run(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await althing(args)
  assert.equal(code, 0, `althing ${args.join(' ')}: ${stderr}`)
  return stdout
}

test('two of four authorities are lost for ever: the other two go on as a new network with all data', async () => {
  await using network = await TestNetwork.create({ idleIntervalMs: 1_000 })
  const [first, second] = network.nodes as [TestNode, TestNode]
  await network.start()
  const api = first.client.url.href
  const put = (key: string, value: string): Promise<string> =>
    run('kv', 'put', key, value, '--api', api, '--key', network.accountKeyFile)
  await put('before', 'the loss')
  const { nonce } = await first.client.account(network.account.publicKey)
  for (const lost of network.nodes.slice(2)) await lost.kill()
  // No block can become final any more; each of the two has what the other one has.
  await until('the two have the same blocks', async () => {
    const [one, other] = await Promise.all([first.info(), second.info()])
    return one.finalized_height === other.finalized_height
  })
  for (const node of [first, second]) await node.kill()

  const folder = join(network.folder, 'next')
  const claim = join(network.folder, 'claim.json')
  await run('recover', 'inspect', '--config', second.configFile, '--out', claim)
  const proposal = JSON.parse(
    await run(
      'recover',
      'propose',
      folder,
      '--config',
      first.configFile,
      '--network-id',
      'goes-on',
      '--with',
      claim,
      '--json',
    ),
  ) as Proposal
  assert.ok(proposal.height > 0)
  const accept = (node: TestNode, genesis = proposal.genesis_hash): ReturnType<typeof althing> =>
    althing(['recover', 'accept', folder, '--config', node.configFile, '--genesis', genesis])

  await run('recover', 'sign', folder, '--config', first.configFile)
  const early = await accept(first)
  assert.match(early.stderr, /not all authorities of the new network have signed/)
  await run('recover', 'sign', folder, '--config', second.configFile)
  const other = await accept(first, '00'.repeat(32))
  assert.match(other.stderr, /is of the genesis/)
  for (const node of [first, second]) {
    const accepted = await accept(node)
    assert.equal(accepted.code, 0, accepted.stderr)
    const config = readFileSync(node.configFile, 'utf8')
    writeFileSync(node.configFile, config.replace(/^id = ".*"$/m, 'id = "goes-on"'))
    assert.ok(readdirSync(node.folder).some((name) => name.startsWith('data.before-recovery')))
  }

  await network.start([first, second])
  await put('after', 'it goes on')
  const info = await until('both have the new block', async () => {
    const seen = await second.info()
    return seen.finalized_height > 0 && seen
  })
  assert.equal(info.network_id, 'goes-on')
  assert.equal(info.genesis_hash, proposal.genesis_hash)
  assert.equal(info.consensus.authorities.length, 2)
  const read = (key: string): Promise<string> =>
    run('kv', 'get', key, '--api', api, '--genesis', proposal.genesis_hash)
  assert.match(await read('before'), /the loss/)
  assert.match(await read('after'), /it goes on/)
  assert.equal((await first.client.account(network.account.publicKey)).nonce, nonce + 1)
})
