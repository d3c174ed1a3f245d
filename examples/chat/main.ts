/**
 * A chat without a server: everyone who knows one other reads all.
 * Run it as `npm run example chat -- --name Ada`, and on another terminal with `--join` and the address that the first one prints.
 * @module
 */
import { createHash, randomBytes } from 'node:crypto'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { startNetwork } from '@althing/network'

const { values } = parseArgs({
  options: {
    name: { type: 'string', default: 'somebody' },
    listen: { type: 'string', default: '/ip4/127.0.0.1/tcp/0' },
    join: { type: 'string', multiple: true, default: [] },
    room: { type: 'string', default: 'lobby' },
  },
})

const LINE_BYTES_MAX = 4096
const stopping = new AbortController()

const network = await startNetwork({
  identity: randomBytes(32), // a new node each time; keep the seed to stay the same one
  networkId: 'althing-chat',
  genesisHash: createHash('sha256').update(values.room).digest(), // rooms do not hear each other
  versions: { min: 1, max: 1 },
  listen: [values.listen],
  bootstrap: values.join,
  nodeType: 'full',
  features: [],
  status: () => ({ height: 0, finalizedHeight: 0, lowestHeight: 0 }),
  kinds: { line: { id: 1, lane: 'normal', maxBytes: LINE_BYTES_MAX, gossip: true } },
  signal: stopping.signal,
})

network.handleGossip('line', ({ body }) => {
  const line = readLine(body)
  if (line === null) return 'reject' // its sender should have looked before passing it on
  console.log(line)
  return 'accept'
})

network.subscribe((event) => {
  if (event.kind === 'peerConnected') console.log(`* connected, ${count(network.peers().length)} here`)
  if (event.kind === 'peerDisconnected') console.log(`* somebody left, ${count(network.peers().length)} here`)
  if (event.kind === 'peerRefused') console.log(`* refused: ${event.reason.message}`)
})

console.log(`* join with: npm run example chat -- --join ${network.addresses()[0]}`)

// Two equal lines are two messages: each carries the moment at which it was written.
const input = createInterface({ input: process.stdin })
input.on('line', (text) => {
  const body = Buffer.from(`${Date.now()} ${values.name}: ${text}`)
  if (body.length > LINE_BYTES_MAX) console.log('* too long')
  else if (text !== '') network.publish('line', body)
})
input.on('close', () => stopping.abort())
process.once('SIGINT', () => input.close())

/** @returns null for what no chat writes: escape codes, for one, that would take over the terminal of whoever reads. */
function readLine(body: Uint8Array): string | null {
  const [, line] = /^\d+ ([^\p{Cc}]+)$/u.exec(Buffer.from(body).toString('utf8')) ?? []
  return line ?? null
}

function count(peers: number): string {
  return peers === 1 ? '1 other' : `${peers} others`
}
