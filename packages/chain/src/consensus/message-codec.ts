/**
 * Consensus messages on the wire: one byte that says the kind, then the SSZ body. Decoding is bounded: the size is
 * looked at first, and every list has a limit.
 * @module
 */
import { ContainerType, BooleanType, ListCompositeType } from '@chainsafe/ssz'
import type { Type } from '@chainsafe/ssz'
import {
  Block,
  BLOCK_BYTES_MAX,
  Bytes32,
  Certificate,
  concatBytes,
  Counter,
  decode,
  Evidence,
  EVIDENCE_BYTES_MAX,
  fail,
  Header,
  ok,
  Proposal,
  unreachable,
  Vote,
} from '@althing/base'
import type { Result } from '@althing/base'
import type { ConsensusMessage } from './types.ts'

/** Blocks of one `chain` reply. */
export const CHAIN_BLOCKS_MAX = 100
/** Headers from the last block of a `chain` reply to the one that its finalization is of (R10). */
export const CHAIN_PATH_MAX = 4_096
/** Of one encoded message. */
export const MESSAGE_BYTES_MAX = 10_000_000
const SMALL_BYTES_MAX = 1_024
const CERTIFICATE_BYTES_MAX = 32_768

const StatusBody = new ContainerType(
  { epoch: Counter, view: Counter, height: Counter, observer: new BooleanType() },
  { typeName: 'Status' },
)
const GetCertificateBody = new ContainerType(
  { epoch: Counter, view: Counter },
  { typeName: 'GetCertificate' },
)
const GetBlockBody = new ContainerType({ hash: Bytes32 }, { typeName: 'GetBlock' })
const GetChainBody = new ContainerType({ fromHeight: Counter }, { typeName: 'GetChain' })
const ChainBody = new ContainerType(
  {
    blocks: new ListCompositeType(Block, CHAIN_BLOCKS_MAX),
    path: new ListCompositeType(Header, CHAIN_PATH_MAX),
    finalization: Certificate,
  },
  { typeName: 'ChainReply' },
)

/** The first byte of each kind. They never change their meaning. */
const CODE = {
  proposal: 1,
  vote: 2,
  certificate: 3,
  status: 4,
  getCertificate: 5,
  getBlock: 6,
  block: 7,
  getChain: 8,
  chain: 9,
  evidence: 10,
} as const satisfies Record<ConsensusMessage['kind'], number>

export function encodeMessage(message: ConsensusMessage): Uint8Array {
  return concatBytes(Uint8Array.of(CODE[message.kind]), encodeBody(message))
}

function encodeBody(message: ConsensusMessage): Uint8Array {
  switch (message.kind) {
    case 'proposal':
      return Proposal.serialize(message.proposal)
    case 'vote':
      return Vote.serialize(message.vote)
    case 'certificate':
      return Certificate.serialize(message.certificate)
    case 'status':
      return StatusBody.serialize(message.status)
    case 'getCertificate':
      return GetCertificateBody.serialize(message)
    case 'getBlock':
      return GetBlockBody.serialize(message)
    case 'block':
      return Block.serialize(message.block)
    case 'getChain':
      return GetChainBody.serialize(message)
    case 'chain': {
      const { blocks, path, finalization } = message.reply
      return ChainBody.serialize({ blocks: [...blocks], path: [...path], finalization })
    }
    case 'evidence':
      return Evidence.serialize(message.evidence)
    default:
      return unreachable(message)
  }
}

/** Decodes what a peer sent. Faults: `TOO_LARGE`, `MALFORMED`, `MESSAGE_KIND`. Never throws. */
export function decodeMessage(bytes: Uint8Array): Result<ConsensusMessage> {
  if (bytes.length > MESSAGE_BYTES_MAX) {
    return fail('TOO_LARGE', `${bytes.length} bytes; at most ${MESSAGE_BYTES_MAX} allowed`)
  }
  const body = bytes.subarray(1)
  switch (bytes[0]) {
    case CODE.proposal:
      return map(Proposal, body, MESSAGE_BYTES_MAX, (proposal) => ({ kind: 'proposal', proposal }))
    case CODE.vote:
      return map(Vote, body, SMALL_BYTES_MAX, (vote) => ({ kind: 'vote', vote }))
    case CODE.certificate:
      return map(Certificate, body, CERTIFICATE_BYTES_MAX, (certificate) => ({
        kind: 'certificate',
        certificate,
      }))
    case CODE.status:
      return map(StatusBody, body, SMALL_BYTES_MAX, (status) => ({ kind: 'status', status }))
    case CODE.getCertificate:
      return map(GetCertificateBody, body, SMALL_BYTES_MAX, (of) => ({ kind: 'getCertificate', ...of }))
    case CODE.getBlock:
      return map(GetBlockBody, body, SMALL_BYTES_MAX, ({ hash }) => ({ kind: 'getBlock', hash }))
    case CODE.block:
      return map(Block, body, BLOCK_BYTES_MAX, (block) => ({ kind: 'block', block }))
    case CODE.getChain:
      return map(GetChainBody, body, SMALL_BYTES_MAX, ({ fromHeight }) => ({ kind: 'getChain', fromHeight }))
    case CODE.chain:
      return map(ChainBody, body, MESSAGE_BYTES_MAX, (reply) => ({ kind: 'chain', reply }))
    case CODE.evidence:
      return map(Evidence, body, EVIDENCE_BYTES_MAX, (evidence) => ({ kind: 'evidence', evidence }))
    default:
      return fail('MESSAGE_KIND', `kind ${bytes[0] ?? 'missing'}; known: 1 to 10`)
  }
}

function map<T>(
  type: Type<T>,
  body: Uint8Array,
  bytesMax: number,
  toMessage: (value: T) => ConsensusMessage,
): Result<ConsensusMessage> {
  const decoded = decode(type, body, bytesMax)
  return decoded.ok ? ok(toMessage(decoded.value)) : decoded
}
