import { strict as assert } from 'node:assert'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import fc from 'fast-check'
import { silentLog } from '@althing/base'
import type { Envelope, HistoryJson, NetworkErrorsJson, QueueStatsJson, TrafficJson } from '@althing/client'
import { createMemoryNetwork, startNetwork } from '@althing/network'
import type { Network } from '@althing/network'
import { failure } from '../src/api/answer.ts'
import type { ApiFault } from '../src/api/answer.ts'
import { addObservationRoutes } from '../src/api/observation-routes.ts'
import { FIGURES, startObservation } from '../src/observation/index.ts'
import type { Observation } from '../src/observation/index.ts'
import { readHistory, writeHistory } from '../src/observation/history-file.ts'
import { History } from '../src/observation/history.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

describe('history (PT-12)', () => {
  test('has seconds, minutes and hours, each with mean and maximum', () => {
    const history = new History(['peers'])
    const startMs = 1_000 * HOUR_MS
    for (let second = 0; second < 120; second++) history.add({ peers: second }, startMs + second * 1000)
    const nowMs = startMs + 119_000
    assert.deepEqual(history.series('peers', '1s', nowMs).length, 120)
    assert.deepEqual(history.series('peers', '1m', nowMs), [
      { atMs: startMs, mean: 29.5, max: 59 },
      { atMs: startMs + MINUTE_MS, mean: 89.5, max: 119 },
    ])
    assert.deepEqual(history.series('peers', '1h', nowMs), [{ atMs: startMs, mean: 59.5, max: 119 }])
  })

  test('leaves a gap where nothing was known, and forgets what is too old', () => {
    const history = new History(['latency', 'peers'])
    history.add({ peers: 1 }, 1_000_000)
    history.add({ peers: 2, latency: 5 }, 1_003_000)
    assert.deepEqual(history.series('latency', '1s', 1_003_000), [{ atMs: 1_003_000, mean: 5, max: 5 }])
    assert.equal(history.series('peers', '1s', 1_003_000).length, 2)
    assert.equal(history.series('peers', '1s', 1_601_000).length, 1)
    assert.equal(history.series('peers', '1s', 2_000_000).length, 0)
  })

  test('is in order and within its bounds, whatever the clock does', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(2_000_000)), fc.nat(2_000_000), (times, nowMs) => {
        const history = new History(['peers'])
        for (const atMs of times) history.add({ peers: atMs }, atMs)
        const points = history.series('peers', '1s', nowMs)
        assert.ok(points.length <= 600)
        for (const [i, { atMs, mean, max }] of points.entries()) {
          assert.ok(atMs <= nowMs && atMs > nowMs - 600_000)
          assert.ok(i === 0 || atMs > points[i - 1]!.atMs)
          assert.ok(mean >= atMs && mean <= max && max < atMs + 1000)
        }
      }),
    )
  })

  test('outlives the process; a damaged file begins it anew', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'althing-history-'))
    const file = join(folder, 'history.bin')
    try {
      const history = new History(['peers'])
      history.add({ peers: 3 }, 5_000)
      await writeHistory(file, history)
      const later = new History(['peers', 'new'])
      await readHistory(file, later, silentLog)
      assert.deepEqual(later.series('peers', '1s', 5_000), [{ atMs: 5_000, mean: 3, max: 3 }])
      assert.deepEqual(later.series('new', '1s', 5_000), [])

      const whole = await readFile(file)
      for (const damaged of ['{', '{"version":2}\n', whole.subarray(0, 1000), whole.subarray(5)]) {
        await writeFile(file, damaged)
        const warnings: string[] = []
        const log = { ...silentLog, warn: (message: string) => warnings.push(message) }
        await readHistory(file, new History(['peers']), log)
        assert.deepEqual(warnings, ['the history cannot be read and begins anew'])
      }
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})

