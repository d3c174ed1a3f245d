/**
 * A SPARQL 1.1 server of its own process, over Oxigraph: query and update by POST, as the protocol has it. By messages it is
 * told to be away, or to do an update and lose the answer. It is no part of the program.
 * @module
 */
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text as readText } from 'node:stream/consumers'
import { namedNode, Store } from 'oxigraph'

export type ServerOrder = 'away' | 'back' | 'loseAnswers' | 'keepAnswers' | 'dump'

const TOKEN = process.argv[2]
const store = new Store()
let isAway = false
let losesAnswers = false
let updates = 0

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (isAway) {
    response.destroy()
    return
  }
  const body = await readText(request)
  const type = request.headers['content-type']?.split(';')[0]
  if (request.headers.authorization !== `Bearer ${TOKEN}`) {
    response.writeHead(401).end('the secret is missing')
    return
  }
  try {
    if (request.url === '/update' && type === 'application/sparql-update') {
      store.update(body)
      updates++
      if (losesAnswers) response.destroy()
      else response.writeHead(204).end()
    } else if (request.url === '/query' && type === 'application/x-www-form-urlencoded') {
      const mediaType = request.headers.accept ?? ''
      const text = query(new URLSearchParams(body), mediaType)
      response.writeHead(200, { 'content-type': mediaType }).end(text)
    } else response.writeHead(404).end('there is /query and /update')
  } catch (error) {
    response.writeHead(400).end(String(error))
  }
}

function query(form: URLSearchParams, mediaType: string): string {
  const defaultGraphs = form.getAll('default-graph-uri')
  const namedGraphs = form.getAll('named-graph-uri')
  const hasDataset = defaultGraphs.length + namedGraphs.length > 0
  const dataset = {
    default_graph: defaultGraphs.map((iri) => namedNode(iri)),
    named_graphs: namedGraphs.map((iri) => namedNode(iri)),
  }
  return store.query(form.get('query') ?? '', {
    results_format: mediaType,
    ...(hasDataset && dataset),
  }) as string
}

const server = createServer((request, response) => void answer(request, response))
server.listen(0, '127.0.0.1', () => process.send!({ port: (server.address() as AddressInfo).port }))

process.on('message', (order: ServerOrder) => {
  if (order === 'away' || order === 'back') isAway = order === 'away'
  if (order === 'loseAnswers' || order === 'keepAnswers') losesAnswers = order === 'loseAnswers'
  if (order === 'away') server.closeAllConnections()
  process.send!({ dump: store.dump({ format: 'application/n-quads' }), updates })
})
process.once('disconnect', () => process.exit())
