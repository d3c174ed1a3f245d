/**
 * A process with a copy of all graphs of one height. Oxigraph answers a query in one go and cannot be stopped: whoever wants
 * that ends the process.
 * @module
 */
import assert from 'node:assert/strict'
import { defaultGraph, namedNode, parse, Store } from 'oxigraph'
import { serveParent } from '../child/serve.ts'
import type { WorkerAnswer, WorkerFailure, WorkerOrder, WorkerQuery } from './messages.ts'
import { countRows } from './rows.ts'

const N_QUADS = { format: 'application/n-quads' }
const N_TRIPLES = 'application/n-triples'
/** Of statements, not one to a line. */
const STATEMENT_TYPES: ReadonlySet<string> = new Set([
  'text/turtle',
  'application/trig',
  'application/ld+json',
  'application/rdf+xml',
])

const store = new Store()
let height = 0

serveParent<WorkerOrder, WorkerAnswer>((order, answer) => {
  switch (order.kind) {
    case 'load':
      store.load(order.text, N_QUADS)
      return answer({ kind: 'done', id: order.id })
    case 'name':
      for (const graph of order.graphs) store.update(`CREATE SILENT GRAPH <${graph}>`)
      return
    case 'loaded':
      height = order.height
      return
    case 'apply':
      for (const quad of parse(order.deleted, N_QUADS)) store.delete(quad)
      if (order.inserted !== '') store.load(order.inserted, N_QUADS)
      height = order.height
      return
    case 'query':
      return answer(evaluate(order.id, order.query))
  }
})

function evaluate(id: number, query: WorkerQuery): WorkerAnswer {
  const { mediaType, rowsMax, bytesMax } = query
  // Statements are counted by lines, which not all forms have.
  const isRewritten = STATEMENT_TYPES.has(mediaType)
  const countedType = isRewritten ? N_TRIPLES : mediaType
  try {
    const counted = run(query, countedType)
    const rows = countRows(counted, countedType)
    if (rows > rowsMax) return { kind: 'failed', id, failure: { reason: 'rows', rows } }
    const text = isRewritten && counted.length <= bytesMax ? rewrite(counted, mediaType) : counted
    if (text.length > bytesMax)
      return { kind: 'failed', id, failure: { reason: 'bytes', bytes: text.length } }
    return { kind: 'result', id, text, height, rows }
  } catch (error) {
    return { kind: 'failed', id, failure: failureOf(error) }
  }
}

/** @param text N-Triples. */
function rewrite(text: string, mediaType: string): string {
  const answer = new Store()
  answer.load(text, { format: N_TRIPLES })
  return answer.dump({ format: mediaType, from_graph_name: defaultGraph() })
}

function run({ query, defaultGraphs, namedGraphs, unionDefault }: WorkerQuery, mediaType: string): string {
  const result = store.query(query, {
    results_format: mediaType,
    ...(defaultGraphs !== null && { default_graph: defaultGraphs.map((iri) => namedNode(iri)) }),
    ...(namedGraphs !== null && { named_graphs: namedGraphs.map((iri) => namedNode(iri)) }),
    ...(unionDefault && { use_default_graph_as_union: true }),
  })
  assert(typeof result === 'string', 'an answer in a format is text')
  return result
}

/**
 * Oxigraph's own errors are plain ones; where a query is malformed is in the message, which starts so. Others are traps of
 * WebAssembly, such as of a stack that is too small for a deeply nested query. After one, nothing in its memory is sure.
 */
function failureOf(error: unknown): WorkerFailure {
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof Error && error.name !== 'Error') return { reason: 'broken', message }
  return { reason: /^error at \d+:\d+/.test(message) ? 'syntax' : 'evaluation', message }
}
