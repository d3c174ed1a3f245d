/**
 * The graph's decoders: whatever the bytes, there is one form of what they accept, and a proof of one root says nothing else.
 * @module
 */
import assert from 'node:assert/strict'
import { bytesToUtf8, hexToBytes, utf8ToBytes } from '../src/bytes.ts'
import { sha256, ZERO_HASH } from '../src/hash.ts'
import { quadLine, readCanonicalQuad, readQuad, statementText } from '../src/rdf/statement.ts'
import { parseStatement, parseTerm } from '../src/rdf/term.ts'
import { decodeGraphOperation, graphCreate, graphGrant, graphInsert } from '../src/schema/graph-operations.ts'
import { verifySubtree } from '../src/subtree-proof.ts'
import { leafHash } from '../src/trie.ts'

const XSD = 'http://www.w3.org/2001/XMLSchema#'
const graph = 'urn:g'
const lines = [
  '<urn:a> <urn:p> <http://[::1]:80/a?b#c> .',
  `<urn:a> <urn:p> "-01.50"^^<${XSD}decimal> <urn:g> .`,
  `<urn:a> <urn:p> "1e-7"^^<${XSD}double> .`,
  `<urn:a> <urn:p> "2020-02-29T24:00:00.0+00:00"^^<${XSD}dateTime> .`,
  `<urn:a> <urn:p> "-P1Y13MT36H0.50S"^^<${XSD}duration> .`,
  '<urn:a>\t<urn:p> "\\u0041\\n\\U0001F600"@en-GB .',
]

/** A state of one entry: ab is v. */
const key = utf8ToBytes('ab')
const root = leafHash(key, sha256(utf8ToBytes('v')))
const proof = hexToBytes(`0100026162${Buffer.from(sha256(utf8ToBytes('v'))).toString('hex')}`)!

export const targets = {
  statement: {
    seeds: () => lines.map(utf8ToBytes),
    run(bytes: Uint8Array): void {
      const line = bytesToUtf8(bytes)
      const read = line === null || line.includes('\n') ? null : readQuad(line)
      if (read === null || !read.ok) return
      const text = statementText(read.value)
      assert.deepEqual(readCanonicalQuad(quadLine(text, read.value.graph)), read)
      assert.deepEqual(parseStatement(text), {
        subject: read.value.subject,
        predicate: read.value.predicate,
        object: read.value.object,
      })
      assert.ok(parseTerm(read.value.object).kind.length > 0)
    },
  },
  graphOperation: {
    seeds: () => [
      graphCreate({ graph }).body,
      graphInsert({ graph, statements: ['<urn:a> <urn:p> "1"'] }).body,
      graphGrant({ graph, account: new Uint8Array(32) }).body,
    ],
    run(bytes: Uint8Array): void {
      const read = decodeGraphOperation(bytes)
      if (!read.ok || read.value.kind !== 'insert') return
      const statements = read.value.statements.map(statementText)
      assert.deepEqual(graphInsert({ graph: read.value.graph, statements }).body, bytes)
    },
  },
  subtree: {
    seeds: () => [proof],
    run(bytes: Uint8Array): void {
      for (const prefix of ['a', 'ab']) {
        const within = verifySubtree(root, utf8ToBytes(prefix), bytes)
        if (within.ok) assert.deepEqual(within.value.hash, root)
      }
      for (const prefix of ['abc', 'b']) {
        const beside = verifySubtree(root, utf8ToBytes(prefix), bytes)
        if (beside.ok) assert.deepEqual(beside.value.hash, ZERO_HASH)
      }
    },
  },
}
