/**
 * What a node says of itself, signed with its node key, so that anyone may pass it on (PT-5, TN-4). Pure.
 * A record holds for one network only, and of two records of a node the one with the higher `seq` counts.
 * What it says is a claim of the node; that the node said it is proved.
 * @module
 */
import { ContainerType, ListCompositeType } from '@chainsafe/ssz'
import {
  bytesToUtf8,
  bytesUpTo,
  bytesWithin,
  Bytes32,
  Bytes64,
  Counter,
  concatBytes,
  decode,
  fail,
  ok,
  U8,
  utf8ToBytes,
} from '@althing/base'
import type { Result, Signer, Verify } from '@althing/base'
import { ADDRESS_CHARS_MAX } from './address.ts'
import type { NodeType } from './hello.ts'
import { peerIdOfKey } from './peer-id.ts'

export interface PeerRecord {
  readonly peer: string
  /** Wall-clock milliseconds at which it was signed; a node never signs two with the same. */
  readonly seq: number
  /** Multiaddrs without the peer; at most 8. */
  readonly addresses: readonly string[]
  readonly nodeType: NodeType
  /** As in its hello; at most 24. */
  readonly features: readonly string[]
  /** 32 bytes of X25519: what is sealed for this peer is sealed to this key (PT-7). */
  readonly sealKey: Uint8Array
}

/** A record with the bytes that prove it, as they are passed on. */
export interface SignedPeerRecord extends PeerRecord {
  readonly encoded: Uint8Array
}

export const PEER_RECORD_ADDRESSES_MAX = 8
export const PEER_RECORD_BYTES_MAX = 4608
const FEATURES_MAX = 24
const FEATURE_BYTES_MAX = 64
const NODE_TYPES: readonly NodeType[] = ['authority', 'full', 'light']
const DOMAIN = utf8ToBytes('althing/peer-record/1\0')

const Body = new ContainerType(
  {
    key: Bytes32,
    seq: Counter,
    addresses: new ListCompositeType(bytesUpTo(ADDRESS_CHARS_MAX), PEER_RECORD_ADDRESSES_MAX),
    nodeType: U8,
    features: new ListCompositeType(bytesUpTo(FEATURE_BYTES_MAX), FEATURES_MAX),
    sealKey: Bytes32,
  },
  { typeName: 'PeerRecord' },
)
const Envelope = new ContainerType(
  { body: bytesWithin(PEER_RECORD_BYTES_MAX), signature: Bytes64 },
  { typeName: 'SignedPeerRecord' },
)

/** What is signed: the network's genesis is part of it, so that a record is worth nothing in another network. */
function signBytes(genesisHash: Uint8Array, body: Uint8Array): Uint8Array {
  return concatBytes(DOMAIN, genesisHash, body)
}

/** @param signer of the node key. @param record of at most 8 addresses and 24 features. */
export function signPeerRecord(
  record: Omit<PeerRecord, 'peer'>,
  genesisHash: Uint8Array,
  signer: Signer,
): SignedPeerRecord {
  const body = Body.serialize({
    key: signer.publicKey,
    seq: record.seq,
    addresses: record.addresses.map(utf8ToBytes),
    nodeType: NODE_TYPES.indexOf(record.nodeType),
    features: record.features.map(utf8ToBytes),
    sealKey: record.sealKey,
  })
  const signature = signer.sign(signBytes(genesisHash, body))
  return {
    ...record,
    peer: peerIdOfKey(signer.publicKey),
    encoded: Envelope.serialize({ body, signature }),
  }
}

/** A record as it was read: who it names need not have signed it. */
export interface UnprovedRecord {
  readonly record: SignedPeerRecord
  readonly key: Uint8Array
  readonly body: Uint8Array
  readonly signature: Uint8Array
}

export function decodePeerRecord(encoded: Uint8Array): Result<UnprovedRecord> {
  const envelope = decode(Envelope, encoded, PEER_RECORD_BYTES_MAX)
  if (!envelope.ok) return envelope
  const { body, signature } = envelope.value
  const decoded = decode(Body, body, PEER_RECORD_BYTES_MAX)
  if (!decoded.ok) return decoded
  const { key, seq, sealKey } = decoded.value
  const nodeType = NODE_TYPES[decoded.value.nodeType]
  const addresses = decoded.value.addresses.map(bytesToUtf8)
  const features = decoded.value.features.map(bytesToUtf8)
  if (nodeType === undefined) return fail('MALFORMED', `node type ${decoded.value.nodeType}`)
  if (!isText(addresses) || !isText(features)) return fail('MALFORMED', 'a text is not UTF-8')
  const record = { peer: peerIdOfKey(key), seq, addresses, nodeType, features, sealKey, encoded }
  return ok({ record, key, body, signature })
}

/** Whether the peer signed it, for this network. */
export function isProved(
  { key, body, signature }: UnprovedRecord,
  genesisHash: Uint8Array,
  verify: Verify,
): boolean {
  return verify(key, signBytes(genesisHash, body), signature)
}

function isText(list: readonly (string | null)[]): list is readonly string[] {
  return !list.includes(null)
}
