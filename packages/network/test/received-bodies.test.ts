import assert from 'node:assert/strict'
import { constants, PerformanceObserver } from 'node:perf_hooks'
import type { NodeGCPerformanceDetail } from 'node:perf_hooks'
import { test } from 'node:test'
import { createMemoryNetwork, startNetwork } from '../src/index.ts'
import type { Network } from '../src/index.ts'

const BODY_BYTES = 1024 * 1024
const BODIES = 512
/** One for 20 MiB without care; with it one to five in all, however many bodies. */
const MAJOR_MAX = 12

test('bulk does not make V8 mark its whole heap again and again', async () => {
  const memory = createMemoryNetwork()
  const start = (id: number): Promise<Network> =>
    startNetwork({
      identity: new Uint8Array(32).fill(id),
      networkId: 'test',
      genesisHash: new Uint8Array(32),
      versions: { min: 1, max: 1 },
      listen: [`/memory/n${id}`],
      bootstrap: [],
      nodeType: 'full',
      features: [],
      status: () => ({ height: 0, finalizedHeight: 0, lowestHeight: 0 }),
      kinds: { bulk: { id: 1, lane: 'low', maxBytes: BODY_BYTES } },
      compression: false,
      transport: memory.transport,
    })
  const [receiver, sender] = [await start(1), await start(2)]
  let received = 0
  const { promise: allReceived, resolve } = Promise.withResolvers<void>()
  receiver.handle('bulk', () => {
    if (++received === BODIES) resolve()
  })
  const peer = await sender.connect('/memory/n1')
  let major = 0
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { detail } = entry as unknown as { detail: NodeGCPerformanceDetail }
      if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) major++
    }
  })
  observer.observe({ entryTypes: ['gc'] })
  const body = new Uint8Array(BODY_BYTES)
  for (let sent = 0; sent < BODIES;) {
    if (sender.send(peer, 'bulk', body) === 'queued') sent++
    await sender.sendReady(peer, 'low')
  }
  await allReceived
  await new Promise(setImmediate)
  observer.disconnect()
  await Promise.all([receiver.stop(), sender.stop()])
  assert.ok(major <= MAJOR_MAX, `${major} collections of the whole heap for ${BODIES} MiB`)
})
