/**
 * The connection encrypter `/tls/1.0.0`, decided for each connection: on bare TCP, node:tls gets the socket itself; anything else goes
 * to `@libp2p/tls`, which feeds node:tls through streams. On the wire the two are the same.
 * @module
 */
import { constants } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import type { SecureContext } from 'node:tls'
import type {
  ConnectionEncrypter,
  ConnectionProtector,
  MessageStream,
  SecureConnectionOptions,
  SecuredConnection,
} from '@libp2p/interface'
import { serviceCapabilities } from '@libp2p/interface'
import { PROTOCOL, tls } from '@libp2p/tls'
import type { TLSComponents } from '@libp2p/tls'
import { generateCertificate } from '@libp2p/tls/utils'
import { bareSocketOf } from './bare-socket.ts'
import { encryptSocket } from './socket-tls.ts'

export interface SocketTlsComponents extends TLSComponents {
  readonly connectionProtector?: ConnectionProtector
}

/** In place of `tls()` of `@libp2p/tls`, in the `connectionEncrypters` of any libp2p node. */
export function socketTls(): (components: SocketTlsComponents) => ConnectionEncrypter {
  return (components) => new SocketTls(components)
}

class SocketTls implements ConnectionEncrypter {
  readonly [Symbol.toStringTag] = '@althing/network/tls'
  readonly [serviceCapabilities]: string[] = ['@libp2p/connection-encryption']
  readonly protocol = PROTOCOL
  readonly #components: SocketTlsComponents
  readonly #streamTls: ConnectionEncrypter
  #context: Promise<SecureContext> | null = null

  constructor(components: SocketTlsComponents) {
    this.#components = components
    this.#streamTls = tls()(components)
  }

  secureInbound(connection: MessageStream, options?: SecureConnectionOptions): Promise<SecuredConnection> {
    return (
      this.#secureSocket('server', connection, options) ?? this.#streamTls.secureInbound(connection, options)
    )
  }

  secureOutbound(connection: MessageStream, options?: SecureConnectionOptions): Promise<SecuredConnection> {
    return (
      this.#secureSocket('client', connection, options) ?? this.#streamTls.secureOutbound(connection, options)
    )
  }

  #secureSocket(
    role: 'client' | 'server',
    connection: MessageStream,
    options: SecureConnectionOptions = {},
  ): Promise<SecuredConnection> | null {
    const { connectionProtector, upgrader } = this.#components
    const socket = bareSocketOf(connection, connectionProtector)
    if (socket === null) return null
    const muxers = upgrader.getStreamMuxers()
    return encryptSocket(connection, socket, {
      role,
      context: this.#ownContext(),
      muxers: options.skipStreamMuxerNegotiation === true ? [] : [...muxers.keys()],
      expectedPeer: options.remotePeer,
      signal: options.signal,
    }).then(({ remotePeer, stream, muxer }) => {
      const streamMuxer = muxer === null ? undefined : muxers.get(muxer)
      return { remotePeer, connection: stream, ...(streamMuxer !== undefined && { streamMuxer }) }
    })
  }

  /** One certificate for the life of the node: making one takes 8 ms, and TLS 1.3 gives forward secrecy without. */
  #ownContext(): Promise<SecureContext> {
    this.#context ??= generateCertificate(this.#components.privateKey).then(({ cert, key }) =>
      createSecureContext({
        cert,
        key,
        minVersion: 'TLSv1.3',
        maxVersion: 'TLSv1.3',
        // Nobody can resume: every session begins with certificates.
        secureOptions: constants.SSL_OP_NO_TICKET,
      }),
    )
    return this.#context
  }
}
