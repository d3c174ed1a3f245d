import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { AlthingClient, ApiError, kvPut, packOperations, Sender, verifyGenesis } from '../src/index.ts'
import {
  decodeTransaction,
  OPERATIONS_MAX,
  TRANSACTION_BYTES_MAX,
  utf8ToBytes,
  verifyPortable,
  verifyTransaction,
} from '@althing/base'
import * as chain from './fixture.ts'

type Answer = { status: number; body: unknown } | Error

/** A client whose calls get these answers in turn, and the paths that it asked for. */
function clientOf(answers: Answer[], retries = 2): { client: AlthingClient; asked: string[] } {
  const asked: string[] = []
  const fetch = (input: unknown): Promise<Response> => {
    const url = new URL(String(input))
    asked.push(url.pathname + url.search)
    const answer = answers.shift() ?? new Error('nothing more to say')
    if (answer instanceof Error) return Promise.reject(answer)
    return Promise.resolve(new Response(JSON.stringify(answer.body), { status: answer.status }))
  }
  return {
    client: new AlthingClient({ url: 'http://node.test', retries, fetch }),
    asked,
  }
}

const data = (value: unknown): Answer => ({ status: 200, body: { success: true, data: value, error: null } })
const fault = (status: number, code: string): Answer => ({
  status,
  body: { success: false, data: null, error: { code, message: 'why', details: { limit: 5 } } },
})

suite('calls', () => {
  test('give the data of the envelope', async () => {
    const { client, asked } = clientOf([data({ peer_count: 0, peers: [] })])
    assert.deepEqual(await client.peers(), { peer_count: 0, peers: [] })
    assert.deepEqual(asked, ['/api/v1/node/peers'])
  })

  test('text keys are percent-encoded, bytes go as hexadecimal', async () => {
    const { client, asked } = clientOf([data({}), data({}), data({})])
    await client.kv('a/b?c')
    await client.kv('..')
    await client.kv(Uint8Array.of(0, 255), { proof: false })
    assert.deepEqual(asked, [
      '/api/v1/kv/a%2Fb%3Fc',
      '/api/v1/kv/2e2e?encoding=hex',
      '/api/v1/kv/00ff?encoding=hex&proof=false',
    ])
  })

  test('the token goes with requests that change something, and with no others', async () => {
    const asked: [string | undefined, string, string | null][] = []
    const fetch = (input: unknown, init?: RequestInit): Promise<Response> => {
      const { pathname, search } = new URL(String(input))
      asked.push([init?.method, pathname + search, new Headers(init?.headers).get('authorization')])
      return Promise.resolve(new Response(JSON.stringify({ success: true, data: {}, error: null })))
    }
    const { network } = new AlthingClient({ url: 'http://node.test', token: 'secret', fetch })
    await network.peers({ connected: true, label: 'a b' })
    await network.ban({ target: '10.0.0.0/8' })
    await network.unban('10.0.0.0/8')
    await network.reserve('p')
    await network.connect('a.b:1')
    const token = 'Bearer secret'
    assert.deepEqual(asked, [
      ['GET', '/network/peers?connected=true&label=a+b', null],
      ['POST', '/network/blacklist', token],
      ['DELETE', '/network/blacklist/10.0.0.0%2F8', token],
      ['PUT', '/network/peers/p/reservation', token],
      ['POST', '/network/peers', token],
    ])
  })

  test('an error says code, status and details, and is not repeated', async () => {
    const { client, asked } = clientOf([fault(400, 'NONCE_GAP')])
    await assert.rejects(client.peers(), (error) => {
      assert(error instanceof ApiError)
      assert.equal(error.code, 'NONCE_GAP')
      assert.equal(error.status, 400)
      assert.deepEqual(error.details, { limit: 5 })
      return true
    })
    assert.equal(asked.length, 1)
  })

  test('a broken connection and a busy node are met by another attempt', async () => {
    const { client, asked } = clientOf([
      new Error('reset'),
      fault(503, 'BUSY'),
      data({ peer_count: 1, peers: [] }),
    ])
    assert.equal((await client.peers()).peer_count, 1)
    assert.equal(asked.length, 3)
  })

  test('attempts are bounded', async () => {
    const { client } = clientOf([new Error('reset'), new Error('reset')], 1)
    await assert.rejects(client.peers(), { name: 'ApiError', code: 'API_UNREACHABLE' })
  })

  test('another server is told apart from a node', async () => {
    const { client } = clientOf([{ status: 200, body: 'hello' }])
    await assert.rejects(client.peers(), { code: 'API_MALFORMED' })
  })

  test('an abort ends the call with its reason', async () => {
    const { client } = clientOf([new Error('reset')])
    await assert.rejects(client.peers({ signal: AbortSignal.abort(new Error('enough')) }), {
      message: 'enough',
    })
  })
})

suite('transactions', () => {
  const trusted = verifyGenesis(chain.genesisAnswer, chain.genesisHash)
  assert(trusted.ok)
  const account = { account: '', nonce: 4, pending_nonce: 6, balance: '1000' }
  const put = kvPut({ key: utf8ToBytes('k'), value: utf8ToBytes('v') })

  test('a sender continues after the transactions that wait, each signed for this chain', async () => {
    const { client } = clientOf([data(account), data({ finalized_height: 10 })])
    const sender = await Sender.open(client, chain.owner, trusted.value)
    const signed = [sender.sign([put]), sender.sign([put])]
    assert.deepEqual(
      signed.map(({ nonce }) => nonce),
      [6, 7],
    )
    for (const { bytes } of signed) {
      const decoded = decodeTransaction(bytes)
      assert(decoded.ok)
      assert.equal(decoded.value.body.fee, 1n)
      assert.equal(decoded.value.body.validUntil, 610)
      assert(verifyTransaction(decoded.value, 'test', verifyPortable))
      assert(!verifyTransaction(decoded.value, 'other', verifyPortable))
    }
  })

  test('waiting for finality ends when it is settled, and is bounded', async () => {
    const id = new Uint8Array(32)
    const settled = { id: '', status: 'final', height: 3, block_hash: '', index: 0, fault: null }
    const pending = { ...settled, status: 'pending', height: null }
    const { client } = clientOf([data(pending), data(settled), data(pending)])
    assert.equal((await client.waitForFinal(id)).height, 3)
    await assert.rejects(client.waitForFinal(id, { timeoutMs: -1 }), { code: 'NOT_FINAL_IN_TIME' })
  })

  test('operations are packed in order into transactions that hold them', () => {
    const many = Array.from({ length: 150 }, (_, i) =>
      kvPut({ key: utf8ToBytes(`key ${i}`), value: new Uint8Array((i * 977) % 40_000) }),
    )
    const groups = packOperations(many)
    assert.deepEqual(groups.flat(), many)
    for (const group of groups) {
      assert(group.length <= OPERATIONS_MAX)
      const bytes = group.reduce((sum, { body }) => sum + body.length + 6, 0)
      assert(bytes + 300 <= TRANSACTION_BYTES_MAX)
    }
  })

  test('small operations are packed up to the most that one transaction may carry', () => {
    const groups = packOperations(Array.from({ length: 100 }, () => put))
    assert.deepEqual(
      groups.map((group) => group.length),
      [64, 36],
    )
  })
})
