/**
 * The session's own messages: schemas and bounded, strict decoding (SSZ, like all wire objects).
 * @module
 */
import { ContainerType, ListCompositeType } from '@chainsafe/ssz'
import type { Type, ValueOf } from '@chainsafe/ssz'
import {
  bytesToUtf8,
  bytesUpTo,
  Bytes32,
  Counter,
  decode,
  fail,
  ok,
  U16,
  U32,
  U8,
  utf8ToBytes,
} from '@althing/base'
import type { Result } from '@althing/base'
import type { Hello, NodeType, Status } from './hello.ts'
import { REASON_MESSAGE_BYTES_MAX, reasonCode, reasonNumber } from './reason.ts'
import type { Reason } from './reason.ts'

export const CONTROL = {
  hello: 128,
  helloAccepted: 129,
  helloRefused: 130,
  disconnect: 131,
  ping: 132,
  pong: 133,
  statusUpdate: 136,
  cancel: 137,
  errorAnswer: 138,
  drained: 139,
  credit: 140,
} as const

const CONTROL_BYTES_MAX: Readonly<Record<number, number>> = {
  [CONTROL.hello]: 16 * 1024,
  [CONTROL.helloAccepted]: 0,
  [CONTROL.helloRefused]: 512,
  [CONTROL.disconnect]: 512,
  [CONTROL.ping]: 4,
  [CONTROL.pong]: 4,
  [CONTROL.statusUpdate]: 24,
  [CONTROL.cancel]: 0,
  [CONTROL.errorAnswer]: 1024,
  [CONTROL.drained]: 0,
  [CONTROL.credit]: 4,
}

/** The largest body of a control kind; null when there is no such kind. */
export function controlBytesMax(kind: number): number | null {
  return CONTROL_BYTES_MAX[kind] ?? null
}

export const HELLO_ADDRESSES_MAX = 16
export const HELLO_FEATURES_MAX = 32
export const CREDENTIAL_BYTES_MAX = 1024
export const NETWORK_ID_BYTES_MAX = 64
const ADDRESS_BYTES_MAX = 256
const FEATURE_BYTES_MAX = 64
const ERROR_CODE_BYTES_MAX = 64
const ERROR_MESSAGE_BYTES_MAX = 512

const NODE_TYPES: readonly NodeType[] = ['authority', 'full', 'light']

const StatusBody = new ContainerType(
  { height: Counter, finalizedHeight: Counter, lowestHeight: Counter },
  { typeName: 'StatusUpdate' },
)

const HelloBody = new ContainerType(
  {
    versionMin: U16,
    versionMax: U16,
    networkId: bytesUpTo(NETWORK_ID_BYTES_MAX),
    genesisHash: Bytes32,
    status: StatusBody,
    nodeType: U8,
    addresses: new ListCompositeType(bytesUpTo(ADDRESS_BYTES_MAX), HELLO_ADDRESSES_MAX),
    features: new ListCompositeType(bytesUpTo(FEATURE_BYTES_MAX), HELLO_FEATURES_MAX),
    credential: bytesUpTo(CREDENTIAL_BYTES_MAX),
  },
  { typeName: 'Hello' },
)

const ReasonBody = new ContainerType(
  { code: U8, message: bytesUpTo(REASON_MESSAGE_BYTES_MAX) },
  { typeName: 'Reason' },
)

const PingBody = new ContainerType({ nonce: U32 }, { typeName: 'Ping' })

const CreditBody = new ContainerType({ bytes: U32 }, { typeName: 'Credit' })

const ErrorBody = new ContainerType(
  { code: bytesUpTo(ERROR_CODE_BYTES_MAX), message: bytesUpTo(ERROR_MESSAGE_BYTES_MAX) },
  { typeName: 'ErrorAnswer' },
)

/** Why a peer would not answer a request. */
export interface ErrorAnswer {
  readonly code: string
  readonly message: string
}

/** @throws never for a `Hello` of a checked configuration; credential, addresses and features beyond the limits are a bug. */
export function encodeHello(hello: Hello): Uint8Array {
  return HelloBody.serialize({
    versionMin: hello.versions.min,
    versionMax: hello.versions.max,
    networkId: utf8ToBytes(hello.networkId),
    genesisHash: hello.genesisHash,
    status: hello.status,
    nodeType: NODE_TYPES.indexOf(hello.nodeType),
    addresses: hello.addresses.slice(0, HELLO_ADDRESSES_MAX).map(utf8ToBytes),
    features: hello.features.map(utf8ToBytes),
    credential: hello.credential,
  })
}

