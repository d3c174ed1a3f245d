import { strict as assert } from 'node:assert'
import { describe, test } from 'node:test'
import fastify from 'fastify'
import type { NetworkTopologyJson, PropagationJson } from '@althing/client'
import type { PeerDetails, PeerView } from '@althing/network'
import { addNetworkMapRoutes } from '../src/api/network-map-routes.ts'
import type { MappedNetwork } from '../src/api/network-map-routes.ts'
import type { Propagation } from '../src/propagation.ts'

const node = { software: '1.0.0', protocolVersion: 1, health: 'healthy', links: 1 } as const
const network: MappedNetwork = {
  peerId: 'a',
  peers: () => [{ id: 'b', label: 'authority 0' } as PeerView],
  peer: (id) => (id === 'b' ? ({ label: 'authority 0' } as PeerDetails) : undefined),
  topology: () => ({
    totalNodes: 2,
    healthyPeers: 2,
    degradedPeers: 0,
    disconnectedPeers: 0,
    averageLatencyMs: 1.23456,
    networkVersion: '1.0.0',
    nodes: [
      { ...node, peer: 'a', nodeType: 'full' },
      { ...node, peer: 'b', nodeType: 'authority' },
    ],
    links: [{ a: 'a', b: 'b', latencyMs: 1.23456, health: 'healthy' }],
  }),
}
const seen: Propagation = {
  height: 7,
  here: { hasMs: 1040, finalMs: null },
  sightingByPeer: new Map([
    ['c', { hasMs: 1100, finalMs: null }],
    ['b', { hasMs: 1000, finalMs: 1200 }],
  ]),
}

async function get<Data>(url: string): Promise<Data> {
  const app = fastify()
  addNetworkMapRoutes(app, network, { at: (height) => (height === 7 ? seen : undefined) })
  const response = await app.inject({ url })
  assert.equal(response.statusCode, 200)
  return response.json<{ data: Data }>().data
}

describe('the whole network over HTTP', () => {
  test('topology has the names of PT-11, and the label of who proved a role', async () => {
    const topology = await get<NetworkTopologyJson>('/network/topology')
    const {
      total_nodes,
      healthy_peers,
      degraded_peers,
      disconnected_peers,
      average_latency,
      network_version,
    } = topology
    assert.deepEqual(
      { total_nodes, healthy_peers, degraded_peers, disconnected_peers, average_latency, network_version },
      {
        total_nodes: 2,
        healthy_peers: 2,
        degraded_peers: 0,
        disconnected_peers: 0,
        average_latency: 1.23,
        network_version: '1.0.0',
      },
    )
    assert.deepEqual(
      topology.nodes.map(({ peer_id, label }) => [peer_id, label]),
      [
        ['a', null],
        ['b', 'authority 0'],
      ],
    )
    assert.deepEqual(topology.links, [{ a: 'a', b: 'b', latency_ms: 1.23, health: 'healthy' }])
  })

  test('propagation says who had a block when, the first first (PO-10)', async () => {
    const propagation = await get<PropagationJson>('/network/propagation/7')
    assert.deepEqual(propagation, {
      height: 7,
      here_at: 1040,
      here_final_at: null,
      spread_ms: 100,
      peers: [
        { peer_id: 'b', label: 'authority 0', at: 1000, final_at: 1200, after_ms: 0 },
        { peer_id: 'c', label: null, at: 1100, final_at: null, after_ms: 100 },
      ],
    })
  })
})
