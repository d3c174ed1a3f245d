/**
 * From one epoch to the next (R11): the block that ends an epoch names the next authority set, and its finalization by
 * the present one is what the next set rests on. A list of such steps carries trust from genesis, or from a checkpoint,
 * to the present authorities without the blocks in between.
 * @module
 */
import { ContainerType } from '@chainsafe/ssz'
import type { ValueOf } from '@chainsafe/ssz'
import { equalBytes } from '../bytes.ts'
import type { Verify } from '../ed25519.ts'
import { isZeroHash } from '../hash.ts'
import { fail, ok } from '../result.ts'
import type { Result } from '../result.ts'
import { AuthoritySet, authoritySetHash, Header, headerHash } from './block.ts'
import type { Block, BlockHash } from './block.ts'
import { Certificate, isFinalizationOf, verifyCertificate } from './consensus.ts'
import type { Epoch } from './consensus.ts'

/** What ends an epoch, without the block's transactions. */
export const EpochLink = new ContainerType(
  { header: Header, nextSet: AuthoritySet, finalization: Certificate },
  { typeName: 'EpochLink' },
)
export type EpochLink = ValueOf<typeof EpochLink>

/** Links that are told at once; who needs more asks again. */
export const WARP_LINKS_MAX = 64

/** Whether the block ends its epoch. Block 0 names the first set and counts as the end of what was before. */
export function endsEpoch(header: Header): boolean {
  return !isZeroHash(header.nextSet)
}

/** The epoch that begins on a block that ends one. */
export function epochAfter({ header, nextSet }: Pick<Block, 'header' | 'nextSet'>, hash: BlockHash): Epoch {
  return { epoch: header.height === 0 ? 0 : header.epoch + 1, anchor: hash, set: nextSet }
}

/**
 * One step: checks that a quorum of the epoch's set finalized this header, and that it names this set.
 * Faults: `LINK_EPOCH`, `LINK_SET`, `LINK_FINALIZATION`, and those of `verifyCertificate`.
 */
export function verifyLink(link: EpochLink, epoch: Epoch, verify: Verify): Result<Epoch> {
  const { header, nextSet, finalization } = link
  if (header.epoch !== epoch.epoch)
    return fail('LINK_EPOCH', `the link is of epoch ${header.epoch}; expected ${epoch.epoch}`)
  if (nextSet.length === 0 || !equalBytes(authoritySetHash(nextSet), header.nextSet))
    return fail('LINK_SET', `the set is not the one that block ${header.height} names`)
  const hash = headerHash(header)
  if (!isFinalizationOf(finalization, hash))
    return fail('LINK_FINALIZATION', `the certificate does not finalize block ${header.height}`)
  const verified = verifyCertificate(finalization, epoch, verify)
  return verified.ok ? ok(epochAfter({ header, nextSet }, hash)) : verified
}

/**
 * Follows the links from a trusted epoch. It proves which sets came after each other, and not that there is no later
 * one: ask several peers, and start from a recent checkpoint against old keys that leaked.
 * @returns the epochs after `from`, in order. Faults: those of `verifyLink`, of the first link that does not hold.
 */
export function verifyWarp(from: Epoch, links: readonly EpochLink[], verify: Verify): Result<Epoch[]> {
  const epochs: Epoch[] = []
  for (const link of links) {
    const next = verifyLink(link, epochs.at(-1) ?? from, verify)
    if (!next.ok) return next
    epochs.push(next.value)
  }
  return ok(epochs)
}
