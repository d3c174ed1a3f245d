/**
 * Graphs on real processes: whoever is asked, the answer of a height is the same (PC-6).
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { graphCreate, graphDelete, graphInsert } from '@althing/client'
import { TestNetwork, until } from './support/network.ts'

const GRAPH = 'http://e/graph'
const ROUNDS = 8
const QUERY = `SELECT ?s ?o { GRAPH <${GRAPH}> { ?s <http://e/p> ?o } } ORDER BY ?s ?o`

test('two nodes answer the same at the same height while a graph is being written', async () => {
  await using network = await TestNetwork.create({ authorities: 1, full: 1, intervalMs: 50, policy: 'open' })
  await network.start()
  const [authority, full] = network.nodes
  const sender = await network.sender(authority)
  await sender.send([graphCreate({ graph: GRAPH })])

  const over = new AbortController()
  let written = 0
  const write = async (): Promise<void> => {
    for (; !over.signal.aborted; written++) {
      const statements = Array.from({ length: 20 }, (_, n) => `<http://e/${n}> <http://e/p> "${written}"`)
      const before = statements.map((text) => text.replace(/"\d+"$/, `"${written - 2}"`))
      const operations = [graphInsert({ graph: GRAPH, statements })]
      if (written >= 2) operations.push(graphDelete({ graph: GRAPH, statements: before }))
      const { status, fault } = await sender.send(operations, { timeoutMs: 60_000 })
      assert.equal(status, 'final', JSON.stringify(fault))
    }
  }
  const writing = write()
  const heights = new Set<number>()
  for (let round = 0; round < ROUNDS; round++) {
    const before = written
    await until('something was written', () => written > before)
    const [asked, other] = round % 2 === 0 ? [authority!, full!] : [full!, authority!]
    const answer = await until('it answers', () => asked.client.query(QUERY, { accept: 'text/csv' }))
    await other.atHeight(answer.height)
    const { height } = answer
    const same = await other.client.query(QUERY, { accept: 'text/csv', height })
    assert.equal(same.height, height)
    assert.equal(same.text, answer.text)
    assert.equal(same.stateRoot, answer.stateRoot)
    heights.add(height)
  }
  over.abort()
  await writing
  assert.ok(heights.size > 1)
})
