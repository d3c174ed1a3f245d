/** A network that was in two parts, with writes to graphs on both: what is final is the same everywhere afterwards (PC-6). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { graphCreate, graphInsert, portableSigner } from '@althing/base'
import type { Signer } from '@althing/base'
import { GraphWorld, triples, until } from './graph-world.ts'

const GRAPH = 'http://e/graph'
const OTHERS = 'http://e/others'
const [left, right] = [50, 51].map((byte) => portableSigner(new Uint8Array(32).fill(byte))) as [
  Signer,
  Signer,
]
const said = (text: string): string => `<http://e/s> <http://e/p> "${text}"`
const insert = (graph: string, text: string) => graphInsert({ graph, statements: [said(text)] })

test('only what is final survives a partition, and every index has just that', async () => {
  await using world = new GraphWorld(4, [left, right])
  for (let index = 0; index < 4; index++) await world.start(index)
  const peers = (index: number): number => world.nodes[index]!.backend.info().peer_count
  await until('all are linked', () => [0, 1, 2, 3].every((index) => peers(index) === 3))
  await world.write(0, left, [graphCreate({ graph: GRAPH })])
  await world.write(0, right, [graphCreate({ graph: OTHERS })])
  await world.write(0, left, [insert(GRAPH, 'before')])

  const alone = world.client(3)
  const majority = [0, 1, 2].map((index) => world.nodes[index]!)
  for (const { peerId } of majority)
    await alone.network.ban({ target: peerId, reason: 'a partition', by: 'a test' })
  await until('one is alone', () => peers(3) === 0 && peers(0) === 2)

  // The same nonce on both sides: one of them at most can ever be final.
  const lost = await world.submit(3, left, [insert(GRAPH, 'only said to the one')])
  world.again(left)
  const kept = await world.write(0, left, [insert(GRAPH, 'said to the others')])
  const late = await world.submit(3, right, [insert(OTHERS, 'waits for the others')])
  const atPartition = world.height(3)
  assert.ok(atPartition < kept)
  assert.deepEqual((await world.asked(3, 0)).lines, triples([said('before')]))

  for (const { peerId } of majority) await alone.network.unban(peerId)
  for (const { addresses } of majority) await alone.network.connect(addresses[0]!).catch(() => {})
  const final = await until('what waited is final everywhere', () => {
    const found = [0, 1, 2, 3].map((index) => world.nodes[index]!.backend.transaction(late))
    return found.every((each) => each?.kind === 'final') && found[0]
  })
  assert.ok(final?.kind === 'final' && final.receipt.ok)
  const expected = triples([said('before'), said('said to the others'), said('waits for the others')])
  for (const index of [0, 1, 2, 3]) {
    assert.deepEqual((await world.asked(index, final.height)).lines, expected, `node ${index}`)
    assert.notEqual(world.nodes[index]!.backend.transaction(lost)?.kind, 'final')
  }
  const roots = await Promise.all([0, 1, 2, 3].map((index) => world.client(index).graphs.get(GRAPH)))
  assert.equal(new Set(roots.map(({ root }) => root)).size, 1)
})
