/**
 * Runs of final blocks for a node that is behind (R10): made on one side, checked on the other. Pure.
 * @module
 */
import {
  authoritySetHash,
  Block,
  endsEpoch,
  equalBytes,
  fail,
  FINALIZE,
  headerHash,
  isZeroHash,
  ok,
  transactionId,
  transactionsRoot,
  verifyCertificate,
} from '@althing/base'
import type { BlockHash, Certificate, Epoch, Header, Result, Verify } from '@althing/base'
import type { FinalBlock } from '../ports.ts'
import type { BlockTree } from './block-tree.ts'
import { CHAIN_BLOCKS_MAX, CHAIN_PATH_MAX } from './message-codec.ts'
import type { ChainReply } from './types.ts'

/**
 * Final blocks of one epoch from `fromHeight` on, as many as fit, ending at one with a direct finalization; if none of
 * them has one, headers lead to the next that does. The block that ends an epoch always has one (R11), so a run never
 * goes beyond it: each run is checked against one set, and the next is asked for by who entered the next epoch.
 * @returns null when there is nothing to say.
 */
export function makeChainReply(tree: BlockTree, fromHeight: number, bytesMax: number): ChainReply | null {
  const tipHeight = tree.tip.block.header.height
  const blocks: Block[] = []
  let bytes = 0
  let direct: { count: number; finalization: Certificate } | null = null
  for (let height = fromHeight; height <= tipHeight && blocks.length < CHAIN_BLOCKS_MAX; height++) {
    const final = tree.finalByHeight(height)
    if (final === undefined) return null
    bytes += Block.value_serializedSize(final.block)
    if (blocks.length > 0 && bytes > bytesMax) break
    blocks.push(final.block)
    const finalization = tree.finalizationAt(height)
    if (finalization !== undefined) direct = { count: blocks.length, finalization }
    if (endsEpoch(final.block.header)) break
  }
  if (direct !== null)
    return { blocks: blocks.slice(0, direct.count), path: [], finalization: direct.finalization }
  const path: Header[] = []
  for (
    let height = fromHeight + blocks.length;
    height <= tipHeight && path.length < CHAIN_PATH_MAX;
    height++
  ) {
    const final = tree.finalByHeight(height)
    if (final === undefined) return null
    path.push(final.block.header)
    const finalization = tree.finalizationAt(height)
    if (finalization !== undefined) return { blocks, path, finalization }
  }
  return null
}

/** A chain reply whose blocks are final by its certificate, whatever they are executed to. */
export interface CheckedChain {
  readonly blocks: readonly FinalBlock[]
  readonly finalization: Certificate
  /** Whether the finalization is of the last block itself. */
  readonly isDirect: boolean
}

/**
 * Checks epoch, links, hashes, bodies, path and certificate. Where it joins our chain and what it executes to is not
 * checked.
 */
export function checkChainReply(reply: ChainReply, epoch: Epoch, verify: Verify): Result<CheckedChain> {
  const blocks: FinalBlock[] = []
  let last: { hash: BlockHash; header: Header } | null = null
  for (const header of [...reply.blocks.map((block) => block.header), ...reply.path]) {
    if (
      last !== null &&
      (!equalBytes(header.parent, last.hash) || header.height !== last.header.height + 1)
    ) {
      return fail('CHAIN_LINK', `block ${header.height} does not follow block ${last.header.height}`)
    }
    if (last !== null && endsEpoch(last.header)) {
      return fail(
        'CHAIN_EPOCH',
        `block ${header.height} follows block ${last.header.height}, which ended the epoch`,
      )
    }
    if (header.epoch !== epoch.epoch) {
      return fail(
        'CHAIN_EPOCH',
        `block ${header.height} is of epoch ${header.epoch}; expected ${epoch.epoch}`,
      )
    }
    last = { hash: headerHash(header), header }
    const block = reply.blocks[blocks.length]
    if (block !== undefined) blocks.push({ block, hash: last.hash })
  }
  if (last === null || blocks.length === 0) return fail('CHAIN_EMPTY', 'a chain reply without blocks')
  const { finalization } = reply
  if (finalization.kind !== FINALIZE || !equalBytes(finalization.hash, last.hash)) {
    return fail('CHAIN_FINALIZATION', 'the certificate does not finalize the last header')
  }
  const verified = verifyCertificate(finalization, epoch, verify)
  if (!verified.ok) return verified
  for (const { block } of blocks) {
    if (!isBodyOf(block))
      return fail('CHAIN_BODY', `the body of block ${block.header.height} is not of its header`)
  }
  return ok({ blocks, finalization, isDirect: reply.path.length === 0 })
}

/** Whether the parts of a block that its hash reaches only through roots are those of its header (R4). */
export function isBodyOf(block: Block): boolean {
  const { txRoot, nextSet } = block.header
  if (!equalBytes(transactionsRoot(block.transactions.map(transactionId)), txRoot)) return false
  if (isZeroHash(nextSet)) return block.nextSet.length === 0
  return equalBytes(authoritySetHash(block.nextSet), nextSet)
}
