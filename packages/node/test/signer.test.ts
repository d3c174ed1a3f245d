import { strict as assert } from 'node:assert'
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import {
  authorityHeartbeat,
  authorityLinkSignBytes,
  hexToBytes,
  NOTARIZE,
  silentLog,
  TRANSACTION_VERSION,
  transactionSignBytes,
  transfer,
  verifyPortable,
  voteSignBytes,
} from '@althing/base'
import type { Operation } from '@althing/base'
import { createNetworkFiles } from '../src/cli/network-files.ts'
import { readKeyFile } from '../src/keys/index.ts'
import { parseSignerAddress } from '../src/signer/address.ts'
import { openRemoteSigner } from '../src/signer/remote-signer.ts'
import type { RemoteSigner } from '../src/signer/remote-signer.ts'

const PROGRAM = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url))
const TOKEN = 'a secret of both of them'
let folder = ''
let genesis: Uint8Array = new Uint8Array()
let publicKey: Uint8Array = new Uint8Array()
let running: ChildProcess | null = null
const remotes: RemoteSigner[] = []

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'althing-signer-'))
  const node = { name: 'node-0', kind: 'authority', host: '127.0.0.1', p2pPort: 1, apiPort: 2 } as const
  const plan = { networkId: 'test', timeoutMs: 1_000, nodes: [node], accounts: [], policy: 'open' } as const
  const times = { intervalMs: 500, idleIntervalMs: 500, blockBytesMax: 1_048_576 }
  genesis = (await createNetworkFiles(join(folder, 'net'), { ...plan, ...times }, 0)).genesisHash
  publicKey = (await readKeyFile(join(folder, 'net/node-0/authority.key'))).publicKey
  await writeFile(join(folder, 'token'), TOKEN)
  await run(['signer', 'init', ...files()])
})
after(async () => {
  await Promise.all(remotes.map((remote) => remote.close()))
  await kill()
  await rm(folder, { recursive: true })
})

const files = (): string[] => [
  '--key',
  join(folder, 'net/node-0/authority.key'),
  '--guard',
  join(folder, 'guard'),
  '--genesis-file',
  join(folder, 'net/genesis.json'),
]
const address = (): string => `unix:${join(folder, 'signer.sock')}`

async function run(args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: 'ignore' })
  const [code] = (await once(child, 'exit')) as [number]
  return code
}

/** Resolves with where it listens. */
async function startSigner(...args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [PROGRAM, 'signer', 'start', ...files(), '--json', ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  running = child
  let text = ''
  for await (const line of createInterface({ input: child.stdout })) {
    text += line
    if (line === '}') break
  }
  return (JSON.parse(text) as { listen: string }).listen
}

async function kill(): Promise<void> {
  if (running === null) return
  const gone = once(running, 'exit')
  running.kill('SIGKILL')
  running = null
  await gone
}

async function open(name: string, token: string | null = null, timeoutMs = 2_000): Promise<RemoteSigner> {
  const parsed = parseSignerAddress(name)
  assert.ok(parsed !== null)
  const remote = await openRemoteSigner({
    address: parsed,
    name,
    token,
    genesis,
    log: silentLog,
    timeoutMs,
  })
  remotes.push(remote)
  return remote
}

async function until(holds: () => boolean): Promise<void> {
  const end = performance.now() + 10_000
  while (!holds()) {
    assert.ok(performance.now() < end, 'not within ten seconds')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

const vote = (view: number, fill: number): Uint8Array =>
  voteSignBytes(NOTARIZE, genesis, 0, view, new Uint8Array(32).fill(fill))

function transaction(operation: Operation): Uint8Array {
  const head = { version: TRANSACTION_VERSION, genesis, sender: publicKey, nonce: 0, validUntil: 9, fee: 0n }
  return transactionSignBytes({ ...head, operations: [operation] }, 'test')
}

describe('a signer in a process of its own (PC-3)', () => {
  test('signs each vote once, on a socket that only its owner may open; its death is no crash, and nothing is forgotten', async () => {
    await startSigner('--listen', address())
    if (process.platform !== 'win32')
      assert.equal((await stat(join(folder, 'signer.sock'))).mode & 0o777, 0o600)
    const remote = await open(address())
    assert.deepEqual(remote.publicKey, publicKey)
    const signature = remote.sign(vote(5, 1))
    assert.ok(signature !== null && verifyPortable(publicKey, vote(5, 1), signature))
    assert.equal(remote.sign(vote(5, 2)), null)
    assert.deepEqual(remote.sign(vote(5, 1)), signature)
    assert.equal(remote.unavailableBecause, null)

    await kill()
    await until(() => remote.unavailableBecause !== null)
    assert.equal(remote.sign(vote(6, 1)), null)
    await startSigner('--listen', address())
    await until(() => remote.unavailableBecause === null)
    assert.equal(remote.sign(vote(5, 2)), null)
    assert.notEqual(remote.sign(vote(6, 1)), null)
  })

  test('signs signs of life and proofs on links, but moves no money', () => {
    const remote = remotes[0]!
    assert.notEqual(remote.sign(transaction(authorityHeartbeat())), null)
    assert.equal(remote.sign(transaction(transfer({ to: genesis, amount: 1n }))), null)
    assert.notEqual(remote.sign(authorityLinkSignBytes(genesis, 'a', 'b')), null)
    assert.equal(remote.sign(authorityLinkSignBytes(publicKey, 'a', 'b')), null)
    assert.equal(remote.sign(new Uint8Array(200)), null)
  })

  test('serves one node, and holds its key alone', async () => {
    assert.equal(await run(['signer', 'start', ...files(), '--listen', `${address()}.2`]), 1)
    const second = await import('node:net').then(({ connect }) => connect(join(folder, 'signer.sock')))
    const [said] = (await once(second, 'data')) as [Buffer]
    assert.match(said.toString(), /SIGNER_BUSY/)
    second.destroy()
  })

  test('asks for its secret over TCP', async () => {
    await remotes[0]!.close()
    await kill()
    const where = await startSigner('--listen', 'tcp:127.0.0.1:0', '--token-file', join(folder, 'token'))
    const remote = await open(`tcp:${where}`, TOKEN)
    assert.notEqual(remote.sign(vote(7, 1)), null)
    await remote.close()
    await kill()
    assert.equal(await run(['signer', 'start', ...files(), '--listen', 'tcp:127.0.0.1:0']), 2)
  })

  test('that never answers costs the node its timeout once', async () => {
    const mute = createServer((socket) => {
      socket.once('data', () => socket.write(`{"id":1,"public_key":"${'00'.repeat(31)}01","version":1}\n`))
    })
    mute.listen(join(folder, 'mute.sock'))
    await once(mute, 'listening')
    const remote = await open(`unix:${join(folder, 'mute.sock')}`, null, 50)
    assert.deepEqual(remote.publicKey, hexToBytes(`${'00'.repeat(31)}01`))
    assert.equal(remote.sign(vote(8, 1)), null)
    assert.match(remote.unavailableBecause!, /did not answer within 50 ms/)
    await remote.close()
    mute.close()
    mute.unref()
  })
})
