/**
 * The answering side of the session benchmarks: `session [<IP address to listen on>]` is ours, `streams` are those of bare libp2p.
 * @module
 */
import { serveStreams } from '../libp2p/streams.ts'
import { seedOf, startPeer } from './wire.ts'
import type { HeldBytes, ServerAddress } from './wire.ts'

const COLLECTIONS = 4

const [side, ip = '127.0.0.1'] = process.argv.slice(2)
const address = side === 'streams' ? await serveStreams() : await serveSession()
process.send!({ address } satisfies ServerAddress)
process.on('disconnect', () => process.exit())
process.on('message', () => {
  for (let i = 0; i < COLLECTIONS; i++) globalThis.gc!()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  process.send!({ bytes: heapUsed + arrayBuffers } satisfies HeldBytes)
})

async function serveSession(): Promise<string> {
  const network = await startPeer(seedOf(1), { listen: [`/ip4/${ip}/tcp/0`] })
  network.handleRequest('question', ({ body }) => body)
  network.handleRequest('urgent', ({ body }) => body)
  network.handle('bulk', () => {})
  return network.addresses()[0]!
}
