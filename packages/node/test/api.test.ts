import { strict as assert } from 'node:assert'
import { once } from 'node:events'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text as readText } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import {
  Block,
  bytesToHex,
  EpochLink,
  Certificate,
  fail,
  Genesis,
  hashToHex,
  Header,
  ok,
  silentLog,
  TRANSACTION_BYTES_MAX,
  transactionId,
  utf8ToBytes,
} from '@althing/base'
import type { Log } from '@althing/base'
import type { AuthorityState } from '@althing/ledger'
import type { Envelope, ConsensusReport, NodeInfo, PeerJson } from '@althing/client'
import { createApi } from '../src/api/server.ts'
import type { ApiOptions } from '../src/api/server.ts'
import { startApi } from '../src/api/index.ts'
import type { ApiBackend } from '../src/api/index.ts'
import { fixtureBlock, fixtureFinalization } from '../src/testing/chain-fixture.ts'

const second = fixtureBlock({ height: 2 })
const first = fixtureBlock({ height: 1, transactions: ['a'] })
const certificate = fixtureFinalization(first)
const account = new Uint8Array(32).fill(0xac)
const ids = {
  pending: '01'.repeat(32),
  rejected: '02'.repeat(32),
  final: '03'.repeat(32),
  failed: '04'.repeat(32),
}
const fault = { code: 'NOT_OWNER', message: 'the key belongs to another account' }
const peer = { peer_id: 'peer-1', address: '/ip4/127.0.0.1/tcp/1', height: 7, last_seen: 5 } as PeerJson
const genesis = Genesis.defaultValue()
const link = { header: first.block.header, nextSet: [], finalization: certificate }

function fakeBackend(changes: Partial<ApiBackend> = {}): ApiBackend {
  return {
    network: {} as ApiBackend['network'],
    propagation: { at: () => undefined },
    observation: { network: {} } as ApiBackend['observation'],
    epochs: {
      epoch: { epoch: 1, anchor: first.hash, set: [] },
      head: { ...second, key: hashToHex(second.hash) },
      finalized: { ...first, key: hashToHex(first.hash) },
      unfinalized: [{ height: 2, hash: second.hash, parent: first.hash, view: 2, label: 'notarized' }],
      endOf: (epoch) => (epoch === 0 ? link : undefined),
    },
    graphs: {} as ApiBackend['graphs'],
    servedGraphs: {} as ApiBackend['servedGraphs'],
    graphFeed: {} as ApiBackend['graphFeed'],
    traces: {} as ApiBackend['traces'],
    info: () => ({ name: 'fake', finalized_height: 1 }) as NodeInfo,
    consensus: () => ({ state: 'idle', text: 'Idle.' }) as ConsensusReport,
    authorities: () => ({ state: {} as AuthorityState, height: 1 }),
    evidence: () => [],
    peers: () => [peer],
    genesis: () => ({ genesis, networkId: 'test', header: first.block.header, hash: first.hash }),
    block: (at) =>
      at === 1 || at === 'latest' || (at instanceof Uint8Array && bytesToHex(at) === bytesToHex(first.hash))
        ? { ...first, finalization: certificate }
        : undefined,
    account: (id) =>
      bytesToHex(id) === bytesToHex(account)
        ? { nonce: 3, pendingNonce: 5, balance: 2n ** 60n }
        : { nonce: 0, pendingNonce: 0, balance: 0n },
    transaction: (id) => {
      const included = { kind: 'final', height: 1, blockHash: first.hash, index: 0 } as const
      switch (bytesToHex(id)) {
        case ids.pending:
          return { kind: 'pending' }
        case ids.rejected:
          return { kind: 'rejected', fault }
        case ids.final:
          return { ...included, receipt: { ok: true } }
        case ids.failed:
          return { ...included, receipt: { ok: false, fault } }
      }
    },
    submit: async (encoded) =>
      encoded.map((bytes) =>
        bytes.length === 0
          ? fail('MALFORMED', 'not a transaction')
          : bytes[0] === 1
            ? fail('NONCE_USED', 'the next nonce is 7')
            : bytes[0] === 2
              ? fail('MEMPOOL_FULL', 'the pool is full')
              : bytes[0] === 3
                ? fail('DUPLICATE', 'the pool has it')
                : ok(null),
      ),
    kv: (key, { proof }) => ({
      entry:
        bytesToHex(key) === bytesToHex(utf8ToBytes('a/b ü'))
          ? { value: utf8ToBytes('v'), owner: account }
          : undefined,
      height: 1,
      ...(proof ? { proof: { header: first.block.header, certificate, state: Uint8Array.of(1, 2, 3) } } : {}),
    }),
    ...changes,
  }
}

