/**
 * TLS 1.3 between two libp2p peers, run by node:tls on the TCP socket of a connection.
 *
 * Node 20 to 24 end with a segmentation fault when the SSL object is freed while OpenSSL works on it. That is why:
 * T1  what waits for the handshake goes on in a turn of its own: 'secure' is emitted, and microtasks run, inside of `SSL_read`
 * T2  a TLS socket is not destroyed between the end of its TCP socket and that one's 'close': node would free the SSL object at once,
 *     and not when the TCP socket is closed, as it otherwise does
 * T3  a TCP socket is not reset while TLS shuts it down: libuv refuses that, and node then keeps the socket open for ever
 * @see docs/decisions/006-tls-on-the-socket.md
 * @see https://github.com/libp2p/specs/blob/master/tls/tls.md
 * @module
 */
import type { Socket } from 'node:net'
import { connect, TLSSocket } from 'node:tls'
import type { SecureContext } from 'node:tls'
import type { MessageStream, PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { toMessageStream, verifyPeerCertificate } from '@libp2p/tls/utils'
import { lend } from '../lent-reads.ts'
import { lendBuffer } from './lent-buffer.ts'

/** Says in ALPN that the muxer is negotiated afterwards. */
const NO_EARLY_MUXER = 'libp2p'

export interface TlsSession {
  readonly remotePeer: PeerId
  /** Carries plaintext. Closing or aborting it, or the connection below, ends both. */
  readonly stream: MessageStream
  /** The muxer that both sides have, when they agreed on one in the handshake. */
  readonly muxer: string | null
}

export interface HandshakeOptions {
  readonly role: 'client' | 'server'
  /** Resolves to the certificate and key of this node. */
  readonly context: Promise<SecureContext>
  /** Offered to the remote, the preferred first. */
  readonly muxers: readonly string[]
  /** Nobody else is accepted. */
  readonly expectedPeer: PeerId | undefined
  /** The only bound on the handshake. */
  readonly signal: AbortSignal | undefined
}

/**
 * Takes the socket away from its connection and encrypts it. The connection still closes, aborts and times out the socket.
 * @param socket of this connection, with no byte read ahead.
 * @throws whatever ended the handshake. The connection is then aborted.
 */
export async function encryptSocket(
  connection: MessageStream,
  socket: Socket,
  options: HandshakeOptions,
): Promise<TlsSession> {
  // At once: what comes from here on is ciphertext, and waits in the socket until TLS reads it there.
  socket.pause()
  socket.removeAllListeners('data')
  const { muxers, expectedPeer, signal } = options
  try {
    const context = await options.context
    signal?.throwIfAborted()
    if (socket.destroyed) throw new Error('the connection was closed before the TLS handshake')
    const encrypted = startTls(socket, options.role, context, [...muxers, NO_EARLY_MUXER])
    encrypted.on('error', (error) => connection.abort(error))
    joinEnds(socket, encrypted)

    await handshakeEnd(encrypted, signal)
    const remotePeer = await remotePeerOf(encrypted, expectedPeer)
    if (socket.destroyed || encrypted.destroyed)
      throw new Error('the connection was closed after the TLS handshake')
    const { alpnProtocol } = encrypted
    const muxer = muxers.find((name) => name === alpnProtocol) ?? null
    const stream = toMessageStream(connection, encrypted)
    lendBuffer(encrypted, (chunk) => lend(stream, chunk))
    return { remotePeer, stream, muxer }
  } catch (error) {
    connection.abort(error instanceof Error ? error : new Error(String(error)))
    // A connection whose remote has ended does not listen to `abort`.
    socket.destroy()
    throw error
  }
}

function startTls(
  socket: Socket,
  role: 'client' | 'server',
  secureContext: SecureContext,
  ALPNProtocols: string[],
): TLSSocket {
  // Certificates are signed by the peers themselves: `remotePeerOf` judges them.
  const options = { secureContext, ALPNProtocols, rejectUnauthorized: false }
  const encrypted =
    role === 'client'
      ? connect({ ...options, socket })
      : new TLSSocket(socket, { ...options, isServer: true, requestCert: true })
  // Without a `tls.Server`, node tells of a bad record by this event only, and keeps the socket.
  encrypted.on('_tlsError', (error: Error) => encrypted.destroy(error))
  return encrypted
}

function joinEnds(socket: Socket, encrypted: TLSSocket): void {
  // A connection is closed through its socket; what was sent before must still be encrypted and go out.
  socket.destroySoon = () => encrypted.destroySoon()

  // T3. A connection is aborted through its socket, too.
  const resetAndDestroy = socket.resetAndDestroy.bind(socket)
  socket.resetAndDestroy = () => (encrypted.writableEnded ? socket.destroy() : resetAndDestroy())

  // T2. Node destroys the TLS socket by itself on the 'close' of the other.
  let isClosed = false
  socket.prependOnceListener('close', () => {
    isClosed = true
  })
  const destroy = encrypted.destroy.bind(encrypted)
  encrypted.destroy = (error) => (socket.destroyed && !isClosed ? encrypted : destroy(error))
}

function handshakeEnd(encrypted: TLSSocket, signal: AbortSignal | undefined): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const onSecure = (): void => void setImmediate(resolve) // T1
  const onClose = (): void => reject(new Error('the connection was closed during the TLS handshake'))
  const onAbort = (): void => reject(signal?.reason)
  encrypted.once('secure', onSecure)
  encrypted.once('error', reject)
  encrypted.once('close', onClose)
  signal?.addEventListener('abort', onAbort)
  return promise.finally(() => {
    encrypted.off('secure', onSecure)
    encrypted.off('error', reject)
    encrypted.off('close', onClose)
    signal?.removeEventListener('abort', onAbort)
  })
}

async function remotePeerOf(encrypted: TLSSocket, expectedPeer: PeerId | undefined): Promise<PeerId> {
  const certificate = encrypted.getPeerX509Certificate()
  if (certificate === undefined) throw new Error('the remote showed no certificate')
  const peer = await verifyPeerCertificate(certificate.raw, expectedPeer)
  // Of its own: the other holds on to a part of Buffer's pool, 64 KiB for as long as the connection lasts.
  return peerIdFromString(peer.toString())
}
