import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, test } from 'node:test'
import { createMemoryNetwork, NetworkError } from '../src/index.ts'
import type { NetworkErrorCode } from '../src/index.ts'
import { TestWorld } from '../src/testing/world.ts'

describe('errors (TN-7)', () => {
  const rows: [NetworkErrorCode, string, boolean][] = [
    ['DIAL_FAILED', 'transport', true],
    ['PEER_GONE', 'connection', true],
    ['PEER_UNREACHABLE', 'peerNotFound', true],
    ['REQUEST_TIMEOUT', 'timeout', true],
    ['DELIVERY_TIMEOUT', 'timeout', true],
    ['QUEUE_FULL', 'message', true],
    ['MESSAGE_TOO_LARGE', 'message', false],
    ['REQUEST_REFUSED', 'protocol', false],
    ['HANDSHAKE_REFUSED', 'protocol', false],
    ['PEER_BANNED', 'connection', false],
    ['STOPPED', 'internal', false],
  ]
  test('each says of what kind it is and whether a retry makes sense; the table in the documents agrees', async () => {
    const document = await readFile(new URL('../../../docs/errors.md', import.meta.url), 'utf8')
    for (const [code, category, retryable] of rows) {
      const error = new NetworkError(code, 'm')
      assert.deepEqual([error.category, error.retryable], [category, retryable], code)
      const [, again = ''] = new RegExp(`^\\| \`${code}\` \\|[^|]*\\| ([^|]*) \\|`, 'm').exec(document) ?? []
      assert.equal(again.startsWith('yes'), retryable, `${code} in docs/errors.md: ${again}`)
    }
  })

  test('the error of a call names the peer, and what to do', async () => {
    const world = new TestWorld({ transport: createMemoryNetwork().transport, listen: '/memory/0' })
    try {
      const [a, b] = await world.pair()
      b.handleRequest('range', () => new Promise(() => {}))
      const question = new Uint8Array(1)
      const expected = { code: 'REQUEST_TIMEOUT', peer: b.peerId, retryable: true }
      await assert.rejects(a.request(b.peerId, 'range', question, { timeoutMs: 20 }), expected)
      await assert.rejects(a.request('nobody', 'range', question), (error: NetworkError) => {
        assert.deepEqual([error.code, error.peer], ['PEER_UNREACHABLE', 'nobody'])
        assert.match(error.advice, /ask another peer/)
        return true
      })
    } finally {
      await world.stop()
    }
  })
})
