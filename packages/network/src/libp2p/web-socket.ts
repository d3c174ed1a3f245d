/**
 * libp2p's WebSocket transport with one defect mended: it aborts a connection with the close code 1006, which no WebSocket takes from
 * a program, so that the socket would stay open for ever (`@libp2p/websockets` 10.1.21, `sendReset`).
 * @module
 */
import type { MultiaddrConnection } from '@libp2p/interface'
import { webSockets } from '@libp2p/websockets'
import { NetworkError } from '../errors.ts'
import { carrierOf } from '../protocol/address.ts'
import type { MakePart } from './part.ts'
import { prepared } from './prepared.ts'
import type { MakeTransport } from './prepared.ts'

/** What a WebSocket takes before it says that it is full; with more, a Critical frame would wait behind it. */
const UNSENT_BYTES_MAX = 256 * 1024

/** The connection of `@libp2p/websockets`. */
interface WebSocketConnection extends MultiaddrConnection {
  readonly websocket: {
    close(): void
    /** Of Node's inbound ones. */
    terminate?(): void
  }
  sendReset(): void
}

const webSocketTransport: MakeTransport = prepared(
  webSockets({ maxBufferedAmount: UNSENT_BYTES_MAX }) as MakeTransport,
  (connection, options) => {
    const { websocket } = connection as WebSocketConnection
    const sendReset = () => (websocket.terminate === undefined ? websocket.close() : websocket.terminate())
    Object.assign(connection, { sendReset })
    return options
  },
)

/** For browsers and for what passes only through the web's ports. TLS of the web is a proxy's business: nodes listen on `/ws`. */
export const webSocketPart: MakePart = ({ listen }) => {
  const secure = listen.find((address) => carrierOf(address) === 'wss')
  if (secure !== undefined) {
    throw new NetworkError(
      'LISTEN_FAILED',
      `cannot listen on ${secure}: this node has no certificate; listen on /ws behind a web server that has one, and announce /wss`,
    )
  }
  return Promise.resolve({ transports: [webSocketTransport] })
}
