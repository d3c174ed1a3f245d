/**
 * What authorities say to each other (consensus rules, section 2), and the quorum arithmetic over it.
 * @module
 */
import { ContainerType, ListCompositeType } from '@chainsafe/ssz'
import type { ValueOf } from '@chainsafe/ssz'
import { concatBytes, equalBytes, utf8ToBytes, writeU64 } from '../bytes.ts'
import type { Verify } from '../ed25519.ts'
import { HASH_BYTES, isZeroHash, ZERO_HASH } from '../hash.ts'
import type { Hash } from '../hash.ts'
import { fail, ok } from '../result.ts'
import type { Result } from '../result.ts'
import { AUTHORITIES_MAX, Block } from './block.ts'
import type { AuthoritySet } from './block.ts'
import { bytesUpTo, Bytes32, Bytes64, Counter, U16, U8 } from './types.ts'

/** N: notarize, U: nullify, F: finalize. */
export const NOTARIZE = 0
export const NULLIFY = 1
export const FINALIZE = 2
export type VoteKind = typeof NOTARIZE | typeof NULLIFY | typeof FINALIZE

export const Vote = new ContainerType(
  {
    kind: U8,
    epoch: Counter,
    /** Hash of the last block of the epoch before: network, fork and set are inside it. */
    anchor: Bytes32,
    view: Counter,
    /** Block hash; zero for nullify. */
    hash: Bytes32,
    /** Index in the epoch's authority set. */
    signer: U16,
    signature: Bytes64,
  },
  { typeName: 'Vote' },
)
export type Vote = ValueOf<typeof Vote>

export const Certificate = new ContainerType(
  {
    kind: U8,
    epoch: Counter,
    view: Counter,
    hash: Bytes32,
    /** Bit i (least significant first) is authority i; ⌈n/8⌉ bytes, padding zero. */
    bitmap: bytesUpTo(AUTHORITIES_MAX / 8),
    /** One per set bit, in the order of the indices. */
    signatures: new ListCompositeType(Bytes64, AUTHORITIES_MAX),
  },
  { typeName: 'Certificate' },
)
export type Certificate = ValueOf<typeof Certificate>

/** Nullifications attached to a proposal; more are asked for by view. */
export const NULL_CERTIFICATES_MAX = 32

export const Proposal = new ContainerType(
  {
    epoch: Counter,
    view: Counter,
    block: Block,
    /** Notarization of the parent; empty when the parent is the anchor. */
    parentCertificate: new ListCompositeType(Certificate, 1),
    nullCertificates: new ListCompositeType(Certificate, NULL_CERTIFICATES_MAX),
    /** The leader's notarize vote for the block in this view. */
    signature: Bytes64,
  },
  { typeName: 'Proposal' },
)
export type Proposal = ValueOf<typeof Proposal>

/** Shown in the handshake by a node that holds an authority's key. */
export const AuthorityProof = new ContainerType(
  { key: Bytes32, signature: Bytes64 },
  { typeName: 'AuthorityProof' },
)
export const AUTHORITY_PROOF_BYTES = 96

const LINK_TAG = utf8ToBytes('althing/authority-link/1\0')

/** Whether these are the bytes of a link proof on this chain. */
export function isAuthorityLinkMessage(message: Uint8Array, genesisHash: Hash): boolean {
  const start = concatBytes(LINK_TAG, genesisHash)
  return message.length > start.length && equalBytes(message.subarray(0, start.length), start)
}

/** Bound to the chain and to both peer ids, so that a proof cannot be shown to a third node. */
export function authorityLinkSignBytes(genesisHash: Hash, prover: string, verifier: string): Uint8Array {
  return concatBytes(LINK_TAG, genesisHash, utf8ToBytes(`${prover}\0${verifier}`))
}

const VOTE_TAG = utf8ToBytes('althing/vote/1\0')

/** Fixed length: tag ‖ kind u8 ‖ anchor[32] ‖ epoch u64be ‖ view u64be ‖ hash[32]. */
export function voteSignBytes(
  kind: VoteKind,
  anchor: Hash,
  epoch: number,
  view: number,
  hash: Hash,
): Uint8Array {
  // Made for each vote that is checked: one allocation.
  const bytes = new Uint8Array(VOTE_TAG.length + 1 + HASH_BYTES + 16 + HASH_BYTES)
  const numbersAt = VOTE_TAG.length + 1 + HASH_BYTES
  bytes.set(VOTE_TAG)
  bytes[VOTE_TAG.length] = kind
  bytes.set(anchor, VOTE_TAG.length + 1)
  writeU64(bytes, numbersAt, epoch)
  writeU64(bytes, numbersAt + 8, view)
  bytes.set(hash, numbersAt + 16)
  return bytes
}

/** What a vote says, from the bytes that are signed. */
export type VoteMessage = Pick<Vote, 'kind' | 'anchor' | 'epoch' | 'view' | 'hash'> & {
  readonly kind: VoteKind
}

