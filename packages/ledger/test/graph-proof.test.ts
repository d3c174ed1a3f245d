import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  bytesToHex,
  graphCreate,
  graphDelete,
  graphId,
  graphInsert,
  graphPrefix,
  prefixEnd,
  readCanonicalQuad,
  statementKey,
  subjectPrefix,
  verifyKey,
  verifyRange,
  verifySubtree,
} from '@althing/base'
import { idOf, World } from './chain-world.ts'

const G = 'http://example.org/graph'
const TEXT = '<urn:a> <urn:p> "1"'
const MORE = ['<urn:a> <urn:q> <urn:b>', '<urn:b> <urn:p> "2"', '<urn:c> <urn:p> "3"']

function newWorld(): World {
  const world = new World({ balances: { a: 1000n }, memberNames: ['a'] })
  const other = graphCreate({ graph: `${G}/other` })
  world.assertOutcome(
    'ok',
    'a',
    graphCreate({ graph: G }),
    other,
    graphInsert({ graph: G, statements: [TEXT, ...MORE] }),
  )
  return world
}

function keyOf(text: string): Uint8Array {
  const read = readCanonicalQuad(`${text} .`)
  assert.ok(read.ok)
  return statementKey(graphId(G), read.value)
}

suite('what is proved of a graph (PC-5)', () => {
  test('a statement, by its own key, with height and signer', () => {
    const { tree, state } = newWorld()
    const proved = verifyKey(tree.root(state), keyOf(TEXT), tree.prove(state, keyOf(TEXT)))
    assert.ok(proved.ok && proved.value.value !== null)
    const height = '0100000000000000'
    const expected = `${height}${bytesToHex(idOf('a'))}2c000000${Buffer.from(TEXT).toString('hex')}`
    assert.equal(bytesToHex(proved.value.value), expected)
  })

  test('golden keys', () => {
    assert.equal(
      bytesToHex(keyOf(TEXT)),
      '2263cc062fb4534109699014d668ed41abaad9ebe5716f233cb8c3b8d463f3ace2cd71c48e99d2ea2beb529b3b71c733db',
    )
    assert.equal(
      bytesToHex(subjectPrefix(graphId(G), '<urn:a>')),
      '2263cc062fb4534109699014d668ed41abaad9ebe5716f233c',
    )
  })

  test('all statements of a subject are one range', () => {
    const { tree, state } = newWorld()
    const prefix = subjectPrefix(graphId(G), '<urn:a>')
    const proved = verifyRange(
      tree.root(state),
      prefix,
      prefixEnd(prefix),
      tree.proveRange(state, prefix, prefixEnd(prefix)),
    )
    assert.ok(proved.ok)
    assert.deepEqual(
      proved.value.entries.map(({ key }) => bytesToHex(key)).sort(),
      [TEXT, MORE[0]!].map((text) => bytesToHex(keyOf(text))).sort(),
    )
  })

  test('a graph has one hash, which is the same however it came to be, and proved', () => {
    const one = newWorld()
    const other = newWorld()
    const prefix = graphPrefix(graphId(G))
    other.block((batch) => {
      batch.apply(other.transaction('a', [graphInsert({ graph: `${G}/other`, statements: MORE })]))
      batch.apply(
        other.transaction(
          'a',
          [
            graphInsert({ graph: G, statements: ['<urn:z> <urn:p> "9"'] }),
            graphDelete({ graph: G, statements: ['<urn:z> <urn:p> "9"'] }),
          ],
          { nonce: 2 },
        ),
      )
    })
    const hash = one.tree.subtree(one.state, prefix)
    assert.deepEqual(other.tree.subtree(other.state, prefix), hash)
    assert.notDeepEqual(other.ledger.root(other.state), one.ledger.root(one.state))
    const proved = verifySubtree(
      other.tree.root(other.state),
      prefix,
      other.tree.proveSubtree(other.state, prefix),
    )
    assert.deepEqual(proved, { ok: true, value: { hash } })
    other.assertOutcome('ok', 'a', graphDelete({ graph: G, statements: [TEXT] }))
    assert.notDeepEqual(other.tree.subtree(other.state, prefix), hash)
  })
})
