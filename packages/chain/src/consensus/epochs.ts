/**
 * Where epochs begin, read from final blocks: the set in force comes from the block that ended the epoch before (R11),
 * whatever genesis says. Pure.
 * @module
 */
import { endsEpoch, epochAfter } from '@althing/base'
import type { Epoch } from '@althing/base'
import type { FinalBlock } from '../ports.ts'

/** An epoch, and the height of the block that it rests on; that block's hash is the anchor. */
export interface EpochStart extends Epoch {
  readonly anchorHeight: number
}

/** Final blocks, durable or about to be. */
export interface FinalChain {
  readonly tip: FinalBlock
  finalByHeight(height: number): FinalBlock | undefined
}

/** The epoch that a block on the tip belongs to. @param first epoch 0, as genesis gives it. */
export function presentEpoch(first: Epoch, chain: FinalChain): EpochStart {
  const { header } = chain.tip.block
  if (header.height === 0) return { ...first, anchorHeight: 0 }
  const { epoch } = header
  return startOn(chain.tip) ?? epochStart(epoch, first, chain)!
}

/** @returns undefined when the epoch has not begun, or the block that it rests on is not held. */
export function epochStart(epoch: number, first: Epoch, chain: FinalChain): EpochStart | undefined {
  if (epoch === 0) return { ...first, anchorHeight: 0 }
  // The lowest block of this epoch or a later one; blocks that were let go are older than all that are held.
  let low = 1
  let high = chain.tip.block.header.height + 1
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const header = chain.finalByHeight(middle)?.block.header
    if (header !== undefined && header.epoch >= epoch) high = middle
    else low = middle + 1
  }
  const anchor = chain.finalByHeight(low - 1)
  const start = anchor === undefined ? undefined : startOn(anchor)
  return start?.epoch === epoch ? start : undefined
}

/** The epoch that begins on this block, if one does. */
export function startOn({ block, hash }: FinalBlock): EpochStart | undefined {
  if (!endsEpoch(block.header)) return undefined
  return { ...epochAfter(block, hash), anchorHeight: block.header.height }
}
