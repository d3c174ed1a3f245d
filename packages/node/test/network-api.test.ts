import { strict as assert } from 'node:assert'
import { after, before, describe, test } from 'node:test'
import type {
  BlacklistEntryJson,
  BlacklistJson,
  Envelope,
  KnownPeersJson,
  NetworkHealthJson,
  PeerDetailsJson,
} from '@althing/client'
import type { Network } from '@althing/network'
import { apiOf, startTestNetwork, until } from './network-fixture.ts'

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

describe('/network: peers by HTTP (PT-14, PC-13)', () => {
  let a: Network
  let b: Network
  before(async () => {
    a = await startTestNetwork('198.51.100.1')
    b = await startTestNetwork('203.0.113.1')
  })
  after(() => Promise.all([a.stop(), b.stop()]))

  async function ask<T>(
    method: Method,
    url: string,
    body?: object,
    options: { app?: ReturnType<typeof apiOf>; headers?: Record<string, string> } = {},
  ): Promise<{ status: number; envelope: Envelope<T> }> {
    const { app = apiOf(a), headers = {} } = options
    const payload = body === undefined ? {} : { payload: body }
    const response = await app.inject({ method, url, headers, ...payload })
    return { status: response.statusCode, envelope: response.json() }
  }

  async function dataOf<T>(...args: Parameters<typeof ask>): Promise<T> {
    const { envelope } = await ask<T>(...args)
    assert.ok(envelope.success, JSON.stringify(envelope.error))
    return envelope.data
  }

  async function errorOf(...args: Parameters<typeof ask>): Promise<[number, string | undefined]> {
    const { status, envelope } = await ask(...args)
    return [status, envelope.error?.code]
  }

  const connect = () => dataOf<{ peer_id: string }>('POST', '/network/peers', { address: b.addresses()[0] })
  const isConnected = () => a.peers().length === 1 && b.peers().length === 1

  test('connecting, seeing, reserving, disconnecting', async () => {
    assert.equal((await dataOf<NetworkHealthJson>('GET', '/network/health')).status, 'isolated')
    assert.deepEqual(await connect(), { peer_id: b.peerId })
    await until(isConnected)
    const health = await dataOf<NetworkHealthJson>('GET', '/network/health')
    assert.deepEqual(
      [health.status, health.healthy_peers, health.outbound_peers, health.inbound_peers],
      ['healthy', 1, 1, 0],
    )

    const peer = await dataOf<PeerDetailsJson>('GET', `/network/peer/${b.peerId}`)
    assert.deepEqual(
      [peer.peer_id, peer.health, peer.reputation, peer.height, peer.sessions, peer.ban, peer.last_end],
      [b.peerId, 'healthy', 0, 7, 1, null, null],
    )
    assert.deepEqual(
      peer.health_history.map(({ to }) => to),
      ['healthy'],
    )
    assert.ok(peer.bytes_in > 0 && peer.first_seen > 1_600_000_000_000)

    await dataOf('PUT', `/network/peers/${b.peerId}/reservation`)
    assert.equal(a.peer(b.peerId)?.reserved, true)
    await dataOf('DELETE', `/network/peers/${b.peerId}/reservation`)
    assert.deepEqual(await errorOf('DELETE', `/network/peers/${b.peerId}/reservation`), [404, 'PEER_UNKNOWN'])

    await dataOf('DELETE', `/network/peers/${b.peerId}`)
    await until(() => a.peers().length === 0)
    const gone = await dataOf<PeerDetailsJson>('GET', `/network/peer/${b.peerId}`)
    assert.deepEqual(
      [gone.health, gone.connected_at, gone.last_end?.by, gone.last_end?.reason],
      ['disconnected', null, 'local', 'requested: by the operator'],
    )
    assert.deepEqual(await errorOf('DELETE', `/network/peers/${b.peerId}`), [404, 'PEER_UNKNOWN'])
  })

  test('the list, and peers by query (TN-2)', async () => {
    await connect()
    await until(isConnected)
    const count = async (query: string) =>
      (await dataOf<KnownPeersJson>('GET', `/network/peers${query}`)).peer_count
    const counts = {
      '': 1,
      '?connected=true': 1,
      '?connected=false': 0,
      '?feature=test': 1,
      '?feature=other': 0,
      '?node_type=full': 1,
      '?node_type=light': 0,
      '?min_reputation=-1': 1,
      '?min_reputation=1': 0,
    }
    for (const [query, expected] of Object.entries(counts)) assert.equal(await count(query), expected, query)
    for (const query of ['?connected=maybe', '?node_type=fish', '?max_latency_ms=', '?min_reputation=high']) {
      assert.deepEqual(await errorOf('GET', `/network/peers${query}`), [400, 'PARAMETER_INVALID'], query)
    }
  })

  test('banning and unbanning by id, address and block', async () => {
    await until(isConnected)
    for (const target of [b.peerId, '203.0.113.1', '203.0.113.0/24']) {
      const ban = { target, reason: 'a test', by: 'ann', duration_ms: 60_000 }
      const entry = await dataOf<BlacklistEntryJson>('POST', '/network/blacklist', ban)
      assert.equal(entry.until, entry.since + 60_000)
      await until(() => a.peers().length === 0)
      assert.deepEqual(await dataOf<BlacklistJson>('GET', '/network/blacklist'), { entries: [entry] })
      assert.deepEqual((await dataOf<PeerDetailsJson>('GET', `/network/peer/${b.peerId}`)).ban, entry)
      assert.deepEqual(await errorOf('POST', '/network/peers', { address: b.addresses()[0] }), [
        409,
        'PEER_BANNED',
      ])
      const path = `/network/blacklist/${encodeURIComponent(target)}`
      assert.deepEqual(await dataOf<BlacklistEntryJson>('DELETE', path), entry)
      assert.deepEqual(await errorOf('DELETE', path), [404, 'BLACKLIST_ENTRY_UNKNOWN'])
      await connect()
      await until(isConnected)
    }
  })

  const refused: [string, Method, string, object | undefined, [number, string]][] = [
    ['an unknown peer', 'GET', '/network/peer/nobody', undefined, [404, 'PEER_UNKNOWN']],
    ['no target', 'POST', '/network/blacklist', {}, [400, 'BODY_MALFORMED']],
    ['a body that is no object', 'POST', '/network/blacklist', [], [400, 'BODY_MALFORMED']],
    [
      'half the world',
      'POST',
      '/network/blacklist',
      { target: '0.0.0.0/1' },
      [400, 'BLACKLIST_TARGET_INVALID'],
    ],
    ['a name', 'POST', '/network/blacklist', { target: 'joe' }, [400, 'BLACKLIST_TARGET_INVALID']],
    [
      'a negative time',
      'POST',
      '/network/blacklist',
      { target: '10.0.0.1', duration_ms: -1 },
      [400, 'BODY_MALFORMED'],
    ],
    ['no address', 'POST', '/network/peers', {}, [400, 'BODY_MALFORMED']],
    ['a wrong address', 'POST', '/network/peers', { address: 'x' }, [400, 'ADDRESS_INVALID']],
    ['nobody there', 'POST', '/network/peers', { address: '/ip4/192.0.2.1/tcp/1' }, [502, 'DIAL_FAILED']],
    ['a stranger', 'PUT', '/network/peers/nobody/reservation', undefined, [404, 'PEER_UNKNOWN']],
  ]
  for (const [what, method, url, body, expected] of refused) {
    test(`${what} is refused: ${method} ${url}`, async () => {
      assert.deepEqual(await errorOf(method, url, body), expected)
    })
  }

  const CHANGES: [Method, string, object | undefined][] = [
    ['POST', '/network/blacklist', { target: '10.0.0.1' }],
    ['DELETE', '/network/blacklist/10.0.0.1', undefined],
    ['POST', '/network/peers', { address: '10.0.0.1:1' }],
    ['DELETE', '/network/peers/x', undefined],
    ['PUT', '/network/peers/x/reservation', undefined],
    ['DELETE', '/network/peers/x/reservation', undefined],
  ]
  for (const [method, url, body] of CHANGES) {
    test(`${method} ${url} needs the token, and an open API without one refuses it`, async () => {
      const token = 'a secret of 16 characters'
      const guarded = apiOf(a, { token, trustsCallers: false })
      assert.deepEqual(await errorOf(method, url, body, { app: guarded }), [401, 'TOKEN_REQUIRED'])
      const open = apiOf(a, { token: null, trustsCallers: false })
      assert.deepEqual(await errorOf(method, url, body, { app: open }), [401, 'TOKEN_REQUIRED'])
      const headers = { authorization: `Bearer ${token}` }
      const [, code] = await errorOf(method, url, body, { app: guarded, headers })
      assert.notEqual(code, 'TOKEN_REQUIRED')
    })
  }
})
