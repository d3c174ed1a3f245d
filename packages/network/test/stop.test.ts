import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { createMemoryNetwork } from '../src/index.ts'
import { until } from '../src/testing/index.ts'
import { endings, isConnected, join, TestWorld } from '../src/testing/world.ts'

const SCRIPT = `
import { createMemoryNetwork, startNetwork } from '@althing/network'
const memory = createMemoryNetwork()
for (const [listen, transport] of [['/memory/0', memory.transport], ['/ip4/127.0.0.1/tcp/0', undefined]]) {
  const start = (id, bootstrap) => startNetwork({
    identity: new Uint8Array(32).fill(id), networkId: 'test', genesisHash: new Uint8Array(32), versions: { min: 1, max: 1 },
    listen: [listen], bootstrap, nodeType: 'full', features: [], status: () => ({ height: 0, finalizedHeight: 0, lowestHeight: 0 }),
    kinds: {}, transport,
  })
  const a = await start(1, [])
  const b = await start(2, a.addresses())
  await new Promise((resolve) => b.subscribe(({ kind }) => kind === 'peerConnected' && resolve()))
  await Promise.all([a.stop(), b.stop()])
}
console.log('links left', memory.linkCount)
`

test('after stop nothing keeps the process alive', async () => {
  const options = { timeout: 20_000, cwd: import.meta.dirname }
  const run = promisify(execFile)(process.execPath, ['--input-type=module', '--eval', SCRIPT], options)
  const { stdout } = await run
  assert.equal(stdout, 'links left 0\n')
})

test('an AbortSignal ends a network, and its peers are told; aborted before, it ends at once (VC-1)', async (context) => {
  const memory = createMemoryNetwork()
  const world = new TestWorld({ transport: memory.transport, listen: '/memory/0' })
  context.after(() => world.stop())
  const aborting = new AbortController()
  const ending = await world.node({ signal: aborting.signal })
  const other = await world.node()
  await join(other.network, ending.network)
  aborting.abort()
  await until('the other was told', () => endings(other).length > 0)
  assert.deepEqual(endings(other), [{ by: 'remote', code: 'shutting-down' }])
  await until('nothing is left of it', () => memory.linkCount === 0)

  const late = await world.node({ signal: aborting.signal })
  await assert.rejects(late.network.connect(other.network.addresses()[0]!), { code: 'STOPPED' })
  assert.equal(isConnected(other.network, late.network), false)
})