/** The inverse of `voteSignBytes`. @returns null when the bytes are of no vote. */
export function readVoteMessage(message: Uint8Array): VoteMessage | null {
  const at = VOTE_TAG.length
  if (message.length !== at + 1 + 32 + 8 + 8 + 32) return null
  if (!equalBytes(message.subarray(0, at), VOTE_TAG)) return null
  const view = new DataView(message.buffer, message.byteOffset)
  const kind = message[at]!
  const epoch = Number(view.getBigUint64(at + 33))
  const viewNumber = Number(view.getBigUint64(at + 41))
  if (!isVoteKind(kind) || !Number.isSafeInteger(epoch) || !Number.isSafeInteger(viewNumber)) return null
  return {
    kind,
    anchor: message.slice(at + 1, at + 33),
    epoch,
    view: viewNumber,
    hash: message.slice(at + 49),
  }
}

export function isVoteKind(kind: number): kind is VoteKind {
  return kind === NOTARIZE || kind === NULLIFY || kind === FINALIZE
}

export function totalWeight(set: AuthoritySet): number {
  return set.reduce((sum, authority) => sum + authority.weight, 0)
}

/** f = ⌊(W − 1) / 3⌋: the weight that may be faulty. */
export function faultyWeightMax(set: AuthoritySet): number {
  return Math.floor((totalWeight(set) - 1) / 3)
}

/** Q = W − f. Never 2f + 1, which is wrong unless n = 3f + 1. */
export function quorumWeight(set: AuthoritySet): number {
  return totalWeight(set) - faultyWeightMax(set)
}

/** What a certificate is checked against. */
export interface Epoch {
  readonly epoch: number
  readonly anchor: Hash
  readonly set: AuthoritySet
}

/** The indices of the set bits; null when length, padding or count do not fit (P17). */
export function certificateSigners(certificate: Certificate, authorities: number): number[] | null {
  const { bitmap, signatures } = certificate
  if (bitmap.length !== Math.ceil(authorities / 8)) return null
  const signers: number[] = []
  for (let i = 0; i < bitmap.length * 8; i++) {
    if ((bitmap[i >> 3]! >> (i & 7)) & 1) {
      if (i >= authorities) return null
      signers.push(i)
    }
  }
  return signers.length === signatures.length ? signers : null
}

/** Checks shape, quorum and every signature. */
export function verifyCertificate(
  certificate: Certificate,
  epoch: Epoch,
  verify: Verify,
): Result<Certificate> {
  const { kind, view, hash } = certificate
  if (!isVoteKind(kind)) return fail('CERTIFICATE_KIND', `kind ${kind}; known: 0, 1, 2`)
  if (certificate.epoch !== epoch.epoch) {
    return fail('CERTIFICATE_EPOCH', `epoch ${certificate.epoch}; expected ${epoch.epoch}`)
  }
  if ((kind === NULLIFY) !== isZeroHash(hash))
    return fail('CERTIFICATE_HASH', 'only a nullification has a zero hash')
  const signers = certificateSigners(certificate, epoch.set.length)
  if (signers === null)
    return fail('CERTIFICATE_BITMAP', 'bitmap and signatures do not fit the authority set')
  const weight = signers.reduce((sum, index) => sum + epoch.set[index]!.weight, 0)
  const quorum = quorumWeight(epoch.set)
  if (weight < quorum) return fail('CERTIFICATE_QUORUM', `weight ${weight}; quorum is ${quorum}`)
  const message = voteSignBytes(kind, epoch.anchor, epoch.epoch, view, hash)
  for (const [position, index] of signers.entries()) {
    if (!verify(epoch.set[index]!.key, message, certificate.signatures[position]!)) {
      return fail('CERTIFICATE_SIGNATURE', `signature of authority ${index} does not verify`)
    }
  }
  return ok(certificate)
}

/** Gathers votes of one kind, view and hash. @param signatureByIndex at least a quorum. */
export function makeCertificate(
  of: { kind: VoteKind; epoch: number; view: number; hash: Hash },
  authorities: number,
  signatureByIndex: ReadonlyMap<number, Uint8Array>,
): Certificate {
  const bitmap = new Uint8Array(Math.ceil(authorities / 8))
  const indices = [...signatureByIndex.keys()].sort((a, b) => a - b)
  for (const index of indices) bitmap[index >> 3]! |= 1 << (index & 7)
  return {
    kind: of.kind,
    epoch: of.epoch,
    view: of.view,
    hash: of.kind === NULLIFY ? ZERO_HASH : of.hash,
    bitmap,
    signatures: indices.map((index) => signatureByIndex.get(index)!),
  }
}

export function isFinalizationOf(certificate: Certificate, hash: Hash): boolean {
  return certificate.kind === FINALIZE && equalBytes(certificate.hash, hash)
}
