/**
 * The answering side of the session benchmarks: `session` is ours, `streams` are those of bare libp2p.
 * @module
 */
import { serveStreams } from '../libp2p/streams.ts'
import { seedOf, startPeer } from './wire.ts'
import type { ServerAddress } from './wire.ts'

const address = process.argv[2] === 'streams' ? await serveStreams() : await serveSession()
process.send!({ address } satisfies ServerAddress)
process.on('disconnect', () => process.exit())

async function serveSession(): Promise<string> {
  const network = await startPeer(seedOf(1), { listen: ['/ip4/127.0.0.1/tcp/0'] })
  network.handleRequest('question', ({ body }) => body)
  network.handleRequest('urgent', ({ body }) => body)
  network.handle('bulk', () => {})
  return network.addresses()[0]!
}
