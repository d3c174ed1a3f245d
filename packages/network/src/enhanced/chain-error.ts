import { AssertionError } from '@althing/base'
import type { Log } from '@althing/base'

export type ChainErrorCode =
  /** The peer, or this node, has no such block; above all of a range, or no longer. */
  | 'BLOCK_NOT_FOUND'
  /** A question that cannot be read, or an answer. */
  | 'INVALID_MESSAGE'
  /** Consensus will never take it. */
  | 'BLOCK_INVALID'
  | 'TRANSACTION_INVALID'
  /** Consensus or the mempool will not take it now. */
  | 'BLOCK_NOT_TAKEN'
  | 'TRANSACTION_NOT_TAKEN'

const RETRYABLE: ReadonlySet<ChainErrorCode> = new Set([
  'BLOCK_NOT_FOUND',
  'BLOCK_NOT_TAKEN',
  'TRANSACTION_NOT_TAKEN',
])

/** What a user's own chain has to do with a call that failed. */
export class ChainError extends Error {
  override readonly name = 'ChainError'
  readonly code: ChainErrorCode
  /** The same call may succeed later, or with another peer. */
  readonly retryable: boolean
  /** The peer that was asked, if one was. */
  readonly peer: string | null

  constructor(code: ChainErrorCode, message: string, peer: string | null = null) {
    super(message)
    this.code = code
    this.retryable = RETRYABLE.has(code)
    this.peer = peer
  }
}

/** The user's code threw where nobody waits for an answer: logged, and tried again by whatever comes next. A broken assertion stops the process. */
export function chainFailed(log: Log, what: string, error: unknown): void {
  log.error(what, { error })
  if (!(error instanceof AssertionError)) return
  queueMicrotask(() => {
    throw error
  })
}
