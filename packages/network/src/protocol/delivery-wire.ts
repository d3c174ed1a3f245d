/**
 * What travels when a message is delivered over other nodes (PT-7, PC-11, PC-12): packets, which everyone on the way can read, and in
 * them letters and receipts, which only the two ends can when they are sealed. Pure.
 * @module
 */
import { ByteVectorType, ContainerType } from '@chainsafe/ssz'
import {
  assert,
  bytesToHex,
  bytesWithin,
  Bytes32,
  Bytes64,
  concatBytes,
  Counter,
  decode,
  fail,
  hashOf,
  hexToBytes,
  ok,
  U8,
  utf8ToBytes,
} from '@althing/base'
import type { Result, Signer, Verify } from '@althing/base'
import { keyOfPeerId, peerIdOfKey } from './peer-id.ts'

/** The largest body that is delivered. */
export const DELIVERY_BODY_BYTES_MAX = 1024 * 1024
const LETTER_BYTES_MAX = DELIVERY_BODY_BYTES_MAX + 256
const PAYLOAD_BYTES_MAX = LETTER_BYTES_MAX + 256
export const PACKET_BYTES_MAX = PAYLOAD_BYTES_MAX + 256
export const DELIVERY_ID_BYTES = 16
const LETTER_DOMAIN = utf8ToBytes('althing/letter/1\0')
const RECEIPT_DOMAIN = utf8ToBytes('althing/receipt/1\0')

/** `keyQuestion` asks the recipient for its signed peer record, which `keyAnswer` carries. */
const CONTENTS = ['letter', 'sealedLetter', 'receipt', 'sealedReceipt', 'keyQuestion', 'keyAnswer'] as const
export type Content = (typeof CONTENTS)[number]

export interface Packet {
  readonly content: Content
  /** 16 random bytes in hexadecimal: of the letter that all of it is about. */
  readonly id: string
  /** 0 to 255: counted up by the sender of the letter, so that a repetition is not taken for a copy. */
  readonly attempt: number
  /** To all, not only towards the recipient. */
  readonly flood: boolean
  /** How many further nodes may pass it on. */
  readonly hopsLeft: number
  /** A peer id, which only the payload can prove. */
  readonly from: string
  readonly to: string
  readonly payload: Uint8Array
}

/** What one end tells the other, signed by `from`. */
export interface Letter {
  readonly from: string
  readonly to: string
  readonly id: string
  /** By the sender's wall clock. */
  readonly sentMs: number
  readonly expiresMs: number
  /** Of the kind, in the table that both have. */
  readonly kindId: number
  readonly body: Uint8Array
}

/**
 * What became of a letter. `refused`: its handler threw. `unhandled`: there is none. `stale`: its time is over, or the clocks of the two
 * are too far apart.
 */
const OUTCOMES = ['delivered', 'refused', 'unhandled', 'stale'] as const
export type DeliveryOutcome = (typeof OUTCOMES)[number]

const Id = new ByteVectorType(DELIVERY_ID_BYTES)
const PacketBody = new ContainerType(
  {
    content: U8,
    id: Id,
    attempt: U8,
    flood: U8,
    hopsLeft: U8,
    from: Bytes32,
    to: Bytes32,
    payload: bytesWithin(PAYLOAD_BYTES_MAX),
  },
  { typeName: 'DeliveryPacket' },
)
const LetterBody = new ContainerType(
  {
    from: Bytes32,
    to: Bytes32,
    id: Id,
    sentMs: Counter,
    expiresMs: Counter,
    kindId: U8,
    body: bytesWithin(DELIVERY_BODY_BYTES_MAX),
  },
  { typeName: 'Letter' },
)
const SignedLetter = new ContainerType(
  { letter: bytesWithin(LETTER_BYTES_MAX), signature: Bytes64 },
  { typeName: 'SignedLetter' },
)
const SignedReceipt = new ContainerType({ outcome: U8, signature: Bytes64 }, { typeName: 'DeliveryReceipt' })
const RECEIPT_BYTES = 65

export function encodePacket(packet: Packet): Uint8Array {
  return PacketBody.serialize({
    content: CONTENTS.indexOf(packet.content),
    id: idBytes(packet.id),
    attempt: packet.attempt,
    flood: packet.flood ? 1 : 0,
    hopsLeft: packet.hopsLeft,
    from: keyOf(packet.from),
    to: keyOf(packet.to),
    payload: packet.payload,
  })
}

