/**
 * Why a handshake was refused or a session ended, as both sides log it (VC-2, PO-1).
 * @module
 */

/** The number on the wire. Numbers are never reused. */
const NUMBER_BY_CODE = {
  'shutting-down': 1,
  requested: 2,
  duplicate: 3,
  replaced: 4,
  silent: 5,
  'stopped-reading': 6,
  'protocol-fault': 7,
  'too-many-faults': 8,
  'cooling-down': 9,
  'slots-full': 10,
  'network-mismatch': 11,
  'genesis-mismatch': 12,
  'version-mismatch': 13,
  'protocol-mismatch': 14,
  'not-admitted': 15,
  'handshake-timeout': 16,
  /** Never on the wire: the link broke without a word. */
  'link-lost': 17,
  banned: 18,
  /** Room was made for another peer. */
  evicted: 19,
  /** A code of a later version. */
  unknown: 255,
} as const

export type ReasonCode = keyof typeof NUMBER_BY_CODE

export interface Reason {
  readonly code: ReasonCode
  /** A sentence for people; at most `REASON_MESSAGE_BYTES_MAX` bytes on the wire. */
  readonly message: string
}

export const REASON_MESSAGE_BYTES_MAX = 256

export function reasonNumber(code: ReasonCode): number {
  return NUMBER_BY_CODE[code]
}

export function reasonCode(number: number): ReasonCode {
  for (const [code, known] of Object.entries(NUMBER_BY_CODE)) if (known === number) return code as ReasonCode
  return 'unknown'
}

export function reasonText({ code, message }: Reason): string {
  return message === '' ? code : `${code}: ${message}`
}
