export type NetworkErrorCode =
  /** There is no session with the peer. */
  | 'PEER_UNREACHABLE'
  /** The session ended before the answer came. */
  | 'PEER_GONE'
  | 'REQUEST_TIMEOUT'
  /** The peer answered with an error; `remoteCode` says which. */
  | 'REQUEST_REFUSED'
  /** The caller's signal. */
  | 'REQUEST_CANCELLED'
  /** The lane to the peer is full, or too many requests are open. */
  | 'QUEUE_FULL'
  | 'MESSAGE_TOO_LARGE'
  | 'LISTEN_FAILED'
  /** An optional package that an address needs is not installed. */
  | 'TRANSPORT_MISSING'
  /** A transport that the private network's key does not protect. */
  | 'TRANSPORT_UNPROTECTED'
  | 'DIAL_FAILED'
  /** Not an address that this node can dial. */
  | 'ADDRESS_INVALID'
  /** The other side, or this one, refused the handshake. */
  | 'HANDSHAKE_REFUSED'
  /** On the blacklist: by its id, or by where it is. */
  | 'PEER_BANNED'
  /** No peer id, IP address or block that may be banned. */
  | 'BLACKLIST_TARGET_INVALID'
  /** Only permanent entries are left, as many as there may be. */
  | 'BLACKLIST_FULL'
  /** The file of the blacklist is damaged. */
  | 'BLACKLIST_UNREADABLE'
  /** No receipt came before the deadline; the message may have arrived all the same. */
  | 'DELIVERY_TIMEOUT'
  /** The recipient has the message and its application did not take it; `remoteCode` says why. */
  | 'DELIVERY_REFUSED'
  | 'STOPPED'

const RETRYABLE: ReadonlySet<NetworkErrorCode> = new Set([
  'PEER_UNREACHABLE',
  'PEER_GONE',
  'REQUEST_TIMEOUT',
  'QUEUE_FULL',
  'DIAL_FAILED',
  'DELIVERY_TIMEOUT',
])

/** What the world did to a call of this library (TN-7). */
export class NetworkError extends Error {
  override readonly name = 'NetworkError'
  readonly code: NetworkErrorCode
  /** The same call may succeed later, or with another peer. */
  readonly retryable: boolean
  /** With `REQUEST_REFUSED` the code that the peer's handler gave; with `DELIVERY_REFUSED` `refused`, `unhandled` or `stale`. */
  readonly remoteCode: string | null

  constructor(code: NetworkErrorCode, message: string, options?: ErrorOptions & { remoteCode?: string }) {
    super(message, options)
    this.code = code
    this.retryable = RETRYABLE.has(code)
    this.remoteCode = options?.remoteCode ?? null
  }
}
