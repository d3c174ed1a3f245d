/**
 * What it costs to bring a copy of a large graph up to date that differs in a few statements: bytes both ways, as they are
 * in requests and answers, without HTTP around them.
 * @module
 */
import {
  decodePartQuestion,
  encodePartQuestion,
  encodeParts,
  equalBytes,
  graphId,
  graphPrefix,
  parseStatement,
  sha256,
  StatementEntry,
  statementKey,
  utf8ToBytes,
} from '@althing/base'
import type { ProvedEntry } from '@althing/base'
import { Difference, EntrySet } from '@althing/client'
import { StateTree } from '@althing/ledger'
import { say } from '../say.ts'

export interface DifferenceReport {
  readonly quads: number
  readonly differing: number
  readonly bytesUp: number
  readonly bytesDown: number
  readonly rounds: number
  /** Of the copy, from its entries. */
  readonly hashMs: number
  readonly syncMs: number
}

const GRAPH = 'http://example.org/difference'
const DIFFERING = 100
/** About as in the vocabularies. */
const STATEMENTS_PER_SUBJECT = 6
const PART_BYTES_MAX = 1_048_576
const SENDER = new Uint8Array(32).fill(1)

export function measureDifference(quads: number): DifferenceReport {
  say(`A copy that differs in ${DIFFERING} of ${quads} statements …`)
  const id = graphId(GRAPH)
  const prefix = graphPrefix(id)
  const entries = Array.from({ length: quads }, (_, index) => entryOf(id, index))
  const tree = new StateTree({ readPage: () => undefined, readValue: () => undefined }, null)
  const version = tree.update(tree.head, entries)
  const root = tree.subtree(version, prefix)

  const differing = new Set<number>()
  for (let i = 0; differing.size < DIFFERING; i++) differing.add(spread(i) % quads)
  // Half of them are missing, and half are another insertion of the same statement.
  const held = new EntrySet(
    entries.flatMap((entry, index) => {
      if (!differing.has(index)) return [entry]
      return index % 2 === 0 ? [] : [entryOf(id, index, 9)]
    }),
  )
  const beganMs = performance.now()
  void held.hash
  const hashMs = performance.now() - beganMs
  const startMs = performance.now()
  const difference = new Difference(held, prefix, root)
  let [bytesUp, bytesDown, rounds] = [0, 0, 0]
  for (let question = difference.next(); question !== null; question = difference.next()) {
    const sent = encodePartQuestion(question, prefix)
    const read = decodePartQuestion(sent, prefix)
    if (!read.ok) throw new Error(read.fault.message)
    const { levels, isWhole } = read.value
    const parts = read.value.places.map((place) =>
      tree.part(version, place, { levels, isWhole, bytesMax: PART_BYTES_MAX })!,
    )
    bytesUp += sent.length
    bytesDown += encodeParts(parts).length
    rounds++
    const taken = difference.take(parts)
    if (!taken.ok) throw new Error(taken.fault.message)
  }
  const syncMs = performance.now() - startMs
  if (!equalBytes(new EntrySet(difference.entries()).hash, root)) throw new Error('the copy is not the graph')
  return { quads, differing: DIFFERING, bytesUp, bytesDown, rounds, hashMs, syncMs }
}

/** @param height that a block inserted it at. */
function entryOf(id: Uint8Array, index: number, height = 5): ProvedEntry {
  const subject = Math.floor(index / STATEMENTS_PER_SUBJECT)
  const text = `<http://example.org/products/${subject}> <http://example.org/property/${index % STATEMENTS_PER_SUBJECT}> "a value that says something, ${index}"@en`
  const value = StatementEntry.serialize({ height, sender: SENDER, text: utf8ToBytes(text) })
  return { key: statementKey(id, parseStatement(text)), value }
}

/** Without order, and the same each time. */
function spread(i: number): number {
  const bytes = sha256(utf8ToBytes(`difference ${i}`))
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)
}
