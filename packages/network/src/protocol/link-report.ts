/**
 * What a node says of its own links, signed, for everyone (PT-11). Pure.
 * @module
 */
import { ContainerType, ListCompositeType } from '@chainsafe/ssz'
import {
  assert,
  bytesToUtf8,
  bytesUpTo,
  bytesWithin,
  Bytes32,
  Bytes64,
  concatBytes,
  Counter,
  decode,
  fail,
  ok,
  U16,
  U32,
  U8,
  utf8ToBytes,
} from '@althing/base'
import type { Result, Signer, Verify } from '@althing/base'
import type { NodeType } from './hello.ts'
import { keyOfPeerId, peerIdOfKey } from './peer-id.ts'

export interface ReportedLink {
  readonly peer: string
  /** A round trip; null before the first. */
  readonly latencyMs: number | null
  readonly health: 'healthy' | 'degraded'
}

export interface LinkReport {
  readonly peer: string
  /** Wall-clock milliseconds at which it was signed; each report of a node has a higher one than the last. */
  readonly seq: number
  readonly nodeType: NodeType
  /** Of the software; at most 32 bytes. */
  readonly software: string
  /** The highest protocol version that it speaks. */
  readonly protocolVersion: number
  /** At most `REPORT_LINKS_MAX`. */
  readonly links: readonly ReportedLink[]
}

export const REPORT_LINKS_MAX = 256
const SOFTWARE_BYTES_MAX = 32
const LATENCY_UNKNOWN = 0xffff_ffff
const NODE_TYPES: readonly NodeType[] = ['authority', 'full', 'light']
const HEALTHS: readonly ReportedLink['health'][] = ['healthy', 'degraded']
const DOMAIN = utf8ToBytes('althing/link-report/1\0')

const LinkBody = new ContainerType(
  { peer: Bytes32, latencyUs: U32, health: U8 },
  { typeName: 'ReportedLink' },
)
const ReportBody = new ContainerType(
  {
    key: Bytes32,
    seq: Counter,
    nodeType: U8,
    software: bytesUpTo(SOFTWARE_BYTES_MAX),
    protocolVersion: U16,
    links: new ListCompositeType(LinkBody, REPORT_LINKS_MAX),
  },
  { typeName: 'LinkReport' },
)
/** 37 a link, and what stands before the links. */
const REPORT_BYTES_MAX = REPORT_LINKS_MAX * 37 + 128
const SignedReport = new ContainerType(
  { report: bytesWithin(REPORT_BYTES_MAX), signature: Bytes64 },
  { typeName: 'SignedLinkReport' },
)
const SIGNED_REPORT_BYTES_MAX = REPORT_BYTES_MAX + 128

/** In one message. */
export const REPORTS_MAX = 32
export const REPORTS_BYTES_MAX = REPORTS_MAX * (SIGNED_REPORT_BYTES_MAX + 4) + 4
const ReportsBody = new ContainerType(
  { reports: new ListCompositeType(bytesWithin(SIGNED_REPORT_BYTES_MAX), REPORTS_MAX) },
  { typeName: 'LinkReports' },
)

/** @param signer of the node key of `report.peer`. */
export function signReport(report: LinkReport, genesisHash: Uint8Array, signer: Signer): Uint8Array {
  const encoded = ReportBody.serialize({
    key: signer.publicKey,
    seq: report.seq,
    nodeType: NODE_TYPES.indexOf(report.nodeType),
    software: utf8ToBytes(report.software).subarray(0, SOFTWARE_BYTES_MAX),
    protocolVersion: report.protocolVersion,
    links: report.links.slice(0, REPORT_LINKS_MAX).map(({ peer, latencyMs, health }) => ({
      peer: keyOf(peer),
      latencyUs:
        latencyMs === null ? LATENCY_UNKNOWN : Math.min(LATENCY_UNKNOWN - 1, Math.round(latencyMs * 1000)),
      health: HEALTHS.indexOf(health),
    })),
  })
  return SignedReport.serialize({ report: encoded, signature: signer.sign(signBytes(genesisHash, encoded)) })
}

/** A report that was read, and whose signature is still to be looked at: that is the dear part. */
export interface UnverifiedReport {
  readonly report: LinkReport
  readonly isSigned: (genesisHash: Uint8Array, verify: Verify) => boolean
}

/** Key and sequence number stand first in the report, which stands behind its offset and the signature. */
const HEAD_AT = 4 + 64
const HEAD_BYTES = 32 + 8

/** Whose report it claims to be, without reading the rest: most copies are known by that. @returns null when it is too short. */
export function reportHead(bytes: Uint8Array): Pick<LinkReport, 'peer' | 'seq'> | null {
  if (bytes.length < HEAD_AT + HEAD_BYTES) return null
  const seq = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(HEAD_AT + 32, true)
  return { peer: peerIdOfKey(bytes.subarray(HEAD_AT, HEAD_AT + 32)), seq: Number(seq) }
}

export function decodeReport(bytes: Uint8Array): Result<UnverifiedReport> {
  const envelope = decode(SignedReport, bytes, SIGNED_REPORT_BYTES_MAX)
  if (!envelope.ok) return envelope
  const { report: encoded, signature } = envelope.value
  const decoded = decode(ReportBody, encoded, REPORT_BYTES_MAX)
  if (!decoded.ok) return decoded
  const { key, seq, protocolVersion, links: found } = decoded.value
  const nodeType = NODE_TYPES[decoded.value.nodeType]
  const software = bytesToUtf8(decoded.value.software)
  if (nodeType === undefined) return fail('MALFORMED', `node type ${decoded.value.nodeType}`)
  if (software === null) return fail('MALFORMED', 'a text is not UTF-8')
  const links: ReportedLink[] = []
  for (const link of found) {
    const health = HEALTHS[link.health]
    if (health === undefined) return fail('MALFORMED', `health ${link.health}`)
    const latencyMs = link.latencyUs === LATENCY_UNKNOWN ? null : link.latencyUs / 1000
    links.push({ peer: peerIdOfKey(link.peer), latencyMs, health })
  }
  const peer = peerIdOfKey(key)
  return ok({
    report: { peer, seq, nodeType, software, protocolVersion, links },
    isSigned: (genesisHash, verify) => verify(key, signBytes(genesisHash, encoded), signature),
  })
}

/** @param signed at most `REPORTS_MAX`. */
export function encodeReports(signed: readonly Uint8Array[]): Uint8Array {
  return ReportsBody.serialize({ reports: [...signed] })
}

export function decodeReports(bytes: Uint8Array): Result<readonly Uint8Array[]> {
  const decoded = decode(ReportsBody, bytes, REPORTS_BYTES_MAX)
  return decoded.ok ? ok(decoded.value.reports) : decoded
}

function signBytes(genesisHash: Uint8Array, encoded: Uint8Array): Uint8Array {
  return concatBytes(DOMAIN, genesisHash, encoded)
}

function keyOf(peer: string): Uint8Array {
  const key = keyOfPeerId(peer)
  assert(key !== null, `${peer} is a peer id`)
  return key
}
