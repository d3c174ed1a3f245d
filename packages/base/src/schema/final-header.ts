/**
 * A header with what makes its block final (R7, R10): whoever knows the authorities of the epoch can tell from it alone, without the blocks
 * before and after. Not every block has a certificate of its own; then headers lead to one that has.
 * @module
 */
import { ContainerType, ListCompositeType } from '@chainsafe/ssz'
import type { ValueOf } from '@chainsafe/ssz'
import { equalBytes } from '../bytes.ts'
import type { Verify } from '../ed25519.ts'
import { isZeroHash } from '../hash.ts'
import { fail, ok } from '../result.ts'
import type { Result } from '../result.ts'
import { AuthoritySet, authoritySetHash, Header, headerHash } from './block.ts'
import { Certificate, isFinalizationOf, verifyCertificate } from './consensus.ts'
import type { Epoch } from './consensus.ts'
import { decode } from './types.ts'

/** Headers between a block and the next with a certificate of its own, at most. */
export const FINALITY_PATH_MAX = 1_024
/** Of an encoded `FinalHeader`: path, certificate and set at their largest. */
export const FINAL_HEADER_BYTES_MAX = 262_144

export const FinalHeader = new ContainerType(
  {
    header: Header,
    /** In full; empty when the block does not end its epoch. */
    nextSet: AuthoritySet,
    /** Headers from the block on to the one that the certificate is of; empty when it is of the block itself. */
    path: new ListCompositeType(Header, FINALITY_PATH_MAX),
    /** Empty for block 0 only, which the genesis hash proves. */
    finalization: new ListCompositeType(Certificate, 1),
  },
  { typeName: 'FinalHeader' },
)
export type FinalHeader = ValueOf<typeof FinalHeader>

export function decodeFinalHeader(bytes: Uint8Array): Result<FinalHeader> {
  const decoded = decode(FinalHeader, bytes, FINAL_HEADER_BYTES_MAX)
  if (!decoded.ok) return decoded
  const { header, finalization } = decoded.value
  const isBare = finalization.length === 0
  return isBare === (header.height === 0)
    ? decoded
    : fail('MALFORMED', 'a final block has a certificate, and block 0 has none')
}

/**
 * Whether a quorum of the epoch called the block final, itself or one that stands on it.
 * Faults: `CHAIN_LINK`, `CHAIN_FINALIZATION`, `LINK_SET`, and those of `verifyCertificate`.
 */
export function verifyFinalHeader(final: FinalHeader, epoch: Epoch, verify: Verify): Result<void> {
  const { header, nextSet, path, finalization } = final
  const isSetWhole = isZeroHash(header.nextSet)
    ? nextSet.length === 0
    : equalBytes(authoritySetHash(nextSet), header.nextSet)
  if (!isSetWhole) return fail('LINK_SET', `the set is not the one that block ${header.height} names`)
  let hash = headerHash(header)
  for (const next of path) {
    if (!equalBytes(next.parent, hash))
      return fail('CHAIN_LINK', `header ${next.height} does not follow the one before it`)
    hash = headerHash(next)
  }
  const [certificate] = finalization
  if (certificate === undefined || !isFinalizationOf(certificate, hash))
    return fail('CHAIN_FINALIZATION', 'the certificate does not finalize the last header')
  const verified = verifyCertificate(certificate, epoch, verify)
  return verified.ok ? ok(undefined) : verified
}
