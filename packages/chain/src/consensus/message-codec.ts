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

/** How each kind travels: the message's own fields, or the one field that is named. Codes never change their meaning. */
const FORMATS = {
  proposal: { code: 1, type: Proposal, field: 'proposal', bytesMax: MESSAGE_BYTES_MAX },
  vote: { code: 2, type: Vote, field: 'vote', bytesMax: SMALL_BYTES_MAX },
  certificate: { code: 3, type: Certificate, field: 'certificate', bytesMax: CERTIFICATE_BYTES_MAX },
  status: { code: 4, type: StatusBody, field: 'status', bytesMax: SMALL_BYTES_MAX },
  getCertificate: { code: 5, type: GetCertificateBody, field: null, bytesMax: SMALL_BYTES_MAX },
  getBlock: { code: 6, type: GetBlockBody, field: null, bytesMax: SMALL_BYTES_MAX },
  block: { code: 7, type: Block, field: 'block', bytesMax: BLOCK_BYTES_MAX },
  getChain: { code: 8, type: GetChainBody, field: null, bytesMax: SMALL_BYTES_MAX },
  chain: { code: 9, type: ChainBody, field: 'reply', bytesMax: MESSAGE_BYTES_MAX },
  evidence: { code: 10, type: Evidence, field: 'evidence', bytesMax: EVIDENCE_BYTES_MAX },
} as const satisfies Record<ConsensusMessage['kind'], Format>

interface Format {
  readonly code: number
  readonly type: Type<unknown>
  readonly field: string | null
  readonly bytesMax: number
}

const KIND_BY_CODE = new Map(
  Object.entries<Format>(FORMATS).map(([kind, format]) => [format.code, { kind, format }]),
)

export function encodeMessage(message: ConsensusMessage): Uint8Array {
  const { code, type, field }: Format = FORMATS[message.kind]
  const body = field === null ? message : (message as unknown as Record<string, unknown>)[field]
  return concatBytes(Uint8Array.of(code), type.serialize(body))
}

/** Decodes what a peer sent. Faults: `TOO_LARGE`, `MALFORMED`, `MESSAGE_KIND`. Never throws. */
export function decodeMessage(bytes: Uint8Array): Result<ConsensusMessage> {
  if (bytes.length > MESSAGE_BYTES_MAX) {
    return fail('TOO_LARGE', `${bytes.length} bytes; at most ${MESSAGE_BYTES_MAX} allowed`)
  }
  const known = KIND_BY_CODE.get(bytes[0] ?? 0)
  if (known === undefined) {
    return fail('MESSAGE_KIND', `kind ${bytes[0] ?? 'missing'}; known: 1 to ${KIND_BY_CODE.size}`)
  }
  const { kind, format } = known
  const decoded = decode(format.type, bytes.subarray(1), format.bytesMax)
  if (!decoded.ok) return decoded
  const fields = format.field === null ? (decoded.value as object) : { [format.field]: decoded.value }
  return ok({ kind, ...fields } as ConsensusMessage)
}
