/**
 * Bare libp2p over TCP, TLS and Yamux, to measure beside: a new stream for each request, and one stream for all of them
 * with frames of one size.
 * @module
 */
import { tcp } from '@libp2p/tcp'
import { tls } from '@libp2p/tls'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import type { Connection, Stream } from '@libp2p/interface'
import { REQUEST_BYTES } from '../session/wire.ts'

const ONE_REQUEST = '/bench/request/1'
const ALL_REQUESTS = '/bench/requests/1'
const STREAMS_MAX = 256

function createNode(listen: string[]): ReturnType<typeof createLibp2p> {
  return createLibp2p({
    addresses: { listen },
    transports: [tcp()],
    connectionEncrypters: [tls()],
    streamMuxers: [yamux()],
  })
}

/** @returns where it listens. */
export async function serveStreams(): Promise<string> {
  const node = await createNode(['/ip4/127.0.0.1/tcp/0'])
  const limits = { maxInboundStreams: STREAMS_MAX, maxOutboundStreams: STREAMS_MAX }
  await node.handle(
    ONE_REQUEST,
    (stream) => {
      const frames = new Frames()
      stream.addEventListener('message', ({ data }) => {
        for (const frame of frames.add(data.subarray())) stream.send(frame)
        void stream.close()
      })
    },
    limits,
  )
  await node.handle(
    ALL_REQUESTS,
    (stream) => {
      const frames = new Frames()
      stream.addEventListener('message', ({ data }) => {
        const answers = frames.add(data.subarray())
        if (answers.length > 0) stream.send(Buffer.concat(answers))
      })
    },
    limits,
  )
  return node.getMultiaddrs()[0]!.toString()
}

export interface StreamClient {
  /** Each on a stream of its own. */
  askOnNewStream(question: Uint8Array): Promise<void>
  /** All on one stream, those asked in one turn in one write. */
  askOnOneStream(question: Uint8Array): Promise<void>
  stop(): Promise<void>
}

export async function connectStreams(address: string): Promise<StreamClient> {
  const node = await createNode([])
  const connection = await node.dial(multiaddr(address))
  const one = new OneStream(await connection.newStream(ALL_REQUESTS))
  return {
    askOnNewStream: (question) => askOnNewStream(connection, question),
    askOnOneStream: (question) => one.ask(question),
    async stop() {
      await node.stop()
    },
  }
}

async function askOnNewStream(connection: Connection, question: Uint8Array): Promise<void> {
  const stream = await connection.newStream(ONE_REQUEST, { maxOutboundStreams: STREAMS_MAX })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let bytes = 0
  stream.addEventListener('message', ({ data }) => {
    bytes += data.byteLength
    if (bytes === REQUEST_BYTES) resolve()
  })
  stream.addEventListener('close', () => reject(new Error('the stream closed before the answer')))
  stream.send(question)
  await promise
  await stream.close()
}

class OneStream {
  readonly #stream: Stream
  readonly #waiting: (() => void)[] = []
  readonly #frames = new Frames()
  #unsent: Uint8Array[] = []

  constructor(stream: Stream) {
    this.#stream = stream
    stream.addEventListener('message', ({ data }) => {
      const answers = this.#frames.add(data.subarray())
      for (const answered of this.#waiting.splice(0, answers.length)) answered()
    })
  }

  ask(question: Uint8Array): Promise<void> {
    if (this.#unsent.length === 0) queueMicrotask(() => this.#send())
    this.#unsent.push(question)
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  #send(): void {
    this.#stream.send(Buffer.concat(this.#unsent))
    this.#unsent = []
  }
}

/** Cuts a stream into pieces of `REQUEST_BYTES`. */
class Frames {
  #rest: Uint8Array = new Uint8Array(0)

  add(data: Uint8Array): Uint8Array[] {
    const all = this.#rest.length === 0 ? data : Buffer.concat([this.#rest, data])
    const frames: Uint8Array[] = []
    let at = 0
    for (; at + REQUEST_BYTES <= all.length; at += REQUEST_BYTES)
      frames.push(all.subarray(at, at + REQUEST_BYTES))
    this.#rest = all.subarray(at)
    return frames
  }
}
