import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, describe, test } from 'node:test'
import fc from 'fast-check'
import type { MessageStream, Stream, StreamMuxer, StreamMuxerFactory } from '@libp2p/interface'
import { multiaddrConnectionPair } from '@libp2p/utils'
import { yamux as stockYamux } from '@libp2p/yamux'
import { YamuxFault } from '../src/libp2p/yamux/header.ts'
import { yamux } from '../src/libp2p/yamux/muxer.ts'
import { YamuxStream } from '../src/libp2p/yamux/stream.ts'
import { until } from '../src/testing/until.ts'

const STREAMS_MAX = 20
const WINDOW_BYTES_MAX = 1024 * 1024

const makes = {
  ours: yamux({ streamsMax: STREAMS_MAX, windowBytesMax: WINDOW_BYTES_MAX }),
  stock: stockYamux({ enableKeepAlive: false, streamOptions: { maxStreamWindowSize: WINDOW_BYTES_MAX } }),
} as const
type Make = keyof typeof makes

interface Pair {
  readonly dialler: StreamMuxer
  readonly listener: StreamMuxer
  /** Streams that the dialler opened, as the listener has them. */
  readonly accepted: Stream[]
}

const opened: MessageStream[] = []
after(() => {
  for (const connection of opened) connection.abort(new Error('the test is over'))
})

function pair(dialler: Make, listener: Make): Pair {
  const connections = multiaddrConnectionPair({ delay: 0 })
  opened.push(...connections)
  const [outbound, inbound] = connections
  const muxer = (factory: StreamMuxerFactory, connection: MessageStream) =>
    factory.createStreamMuxer(connection)
  const accepting = muxer(makes[listener](), inbound)
  const accepted: Stream[] = []
  accepting.addEventListener('stream', ({ detail }) => accepted.push(detail))
  return { dialler: muxer(makes[dialler](), outbound), listener: accepting, accepted }
}

async function openStream({ dialler, accepted }: Pair): Promise<{ near: Stream; far: Stream }> {
  const before = accepted.length
  const near = await dialler.createStream()
  await until('the stream is known to both', () => accepted.length > before)
  return { near, far: accepted[before]! }
}

function received(stream: Stream): { readonly bytes: () => number; readonly sum: () => number } {
  let [bytes, sum] = [0, 0]
  stream.addEventListener('message', ({ data }) => {
    for (const byte of data.subarray()) sum = (sum * 31 + byte) >>> 0
    bytes += data.byteLength
  })
  return { bytes: () => bytes, sum: () => sum }
}

/** @returns what `received` should say of it. */
async function sendAll(stream: Stream, pieces: readonly number[]): Promise<{ bytes: number; sum: number }> {
  let [bytes, sum] = [0, 0]
  for (const length of pieces) {
    const piece = Uint8Array.from({ length }, (_, i) => (i + length) & 0xff)
    for (const byte of piece) sum = (sum * 31 + byte) >>> 0
    bytes += length
    if (!stream.send(piece)) await once(stream as unknown as EventTarget, 'drain')
  }
  return { bytes, sum }
}

const PIECES = [1, 12, 65_536, 300_000, 7, 1_000_000, 65_535, 400_000]

describe('Yamux of our own', () => {
  for (const [dialler, listener] of [
    ['ours', 'ours'],
    ['ours', 'stock'],
    ['stock', 'ours'],
  ] as const) {
    test(`${dialler} to ${listener}: every byte arrives, both ways, and ends are told`, async () => {
      const { near, far } = await openStream(pair(dialler, listener))
      const [atFar, atNear] = [received(far), received(near)]
      const [there, back] = await Promise.all([sendAll(near, PIECES), sendAll(far, PIECES.toReversed())])
      await until('all has arrived', () => atFar.bytes() === there.bytes && atNear.bytes() === back.bytes)
      assert.deepEqual([atFar.sum(), atNear.sum()], [there.sum, back.sum])
      await near.close()
      await until('the end is seen', () => far.remoteWriteStatus === 'closed')
      await far.close()
      await until('both are closed', () => near.status === 'closed' && far.status === 'closed')
    })

    test(`${dialler} to ${listener}: who does not read gets a window at most, and the rest when it reads again`, async () => {
      const { near, far } = await openStream(pair(dialler, listener))
      const atFar = received(far)
      far.pause()
      const sending = sendAll(near, PIECES)
      await until('the sender is held up', () => near.writableNeedsDrain)
      assert.ok(far.readBufferLength <= WINDOW_BYTES_MAX)
      assert.equal(atFar.bytes(), 0)
      far.resume()
      const { bytes, sum } = await sending
      await until('all has arrived', () => atFar.bytes() === bytes)
      assert.equal(atFar.sum(), sum)
    })

    test(`${dialler} to ${listener}: a reset stream takes no other with it, a lost connection all`, async () => {
      const both = pair(dialler, listener)
      const [one, other] = [await openStream(both), await openStream(both)]
      one.near.abort(new Error('enough'))
      await until('the reset arrived', () => one.far.status === 'reset')
      const atFar = received(other.far)
      other.near.send(Uint8Array.of(1))
      await until('the other goes on', () => atFar.bytes() === 1)
      both.dialler.abort(new Error('over'))
      await until('all are gone', () => other.near.status !== 'open' && other.far.status !== 'open')
    })
  }

  test('who reads directly gets each byte once and in order, those that came before included', async () => {
    const { near, far } = await openStream(pair('ours', 'ours'))
    near.send(Uint8Array.of(1, 2))
    await until('they wait', () => far.readBufferLength === 2)
    const read: number[] = []
    assert.ok(far instanceof YamuxStream)
    far.readDirectly((part) => read.push(...part))
    far.addEventListener('message', ({ data }) => read.push(...data.subarray()))
    near.send(Uint8Array.of(3))
    await until('all are read', () => read.length === 3)
    far.pause()
    near.send(Uint8Array.of(4))
    await until('it waits', () => far.readBufferLength === 1)
    far.resume()
    near.send(Uint8Array.of(5))
    await until('all are read', () => read.length === 5)
    assert.deepEqual(read, [1, 2, 3, 4, 5])
  })

  test('streams of a connection are bounded', async () => {
    const both = pair('stock', 'ours')
    const streams = await Promise.all(
      Array.from({ length: STREAMS_MAX + 1 }, () => both.dialler.createStream()),
    )
    await until('one is reset', () => streams.some(({ status }) => status === 'reset'))
    assert.equal(both.listener.streams.length, STREAMS_MAX)
  })

  test('hostile bytes end the connection, or nothing', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 10 }), (chunks) => {
        const { listener } = pair('ours', 'ours')
        const muxer = listener as ReturnType<ReturnType<(typeof makes)['ours']>['createStreamMuxer']> & {
          onData(chunk: Uint8Array): void
        }
        try {
          for (const chunk of chunks) muxer.onData(chunk)
        } catch (error) {
          assert.ok(error instanceof YamuxFault)
        }
        assert.ok(muxer.streams.length <= STREAMS_MAX)
      }),
    )
  })
})
