/**
 * Where the chain is: how one epoch led to the next, for light clients (R11), which follow the authority sets from
 * genesis, or from an epoch that they trust, to the present one; and what is proposed, notarized and final (PC-4).
 * @module
 */
import type { FastifyInstance } from 'fastify'
import { bytesToHex, EpochLink, WARP_LINKS_MAX } from '@althing/base'
import { bytesToBase64 } from '@althing/client'
import type { Consensus } from '@althing/chain'
import type { EpochsJson, HeadJson } from '@althing/client'
import { success } from './answer.ts'
import { readWhole } from './parameters.ts'

export type EpochSource = Pick<Consensus, 'epoch' | 'endOf' | 'head' | 'finalized' | 'unfinalized'>

export function addEpochRoutes(app: FastifyInstance, source: EpochSource): void {
  app.get<{ Params: { from: string } }>('/api/v1/epochs/:from', ({ params }) => {
    const from = readWhole('from', params.from)
    const links: EpochLink[] = []
    while (links.length < WARP_LINKS_MAX) {
      const link = source.endOf(from + links.length)
      if (link === undefined) break
      links.push(link)
    }
    const encoded = links.map((link) => bytesToBase64(EpochLink.serialize(link)))
    return success<EpochsJson>({ epoch: source.epoch.epoch, links: encoded })
  })
  app.get('/api/v1/head', () => {
    const { block, hash } = source.finalized
    const { height, parent, view } = block.header
    const final = { height, hash, parent, view, label: 'final' } as const
    const blocks = [final, ...source.unfinalized].map((one) => ({
      ...one,
      hash: bytesToHex(one.hash),
      parent: bytesToHex(one.parent),
    }))
    return success<HeadJson>({ head: bytesToHex(source.head.hash), blocks })
  })
}
