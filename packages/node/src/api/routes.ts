/**
 * The endpoints. `docs/api.md` has their shapes, `@althing/client` their types.
 * @module
 */
import type { FastifyInstance } from 'fastify'
import type { NodePeers } from '@althing/client'
import { ApiFault, success } from './answer.ts'
import { authoritiesJson, evidenceJson } from './authorities-json.ts'
import type { ApiBackend } from './backend.ts'
import { accountJson, blockJson, genesisJson, kvJson, transactionJson } from './json.ts'
import { readBlockReference, readBoolean, readHash, readKey } from './parameters.ts'
import { Submissions } from './submission.ts'

export function addRoutes(app: FastifyInstance, backend: ApiBackend): void {
  const submissions = new Submissions(backend)

  app.get('/api/v1/node/info', () => success(backend.info()))

  app.get('/api/v1/consensus', () => success(backend.consensus()))

  app.get('/api/v1/authorities', () => {
    const { state, height } = backend.authorities()
    return success(authoritiesJson(state, height))
  })

  app.get('/api/v1/evidence', () => success(evidenceJson(backend.evidence())))

  app.get('/api/v1/node/peers', () => {
    const peers = backend.peers()
    return success<NodePeers>({ peer_count: peers.length, peers })
  })

  app.get('/api/v1/genesis', () => success(genesisJson(backend.genesis())))

  app.get<{ Params: { at: string } }>('/api/v1/blocks/:at', ({ params }) => {
    const found = backend.block(readBlockReference(params.at))
    if (found === undefined) {
      throw new ApiFault('BLOCK_NOT_FOUND', `this node has no final block ${params.at}`)
    }
    return success(blockJson(found))
  })

  app.get<{ Params: { id: string } }>('/api/v1/accounts/:id', ({ params }) => {
    const id = readHash('account', params.id)
    return success(accountJson(id, backend.account(id)))
  })

  app.get<{ Params: { id: string } }>('/api/v1/transactions/:id', ({ params }) => {
    const id = readHash('transaction', params.id)
    return success(transactionJson(id, backend.transaction(id)))
  })

  app.get<{ Params: { key: string }; Querystring: { encoding?: string; proof?: string } }>(
    '/api/v1/kv/:key',
    ({ params, query }) => {
      const key = readKey(params.key, query.encoding)
      const proof = readBoolean('proof', query.proof, true)
      return success(kvJson(params.key, backend.kv(key, { proof })))
    },
  )

  app.post('/api/v1/transactions', async ({ body }, reply) => {
    const answer = await submissions.handle(body)
    return reply.code(answer.status).send(answer.body)
  })
}
