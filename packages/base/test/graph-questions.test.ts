import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  AnswerReceipt,
  answerHash,
  bytesToHex,
  decodeAnswerReceipt,
  decodeCheckQuestion,
  decodeHeldGraphs,
  decodeMatchQuestion,
  encodeCheckQuestion,
  encodePartQuestion,
  HeldGraphs,
  isReceiptSigned,
  MatchQuestion,
  portableSigner,
  queryHash,
  signReceipt,
  utf8ToBytes,
  verifyPortable,
} from '../src/index.ts'

const asked = { query: 'ASK {}', defaultGraphs: ['urn:a', 'urn:b'], namedGraphs: [] }

suite('questions about graphs on the wire: golden bytes (PC-6)', () => {
  test('which graphs are held', () => {
    const value = { all: 0, graphs: new Uint8Array(16).fill(9) }
    const golden = `0005000000${'09'.repeat(16)}`
    assert.equal(bytesToHex(HeldGraphs.serialize(value)), golden)
    assert.deepEqual(decodeHeldGraphs(HeldGraphs.serialize(value)), { ok: true, value })
  })

  test('a question for statements', () => {
    const value = { height: 7, graph: utf8ToBytes('urn:g'), patterns: utf8ToBytes('<urn:a>\t\t') }
    const golden = '0700000000000000100000001500000075726e3a673c75726e3a613e0909'
    assert.equal(bytesToHex(MatchQuestion.serialize(value)), golden)
    assert.deepEqual(decodeMatchQuestion(MatchQuestion.serialize(value)), { ok: true, value })
  })

  test('a query to be checked, and its hash', () => {
    const golden = '07000000000000000c0000000d00000001130000001e00000041534b207b7d75726e3a610a75726e3a62'
    assert.equal(bytesToHex(encodeCheckQuestion(7, asked)), golden)
    assert.deepEqual(decodeCheckQuestion(encodeCheckQuestion(7, asked)), {
      ok: true,
      value: { height: 7, asked },
    })
    assert.equal(bytesToHex(queryHash(asked)).length, 64)
    assert.notDeepEqual(queryHash(asked), queryHash({ ...asked, defaultGraphs: null, namedGraphs: null }))
  })

  test('graphs that are no IRIs are refused', () => {
    const wrong = { ...asked, defaultGraphs: ['not one'] }
    assert.equal(decodeCheckQuestion(encodeCheckQuestion(7, wrong)).ok, false)
  })

  test('a receipt: any byte that is changed breaks its signature', () => {
    const zeros = new Uint8Array(32)
    const fields = {
      genesis: zeros,
      query: queryHash(asked),
      height: 7,
      stateRoot: zeros,
      result: answerHash(['true']),
    }
    const bytes = AnswerReceipt.serialize(signReceipt(fields, portableSigner(zeros)))
    assert.equal(bytes.length, 5 * 32 + 8 + 64)
    for (let at = 0; at < bytes.length; at += 20) {
      const changed = bytes.slice()
      changed[at]! ^= 1
      const read = decodeAnswerReceipt(changed)
      assert.ok(!read.ok || !isReceiptSigned(read.value, verifyPortable), String(at))
    }
    const read = decodeAnswerReceipt(bytes)
    assert.ok(read.ok && isReceiptSigned(read.value, verifyPortable))
  })

  test('a question for parts of a tree', () => {
    const prefix = utf8ToBytes('p')
    const question = {
      places: [
        { bits: 9, key: prefix },
        { bits: 14, key: utf8ToBytes('p`') },
      ],
      levels: 2,
      isWhole: false,
    }
    assert.equal(bytesToHex(encodePartQuestion(question, prefix)), '02090e60')
  })
})
