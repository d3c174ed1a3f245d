/**
 * A graph kept in step with the chain by somebody who is no node: only what differs is fetched, and all of it is proved.
 * @module
 */
import {
  assert,
  bytesToUtf8,
  decodeParts,
  decodeStatementEntry,
  encodePartQuestion,
  equalBytes,
  graphId,
  graphPrefix,
  StatementEntry,
  statementKey,
  readCanonicalQuad,
  quadLine,
  utf8ToBytes,
} from '@althing/base'
import type { Hash, ProvedEntry } from '@althing/base'
import type { AlthingClient } from '../client.ts'
import { ApiError } from '../error.ts'
import { verifyGraph } from '../graph-answers.ts'
import type { ProvedStatement } from '../graph-proofs.ts'
import type { CallOptions } from '../http.ts'
import type { Trusted } from '../verify.ts'
import { Difference } from './difference.ts'
import { EntrySet } from './entry-set.ts'

/** A graph goes on changing, and a node keeps a state for a while only. */
const ATTEMPTS = 5

export interface Synchronised {
  readonly entries: EntrySet
  /** Of the graph, proved; that of the entries. */
  readonly root: Hash
  /** Of the block after which the graph is this. */
  readonly height: number
  readonly inserted: number
  readonly deleted: number
  /** Asked and answered, besides the proof of the root and what HTTP adds. */
  readonly bytes: number
}

/**
 * @param held of the graph; empty for a first time.
 * @throws {ApiError} `GRAPH_UNKNOWN`; `ANSWER_NOT_PROVED`, and the codes of `verifyGraph` and `readSubtreePart`, when the node
 * answers what it cannot prove: ask another one.
 */
export async function synchroniseGraph(
  client: AlthingClient,
  trusted: Trusted,
  graph: string,
  held: EntrySet,
  options?: CallOptions,
): Promise<Synchronised> {
  const prefix = graphPrefix(graphId(graph))
  let known = held
  let [inserted, deleted, bytes] = [0, 0, 0]
  for (let attempt = 1; ; attempt++) {
    const answer = await client.graphs.get(graph, options)
    const proved = verifyGraph(graph, answer, trusted)
    if (!proved.ok) throw new ApiError(proved.fault.code, `${client.url.origin}: ${proved.fault.message}`)
    const { root } = proved.value
    const difference = new Difference(known, prefix, root)
    try {
      bytes += await close(client, graph, answer.height, difference, prefix, options)
    } catch (error) {
      const isPast = error instanceof ApiError && error.code === 'HEIGHT_NOT_KEPT'
      if (!isPast || attempt === ATTEMPTS) throw error
    }
    inserted += difference.counts.inserted
    deleted += difference.counts.deleted
    known = new EntrySet(difference.entries())
    if (!equalBytes(known.hash, root)) continue
    return { entries: known, root, height: answer.height, inserted, deleted, bytes }
  }
}

/** @returns bytes both ways. */
async function close(
  client: AlthingClient,
  graph: string,
  height: number,
  difference: Difference,
  prefix: Uint8Array,
  options?: CallOptions,
): Promise<number> {
  let bytes = 0
  for (let question = difference.next(); question !== null; question = difference.next()) {
    const sent = encodePartQuestion(question, prefix)
    const answer = await client.graphParts(graph, height, sent, options)
    const parts = decodeParts(answer)
    const taken = parts.ok && parts.value.length > 0 ? difference.take(parts.value) : parts
    if (!taken.ok) throw new ApiError(taken.fault.code, `${client.url.origin}: ${taken.fault.message}`)
    if (parts.ok && parts.value.length === 0) {
      throw new ApiError('ANSWER_NOT_PROVED', `${client.url.origin} tells nothing of what its root covers`)
    }
    bytes += sent.length + answer.length
  }
  return bytes
}

/** As the state holds a statement. @param statement whose text is canonical. */
export function entryOfStatement(graph: string, { text, height, sender }: ProvedStatement): ProvedEntry {
  const read = readCanonicalQuad(quadLine(text, null))
  assert(read.ok, 'a statement is canonical')
  const key = statementKey(graphId(graph), read.value)
  return { key, value: StatementEntry.serialize({ height, sender, text: utf8ToBytes(text) }) }
}

/** @param entry of a graph, proved. */
export function statementOfEntry({ value }: ProvedEntry): ProvedStatement {
  const entry = decodeStatementEntry(value)
  const text = entry.ok ? bytesToUtf8(entry.value.text) : null
  assert(entry.ok && text !== null, 'what the state holds of a graph can be read')
  return { text, height: entry.value.height, sender: entry.value.sender }
}
