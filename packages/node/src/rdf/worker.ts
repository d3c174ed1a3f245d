/**
 * A thread that brings RDF into the form that the chain takes: parsers and canonicalising cannot be stopped from inside.
 * @module
 */
import { parentPort } from 'node:worker_threads'
import { assert } from '@althing/base'
import type { CanonicalRdfJson } from '@althing/client'
import { formatOfMediaType, packStatements, RdfError, readRdf } from '@althing/client/rdf'
import type { RdfAnswer, RdfText } from './messages.ts'

const port = parentPort
assert(port !== null, 'RDF is read in a worker thread')
port.on('message', (asked: RdfText) => void answer(asked).then((told) => port.postMessage(told)))
port.postMessage({ kind: 'ready' })

async function answer(asked: RdfText): Promise<RdfAnswer> {
  try {
    return { kind: 'read', json: JSON.stringify(await canonical(asked)) }
  } catch (error) {
    if (!(error instanceof RdfError)) throw error
    const { code, message, position } = error
    return { kind: 'refused', code, message, position, isBroken: code === 'RDF_TOO_COMPLEX' }
  }
}

async function canonical({ text, mediaType, graph, base }: RdfText): Promise<CanonicalRdfJson> {
  const { groups, quads, blankNodes } = await readRdf(text, {
    format: formatOfMediaType(mediaType),
    ...(graph !== null && { graph }),
    ...(base !== null && { baseIri: base }),
  })
  const transactions = packStatements(groups, 'insert').map(({ operations }) =>
    operations.map(({ body }) => Buffer.from(body).toString('base64')),
  )
  return { groups, quads, blank_nodes: blankNodes, transactions }
}
