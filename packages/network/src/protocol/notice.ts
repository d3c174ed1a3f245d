/**
 * Names of gossip messages, and what nodes tell each other about them (PO-2). Pure.
 *
 *     id        kind u8, then the first 15 bytes of SHA-256(body)
 *     announce  id[]                              I have these, ask me if they do not reach you
 *     offer     (id, size u32be)[]                the same of large ones, which are sent to those who ask only
 *     want      mode u8, id[]                     0 send me these; 1 and push to me what is of the same origin;
 *                                                 2 I have these, but push to me; 3 no ids: push to me whatever the origin
 *     prune     id[]                              I had these when you pushed them: announce to me what is of their origin;
 *                                                 no ids: the link is no base link any more
 *     gone      id[]                              I no longer have these
 *
 * An announcement has two kinds, since those of consensus messages must not wait with those of transactions.
 * @module
 */
import { fail, sha256 } from '@althing/base'
import type { Result } from '@althing/base'
import type { KindSpec, Spreading } from './kinds.ts'

/** 16 characters, each one byte: a key of maps and sets. */
export type GossipId = string

export interface Offer {
  readonly id: GossipId
  readonly bytes: number
}

export type WantMode = 'send' | 'graftAndSend' | 'graft' | 'graftAll'
/** The index is the number on the wire. */
const WANT_MODES: readonly WantMode[] = ['send', 'graftAndSend', 'graft', 'graftAll']

/** What is told about messages. */
export type Notice =
  | { readonly kind: 'announce'; readonly spreading: Spreading; readonly ids: readonly GossipId[] }
  | { readonly kind: 'offer'; readonly offers: readonly Offer[] }
  | { readonly kind: 'want'; readonly mode: WantMode; readonly ids: readonly GossipId[] }
  | { readonly kind: 'prune'; readonly ids: readonly GossipId[] }
  | { readonly kind: 'gone'; readonly ids: readonly GossipId[] }

export const GOSSIP_FEATURE = 'gossip/1'

const ID_BYTES = 16
const OFFER_BYTES = ID_BYTES + 4
/** Of one notice. */
export const NOTICE_IDS_MAX = 512
const idsMaxBytes = NOTICE_IDS_MAX * ID_BYTES

/** Ids are of a hash: there is nothing to compress. */
export const NOTICE_KINDS = {
  'gossip.announce': { id: 224, lane: 'normal', maxBytes: idsMaxBytes, compress: false },
  'gossip.announceUrgent': { id: 225, lane: 'critical', maxBytes: idsMaxBytes, compress: false },
  'gossip.offer': { id: 226, lane: 'high', maxBytes: NOTICE_IDS_MAX * OFFER_BYTES, compress: false },
  'gossip.want': { id: 227, lane: 'high', maxBytes: 1 + idsMaxBytes, compress: false },
  'gossip.prune': { id: 228, lane: 'high', maxBytes: idsMaxBytes, compress: false },
  'gossip.gone': { id: 229, lane: 'high', maxBytes: idsMaxBytes, compress: false },
} as const satisfies Readonly<Record<string, KindSpec>>

export type NoticeKindName = keyof typeof NOTICE_KINDS

export function gossipId(kindId: number, body: Uint8Array): GossipId {
  return idFrom(kindId, sha256(body), 0)
}

export function kindIdOf(id: GossipId): number {
  return id.charCodeAt(0)
}

/** The kind id and the 15 bytes at `offset`. */
function idFrom(kindId: number, bytes: Uint8Array, offset: number): GossipId {
  // Written out: half the time of a loop or a spread, on the path of each message.
  return String.fromCharCode(
    kindId,
    bytes[offset]!,
    bytes[offset + 1]!,
    bytes[offset + 2]!,
    bytes[offset + 3]!,
    bytes[offset + 4]!,
    bytes[offset + 5]!,
    bytes[offset + 6]!,
    bytes[offset + 7]!,
    bytes[offset + 8]!,
    bytes[offset + 9]!,
    bytes[offset + 10]!,
    bytes[offset + 11]!,
    bytes[offset + 12]!,
    bytes[offset + 13]!,
    bytes[offset + 14]!,
  )
}

export function noticeKindName(notice: Notice): NoticeKindName {
  if (notice.kind !== 'announce') return `gossip.${notice.kind}`
  return notice.spreading === 'flood' ? 'gossip.announceUrgent' : 'gossip.announce'
}

export function encodeNotice(notice: Notice): Uint8Array {
  switch (notice.kind) {
    case 'offer':
      return encodeOffers(notice.offers)
    case 'want': {
      const out = new Uint8Array(1 + notice.ids.length * ID_BYTES)
      out[0] = WANT_MODES.indexOf(notice.mode)
      writeIds(out, 1, notice.ids)
      return out
    }
    default: {
      const out = new Uint8Array(notice.ids.length * ID_BYTES)
      writeIds(out, 0, notice.ids)
      return out
    }
  }
}

function encodeOffers(offers: readonly Offer[]): Uint8Array {
  const out = new Uint8Array(offers.length * OFFER_BYTES)
  const view = new DataView(out.buffer)
  for (const [i, { id, bytes }] of offers.entries()) {
    writeIds(out, i * OFFER_BYTES, [id])
    view.setUint32(i * OFFER_BYTES + ID_BYTES, bytes)
  }
  return out
}

function writeIds(out: Uint8Array, offset: number, ids: readonly GossipId[]): void {
  let at = offset
  for (const id of ids) for (let i = 0; i < ID_BYTES; i++) out[at++] = id.charCodeAt(i)
}

/** @param name one of `NOTICE_KINDS`, whose `maxBytes` the body does not exceed. */
export function decodeNotice(name: string, body: Uint8Array): Result<Notice> {
  switch (name) {
    case 'gossip.announce':
      return withIds(body, (ids) => ({ kind: 'announce', spreading: 'tree', ids }))
    case 'gossip.announceUrgent':
      return withIds(body, (ids) => ({ kind: 'announce', spreading: 'flood', ids }))
    case 'gossip.offer':
      return decodeOffers(body)
    case 'gossip.want': {
      const mode = WANT_MODES[body[0] ?? WANT_MODES.length]
      if (mode === undefined) return malformed(body)
      return withIds(body.subarray(1), (ids) => ({ kind: 'want', mode, ids }))
    }
    case 'gossip.prune':
      return withIds(body, (ids) => ({ kind: 'prune', ids }))
    case 'gossip.gone':
      return withIds(body, (ids) => ({ kind: 'gone', ids }))
    default:
      return malformed(body)
  }
}

function decodeOffers(body: Uint8Array): Result<Notice> {
  if (body.length % OFFER_BYTES !== 0) return malformed(body)
  const view = new DataView(body.buffer, body.byteOffset, body.length)
  const offers: Offer[] = []
  for (let at = 0; at < body.length; at += OFFER_BYTES) {
    offers.push({ id: idFrom(body[at]!, body, at + 1), bytes: view.getUint32(at + ID_BYTES) })
  }
  return { ok: true, value: { kind: 'offer', offers } }
}

function withIds(body: Uint8Array, notice: (ids: readonly GossipId[]) => Notice): Result<Notice> {
  if (body.length % ID_BYTES !== 0) return malformed(body)
  const ids: GossipId[] = []
  for (let at = 0; at < body.length; at += ID_BYTES) ids.push(idFrom(body[at]!, body, at + 1))
  return { ok: true, value: notice(ids) }
}

function malformed(body: Uint8Array): Result<never> {
  return fail('MALFORMED', `a notice of gossip of ${body.length} bytes`)
}
