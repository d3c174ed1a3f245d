/**
 * Whether a connection is nothing but a TCP socket, so that TLS can run on the socket itself.
 * @module
 */
import { Socket } from 'node:net'
import type { ConnectionProtector, MessageStream } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'

const TCP_COMPONENTS: ReadonlySet<string> = new Set([
  'ip4',
  'ip6',
  'ip6zone',
  'dns',
  'dns4',
  'dns6',
  'tcp',
  'p2p',
])

/** What the connections of `@libp2p/tcp` have; neither is in their types. */
interface TcpConnection {
  readonly socket?: unknown
  readonly remoteAddr?: Multiaddr
}

/**
 * The socket of a connection, when nothing lies between the two: a TCP address, no private-network key, and no byte that was read or
 * written but is not yet where it belongs. `null` for any other connection, which must be encrypted as a stream.
 * @param protector what libp2p protects connections with: the key of a private network, which must stay the outermost layer.
 */
export function bareSocketOf(connection: MessageStream, protector?: ConnectionProtector): Socket | null {
  if (protector !== undefined) return null
  const { socket, remoteAddr } = connection as TcpConnection
  if (!(socket instanceof Socket) || remoteAddr === undefined) return null
  const isTcp = remoteAddr.getComponents().every(({ name }) => TCP_COMPONENTS.has(name))
  const isUntouched = connection.readBufferLength === 0 && socket.readableLength === 0
  const isWritten = connection.writeBufferLength === 0 && socket.writableLength === 0
  return isTcp && isUntouched && isWritten && !socket.destroyed ? socket : null
}
