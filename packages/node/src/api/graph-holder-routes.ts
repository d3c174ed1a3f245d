/**
 * The endpoint that shows which graphs this node and its peers keep for queries (PC-6).
 * @module
 */
import type { FastifyInstance } from 'fastify'
import { bytesToHex, graphId } from '@althing/base'
import type { GraphHoldersJson, HeldGraphsJson } from '@althing/client'
import type { Holding } from '../federation/holdings.ts'
import { success } from './answer.ts'

export interface HoldersBackend {
  /** IRIs; none: all graphs. */
  readonly hold: readonly string[]
  /** What connected peers say of themselves. */
  holdings(): readonly { readonly peer: string; readonly holding: Holding }[]
}

/** @param names IRIs of the graphs that there are. */
export function addGraphHolderRoutes(
  app: FastifyInstance,
  backend: HoldersBackend,
  names: () => Iterable<string>,
): void {
  app.get('/api/v1/graph-holders', () => {
    const nameById = new Map([...names()].map((name) => [bytesToHex(graphId(name)), name]))
    const shown = (holding: Holding): HeldGraphsJson =>
      holding === null ? 'all' : [...holding].map((id) => nameById.get(id) ?? `urn:sha256:${id}`)
    return success<GraphHoldersJson>({
      held: backend.hold.length === 0 ? 'all' : backend.hold,
      peers: backend.holdings().map(({ peer, holding }) => ({ peer_id: peer, held: shown(holding) })),
    })
  })
}
