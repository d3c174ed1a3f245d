/**
 * The QUIC transport with one defect mended: it reads on while a stream is paused, until the stream is reset for too many unread bytes
 * (`@chainsafe/libp2p-quic` 2.1.1, `readFromStream`). Here a paused stream is read no further, and QUIC's own flow control does the rest.
 * @module
 */
import type { MultiaddrConnection, Stream, StreamMuxer, StreamMuxerFactory } from '@libp2p/interface'
import { prepared } from './prepared.ts'
import type { MakeTransport } from './prepared.ts'

/** The package's binding to its native code, as far as it is used here. */
interface NativeStream {
  id(): string
  read(bytesMax: number): Promise<unknown>
  write(bytes: Uint8Array): Promise<void>
  finishWrite(): Promise<void>
  resetWrite(): Promise<void>
  stopRead(): Promise<void>
}

interface NativeConnection {
  id(): string
  inboundStream(): Promise<NativeStream>
  outboundStream(): Promise<NativeStream>
}

interface MuxerInit {
  readonly connection: NativeConnection
}

interface MuxerFactory extends StreamMuxerFactory {
  readonly init: MuxerInit
  readonly constructor: new (init: MuxerInit) => StreamMuxerFactory
}

export function readingOnDemand(make: MakeTransport): MakeTransport {
  return prepared(make, (_connection, options) => {
    const { muxerFactory } = options
    return muxerFactory === undefined
      ? options
      : { ...options, muxerFactory: gated(muxerFactory as MuxerFactory) }
  })
}

function gated({ constructor: Factory, init }: MuxerFactory): StreamMuxerFactory {
  const gates = new Map<string, Gate>()
  const factory = new Factory({ ...init, connection: gatedConnection(init.connection, gates) })
  return {
    protocol: factory.protocol,
    createStreamMuxer(connection: MultiaddrConnection): StreamMuxer {
      const muxer = factory.createStreamMuxer(connection)
      const createStream = muxer.createStream.bind(muxer)
      // The first listener: nobody has paused the stream yet.
      muxer.addEventListener('stream', ({ detail }) => attach(detail, gates))
      return Object.assign(muxer, {
        createStream: async (options?: Parameters<typeof createStream>[0]) =>
          attach(await createStream(options), gates),
      })
    },
  }
}

function gatedConnection(native: NativeConnection, gates: Map<string, Gate>): NativeConnection {
  const gatedStream = (stream: NativeStream): NativeStream => {
    const gate = new Gate()
    gates.set(stream.id(), gate)
    return {
      id: () => stream.id(),
      read: async (bytesMax) => {
        await gate.opened
        return stream.read(bytesMax)
      },
      write: (bytes) => stream.write(bytes),
      finishWrite: () => stream.finishWrite(),
      resetWrite: () => stream.resetWrite(),
      stopRead: () => stream.stopRead(),
    }
  }
  return {
    id: () => native.id(),
    inboundStream: async () => gatedStream(await native.inboundStream()),
    outboundStream: async () => gatedStream(await native.outboundStream()),
  }
}

function attach<S extends Stream>(stream: S, gates: Map<string, Gate>): S {
  const gate = gates.get(stream.id)
  if (gate === undefined) return stream
  // Closed, it is read to its end, which is how the reading loop ends.
  stream.addEventListener('close', () => {
    gates.delete(stream.id)
    gate.open()
  })
  return Object.assign(stream, { sendPause: () => gate.close(), sendResume: () => gate.open() })
}

class Gate {
  opened: Promise<void> = Promise.resolve()
  open: () => void = () => {}

  close(): void {
    this.open()
    const { promise, resolve } = Promise.withResolvers<void>()
    this.opened = promise
    this.open = resolve
  }
}
