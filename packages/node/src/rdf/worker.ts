/**
 * A process that brings RDF into the form that the chain takes: parsers and canonicalising cannot be stopped from inside.
 * @module
 */
import type { CanonicalRdfJson } from '@althing/client'
import { formatOfMediaType, packStatements, RdfError, readRdf } from '@althing/client/rdf'
import { serveParent } from '../child/serve.ts'
import type { RdfAnswer, RdfText } from './messages.ts'

serveParent<RdfText | 'are you there', RdfAnswer | 'yes'>((order, tell) => {
  if (order === 'are you there') tell('yes')
  else void answer(order).then(tell)
})

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
