/**
 * What nodes say to each other about graphs, and parts of a tree: whatever the bytes, there is one form of what is
 * accepted, and a part says nothing that does not hash to what was known.
 * @module
 */
import assert from 'node:assert/strict'
import { utf8ToBytes } from '../src/bytes.ts'
import { portableSigner } from '../src/ed25519.ts'
import { sha256 } from '../src/hash.ts'
import {
  AnswerReceipt,
  decodeAnswerReceipt,
  decodeCheckQuestion,
  encodeCheckQuestion,
  signReceipt,
} from '../src/schema/graph-questions.ts'
import {
  decodePartQuestion,
  decodeParts,
  encodePartQuestion,
  encodeParts,
  placeOfPrefix,
  readSubtreePart,
} from '../src/subtree-part.ts'
import { innerHash, leafHash } from '../src/trie.ts'

const zeros = new Uint8Array(32)
const asked = { query: 'ASK {}', defaultGraphs: ['urn:a', 'urn:b'], namedGraphs: [] }
const receipt = { genesis: zeros, query: zeros, height: 7, stateRoot: zeros, result: zeros }

/** Below `p`: `pa` is v, and `pc` is v. */
const prefix = utf8ToBytes('p')
const [first, second] = [utf8ToBytes('pa'), utf8ToBytes('pc')]
const valueHash = sha256(utf8ToBytes('v'))
const branch = 9 + 7
const root = innerHash(first, branch, leafHash(first, valueHash), leafHash(second, valueHash))
/** An inner node eight bits further on, and its two leaves with their values. */
const part = Uint8Array.of(2 + branch - 8, 0x60, 1, 1, 0x61, 1, 0x76, 1, 1, 0x63, 1, 0x76)

export const targets = {
  subtreePart: {
    seeds: () => [part],
    run(bytes: Uint8Array): void {
      const read = readSubtreePart(placeOfPrefix(prefix), root, bytes)
      if (!read.ok) return
      const { leaves, closed } = read.value
      assert.equal(leaves.length + closed.length, 2)
      for (const leaf of leaves) assert.deepEqual(leaf.valueHash, valueHash)
    },
  },
  partQuestion: {
    seeds: () => [
      encodePartQuestion(
        { places: [placeOfPrefix(prefix), { bits: 14, key: first }], levels: 2, isWhole: false },
        prefix,
      ),
    ],
    run(bytes: Uint8Array): void {
      const read = decodePartQuestion(bytes, prefix)
      if (read.ok) assert.deepEqual(encodePartQuestion(read.value, prefix), bytes)
    },
  },
  parts: {
    seeds: () => [encodeParts([part, part])],
    run(bytes: Uint8Array): void {
      const read = decodeParts(bytes)
      if (read.ok) assert.deepEqual(encodeParts(read.value), bytes)
    },
  },
  checkQuestion: {
    seeds: () => [
      encodeCheckQuestion(7, asked),
      encodeCheckQuestion(7, { ...asked, defaultGraphs: null, namedGraphs: null }),
    ],
    run(bytes: Uint8Array): void {
      const read = decodeCheckQuestion(bytes)
      if (read.ok) assert.deepEqual(encodeCheckQuestion(read.value.height, read.value.asked), bytes)
    },
  },
  receipt: {
    seeds: () => [AnswerReceipt.serialize(signReceipt(receipt, portableSigner(zeros)))],
    run(bytes: Uint8Array): void {
      const read = decodeAnswerReceipt(bytes)
      if (read.ok) assert.deepEqual(AnswerReceipt.serialize(read.value), bytes)
    },
  },
}
