/**
 * What the main thread and the thread of the signer's connection tell each other.
 * @module
 */
import type { MessagePort } from 'node:worker_threads'
import type { SignerAddress } from './address.ts'

export interface ConnectionSetup {
  readonly address: SignerAddress
  readonly genesis: string
  readonly token: string | null
  /** Two numbers: whether the signer can be asked (0 or 1), and how many answers were posted. */
  readonly shared: Int32Array
  /** Where answers go. */
  readonly answers: MessagePort
}

/** To the worker. */
export type ConnectionOrder =
  | { readonly kind: 'sign'; readonly id: number; readonly message: Uint8Array }
  /** It took too long: begin anew. */
  | { readonly kind: 'giveUp'; readonly because: string }

export interface SignAnswer {
  readonly id: number
  /** Absent: refused. */
  readonly signature?: string
  readonly refusal?: string
}

/** From the worker. */
export type ConnectionNews =
  | { readonly kind: 'connected'; readonly publicKey: string }
  | { readonly kind: 'lost'; readonly because: string }

/** Places in `shared`. */
export const CAN_ASK = 0
export const ANSWERED = 1
