/**
 * Bad input at the door of a real node: a clear error, and nothing lost (PO-4, PO-8).
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { bytesToBase64, kvDelete, kvPut, portableSigner, transfer } from '@althing/client'
import type { Operation, Signer } from '@althing/client'
import { bytesToHex, signTransaction, Transaction, TRANSACTION_VERSION } from '@althing/base'
import { TestNetwork } from './support/network.ts'

const text = new TextEncoder()
const stranger = portableSigner(new Uint8Array(32).fill(3))
const friend = portableSigner(new Uint8Array(32).fill(4))

let network: TestNetwork
let networkId: string
let nonce = 0

before(async () => {
  network = await TestNetwork.create({ authorities: 1, intervalMs: 50 })
  await network.start()
  networkId = (await network.trusted()).networkId
  const sender = await network.sender()
  const settled = await sender.send([
    kvPut({ key: text.encode('owned'), value: text.encode('by the treasury') }),
    transfer({ to: friend.publicKey, amount: 1_000n }),
  ])
  assert.equal(settled.status, 'final')
  nonce = 1
})

after(() => network[Symbol.asyncDispose]())

const put: Operation = kvPut({ key: text.encode('k'), value: text.encode('v') })

interface Draft {
  signer?: Signer
  nonce?: number
  fee?: bigint
  validUntil?: number
  genesis?: Uint8Array
  network?: string
  operations?: Operation[]
}

function signed(draft: Draft): Uint8Array {
  const signer = draft.signer ?? network.account
  const body = {
    version: TRANSACTION_VERSION,
    genesis: draft.genesis ?? network.genesisHash,
    sender: signer.publicKey,
    nonce: draft.nonce ?? nonce,
    validUntil: draft.validUntil ?? 1_000_000,
    fee: draft.fee ?? 1n,
    operations: draft.operations ?? [put],
  }
  return signTransaction(body, draft.network ?? networkId, signer)
}

async function post(
  body: string | Uint8Array,
  type = 'application/json',
): Promise<{ status: number; json: Answer }> {
  const url = new URL('api/v1/transactions', network.nodes[0]!.client.url)
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': type },
    body: Buffer.from(body),
  })
  return { status: response.status, json: (await response.json()) as Answer }
}

interface Answer {
  success: boolean
  data: unknown
  error: { code: string; message: string; details: unknown } | null
}

const one = (encoded: Uint8Array): string => JSON.stringify({ transaction: bytesToBase64(encoded) })

const rows: [string, () => string, string, RegExp][] = [
  [
    'text that is not JSON',
    () => '{"transaction":',
    'BAD_REQUEST|MALFORMED|INPUT_INVALID|BODY_MALFORMED|INVALID_JSON',
    /./,
  ],
  ['bytes that are no transaction', () => one(new Uint8Array(50).fill(9)), 'MALFORMED', /Transaction/],
  ['a transaction cut short', () => one(signed({}).subarray(0, 100)), 'MALFORMED', /Transaction/],
  ['an unsigned one', () => one(unsigned()), 'SIGNATURE_INVALID|WITNESS_UNKNOWN', /sign/],
  ['a signature with one bit changed', () => one(flipped()), 'SIGNATURE_INVALID', /sign again/],
  [
    'another genesis',
    () => one(signed({ genesis: new Uint8Array(32).fill(8) })),
    'WRONG_NETWORK',
    /made for genesis 0808/,
  ],
  [
    'another network id in the sign bytes',
    () => one(signed({ network: 'elsewhere' })),
    'SIGNATURE_INVALID',
    /this network/,
  ],
  ['a nonce that was used', () => one(signed({ nonce: 0 })), 'NONCE_USED', /the next one is 1/],
  ['a nonce far ahead', () => one(signed({ nonce: 1_000_000 })), 'NONCE_GAP', /the next one is 1/],
  ['one that expired', () => one(signed({ validUntil: 0 })), 'EXPIRED', /valid until height 0/],
  ['no fee', () => one(signed({ fee: 0n })), 'FEE_TOO_LOW', /at least 1 expected/],
  ['an account without money', () => one(signed({ signer: stranger, nonce: 0 })), 'BALANCE_TOO_LOW', /has 0/],
]

for (const [name, body, code, message] of rows) {
  test(`refused: ${name}`, async () => {
    const { status, json } = await post(body())
    assert.ok(status >= 400 && status < 500, `status ${status}`)
    assert.equal(json.success, false)
    assert.equal(json.data, null)
    assert.match(json.error!.code, new RegExp(`^(${code})$`))
    assert.match(json.error!.message, message)
  })
}

test('refused: a body over the limit', async () => {
  const { status, json } = await post(JSON.stringify({ transaction: 'A'.repeat(6_000_000) }))
  assert.equal(status, 413)
  assert.match(json.error!.message, /\d/)
})

test("taken, paid for and without effect: another's key, and money that is not there", async () => {
  const sender = await network.sender(undefined, friend)
  const steal = await sender.send([kvDelete({ key: text.encode('owned') })])
  assert.equal(steal.status, 'failed')
  assert.match(steal.fault!.code, /NOT_OWNER|NOT_MEMBER/)
  const overdraw = await sender.send([transfer({ to: stranger.publicKey, amount: 10_000_000n })])
  assert.equal(overdraw.status, 'failed')
  assert.equal(overdraw.fault!.code, 'BALANCE_TOO_LOW')
  const { client } = network.nodes[0]!
  assert.equal((await client.account(friend.publicKey)).balance, `${1_000n - 2n}`)
  assert.ok((await client.kv('owned')).exists)
})

test('replayed: the same bytes a second time change nothing', async () => {
  const { client } = network.nodes[0]!
  const encoded = signed({ nonce })
  const first = await post(one(encoded))
  assert.equal(first.status, 202)
  await client.waitForFinal(await idOf(encoded))
  const again = await post(one(encoded))
  assert.match(again.json.error!.code, /NONCE_USED|DUPLICATE/)
  assert.equal((await client.account(network.account.publicKey)).nonce, nonce + 1)
})

test('unknown things are 404 in the same envelope', async () => {
  const { url } = network.nodes[0]!.client
  for (const path of ['api/v1/blocks/999999', `api/v1/blocks/${'ab'.repeat(32)}`, 'api/v1/nowhere']) {
    const response = await fetch(new URL(path, url))
    const json = (await response.json()) as Answer
    assert.equal(response.status, 404, path)
    assert.equal(json.success, false)
    assert.ok(json.error!.code.length > 0)
  }
})

async function idOf(encoded: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', Buffer.from(encoded)))
}

function unsigned(): Uint8Array {
  const transaction = Transaction.deserialize(signed({}))
  return Transaction.serialize({ ...transaction, witness: new Uint8Array(0) })
}

function flipped(): Uint8Array {
  const bytes = signed({})
  bytes[bytes.length - 10]! ^= 1
  return bytes
}

test('ids in answers are the hashes of the bytes', async () => {
  const encoded = signed({ nonce: nonce + 1 })
  const { json } = await post(one(encoded))
  assert.equal((json.data as { id: string }).id, bytesToHex(await idOf(encoded)))
})
