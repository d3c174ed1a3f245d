import { strict as assert } from 'node:assert'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { ConsensusReport, NodeInfo } from '@althing/client'
import { althing } from './program.ts'

const reason = 'conflicting finalizations: view 7 finalizes 00ff'
const report = {
  state: 'halted',
  text: `Halted: ${reason}. It signs nothing and goes on serving what is final.`,
  advice: ['Compare with other nodes.'],
  halted: reason,
  halt_proof: ['AA==', 'AQ=='],
  observer: reason,
} as unknown as ConsensusReport
const info = {
  name: 'node-0',
  authority: { index: 0 },
  network_id: 'test',
  uptime_ms: 1_000,
  finalized_height: 9,
  head_height: 9,
  peer_count: 3,
  mempool: { count: 0, bytes: 0 },
  reachability: { reach: 'unknown', why: 'nobody tried', relays: [] },
  transactions_total: 0,
  transactions_per_second: 0,
  external_graphs: null,
  finality_latency_ms: null,
  consensus: { view: 9, observer: reason, halted: reason },
} as unknown as NodeInfo

test('a node that has halted (R7) is told by words, by its proof in the API, and by exit code 3', async () => {
  const node = createServer(({ url }, response) => {
    const data = url?.endsWith('/consensus') === true ? report : info
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ success: true, data, error: null }))
  }).listen(0, '127.0.0.1')
  await once(node, 'listening')
  const url = `http://127.0.0.1:${(node.address() as AddressInfo).port}`
  try {
    const told = await althing('status', '--api', url)
    assert.equal(told.code, 3)
    assert.match(told.stdout, /Halted: conflicting finalizations[^]*→ Compare with other nodes/)
    assert.match(told.stderr, /^error NODE_HALTED: /)
    const { code, stdout } = await althing('status', '--json', '--api', url)
    assert.equal(code, 3)
    const [answer] = JSON.parse(stdout) as { consensus: ConsensusReport }[]
    assert.deepEqual(answer?.consensus.halt_proof, report.halt_proof)
  } finally {
    node.closeAllConnections()
    node.close()
  }
})
