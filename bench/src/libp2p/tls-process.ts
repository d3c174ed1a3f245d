/**
 * One end of a link that the TLS benchmark measures.
 * `listen <carrier> <seconds>` says where, counts for that long from the first message on, and says what came.
 * `dial <carrier> <message bytes> <address>` sends as fast as the carrier takes it, for as long as it lives.
 * @module
 */
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { socketTls } from '@althing/network'
import { tcp } from '@libp2p/tcp'
import { tls } from '@libp2p/tls'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { seedOf, startPeer } from '../session/wire.ts'
import type { Carrier, Counted, Listening } from '../tls.ts'

const LISTEN = '/ip4/127.0.0.1/tcp/0'
const PROTOCOL = '/bench/bulk/1'
/** What the network itself uses: a larger one hides the round trips, and a smaller one is measured instead of TLS. */
const WINDOW_BYTES = 4 * 1024 * 1024

type Count = (bytes: number) => void

/** @returns the address to dial. */
type Listen = (count: Count) => Promise<string>
type Dial = (address: string, message: Uint8Array) => Promise<never>

function createNode(encrypter: 'ours' | 'stock', listen: string[]): ReturnType<typeof createLibp2p> {
  return createLibp2p({
    addresses: { listen },
    transports: [tcp()],
    connectionEncrypters: [encrypter === 'ours' ? socketTls() : tls()],
    streamMuxers: [yamux({ streamOptions: { maxStreamWindowSize: WINDOW_BYTES } })],
  })
}

function onStream(encrypter: 'ours' | 'stock'): { readonly listen: Listen; readonly dial: Dial } {
  return {
    async listen(count) {
      const node = await createNode(encrypter, [LISTEN])
      await node.handle(PROTOCOL, (stream) => {
        stream.addEventListener('message', ({ data }) => count(data.byteLength))
      })
      return node.getMultiaddrs()[0]!.toString()
    },
    async dial(address, message) {
      const node = await createNode(encrypter, [])
      const stream = await node.dialProtocol(multiaddr(address), PROTOCOL)
      for (;;) {
        stream.send(message)
        while (stream.writableNeedsDrain) await once(stream as unknown as EventTarget, 'drain')
      }
    },
  }
}

const carriers: Readonly<Record<Carrier, { readonly listen: Listen; readonly dial: Dial }>> = {
  tcp: {
    async listen(count) {
      const server = createServer((socket) => socket.on('data', ({ length }) => count(length)))
      await once(server.listen(0, '127.0.0.1'), 'listening')
      return String((server.address() as AddressInfo).port)
    },
    async dial(address, message) {
      const socket = connect(Number(address), '127.0.0.1')
      await once(socket, 'connect')
      for (;;) if (!socket.write(message)) await once(socket, 'drain')
    },
  },
  stock: onStream('stock'),
  ours: onStream('ours'),
  session: {
    async listen(count) {
      const network = await startPeer(seedOf(1), { listen: [LISTEN] })
      network.handle('bulk', ({ body }) => count(body.length))
      return network.addresses()[0]!
    },
    async dial(address, message) {
      const network = await startPeer(seedOf(2))
      const peer = await network.connect(address)
      for (;;) if (network.send(peer, 'bulk', message) !== 'queued') await network.sendReady(peer, 'low')
    },
  },
}

/** Counts from the first message, which itself is not counted. */
function countFor(seconds: number): Count {
  let bytes = 0
  let startMs: number | null = null
  return (more) => {
    if (startMs !== null) {
      bytes += more
      return
    }
    const beganMs = performance.now()
    startMs = beganMs
    setTimeout(() => {
      process.send!({ bytes, seconds: (performance.now() - beganMs) / 1000 } satisfies Counted)
    }, seconds * 1000)
  }
}

const [role, carrier, number, address] = process.argv.slice(2) as [string, Carrier, string, string?]
process.on('disconnect', () => process.exit())
if (role === 'listen') {
  const where = await carriers[carrier].listen(countFor(Number(number)))
  process.send!({ address: where } satisfies Listening)
} else {
  // Random, so that compression has nothing to gain.
  await carriers[carrier].dial(address!, crypto.getRandomValues(new Uint8Array(Number(number))))
}
