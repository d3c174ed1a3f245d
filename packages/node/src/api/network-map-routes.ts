/**
 * The endpoints that show the whole network, and how blocks went through it (PT-11, PT-15, PO-10).
 * @module
 */
import type { FastifyInstance } from 'fastify'
import type { NetworkTopologyJson, PropagationJson } from '@althing/client'
import type { Network } from '@althing/network'
import { HEIGHTS_MAX } from '../propagation.ts'
import type { BlockPropagation, Propagation } from '../propagation.ts'
import { ApiFault, success } from './answer.ts'
import { readHeight } from './parameters.ts'

export type MappedNetwork = Pick<Network, 'peerId' | 'topology' | 'peers' | 'peer'>

export function addNetworkMapRoutes(
  app: FastifyInstance,
  network: MappedNetwork,
  propagation: Pick<BlockPropagation, 'at'>,
): void {
  app.get('/network/topology', () => success(topologyJson(network)))

  app.get<{ Params: { height: string } }>('/network/propagation/:height', ({ params }) => {
    const found = propagation.at(readHeight(params.height))
    if (found !== undefined) return success(propagationJson(found, network))
    throw new ApiFault(
      'BLOCK_NOT_FOUND',
      `nothing is known of how block ${params.height} travelled: only the latest ${HEIGHTS_MAX} since the start are`,
    )
  })
}

function topologyJson(network: MappedNetwork): NetworkTopologyJson {
  const topology = network.topology()
  const labelByPeer = new Map(network.peers().map(({ id, label }) => [id, label]))
  return {
    total_nodes: topology.totalNodes,
    healthy_peers: topology.healthyPeers,
    degraded_peers: topology.degradedPeers,
    disconnected_peers: topology.disconnectedPeers,
    average_latency: rounded(topology.averageLatencyMs),
    network_version: topology.networkVersion,
    peer_id: network.peerId,
    nodes: topology.nodes.map((node) => ({
      peer_id: node.peer,
      label: labelByPeer.get(node.peer) ?? null,
      node_type: node.nodeType,
      software_version: node.software,
      protocol_version: node.protocolVersion,
      health: node.health,
      links: node.links,
    })),
    links: topology.links.map(({ a, b, latencyMs, health }) => ({
      a,
      b,
      latency_ms: rounded(latencyMs),
      health,
    })),
  }
}

function propagationJson(
  { height, here, sightingByPeer }: Propagation,
  network: MappedNetwork,
): PropagationJson {
  const sightings = [...sightingByPeer]
    .flatMap(([peer, { hasMs, finalMs }]) => (hasMs === null ? [] : [{ peer, hasMs, finalMs }]))
    .toSorted((x, y) => x.hasMs - y.hasMs)
  const times = [...sightings.map(({ hasMs }) => hasMs), ...(here.hasMs === null ? [] : [here.hasMs])]
  const firstMs = Math.min(...times)
  return {
    height,
    here_at: here.hasMs,
    here_final_at: here.finalMs,
    peers: sightings.map(({ peer, hasMs, finalMs }) => ({
      peer_id: peer,
      label: network.peer(peer)?.label ?? null,
      at: hasMs,
      final_at: finalMs,
      after_ms: hasMs - firstMs,
    })),
    spread_ms: times.length === 0 ? null : Math.max(...times) - firstMs,
  }
}

function rounded(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms * 100) / 100
}