export function decodeHello(bytes: Uint8Array): Result<Hello> {
  const decoded = decodeControl(HelloBody, CONTROL.hello, bytes)
  if (!decoded.ok) return decoded
  const { value } = decoded
  const nodeType = NODE_TYPES[value.nodeType]
  const networkId = bytesToUtf8(value.networkId)
  const addresses = texts(value.addresses)
  const features = texts(value.features)
  if (nodeType === undefined) return fail('MALFORMED', `node type ${value.nodeType}`)
  if (networkId === null || addresses === null || features === null) return notUtf8()
  if (value.versionMin > value.versionMax) return fail('MALFORMED', 'an empty range of versions')
  return ok({
    versions: { min: value.versionMin, max: value.versionMax },
    networkId,
    genesisHash: value.genesisHash,
    status: value.status,
    nodeType,
    addresses,
    features,
    credential: value.credential,
  })
}

/** For `HelloRefused` and `Disconnect`. */
export function encodeReason(reason: Reason): Uint8Array {
  return ReasonBody.serialize({
    code: reasonNumber(reason.code),
    message: clip(reason.message, REASON_MESSAGE_BYTES_MAX),
  })
}

export function decodeReason(bytes: Uint8Array): Result<Reason> {
  const decoded = decodeControl(ReasonBody, CONTROL.disconnect, bytes)
  if (!decoded.ok) return decoded
  const message = bytesToUtf8(decoded.value.message)
  return message === null ? notUtf8() : ok({ code: reasonCode(decoded.value.code), message })
}

/** For `Ping` and `Pong`. @param nonce a u32. */
/** @param bytes read since the session began, modulo 2^32. */
export function encodeCredit(bytes: number): Uint8Array {
  return CreditBody.serialize({ bytes })
}

export function decodeCredit(bytes: Uint8Array): Result<{ readonly bytes: number }> {
  return decodeControl(CreditBody, CONTROL.credit, bytes)
}

export function encodePing(nonce: number): Uint8Array {
  return PingBody.serialize({ nonce })
}

export function decodePing(bytes: Uint8Array): Result<ValueOf<typeof PingBody>> {
  return decodeControl(PingBody, CONTROL.ping, bytes)
}

export function encodeStatus(status: Status): Uint8Array {
  return StatusBody.serialize(status)
}

export function decodeStatus(bytes: Uint8Array): Result<Status> {
  return decodeControl(StatusBody, CONTROL.statusUpdate, bytes)
}

export function encodeError(error: ErrorAnswer): Uint8Array {
  return ErrorBody.serialize({
    code: clip(error.code, ERROR_CODE_BYTES_MAX),
    message: clip(error.message, ERROR_MESSAGE_BYTES_MAX),
  })
}

export function decodeError(bytes: Uint8Array): Result<ErrorAnswer> {
  const decoded = decodeControl(ErrorBody, CONTROL.errorAnswer, bytes)
  if (!decoded.ok) return decoded
  const code = bytesToUtf8(decoded.value.code)
  const message = bytesToUtf8(decoded.value.message)
  return code === null || message === null ? notUtf8() : ok({ code, message })
}

function decodeControl<T>(type: Type<T>, kind: number, bytes: Uint8Array): Result<T> {
  return decode(type, bytes, CONTROL_BYTES_MAX[kind]!)
}

function texts(list: readonly Uint8Array[]): string[] | null {
  const out: string[] = []
  for (const bytes of list) {
    const text = bytesToUtf8(bytes)
    if (text === null) return null
    out.push(text)
  }
  return out
}

function notUtf8() {
  return fail('MALFORMED', 'a text is not UTF-8')
}

/** UTF-8 of `text`, cut at a character so that it fits. */
function clip(text: string, bytesMax: number): Uint8Array {
  const bytes = utf8ToBytes(text)
  if (bytes.length <= bytesMax) return bytes
  let end = bytesMax
  while (end > 0 && (bytes[end]! & 0b1100_0000) === 0b1000_0000) end--
  return bytes.subarray(0, end)
}
