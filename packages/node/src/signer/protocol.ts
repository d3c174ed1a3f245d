/**
 * What a node and its signer say to each other (docs/signer.md): one JSON object a line, bytes in hexadecimal.
 * The node asks, with a number; the signer answers with the same number, in order.
 * @module
 */
import { TRANSACTION_BYTES_MAX } from '@althing/base'

export const SIGNER_PROTOCOL_VERSION = 1
/** The longest is a transaction to sign, in hexadecimal. */
export const LINE_BYTES_MAX = 2 * TRANSACTION_BYTES_MAX + 1_024

/** The first question on a connection. */
export interface HelloQuestion {
  readonly id: number
  readonly method: 'hello'
  readonly version: number
  /** Hash of the genesis block: which chain the votes are for. */
  readonly genesis: string
  /** The secret that both sides know; needed over TCP. */
  readonly token?: string
}

export interface SignQuestion {
  readonly id: number
  readonly method: 'sign'
  /** The bytes to sign. The signer reads in them what they are. */
  readonly message: string
}

export type SignerAnswer =
  | { readonly id: number; readonly public_key: string; readonly version: number }
  | { readonly id: number; readonly signature: string }
  | { readonly id: number; readonly error: { readonly code: string; readonly message: string } }

export function lineOf(value: HelloQuestion | SignQuestion | SignerAnswer): string {
  return `${JSON.stringify(value)}\n`
}

/** Cuts what arrives into lines. */
export class LineReader {
  readonly #onLine: (line: string) => void
  readonly #onTooLong: () => void
  #held = ''

  constructor(onLine: (line: string) => void, onTooLong: () => void) {
    this.#onLine = onLine
    this.#onTooLong = onTooLong
  }

  take(text: string): void {
    const lines = (this.#held + text).split('\n')
    this.#held = lines.pop()!
    for (const line of lines) this.#onLine(line)
    if (this.#held.length > LINE_BYTES_MAX) this.#onTooLong()
  }
}

/** @returns null for what is not a JSON object. */
export function readLine(line: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}
