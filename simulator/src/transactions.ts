/**
 * Transactions of the simulated chain: a number, the last height that may carry it, and an order about the authorities
 * or nothing but padding.
 * @module
 */
import { concatBytes } from '@althing/base'
import type { Order } from './ledger-rules.ts'

/** id u32 ‖ last height u32 ‖ kind u8 */
export const TRANSACTION_HEAD_BYTES = 9
/** The last height of a transaction that does not expire. */
export const HEIGHTS_FOR_EVER = 0xffff_ffff
const KEY_BYTES = 32
const KINDS = ['padding', 'add', 'remove', 'changeKey', 'changeWeight', 'rejoin'] as const

export interface SimulatedTransaction {
  readonly id: number
  readonly validUntil: number
  readonly order: Order | null
}

/** A transaction without an order. @param padding bytes that only take room. */
export function makeTransaction(id: number, validUntil: number, padding: number): Uint8Array {
  return concatBytes(head(id, validUntil, 'padding'), new Uint8Array(padding))
}

export function makeOrder(id: number, validUntil: number, order: Order): Uint8Array {
  return concatBytes(head(id, validUntil, order.kind), order.key, rest(order))
}

/** Null when the bytes are none. */
export function readTransaction(bytes: Uint8Array): SimulatedTransaction | null {
  if (bytes.length < TRANSACTION_HEAD_BYTES) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const kind = KINDS[view.getUint8(8)]
  if (kind === undefined) return null
  const order = kind === 'padding' ? null : readOrder(kind, bytes.subarray(TRANSACTION_HEAD_BYTES))
  return order === 'malformed' ? null : { id: view.getUint32(0), validUntil: view.getUint32(4), order }
}

function head(id: number, validUntil: number, kind: (typeof KINDS)[number]): Uint8Array {
  const bytes = new Uint8Array(TRANSACTION_HEAD_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, id)
  view.setUint32(4, validUntil)
  view.setUint8(8, KINDS.indexOf(kind))
  return bytes
}

function rest(order: Order): Uint8Array {
  switch (order.kind) {
    case 'add':
    case 'changeWeight':
      return Uint8Array.of(order.weight)
    case 'remove':
      return new Uint8Array(0)
    case 'changeKey':
      return order.newKey
    case 'rejoin':
      return order.nonce
    default:
      return order satisfies never
  }
}

function readOrder(kind: Order['kind'], body: Uint8Array): Order | 'malformed' {
  const key = body.subarray(0, KEY_BYTES)
  const more = body.subarray(KEY_BYTES)
  const weight = more[0] ?? 0
  switch (kind) {
    case 'add':
    case 'changeWeight':
      return more.length === 1 && weight > 0 ? { kind, key, weight } : 'malformed'
    case 'remove':
      return key.length === KEY_BYTES && more.length === 0 ? { kind, key } : 'malformed'
    case 'changeKey':
      return more.length === KEY_BYTES ? { kind, key, newKey: more } : 'malformed'
    case 'rejoin':
      return more.length === KEY_BYTES ? { kind, key, nonce: more } : 'malformed'
    default:
      return kind satisfies never
  }
}