describe('what is shown of a node (TN-8, PT-14, PT-15)', () => {
  let folder: string
  let networks: Network[]
  let observation: Observation
  let app: FastifyInstance

  const get = async <Data>(url: string): Promise<Data> => {
    const envelope = (await app.inject(url)).json<Envelope<Data>>()
    assert.equal(envelope.success, true, JSON.stringify(envelope.error))
    return envelope.data
  }

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'althing-observation-'))
    const { transport } = createMemoryNetwork()
    const start = (id: number, networkId: string, bootstrap: readonly string[]) =>
      startNetwork({
        identity: new Uint8Array(32).fill(id),
        networkId,
        genesisHash: new Uint8Array(32),
        versions: { min: 1, max: 1 },
        listen: [`/memory/n${id}`],
        bootstrap,
        nodeType: 'full',
        features: [],
        status: () => ({ height: 0, finalizedHeight: 0, lowestHeight: 0 }),
        kinds: { note: { id: 1, lane: 'normal', maxBytes: 100 } },
        transport,
      })
    networks = [await start(1, 'net', []), await start(2, 'net', [])]
    const [node, peer] = networks as [Network, Network]
    observation = await startObservation({
      network: node,
      chain: () => ({
        headHeight: 8,
        finalizedHeight: 7,
        transactionsTotal: 100,
        finalityMs: { p50: 20, p99: 40 },
        propagationMs: 30,
        pool: { count: 5, bytes: 500 },
      }),
      file: join(folder, 'history.bin'),
      clock: { wallMs: Date.now, monotonicMs: () => performance.now() },
      log: silentLog,
    })
    app = fastify()
    app.setErrorHandler((error: ApiFault, _request, reply) => reply.code(error.status).send(failure(error)))
    addObservationRoutes(app, observation)

    await node.connect(peer.addresses()[0]!)
    const arrived = new Promise((resolve) => peer.handle('note', resolve))
    node.send(peer.peerId, 'note', new Uint8Array(60))
    node.send(peer.peerId, 'note', new Uint8Array(101))
    await arrived
    const stranger = await start(3, 'other', [])
    networks.push(stranger)
    await assert.rejects(node.request(peer.peerId, 'note', new Uint8Array(1)), { code: 'REQUEST_REFUSED' })
    await assert.rejects(node.connect(stranger.addresses()[0]!), { code: 'HANDSHAKE_REFUSED' })
  })

  after(async () => {
    await observation.stop()
    await app.close()
    await Promise.all(networks.map((network) => network.stop()))
    await rm(folder, { recursive: true })
  })

  test('metrics have a help text each, and few labels, none of them a peer', async () => {
    const answer = await app.inject('/metrics')
    assert.match(String(answer.headers['content-type']), /^text\/plain; version=0\.0\.4/)
    const lines = answer.body.split('\n')
    for (const line of [
      'althing_network_peers_active 1',
      'althing_network_messages_sent_total{kind="note",lane="normal"} 2',
      'althing_network_message_bytes_sent_total{kind="note",lane="normal"} 61',
      'althing_network_step_dropped_total{step="creation",lane="normal",reason="too large"} 1',
      'althing_network_errors_total{type="refused",code="network-mismatch"} 1',
      'althing_chain_finalized_height 7',
      'althing_chain_finality_seconds{quantile="0.99"} 0.04',
      'althing_chain_block_propagation_seconds 0.03',
      'althing_pool_transactions 5',
    ]) {
      assert.ok(lines.includes(line), line)
    }
    assert.match(answer.body, /^althing_process_memory_bytes [1-9]\d+$/m)
    assert.match(answer.body, /^althing_network_bytes_received_total [1-9]\d*$/m)
    const names = lines.flatMap((line) => /^# TYPE (\S+)/.exec(line)?.[1] ?? [])
    for (const name of names)
      assert.ok(
        lines.some((line) => line.startsWith(`# HELP ${name} `)),
        name,
      )
    for (const { peerId } of networks) assert.ok(!answer.body.includes(peerId))
    const again = await app.inject('/metrics')
    assert.ok(again.body.includes('althing_network_messages_sent_total{kind="note",lane="normal"} 2'))
  })

  test('queues, limits and the nine steps', async () => {
    const stats = await get<QueueStatsJson>('/network/queue/stats')
    assert.deepEqual(stats.queues.normal, { messages: 0, bytes: 0 })
    assert.deepEqual(
      stats.steps.map(({ step }) => step),
      [
        'creation',
        'priority',
        'rateCheck',
        'queue',
        'bandwidth',
        'transmission',
        'reception',
        'validation',
        'processing',
      ],
    )
    assert.deepEqual(stats.steps[0]?.dropped_by_reason['too large']?.normal, 1)
    assert.deepEqual(stats.limits.priority_multipliers, { critical: 4, high: 2, normal: 1, low: 0.5 })
    assert.deepEqual(
      stats.peers.map(({ peer_id, window_bytes }) => [peer_id, window_bytes]),
      [[networks[1]!.peerId, 256 * 1024]],
    )
  })

  test('traffic by kind, direction and peer', async () => {
    const traffic = await get<TrafficJson>('/network/traffic')
    assert.ok(traffic.sent.some(({ kind, messages }) => kind === 'note' && messages === 2))
    assert.ok(traffic.received.some(({ kind }) => kind === 'session.hello'))
    const peer = traffic.peers.find(({ peer_id }) => peer_id === networks[1]!.peerId)
    assert.deepEqual(peer?.by_kind['note'], { messages_in: 0, messages_out: 2, bytes_in: 0, bytes_out: 61 })
  })

  test('errors by type and peer, with the last example', async () => {
    const { by_type, errors } = await get<NetworkErrorsJson>('/network/errors')
    assert.deepEqual(by_type, { 'request REQUEST_REFUSED': 1, 'refused network-mismatch': 1 })
    assert.equal(errors[0]?.peer_id, networks[2]!.peerId)
    assert.match(errors[0].example, /network "other"; this node is of "net"/)
  })

  test('history of all metrics, or of one', async () => {
    const all = await get<HistoryJson>('/network/history')
    assert.deepEqual(Object.keys(all.metrics), [...FIGURES])
    const one = await get<HistoryJson>('/network/history?metric=peers&resolution=1h')
    assert.deepEqual([Object.keys(one.metrics), one.step_ms], [['peers'], HOUR_MS])
    for (const wrong of ['metric=nothing', 'resolution=2s']) {
      const answer = await app.inject(`/network/history?${wrong}`)
      assert.equal(answer.statusCode, 400)
      assert.equal(answer.json<Envelope<never>>().error?.code, 'PARAMETER_INVALID')
    }
  })
})
