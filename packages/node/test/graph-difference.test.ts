import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  decodePartQuestion,
  encodePartQuestion,
  equalBytes,
  graphId,
  graphPrefix,
  PART_PLACES_MAX,
  sha256,
  utf8ToBytes,
} from '@althing/base'
import type { ProvedEntry } from '@althing/base'
import { Difference, EntrySet } from '@althing/client'
import { StateTree } from '@althing/ledger'
import type { StateVersion } from '@althing/ledger'

const prefix = graphPrefix(graphId('http://e/g'))
const other = graphPrefix(graphId('http://e/other'))

/** @param value what a statement has besides its text: another one is another entry of the same key. */
function entryOf(id: number, value: number, under = prefix): ProvedEntry {
  const key = new Uint8Array(49)
  key.set(under)
  key.set(sha256(utf8ToBytes(`subject ${id % 97}`)).subarray(0, 8), 17)
  key.set(sha256(utf8ToBytes(`statement ${id}`)).subarray(0, 24), 25)
  return {
    key,
    value: utf8ToBytes(`${value} <http://e/s${id}> <http://e/p> "a statement of usual length, more or less"`),
  }
}

/** A state with the entries, and others beside them. */
function stateOf(entries: readonly ProvedEntry[]): {
  readonly tree: StateTree
  readonly version: StateVersion
} {
  const tree = new StateTree({ readPage: () => undefined, readValue: () => undefined }, null)
  const beside = [entryOf(1, 1, other), { key: Uint8Array.of(0, 0), value: Uint8Array.of(1) }]
  return { tree, version: tree.update(tree.head, [...entries, ...beside]) }
}

/** Finds the difference over the wire. @returns what was reached, and bytes both ways. */
function synchronise(
  held: readonly ProvedEntry[],
  { tree, version }: ReturnType<typeof stateOf>,
  bytesMax = 100_000,
): { readonly result: EntrySet; readonly bytes: number; readonly rounds: number } {
  const difference = new Difference(new EntrySet(held), prefix, tree.subtree(version, prefix))
  let bytes = 0
  let rounds = 0
  for (let question = difference.next(); question !== null; question = difference.next()) {
    const sent = encodePartQuestion(question, prefix)
    const read = decodePartQuestion(sent, prefix)
    assert.ok(read.ok)
    const { places, levels, isWhole } = read.value
    const parts = places.map((place) => tree.part(version, place, { levels, isWhole, bytesMax }))
    assert.ok(parts.every((part) => part !== null))
    bytes += sent.length + parts.reduce((sum, part) => sum + part.length + 2, 0)
    rounds++
    const taken = difference.take(parts)
    assert.ok(taken.ok, JSON.stringify(taken))
  }
  return { result: new EntrySet(difference.entries()), bytes, rounds }
}

const statements = fc
  .uniqueArray(fc.tuple(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 0, max: 1 })), {
    maxLength: 200,
    selector: ([id]) => id,
  })
  .map((pairs) => pairs.map(([id, value]) => entryOf(id, value)))

describe('the difference to a graph (PC-5)', () => {
  test('is found and made good between any two sets of statements, also in small answers', () => {
    fc.assert(
      fc.property(statements, statements, fc.integer({ min: 1, max: 2_000 }), (held, there, bytesMax) => {
        const { result } = synchronise(held, stateOf(there), bytesMax)
        assert.deepEqual(result.entries, new EntrySet(there).entries)
      }),
      { numRuns: 200 },
    )
  })

  test('costs nothing when there is none', () => {
    const entries = Array.from({ length: 100 }, (_, id) => entryOf(id, 0))
    assert.equal(synchronise(entries, stateOf(entries)).bytes, 0)
  })

  test('costs as much as the difference, and not as the graph', () => {
    const there = Array.from({ length: 20_000 }, (_, id) => entryOf(id, 0))
    const held = there.filter((_, id) => id % 2_000 !== 7)
    const { bytes, rounds, result } = synchronise([...held, entryOf(90_000, 0)], stateOf(there))
    assert.equal(result.entries.length, there.length)
    assert.ok(bytes < 20_000, `${bytes} bytes`)
    assert.ok(rounds < 12, `${rounds} rounds`)
  })

  test('is not taken from an answer that does not hash to what is known', () => {
    const there = Array.from({ length: 50 }, (_, id) => entryOf(id, 0))
    const { tree, version } = stateOf(there)
    const difference = new Difference(new EntrySet(there.slice(1)), prefix, tree.subtree(version, prefix))
    const question = difference.next()!
    const { levels, isWhole } = question
    const part = tree.part(version, question.places[0]!, { levels, isWhole, bytesMax: 100_000 })!
    for (let at = 0; at < part.length; at += 7) {
      const wrong = part.slice()
      wrong[at]! ^= 1
      assert.equal(difference.take([wrong]).ok, false)
    }
    const { hash } = new EntrySet(there)
    assert.equal(difference.take([Uint8Array.of(2, ...hash)]).ok, false, 'which would tell nothing')
    assert.ok(difference.take([part]).ok)
  })

  test('an entry set hashes as the subtree of the state does', () => {
    fc.assert(
      fc.property(statements, (entries) => {
        const { tree, version } = stateOf(entries)
        assert.ok(equalBytes(new EntrySet(entries).hash, tree.subtree(version, prefix)))
      }),
      { numRuns: 50 },
    )
  })

  test('a question that is none is refused', () => {
    const places = Array.from({ length: PART_PLACES_MAX + 1 }, () => ({ bits: 153, key: prefix }))
    assert.equal(
      decodePartQuestion(encodePartQuestion({ places, levels: 1, isWhole: false }, prefix), prefix).ok,
      false,
    )
    for (const bytes of [[], [1], [9, 0x99, 1], [1, 0x80], [1, 5]]) {
      assert.equal(decodePartQuestion(Uint8Array.from(bytes), prefix).ok, false, String(bytes))
    }
  })
})
