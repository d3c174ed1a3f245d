/**
 * Seeing: the map of the network, and how a block went through it (PT-11, PO-10), over real sockets.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kvPut } from '@althing/client'
import { althing, TestNetwork, until } from './support/network.ts'

const text = new TextEncoder()

test('every node knows all nodes and links; a dead one is seen as such; a block is seen to reach all peers', async () => {
  await using network = await TestNetwork.create({ authorities: 4, full: 1 })
  await network.start()
  for (const { name, client } of network.nodes) {
    await until(
      `${name} has the whole map`,
      async () => (await client.network.topology()).links.length === 10,
    )
  }
  const [first] = network.nodes
  const { client } = first!
  const topology = await client.network.topology()
  assert.equal(topology.total_nodes, 5)
  assert.equal(topology.healthy_peers, 5)
  const labels = topology.nodes.map(({ label, node_type }) => label ?? node_type ?? '').toSorted()
  assert.deepEqual(labels, ['authority', 'authority 1', 'authority 2', 'authority 3', 'full node'])

  const sender = await network.sender(first)
  const operation = kvPut({ key: text.encode('seen'), value: text.encode('by all') })
  const { height } = await sender.send([operation], { timeoutMs: 30_000 })
  const propagation = await until('all four peers have the block', async () => {
    const found = await client.network.propagation(height!)
    return found.peers.length === 4 && found.peers.every(({ final_at }) => final_at !== null) && found
  })
  assert.ok(propagation.here_final_at !== null && propagation.spread_ms !== null)

  const api = ['--api', client.url.href]
  const { stdout } = await althing(['network', ...api])
  assert.match(stdout, /5 nodes: 5 healthy, 0 degraded, 0 disconnected; 10 links/)
  const { stdout: picture } = await althing(['network', '--dot', ...api])
  assert.equal(picture.match(/ -- /g)?.length, 10)
  const { stdout: block } = await althing(['network', '--block', `${height}`, ...api])
  assert.match(block, new RegExp(`block ${height}: here `))
  const unknown = await althing(['network', '--block', '999999', ...api])
  assert.match(unknown.stderr, /BLOCK_NOT_FOUND/)

  await network.nodes[4]!.stop()
  await until('the stopped node is disconnected', async () => {
    const { disconnected_peers, links } = await client.network.topology()
    return disconnected_peers === 1 && links.length === 6
  })
})