function api(changes: Partial<ApiBackend> = {}, options: Partial<ApiOptions> = {}, log: Log = silentLog) {
  return createApi(
    fakeBackend(changes),
    { bodyLimitBytes: 1_048_576, token: null, trustsCallers: true, ...options },
    log,
  )
}

interface Answer {
  readonly status: number
  readonly envelope: Envelope<Record<string, unknown>>
}

async function get(url: string, app = api()): Promise<Answer> {
  const response = await app.inject({ url })
  return { status: response.statusCode, envelope: response.json() }
}

async function post(payload: unknown, app = api(), headers: Record<string, string> = {}): Promise<Answer> {
  const response = await app.inject({
    method: 'POST',
    url: '/api/v1/transactions',
    payload: payload as string,
    headers: { 'content-type': 'application/json', ...headers },
  })
  return { status: response.statusCode, envelope: response.json() }
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const bytesOf = (field: unknown): Uint8Array => new Uint8Array(Buffer.from(field as string, 'base64'))

function dataOf({ status, envelope }: Answer, expectedStatus = 200): Record<string, unknown> {
  assert.equal(status, expectedStatus)
  assert.equal(envelope.success, true)
  assert.equal(envelope.error, null)
  return envelope.data
}

function assertFault(
  { status, envelope }: Answer,
  expectedStatus: number,
  code: string,
  message?: RegExp,
): void {
  assert.deepEqual([status, envelope.error?.code], [expectedStatus, code])
  assert.equal(envelope.success, false)
  assert.equal(envelope.data, null)
  assert.deepEqual(Object.keys(envelope), ['success', 'data', 'error'])
  assert.deepEqual(Object.keys(envelope.error), ['code', 'message', 'details'])
  if (message !== undefined) assert.match(envelope.error.message, message)
}

describe('reading', () => {
  test('node info and peers (PO-8)', async () => {
    assert.equal(dataOf(await get('/api/v1/node/info'))['name'], 'fake')
    assert.deepEqual(dataOf(await get('/api/v1/node/peers')), { peer_count: 1, peers: [peer] })
  })

  test('the genesis, as bytes that hash to what it says', async () => {
    const data = dataOf(await get('/api/v1/genesis'))
    assert.equal(data['genesis_hash'], bytesToHex(first.hash))
    assert.deepEqual(Header.deserialize(bytesOf(data['header'])), first.block.header)
    assert.deepEqual(bytesOf(data['genesis']), Genesis.serialize(genesis))
  })

  test('what ended the epochs from one on, for light clients (R11)', async () => {
    const { epoch, links } = dataOf(await get('/api/v1/epochs/0'))
    assert.equal(epoch, 1)
    assert.deepEqual((links as string[]).map(bytesOf), [EpochLink.serialize(link)])
    assert.deepEqual(dataOf(await get('/api/v1/epochs/1')), { epoch: 1, links: [] })
    assertFault(await get('/api/v1/epochs/-1'), 400, 'PARAMETER_INVALID')
  })

  test('what is final, and what is on the way to it (PC-4)', async () => {
    const { head, blocks } = dataOf(await get('/api/v1/head'))
    assert.equal(head, bytesToHex(second.hash))
    const labels = (blocks as { height: number; label: string }[]).map(({ height, label }) => [height, label])
    assert.deepEqual(labels, [
      [1, 'final'],
      [2, 'notarized'],
    ])
  })

  test('a block, by height, hash and latest', async () => {
    for (const at of ['1', bytesToHex(first.hash), bytesToHex(first.hash).toUpperCase(), 'latest']) {
      const data = dataOf(await get(`/api/v1/blocks/${at}`))
      assert.equal(data['hash'], bytesToHex(first.hash))
      assert.equal(data['next_set'], null)
      assert.deepEqual(data['transactions'], [bytesToHex(transactionId(utf8ToBytes('a')))])
      assert.deepEqual(bytesOf(data['block']), Block.serialize(first.block))
      assert.deepEqual(bytesOf(data['finalization']), Certificate.serialize(certificate))
    }
  })

  test('an account, used or not', async () => {
    const data = dataOf(await get(`/api/v1/accounts/${bytesToHex(account)}`))
    assert.deepEqual(data, {
      account: bytesToHex(account),
      nonce: 3,
      pending_nonce: 5,
      balance: '1152921504606846976',
    })
    assert.equal(dataOf(await get(`/api/v1/accounts/${ids.pending}`))['balance'], '0')
  })

  test('a transaction: pending, final, failed, rejected, unknown', async () => {
    const nowhere = { height: null, block_hash: null, index: null }
    const somewhere = { height: 1, block_hash: bytesToHex(first.hash), index: 0 }
    const expected = [
      [ids.pending, { status: 'pending', ...nowhere, fault: null }],
      [ids.final, { status: 'final', ...somewhere, fault: null }],
      [ids.failed, { status: 'failed', ...somewhere, fault }],
      [ids.rejected, { status: 'rejected', ...nowhere, fault }],
      ['ff'.repeat(32), { status: 'unknown', ...nowhere, fault: null }],
    ] as const
    for (const [id, rest] of expected)
      assert.deepEqual(dataOf(await get(`/api/v1/transactions/${id}`)), { id, ...rest })
  })

  test('a key with any characters in it, proved; absent ones too; bytes as hexadecimal', async () => {
    const key = 'a/b ü'
    const data = dataOf(await get(`/api/v1/kv/${encodeURIComponent(key)}`))
    const proof = data['proof'] as Record<string, unknown>
    assert.deepEqual(
      [data['key'], data['exists'], data['value'], data['owner']],
      [key, true, base64(utf8ToBytes('v')), bytesToHex(account)],
    )
    assert.deepEqual(bytesOf(proof['state']), Uint8Array.of(1, 2, 3))
    assert.deepEqual(Header.deserialize(bytesOf(proof['header'])), first.block.header)
    assert.deepEqual(bytesOf(proof['certificate']), Certificate.serialize(certificate))
    assert.equal(dataOf(await get(`/api/v1/kv/${encodeURIComponent(key)}?proof=false`))['proof'], null)
    assert.equal(dataOf(await get(`/api/v1/kv/${bytesToHex(utf8ToBytes(key))}?encoding=hex`))['exists'], true)
    const absent = dataOf(await get('/api/v1/kv/nothing'))
    assert.deepEqual([absent['exists'], absent['value'], absent['owner']], [false, null, null])
    assert.notEqual(absent['proof'], null)
  })

  const refused: [string, number, string, RegExp][] = [
    ['/api/v1/blocks/2', 404, 'BLOCK_NOT_FOUND', /no final block 2/],
    [`/api/v1/blocks/${'00'.repeat(32)}`, 404, 'BLOCK_NOT_FOUND', /no final block 00/],
    [
      '/api/v1/blocks/-1',
      400,
      'PARAMETER_INVALID',
      /block: found -1, expected a height, a hash of 64 hexadecimal digits, or "latest"/,
    ],
    ['/api/v1/blocks/99999999999999999', 400, 'PARAMETER_INVALID', /block/],
    [`/api/v1/blocks/${'zz'.repeat(32)}`, 400, 'PARAMETER_INVALID', /a hash of 64 hexadecimal digits/],
    ['/api/v1/accounts/12', 400, 'PARAMETER_INVALID', /account: found 12/],
    [`/api/v1/transactions/0x${'1'.repeat(62)}`, 400, 'PARAMETER_INVALID', /transaction: found 0x1/],
    ['/api/v1/kv/abc?encoding=hex', 400, 'PARAMETER_INVALID', /key: found abc, expected hexadecimal digits/],
    ['/api/v1/kv/abc?encoding=latin1', 400, 'PARAMETER_INVALID', /encoding: found latin1/],
    [
      '/api/v1/kv/abc?proof=maybe',
      400,
      'PARAMETER_INVALID',
      /proof: found maybe, expected "true" or "false"/,
    ],
    ['/api/v1/kv/abc?proof=true&proof=false', 400, 'PARAMETER_INVALID', /proof/],
    [
      `/api/v1/kv/${'k'.repeat(600)}`,
      400,
      'PARAMETER_INVALID',
      /key: found 600 bytes, expected 1 to \d+ bytes/,
    ],
    [`/api/v1/kv/${'k'.repeat(5000)}`, 400, 'REQUEST_MALFORMED', /./],
    ['/api/v1/kv/', 400, 'PARAMETER_INVALID', /key: found 0 bytes/],
    ['/api/v1/kv/%ff', 400, 'REQUEST_MALFORMED', /%ff/],
    ['/api/v1/nothing?x=1', 404, 'ROUTE_UNKNOWN', /there is no GET \/api\/v1\/nothing; docs\/api\.md/],
    ['/', 404, 'ROUTE_UNKNOWN', /there is no GET \//],
  ]
  for (const [url, status, code, message] of refused) {
    test(`GET ${url.slice(0, 60)} is refused as ${code}`, async () =>
      assertFault(await get(url), status, code, message))
  }

  test('an error of ours is logged, and its sender is told nothing of it', async () => {
    const lines: string[] = []
    const log: Log = {
      ...silentLog,
      error: (message, fields) => lines.push(`${message} ${JSON.stringify(fields)}`),
    }
    const failing = api(
      {
        info: () => {
          throw new Error('secret of the house')
        },
      },
      {},
      log,
    )
    const answer = await get('/api/v1/node/info', failing)
    assertFault(answer, 500, 'INTERNAL', /its log says why/)
    assert.ok(!JSON.stringify(answer).includes('secret'))
    assert.equal(lines.length, 1)
    assert.match(lines[0]!, /GET \/api\/v1\/node\/info.*secret of the house/)
  })
})

describe('handing in transactions', () => {
  const good = Uint8Array.of(9, 9)

  test('one, as JSON or as bytes, is pending', async () => {
    const expected = {
      id: bytesToHex(transactionId(good)),
      status: 'pending',
      height: null,
      block_hash: null,
      index: null,
      fault: null,
    }
    assert.deepEqual(dataOf(await post({ transaction: base64(good) }), 202), expected)
    const response = await api().inject({
      method: 'POST',
      url: '/api/v1/transactions',
      payload: Buffer.from(good),
      headers: { 'content-type': 'application/octet-stream' },
    })
    assert.deepEqual(dataOf({ status: response.statusCode, envelope: response.json() }, 202), expected)
  })

  test('one that is refused is answered with the chain’s own code', async () => {
    const cases = [
      [1, 422, 'NONCE_USED'],
      [2, 503, 'MEMPOOL_FULL'],
      [3, 409, 'DUPLICATE'],
    ] as const
    for (const [byte, status, code] of cases) {
      const answer = await post({ transaction: base64(Uint8Array.of(byte)) })
      assertFault(answer, status, code)
      assert.deepEqual(answer.envelope.error?.details, { id: bytesToHex(transactionId(Uint8Array.of(byte))) })
    }
    assertFault(await post({ transaction: '' }), 400, 'MALFORMED')
  })

  test('many are taken or refused one by one', async () => {
    const all = [good, Uint8Array.of(1), Uint8Array.of(8)]
    const data = dataOf(await post({ transactions: all.map(base64) }), 202)
    assert.deepEqual(data['results'], [
      { id: bytesToHex(transactionId(all[0]!)), accepted: true, error: null },
      {
        id: bytesToHex(transactionId(all[1]!)),
        accepted: false,
        error: { code: 'NONCE_USED', message: 'the next nonce is 7', details: null },
      },
      { id: bytesToHex(transactionId(all[2]!)), accepted: true, error: null },
    ])
  })

  const shape = /expected \{"transaction": base64\} or \{"transactions": \[base64, …\]\}/
  const refused: [string, unknown, number, string, RegExp?][] = [
    ['no JSON', '{"transaction":', 400, 'BODY_MALFORMED', /cannot be read/],
    ['nothing', '', 400, 'BODY_MALFORMED', /empty/],
    ['null', 'null', 400, 'BODY_MALFORMED', shape],
    ['an empty object', {}, 400, 'BODY_MALFORMED', shape],
    ['both forms', { transaction: '', transactions: [] }, 400, 'BODY_MALFORMED', shape],
    ['no list', { transactions: 'AAAA' }, 400, 'BODY_MALFORMED', shape],
    ['a number', { transaction: 5 }, 400, 'BODY_MALFORMED', /transaction: expected base64/],
    [
      'what is no base64',
      { transactions: ['AAAA', 'A_A='] },
      400,
      'BODY_MALFORMED',
      /transactions\[1\]: expected base64/,
    ],
    ['an empty list', { transactions: [] }, 400, 'BODY_MALFORMED', /found 0 of them/],
    [
      'too many',
      { transactions: Array.from({ length: 2000 }, () => '') },
      400,
      'BODY_MALFORMED',
      /found 2000 of them, expected 1 to \d+/,
    ],
    ['a prototype', '{"__proto__": {"transaction": "AAAA"}}', 400, 'BODY_MALFORMED'],
  ]
  for (const [name, payload, status, code, message] of refused) {
    test(`a body with ${name} is refused`, async () =>
      assertFault(await post(payload), status, code, message))
  }

  test('a body that is too long, or of another kind, is refused', async () => {
    const long = { transaction: 'A'.repeat(4000) }
    assertFault(await post(long, api({}, { bodyLimitBytes: 1024 })), 413, 'BODY_TOO_LARGE')
    const bytes = { 'content-type': 'application/octet-stream' }
    assertFault(await post(Buffer.alloc(TRANSACTION_BYTES_MAX + 1), api(), bytes), 413, 'BODY_TOO_LARGE')
    assertFault(
      await post('a=b', api(), { 'content-type': 'application/x-www-form-urlencoded' }),
      415,
      'MEDIA_TYPE_UNKNOWN',
    )
    assertFault(await post('{}', api(), { 'content-type': 'text/plain' }), 400, 'BODY_MALFORMED')
  })

  test('more than can be looked at is turned away until there is room', async () => {
    const gate = Promise.withResolvers<void>()
    const app = api(
      { submit: (encoded) => gate.promise.then(() => encoded.map(() => ok(null))) },
      { bodyLimitBytes: 64 * 1_048_576 },
    )
    const large = { transactions: Array.from({ length: 200 }, () => base64(new Uint8Array(100_000))) }
    const waiting = post(large, app)
    let turnedAway: Answer
    do turnedAway = await Promise.race([post(large, app), waiting])
    while (turnedAway.status === 202)
    assertFault(turnedAway, 503, 'BUSY')
    gate.resolve()
    dataOf(await waiting, 202)
    dataOf(await post(large, app), 202)
  })

  test('needs the token where one is asked for; reading does not', async () => {
    const app = api({}, { token: 'a secret of the house' })
    const payload = { transaction: base64(good) }
    for (const authorization of [undefined, 'Bearer', 'Bearer a secret', 'Basic a secret of the house']) {
      const headers = authorization === undefined ? {} : { authorization }
      assertFault(await post(payload, app, headers as Record<string, string>), 401, 'TOKEN_REQUIRED')
    }
    dataOf(await post(payload, app, { authorization: 'Bearer a secret of the house' }), 202)
    dataOf(await get('/api/v1/node/info', app))
  })
})

describe('the server', () => {
  const config = { host: '127.0.0.1', port: 0, bodyLimitBytes: 1_048_576, tokenFile: null }

  test('listens on a free port, answers what is not HTTP, and ends with its connections', async () => {
    const server = await startApi(fakeBackend(), config, silentLog)
    const url = new URL(server.url)
    assert.equal(
      ((await (await fetch(new URL('/api/v1/node/info', url))).json()) as { success: boolean }).success,
      true,
    )
    const socket = connect(Number(url.port), url.hostname)
    socket.end('garbage\r\n\r\n')
    const answer = await readText(socket)
    assert.match(answer, /^HTTP\/1\.1 400/)
    assert.match(answer, /"code":"REQUEST_MALFORMED"/)
    const idle = connect(Number(url.port), url.hostname)
    await once(idle, 'connect')
    const closed = once(idle, 'close')
    idle.on('error', () => {})
    await server.stop()
    await closed
  })

  test('says when its port is taken, and what to do', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    await assert.rejects(startApi(fakeBackend(), { ...config, port }, silentLog), {
      code: 'API_LISTEN_FAILED',
      message: `The API cannot listen on 127.0.0.1, port ${port}: another process has the port. Stop it, or set api.port (0 takes a free one).`,
    })
    other.close()
  })

  test('reads its token where everyone can reach it, and says when there is none', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'althing-api-'))
    const tokenFile = join(folder, 'token')
    const open = { ...config, host: '0.0.0.0' }
    try {
      await assert.rejects(startApi(fakeBackend(), { ...open, tokenFile }, silentLog), {
        code: 'TOKEN_UNUSABLE',
        message: /cannot be read/,
      })
      await writeFile(tokenFile, 'short\n')
      await chmod(tokenFile, 0o600)
      await assert.rejects(startApi(fakeBackend(), { ...open, tokenFile }, silentLog), {
        code: 'TOKEN_UNUSABLE',
        message: /has 5 characters, expected at least 16/,
      })
      await writeFile(tokenFile, 'a secret of the house\n')
      const server = await startApi(fakeBackend(), { ...open, tokenFile }, silentLog)
      const target = `${server.url.replace('0.0.0.0', '127.0.0.1')}/api/v1/transactions`
      assert.equal((await fetch(target, { method: 'POST', body: '{}' })).status, 401)
      await server.stop()
      const warnings: string[] = []
      const log: Log = { ...silentLog, warn: (message) => warnings.push(message) }
      await (await startApi(fakeBackend(), open, log)).stop()
      assert.match(warnings[0]!, /takes transactions from whoever reaches it/)
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
