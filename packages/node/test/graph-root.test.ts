import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  bytesToHex,
  graphId,
  graphPrefix,
  quadLine,
  readCanonicalQuad,
  StatementEntry,
  statementKey,
  utf8ToBytes,
} from '@althing/base'
import { graphRootOf } from '@althing/client'
import { StateTree } from '@althing/ledger'

const nothing = { readPage: () => undefined, readValue: () => undefined }
const GRAPH = 'http://e/g'

test('the root of a graph follows from its statements alone (PC-5)', () => {
  const statement = fc.record({
    text: fc
      .tuple(fc.nat(20), fc.nat(3), fc.nat(20))
      .map(([s, p, o]) => `<http://e/${s}> <http://e/p${p}> "${o}"`),
    height: fc.nat(1_000),
    sender: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  })
  const graphs = fc.uniqueArray(statement, { selector: ({ text }) => text, maxLength: 60 })
  fc.assert(
    fc.property(graphs, graphs, (statements, others) => {
      const tree = new StateTree(nothing, null)
      const changes = [
        ...statements.map((each) => ({ ...each, graph: GRAPH })),
        ...others.map((each) => ({ ...each, graph: 'http://e/other' })),
      ].map(({ graph, text, height, sender }) => {
        const quad = readCanonicalQuad(quadLine(text, null))
        assert(quad.ok)
        const value = StatementEntry.serialize({ height, sender, text: utf8ToBytes(text) })
        return { key: statementKey(graphId(graph), quad.value), value }
      })
      const version = tree.update(tree.head, changes)
      const expected = tree.subtree(version, graphPrefix(graphId(GRAPH)))
      const root = graphRootOf(GRAPH, statements)
      assert(root.ok)
      assert.equal(bytesToHex(root.value), bytesToHex(expected))
    }),
  )
})

test('a statement that is there twice is no graph', () => {
  const once = { text: '<urn:a> <urn:b> <urn:c>', height: 1, sender: new Uint8Array(32) }
  const root = graphRootOf(GRAPH, [once, { ...once, height: 2 }])
  assert.equal(!root.ok && root.fault.code, 'STATEMENT_DUPLICATE')
})
