/**
 * What nodes tell each other about how they can be reached (PT-8): schemas and bounded, strict decoding.
 * @module
 */
import { ContainerType, ListCompositeType } from '@chainsafe/ssz'
import { bytesToUtf8, bytesUpTo, decode, fail, ok, U8, utf8ToBytes } from '@althing/base'
import type { Result } from '@althing/base'
import { ADDRESS_CHARS_MAX } from './address.ts'

/** Of one node; `door` is what follows the host in an address, as `/tcp/4001`. */
export const DOORS_MAX = 4
const DOOR_BYTES_MAX = 48
const HOST_BYTES_MAX = 64
export const OWN_ADDRESSES_MAX = 4

/** Sent when a session opens, and whenever it changes. */
export interface ReachNotice {
  /** It relays for others. */
  readonly isRelay: boolean
  /** Where it can be dialled directly, as others confirmed; at most 4 multiaddrs without the peer. */
  readonly addresses: readonly string[]
}

/** "Dial me back where you see me, at these doors." At most 4. */
export interface DialBackRequest {
  readonly doors: readonly string[]
}

export interface DialBackAnswer {
  /** Where the asker is seen, as `/ip4/11.0.0.2`. */
  readonly host: string
  /** Those of the doors at which it answered. */
  readonly reached: readonly string[]
}

const Doors = new ListCompositeType(bytesUpTo(DOOR_BYTES_MAX), DOORS_MAX)
const NoticeBody = new ContainerType(
  { isRelay: U8, addresses: new ListCompositeType(bytesUpTo(ADDRESS_CHARS_MAX), OWN_ADDRESSES_MAX) },
  { typeName: 'ReachNotice' },
)
const RequestBody = new ContainerType({ doors: Doors }, { typeName: 'DialBackRequest' })
const AnswerBody = new ContainerType(
  { host: bytesUpTo(HOST_BYTES_MAX), reached: Doors },
  { typeName: 'DialBackAnswer' },
)

export const REACH_NOTICE_BYTES_MAX = 1280
export const DIAL_BACK_BYTES_MAX = 512

export function encodeNotice({ isRelay, addresses }: ReachNotice): Uint8Array {
  return NoticeBody.serialize({ isRelay: isRelay ? 1 : 0, addresses: addresses.map(utf8ToBytes) })
}

export function decodeNotice(bytes: Uint8Array): Result<ReachNotice> {
  const decoded = decode(NoticeBody, bytes, REACH_NOTICE_BYTES_MAX)
  if (!decoded.ok) return decoded
  const { isRelay } = decoded.value
  const addresses = texts(decoded.value.addresses)
  if (isRelay > 1 || addresses === null) return fail('MALFORMED', 'not a ReachNotice')
  return ok({ isRelay: isRelay === 1, addresses })
}

export function encodeDialBackRequest({ doors }: DialBackRequest): Uint8Array {
  return RequestBody.serialize({ doors: doors.map(utf8ToBytes) })
}

export function decodeDialBackRequest(bytes: Uint8Array): Result<DialBackRequest> {
  const decoded = decode(RequestBody, bytes, DIAL_BACK_BYTES_MAX)
  if (!decoded.ok) return decoded
  const doors = texts(decoded.value.doors)
  return doors === null ? fail('MALFORMED', 'a door is not UTF-8') : ok({ doors })
}

export function encodeDialBackAnswer({ host, reached }: DialBackAnswer): Uint8Array {
  return AnswerBody.serialize({ host: utf8ToBytes(host), reached: reached.map(utf8ToBytes) })
}

export function decodeDialBackAnswer(bytes: Uint8Array): Result<DialBackAnswer> {
  const decoded = decode(AnswerBody, bytes, DIAL_BACK_BYTES_MAX)
  if (!decoded.ok) return decoded
  const host = bytesToUtf8(decoded.value.host)
  const reached = texts(decoded.value.reached)
  return host === null || reached === null ? fail('MALFORMED', 'a text is not UTF-8') : ok({ host, reached })
}

function texts(list: readonly Uint8Array[]): string[] | null {
  const read = list.map(bytesToUtf8)
  return read.every((text) => text !== null) ? read : null
}
