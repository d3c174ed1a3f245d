import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  bytesToHex,
  decodeGraphGrant,
  decodeGraphOperation,
  decodeGraphRecord,
  decodeGraphRules,
  decodeStatementEntry,
  graphCreate,
  graphDelete,
  GraphGrant,
  graphGrant,
  graphInsert,
  GraphRecord,
  graphRevoke,
  GraphRules,
  parseStatement,
  StatementEntry,
  utf8ToBytes,
} from '../src/index.ts'

const graph = 'urn:g'
const account = new Uint8Array(32).fill(9)
const text = '<urn:a> <urn:p> "1"'
const statements = [parseStatement(text)]

suite('the graph on the wire and in the state: golden bytes (PC-5)', () => {
  const access = '240000000909090909090909090909090909090909090909090909090909090909090909'
  const named = '080000000d000000'
  const line = '3c75726e3a613e203c75726e3a703e20223122202e0a'
  const operations = [
    [graphCreate({ graph }), { kind: 'create', graph, shapes: [] }, `00${named}75726e3a67`],
    [
      graphCreate({ graph, shapes: [text] }),
      { kind: 'create', graph, shapes: statements },
      `00${named}75726e3a67${line}`,
    ],
    [
      graphInsert({ graph, statements: [text] }),
      { kind: 'insert', graph, statements },
      `01${named}75726e3a67${line}`,
    ],
    [
      graphDelete({ graph, statements: [text] }),
      { kind: 'delete', graph, statements },
      `02${named}75726e3a67${line}`,
    ],
    [graphGrant({ graph, account }), { kind: 'grant', graph, account }, `03${access}75726e3a67`],
    [graphRevoke({ graph, account }), { kind: 'revoke', graph, account }, `04${access}75726e3a67`],
  ] as const
  for (const [operation, value, golden] of operations) {
    test(`operation ${value.kind}: ${golden}`, () => {
      assert.equal(bytesToHex(operation.body), golden)
      assert.deepEqual(decodeGraphOperation(operation.body), { ok: true, value })
    })
  }

  const record = {
    owner: account,
    height: 1,
    statements: 2,
    shapes: new Uint8Array(32),
    name: utf8ToBytes(graph),
  }
  const entry = { height: 3, sender: account, text: utf8ToBytes(text) }
  const id = '09'.repeat(32)
  const states = [
    [GraphRules.serialize({ version: 1 }), decodeGraphRules, { version: 1 }, '0100'],
    [
      GraphRecord.serialize(record),
      decodeGraphRecord,
      record,
      `${id}01000000000000000200000000000000${'00'.repeat(32)}5400000075726e3a67`,
    ],
    [GraphGrant.serialize({ since: 4 }), decodeGraphGrant, { since: 4 }, '0400000000000000'],
    [
      StatementEntry.serialize(entry),
      decodeStatementEntry,
      entry,
      `0300000000000000${id}2c0000003c75726e3a613e203c75726e3a703e20223122`,
    ],
  ] as const
  for (const [bytes, decode, value, golden] of states) {
    test(`state: ${golden}`, () => {
      assert.equal(bytesToHex(bytes), golden)
      assert.deepEqual(decode(bytes), { ok: true, value })
    })
  }
})
