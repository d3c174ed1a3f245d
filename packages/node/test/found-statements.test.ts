import { strict as assert } from 'node:assert'
import { describe, test } from 'node:test'
import type { ServedGraphs } from '../src/served-graphs.ts'
import { QueryFault } from '../src/sparql/fault.ts'
import type { QueryAnswer, QueryRequest } from '../src/sparql/queries.ts'
import type { ChainStore } from '../src/store/types.ts'
import { FoundStatements } from '../src/trace/found-statements.ts'

const PATTERN = 'GRAPH ?g { ?thing ?p ?o } BIND(?thing AS ?s)'

/** A node where each query meets a new block, unless it asks for a height; each finds `rows` statements. */
function nodeWith(rows: number): { readonly asked: QueryRequest[]; readonly statements: FoundStatements } {
  const asked: QueryRequest[] = []
  const iri = (value: string) => ({ type: 'uri', value })
  const row = { g: iri('urn:g'), s: iri('urn:s'), p: iri('urn:p'), o: { type: 'literal', value: 'a"\n' } }
  const query = async (request: QueryRequest): Promise<QueryAnswer> => {
    asked.push(request)
    const text = JSON.stringify({ results: { bindings: Array.from({ length: rows }, () => row) } })
    return { text, rows, height: request.height ?? asked.length, stateRoot: null }
  }
  const find = (graph: string, text: string) =>
    graph === 'urn:g' && text === '<urn:s> <urn:p> "a\\"\\n"'
      ? { height: 7, sender: new Uint8Array(32), text }
      : null
  return {
    asked,
    statements: new FoundStatements(
      { query },
      { find } as unknown as ServedGraphs,
      { encodedBlock: () => undefined } as unknown as ChainStore,
    ),
  }
}

describe('statements that are found for a trace (PC-6)', () => {
  test('are of one height, however fast blocks come, and asked for in the name of the client', async () => {
    const { asked, statements } = nodeWith(1)
    const { result, height } = await statements.look('198.51.100.7', async (look) => {
      const found = await look.about(['urn:s'], PATTERN)
      return [...found, ...(await look.about(['urn:s'], PATTERN))]
    })
    assert.equal(result.length, 2)
    const heights = asked.map((request) => request.height)
    assert.deepEqual(heights, [null, null, null, null, null, height])
    assert.ok(asked.every(({ client }) => client === '198.51.100.7'))
  })

  test('more of them than can be shown are refused', async () => {
    const { statements } = nodeWith(20_001)
    await assert.rejects(
      statements.look('a', (look) => look.about(['urn:s'], PATTERN)),
      (error) => error instanceof QueryFault && error.code === 'QUERY_TOO_MANY_ROWS',
    )
    const some = await statements.look('a', (look) => look.some(['urn:s'], PATTERN, 10))
    assert.deepEqual([some.result.found.length, some.result.isAll], [10, false])
  })

  test('show who signed them; one that has gone shows nobody', async () => {
    const { statements } = nodeWith(1)
    const { result } = await statements.look('a', (look) => look.about(['urn:s'], PATTERN))
    const gone = { ...result[0]!, object: 'urn:gone' }
    const signed = await statements.signed([...result, gone])
    assert.deepEqual(signed(result[0]!), { height: 7, timeMs: 0, signer: '00'.repeat(32) })
    assert.equal(signed(gone), null)
  })
})