export function decodePacket(bytes: Uint8Array): Result<Packet> {
  const decoded = decode(PacketBody, bytes, PACKET_BYTES_MAX)
  if (!decoded.ok) return decoded
  const { value } = decoded
  const content = CONTENTS[value.content]
  if (content === undefined) return fail('MALFORMED', `content ${value.content}`)
  if (value.flood > 1) return fail('MALFORMED', `flood ${value.flood}`)
  return ok({
    content,
    id: bytesToHex(value.id),
    attempt: value.attempt,
    flood: value.flood === 1,
    hopsLeft: value.hopsLeft,
    from: peerIdOfKey(value.from),
    to: peerIdOfKey(value.to),
    payload: value.payload,
  })
}

/** What all copies of a packet have in common, wherever they came along. */
export function packetHash(packet: Packet): string {
  const { content, attempt, flood, id, from, to, payload } = packet
  const head = `${content} ${attempt} ${flood} ${id} ${from} ${to} `
  return bytesToHex(hashOf(utf8ToBytes(head), payload).subarray(0, 16))
}

/** @param signer of the node key of `letter.from`. */
export function signLetter(letter: Letter, genesisHash: Uint8Array, signer: Signer): Uint8Array {
  const encoded = LetterBody.serialize({
    ...letter,
    from: keyOf(letter.from),
    to: keyOf(letter.to),
    id: idBytes(letter.id),
  })
  const signature = signer.sign(concatBytes(LETTER_DOMAIN, genesisHash, encoded))
  return SignedLetter.serialize({ letter: encoded, signature })
}

/** Reads a letter, and verifies that `packet.from` wrote it, to `packet.to`, under this id. */
export function openLetter(
  bytes: Uint8Array,
  packet: Packet,
  genesisHash: Uint8Array,
  verify: Verify,
): Result<Letter> {
  const envelope = decode(SignedLetter, bytes, LETTER_BYTES_MAX + 128)
  if (!envelope.ok) return envelope
  const { letter: encoded, signature } = envelope.value
  const decoded = decode(LetterBody, encoded, LETTER_BYTES_MAX)
  if (!decoded.ok) return decoded
  const { value } = decoded
  const letter: Letter = {
    ...value,
    from: peerIdOfKey(value.from),
    to: peerIdOfKey(value.to),
    id: bytesToHex(value.id),
  }
  if (letter.from !== packet.from || letter.to !== packet.to || letter.id !== packet.id) {
    return fail('MALFORMED', 'the letter is not that of its packet')
  }
  if (!verify(value.from, concatBytes(LETTER_DOMAIN, genesisHash, encoded), signature)) {
    return fail('SIGNATURE_INVALID', `the letter is not signed by ${letter.from}`)
  }
  return ok(letter)
}

/** Of the letter `id` from `sender`. @param signer of the node key of its recipient. */
export function signReceipt(
  about: { readonly id: string; readonly sender: string; readonly outcome: DeliveryOutcome },
  genesisHash: Uint8Array,
  signer: Signer,
): Uint8Array {
  const outcome = OUTCOMES.indexOf(about.outcome)
  const signature = signer.sign(receiptBytes(about.id, about.sender, outcome, genesisHash))
  return SignedReceipt.serialize({ outcome, signature })
}

/** @param about the letter that it has to be for. */
export function openReceipt(
  bytes: Uint8Array,
  about: { readonly id: string; readonly sender: string; readonly recipient: string },
  genesisHash: Uint8Array,
  verify: Verify,
): Result<DeliveryOutcome> {
  const decoded = decode(SignedReceipt, bytes, RECEIPT_BYTES)
  if (!decoded.ok) return decoded
  const { outcome: number, signature } = decoded.value
  const outcome = OUTCOMES[number]
  if (outcome === undefined) return fail('MALFORMED', `outcome ${number}`)
  const signed = receiptBytes(about.id, about.sender, number, genesisHash)
  return verify(keyOf(about.recipient), signed, signature)
    ? ok(outcome)
    : fail('SIGNATURE_INVALID', `the receipt is not signed by ${about.recipient}`)
}

function receiptBytes(id: string, sender: string, outcome: number, genesisHash: Uint8Array): Uint8Array {
  return concatBytes(RECEIPT_DOMAIN, genesisHash, idBytes(id), keyOf(sender), Uint8Array.of(outcome))
}

/**
 * Ties a sealed letter to the network, its two ends and its id: what HPKE calls info.
 * @returns the same bytes at both ends.
 */
export function sealContext(
  { from, to, id }: Pick<Packet, 'from' | 'to' | 'id'>,
  genesisHash: Uint8Array,
): Uint8Array {
  return concatBytes(LETTER_DOMAIN, genesisHash, keyOf(from), keyOf(to), idBytes(id))
}

function keyOf(peer: string): Uint8Array {
  const key = keyOfPeerId(peer)
  assert(key !== null, `${peer} is a peer id`)
  return key
}

function idBytes(id: string): Uint8Array {
  const bytes = hexToBytes(id)
  assert(bytes?.length === DELIVERY_ID_BYTES, `${id} is a delivery id`)
  return bytes
}
