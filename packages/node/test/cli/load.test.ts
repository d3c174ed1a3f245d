import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  AUTHORITY_RULES_DEFAULT,
  bytesToHex,
  decodeKvOperation,
  decodeTransaction,
  GENESIS_VERSION,
  POLICY_OPEN,
  portableSigner,
  transactionId,
  utf8ToBytes,
  ZERO_HASH,
} from '@althing/base'
import type { Genesis } from '@althing/base'
import { AlthingClient, base64ToBytes } from '@althing/client'
import { loadEntries } from '../../src/cli/load.ts'
import { chainOf } from '../../src/genesis-state.ts'

const signers = [1, 2, 3].map((byte) => portableSigner(new Uint8Array(32).fill(byte)))
const genesis: Genesis = {
  version: GENESIS_VERSION,
  networkId: utf8ToBytes('toy'),
  timestamp: 1_700_000_000_000,
  authorities: [{ key: signers[0]!.publicKey, weight: 1 }],
  allocations: [],
  members: [],
  policy: POLICY_OPEN,
  feeSink: ZERO_HASH,
  feeMin: 1n,
  intervalMs: 500,
  idleIntervalMs: 30_000,
  blockBytesMax: 1_048_576,
  authorityRules: AUTHORITY_RULES_DEFAULT,
}
const chain = chainOf(genesis)
const trusted = {
  networkId: 'toy',
  genesisHash: chain.hash,
  genesis,
  epoch: { epoch: 0, anchor: chain.hash, set: genesis.authorities },
  pastEpochs: [],
}

/** A node whose every transaction is final at once, with room for `room` of them between two questions for an account. */
class ToyNode {
  readonly written = new Map<string, string>()
  readonly client = new AlthingClient({
    url: 'http://toy.test',
    fetch: (input, init) => this.#answer(input, init),
  })
  readonly #nonceByAccount = new Map<string, number>()
  readonly #statusById = new Map<string, string>()
  readonly #roomMax: number
  readonly #status: string
  #room: number

  constructor(room: number, status = 'final') {
    this.#roomMax = room
    this.#room = room
    this.#status = status
  }

  #answer(input: unknown, init?: RequestInit): Promise<Response> {
    const [, , , what = '', name = ''] = new URL(String(input)).pathname.split('/')
    const data = init?.method === 'POST' ? this.#take(init.body as string) : this.#tell(what, name)
    return Promise.resolve(Response.json({ success: true, data, error: null }))
  }

  #tell(what: string, name: string): unknown {
    if (what === 'node') return { finalized_height: 0 }
    if (what === 'transactions') {
      const fault = { code: 'KEY_NOT_YOURS', message: 'somebody else owns it' }
      return { id: name, status: this.#statusById.get(name) ?? 'unknown', height: 7, fault }
    }
    this.#room = this.#roomMax
    const nonce = this.#nonceByAccount.get(name) ?? 0
    return { account: name, nonce, pending_nonce: nonce, balance: '0' }
  }

  #take(body: string): unknown {
    const { transactions } = JSON.parse(body) as { transactions: string[] }
    return { results: transactions.map((text) => this.#takeOne(base64ToBytes(text)!)) }
  }

  #takeOne(bytes: Uint8Array): unknown {
    const id = bytesToHex(transactionId(bytes))
    const refused = (code: string): unknown => ({
      id,
      accepted: false,
      error: { code, message: 'no', details: null },
    })
    if (this.#statusById.has(id)) return refused('DUPLICATE')
    if (this.#room === 0) return refused('MEMPOOL_FULL')
    this.#room--
    const decoded = decodeTransaction(bytes)
    assert(decoded.ok)
    const { sender, nonce, operations } = decoded.value.body
    const account = bytesToHex(sender)
    assert.equal(nonce, this.#nonceByAccount.get(account) ?? 0, 'nonces come in order here')
    this.#nonceByAccount.set(account, nonce + 1)
    this.#statusById.set(id, this.#status)
    for (const { body } of operations) {
      const operation = decodeKvOperation(body)
      assert(operation.ok && operation.value.kind === 'put')
      this.written.set(
        Buffer.from(operation.value.key).toString(),
        Buffer.from(operation.value.value).toString(),
      )
    }
    return { id, accepted: true, error: null }
  }
}

const entries = Array.from({ length: 1_000 }, (_, i) => ({
  key: `key ${i}`,
  value: `value ${i} `.repeat(i % 50),
}))

suite('loading many keys', () => {
  test('spreads them over senders and nodes, and tells how many are final', async () => {
    const nodes = [new ToyNode(100), new ToyNode(100)]
    const told: number[] = []
    const loaded = await loadEntries(entries, {
      clients: nodes.map(({ client }) => client),
      signers,
      trusted,
      onFinal: (keys) => told.push(keys),
    })
    const written = new Map(nodes.flatMap(({ written: own }) => [...own]))
    assert.deepEqual([...written.keys()].sort(), entries.map(({ key }) => key).sort())
    for (const { key, value } of entries) assert.equal(written.get(key), value)
    assert(nodes.every(({ written: own }) => own.size > 0))
    assert.equal(told.at(-1), entries.length)
    assert.equal(loaded.height, 7)
    assert(loaded.transactions >= 1_000 / 64 && loaded.transactions < 50)
  })

  test('hands in again what a full pool refused', async () => {
    const node = new ToyNode(9)
    await loadEntries(entries, { clients: [node.client], signers: signers.slice(0, 1), trusted })
    assert.equal(node.written.size, entries.length)
  })

  test('fails when a transaction changed nothing, and says why', async () => {
    const { client } = new ToyNode(100, 'failed')
    await assert.rejects(loadEntries(entries, { clients: [client], signers, trusted }), {
      code: 'TRANSACTION_FAILED',
      message: /KEY_NOT_YOURS, somebody else owns it/,
    })
  })

  test('ends when it is called off', async () => {
    const { client } = new ToyNode(0)
    const stop = new AbortController()
    const reason = new Error('enough')
    const loading = loadEntries(entries, {
      clients: [client],
      signers,
      trusted,
      signal: stop.signal,
      onFinal: () => stop.abort(reason),
    })
    await assert.rejects(loading)
  })
})
