/**
 * How one epoch led to the next, for light clients (R11): they follow the authority sets from genesis, or from an epoch
 * that they trust, to the present one.
 * @module
 */
import type { FastifyInstance } from 'fastify'
import { EpochLink, WARP_LINKS_MAX } from '@althing/base'
import type { Epoch } from '@althing/base'
import { bytesToBase64 } from '@althing/client'
import type { EpochsJson } from '@althing/client'
import { success } from './answer.ts'
import { readWhole } from './parameters.ts'

export interface EpochSource {
  readonly epoch: Epoch
  /** What ended an epoch; undefined when it has not ended, or this node does not hold it. */
  endOf(epoch: number): EpochLink | undefined
}

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
}
