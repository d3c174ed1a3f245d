/** Four real nodes vote one of them out, by the command line alone; the chain goes on without a pause (R11). */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { althing, TestNetwork, until } from './support/network.ts'

async function run(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await althing(args)
  assert.equal(code, 0, `althing ${args.join(' ')}: ${stderr}`)
  return stdout.trim()
}

test('three of four authorities vote the fourth out: every node has the next set, and blocks go on', async () => {
  await using network = await TestNetwork.create({ authorities: 4, intervalMs: 100, idleIntervalMs: 200 })
  await network.start()
  const [first, second, third, fourth] = network.nodes
  const keyOf = (node: typeof first): string[] => ['--key', join(node!.folder, 'authority.key')]
  const api = ['--api', first!.client.url.href]

  const leaving = (await fourth!.info()).authority?.public_key
  assert.ok(leaving !== undefined)
  const proposed = await run('authority', 'propose', 'remove', leaving, ...keyOf(first), ...api)
  const proposal = /[0-9a-f]{64}/.exec(proposed)?.[0]
  assert.ok(proposal !== undefined)
  await Promise.all([second, third].map((node) => run('authority', 'vote', proposal, ...keyOf(node), ...api)))
  for (const node of network.nodes) {
    const { consensus, finalized_height: height } = await until(
      `${node.name} is in an epoch of three authorities`,
      async () => {
        const info = await node.info()
        return info.consensus.authorities.length === 3 && info
      },
      60_000,
    )
    assert.ok(consensus.epoch >= 1)
    assert.ok(!consensus.authorities.some((one) => one.public_key === leaving))
    await node.atHeight(height + 3)
  }
  const again = await althing(['authority', 'vote', proposal, ...keyOf(fourth), ...api])
  assert.notEqual(again.code, 0)
  assert.match(again.stderr, /NOT_AUTHORITY/)
})
