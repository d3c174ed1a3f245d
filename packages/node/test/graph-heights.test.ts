/** The index of a real node is the state, at every height, also after a restart (PC-6). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { graphCreate, graphDelete, graphInsert, portableSigner } from '@althing/base'
import type { Operation } from '@althing/base'
import { GraphWorld, sortedLines, triples, until } from './graph-world.ts'

const GRAPHS = ['http://e/g1', 'http://e/g2'] as const
const writer = portableSigner(new Uint8Array(32).fill(50))
const TRANSACTIONS = 24

const XSD = 'http://www.w3.org/2001/XMLSchema#'
const object = fc.constantFrom(
  '<http://e/s1>',
  '"a text"',
  String.raw`"quotes \" and \\u0041 \n"`,
  '"text"@de-at',
  `"5"^^<${XSD}integer>`,
  `"0.5"^^<${XSD}decimal>`,
  `"2026-11-21T08:00:00Z"^^<${XSD}dateTime>`,
)
const statement = fc
  .tuple(fc.nat(5), fc.nat(2), object)
  .map(([s, p, o]) => `<http://e/s${s}> <http://e/p${p}> ${o}`)
const change = fc.record({
  kind: fc.constantFrom('insert', 'insert', 'delete'),
  graph: fc.constantFrom(...GRAPHS),
  statements: fc.array(statement, { minLength: 1, maxLength: 6 }),
})
/** What follows `fails` has no effect: a graph that is not there takes no statement. */
const transaction = fc.record({
  changes: fc.array(change, { minLength: 1, maxLength: 3 }),
  fails: fc.boolean(),
})

type Model = ReadonlyMap<string, ReadonlySet<string>>
type Transaction = typeof transaction extends fc.Arbitrary<infer T> ? T : never

function operationsOf({ changes, fails }: Transaction): Operation[] {
  const operations = changes.map(({ kind, graph, statements }) =>
    kind === 'insert' ? graphInsert({ graph, statements }) : graphDelete({ graph, statements }),
  )
  const refused = graphInsert({ graph: 'http://e/none', statements: ['<http://e/a> <http://e/b> "c"'] })
  return fails ? [...operations, refused] : operations
}

function after(model: Model, { changes, fails }: Transaction): Model {
  if (fails) return model
  const next = new Map([...model].map(([graph, statements]) => [graph, new Set(statements)]))
  for (const { kind, graph, statements } of changes) {
    for (const text of statements) {
      if (kind === 'insert') next.get(graph)!.add(text)
      else next.get(graph)!.delete(text)
    }
  }
  return next
}

const seed = Date.now() % 2 ** 31

test(`what Oxigraph holds is what the state holds, at every height (seed ${seed})`, async () => {
  await using world = new GraphWorld(1, [writer])
  await world.start(0)
  const made = await world.write(
    0,
    writer,
    GRAPHS.map((graph) => graphCreate({ graph })),
  )
  const modelByHeight = new Map<number, Model>([[made, new Map(GRAPHS.map((graph) => [graph, new Set()]))]])
  /** By the transactions of the last height at or below this one. */
  const modelAt = (height: number): Model => {
    const known = [...modelByHeight.keys()].filter((each) => each <= height)
    return modelByHeight.get(Math.max(...known))!
  }

  const assertIndex = async (height: number | null): Promise<void> => {
    for (const graph of GRAPHS) {
      const query = `CONSTRUCT { ?s ?p ?o } { GRAPH <${graph}> { ?s ?p ?o } }`
      const options = { accept: 'application/n-triples', ...(height !== null && { height }) }
      const answer = await world.client(0).query(query, options)
      const expected = triples([...modelAt(answer.height).get(graph)!])
      assert.deepEqual(sortedLines(answer.text), expected, `${graph} at height ${answer.height}`)
    }
  }
  const assertState = async (): Promise<void> => {
    for (const graph of GRAPHS) {
      const { statements, height } = await world
        .client(0)
        .graphs.statements(graph, { limit: 1_000, proof: false })
      const expected = triples([...modelAt(height).get(graph)!])
      assert.deepEqual(triples(statements.map(({ text }) => text)), expected, `${graph} at height ${height}`)
    }
  }

  const transactions = fc.sample(transaction, { seed, numRuns: TRANSACTIONS })
  for (const [turn, one] of transactions.entries()) {
    const model = modelAt(Number.POSITIVE_INFINITY)
    const id = await world.submit(0, writer, operationsOf(one))
    const final = await until('a transaction is final', () => {
      const found = world.nodes[0]!.backend.transaction(id)
      return found?.kind === 'final' && found
    })
    assert.equal(final.receipt.ok, !one.fails)
    modelByHeight.set(final.height, after(model, one))
    await assertIndex(null)
    await assertState()
    if (turn === TRANSACTIONS / 2) {
      await world.stop(0)
      await world.start(0)
      await assertIndex(null)
      await assertState()
    }
  }
  const heights = [...modelByHeight.keys()].slice(-4)
  for (const height of heights) await assertIndex(height)
})
