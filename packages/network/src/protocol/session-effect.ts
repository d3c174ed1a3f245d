/**
 * What a session orders its shell to do, in order.
 * @module
 */
import type { ErrorAnswer } from './control.ts'
import type { Hello } from './hello.ts'
import type { Kind } from './kinds.ts'
import type { Reason } from './reason.ts'

export type Outcome =
  | { readonly kind: 'answered'; readonly body: Uint8Array }
  | { readonly kind: 'refused'; readonly error: ErrorAnswer }
  | { readonly kind: 'timedOut' }
  | { readonly kind: 'lost'; readonly by: 'local' | 'remote'; readonly reason: Reason }

export type SessionEffect =
  /** The hello fits ours: call `accept` or `refuse`. */
  | { readonly kind: 'judgeHello'; readonly hello: Hello }
  | { readonly kind: 'opened' }
  /** @property origin of gossip: the number under which its origin sends, as the peer says. */
  | {
      readonly kind: 'deliverMessage'
      readonly of: Kind
      readonly body: Uint8Array
      readonly origin: number
    }
  | {
      readonly kind: 'deliverRequest'
      readonly of: Kind
      readonly requestId: number
      readonly body: Uint8Array
    }
  /** The peer, or the end of the session, withdrew a request: nobody waits for its answer. */
  | { readonly kind: 'abandonRequest'; readonly requestId: number }
  | { readonly kind: 'settleRequest'; readonly requestId: number; readonly outcome: Outcome }
  | { readonly kind: 'statusChanged' }
  /** The peer, which has a better link to us, will send nothing more on this one. */
  | { readonly kind: 'peerDrained' }
  /** The peer sent more than it may: read no further until `readOn`. */
  | { readonly kind: 'slowReading' }
  | { readonly kind: 'readOn' }
  /** It goes on sending more although it is slowed, or in one rush: charge it. */
  | { readonly kind: 'flooded' }
  /** The session ended. Abort the link when `by` is the remote; else it stays until the remote, which has to be told why, does so. */
  | {
      readonly kind: 'ended'
      readonly by: 'local' | 'remote'
      readonly reason: Reason
      readonly wasOpen: boolean
    }
  | { readonly kind: 'abortLink' }
