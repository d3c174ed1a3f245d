/**
 * What the world did to a call of this library (TN-7). `docs/errors.md` has the same codes.
 * @module
 */

export type NetworkErrorCategory =
  | 'transport'
  | 'connection'
  | 'peerNotFound'
  | 'protocol'
  | 'message'
  | 'timeout'
  | 'configuration'
  | 'internal'

interface Kind {
  readonly category: NetworkErrorCategory
  /** The same call may succeed later, or with another peer. */
  readonly retryable: boolean
  /** What to do; empty when nothing is to be done. */
  readonly advice: string
}

const again = (category: NetworkErrorCategory, advice: string): Kind => ({
  category,
  retryable: true,
  advice,
})
const never = (category: NetworkErrorCategory, advice: string): Kind => ({
  category,
  retryable: false,
  advice,
})

const KIND_BY_CODE = {
  /** There is no session with the peer. */
  PEER_UNREACHABLE: again('peerNotFound', 'Wait until it connects, or ask another peer.'),
  /** The session ended before the answer came. */
  PEER_GONE: again('connection', 'Ask another peer; this one is redialled.'),
  REQUEST_TIMEOUT: again('timeout', 'Ask another peer, or give it more time.'),
  /** The peer answered with an error; `remoteCode` says which. */
  REQUEST_REFUSED: never('protocol', 'See the code of the peer.'),
  /** The caller's signal. */
  REQUEST_CANCELLED: never('message', ''),
  /** The lane to the peer is full, or too many requests are open. */
  QUEUE_FULL: again('message', 'Send slower: wait for answers, or for sendReady.'),
  MESSAGE_TOO_LARGE: never('message', 'Split it.'),
  LISTEN_FAILED: never('transport', 'Stop what has the port, or listen elsewhere.'),
  /** An optional package that an address needs is not installed. */
  TRANSPORT_MISSING: never('configuration', 'Install the package that the message names.'),
  /** A transport that the private network's key does not protect. */
  TRANSPORT_UNPROTECTED: never('configuration', 'Leave out the address, or the key.'),
  DIAL_FAILED: again('transport', 'Check address and firewall; dialling goes on by itself.'),
  /** Not an address that this node can dial. */
  ADDRESS_INVALID: never('configuration', 'Write /ip4/1.2.3.4/tcp/9000 or host:9000.'),
  /** The other side, or this one, refused the handshake. */
  HANDSHAKE_REFUSED: never(
    'protocol',
    'The message has the reason: compare network id, genesis and versions.',
  ),
  /** On the blacklist: by its id, or by where it is. */
  PEER_BANNED: never('connection', 'Lift the ban first.'),
  /** No peer id, IP address or block that may be banned. */
  BLACKLIST_TARGET_INVALID: never(
    'configuration',
    'Give a peer id, an IP address or a block such as 10.1.0.0/16.',
  ),
  /** Only permanent entries are left, as many as there may be. */
  BLACKLIST_FULL: never('internal', 'Lift bans, or ban blocks of addresses.'),
  /** The file of the blacklist is damaged. */
  BLACKLIST_UNREADABLE: never('configuration', 'Mend the file, or move it away and lose its bans.'),
  /** No receipt came before the deadline; the message may have arrived all the same. */
  DELIVERY_TIMEOUT: again('timeout', 'Send it again, if a second copy does no harm.'),
  /** The recipient has the message and its application did not take it; `remoteCode` says why. */
  DELIVERY_REFUSED: never('protocol', 'See the code of the recipient.'),
  STOPPED: never('internal', ''),
} as const satisfies Record<string, Kind>

export type NetworkErrorCode = keyof typeof KIND_BY_CODE

export interface NetworkErrorOptions extends ErrorOptions {
  readonly remoteCode?: string
  readonly peer?: string
}

export class NetworkError extends Error {
  override readonly name = 'NetworkError'
  readonly code: NetworkErrorCode
  readonly category: NetworkErrorCategory
  /** The same call may succeed later, or with another peer. */
  readonly retryable: boolean
  /** For people; empty when nothing is to be done. */
  readonly advice: string
  /** Whom the call was about, as far as that is one peer whose id is known. */
  readonly peer: string | null
  /** With `REQUEST_REFUSED` the code that the peer's handler gave; with `DELIVERY_REFUSED` `refused`, `unhandled` or `stale`. */
  readonly remoteCode: string | null

  constructor(code: NetworkErrorCode, message: string, options: NetworkErrorOptions = {}) {
    super(message, options)
    const { category, retryable, advice } = KIND_BY_CODE[code]
    this.code = code
    this.category = category
    this.retryable = retryable
    this.advice = advice
    this.peer = options.peer ?? null
    this.remoteCode = options.remoteCode ?? null
  }
}
