/**
 * A process with a copy of all graphs of one height. Oxigraph answers a query in one go and cannot be stopped: whoever wants
 * that ends the process.
 * @module
 */
import assert from 'node:assert/strict'
import { namedNode, parse, Store } from 'oxigraph'
import { serveParent } from '../child/serve.ts'
import type { WorkerAnswer, WorkerFailure, WorkerOrder, WorkerQuery } from './messages.ts'
import { countRows } from './rows.ts'

const N_QUADS = { format: 'application/n-quads' }

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
  let text
  try {
    text = run(query)
  } catch (error) {
    return { kind: 'failed', id, failure: failureOf(error) }
  }
  const rows = countRows(text, query.mediaType)
  if (rows > query.rowsMax) return { kind: 'failed', id, failure: { reason: 'rows', rows } }
  if (text.length > query.bytesMax) {
    return { kind: 'failed', id, failure: { reason: 'bytes', bytes: text.length } }
  }
  return { kind: 'result', id, text, height, rows }
}

function run({ query, mediaType, defaultGraphs, namedGraphs, unionDefault }: WorkerQuery): string {
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
