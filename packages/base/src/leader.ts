/**
 * Who leads a view: a pure function of the set and the view, so that everybody agrees without a message.
 * @module
 */
import { totalWeight } from './schema/consensus.ts'
import type { AuthoritySet } from './schema/block.ts'

/** 2^64 divided by the golden ratio: multiples of it spread most evenly over a circle. */
const GOLDEN = 0x9e37_79b9_7f4a_7c15n

/**
 * Index of the authority that proposes in `view`. Equal weights take turns in the order of the set. Otherwise each
 * leads in proportion to its weight w of W: in any run of views it has its share, give or take a few, and it never
 * waits much longer than W / w views (the multiples of the golden ratio; three-distance theorem).
 * @param set not empty.
 */
export function leaderOf(view: number, set: AuthoritySet): number {
  const first = set[0]!.weight
  if (set.every(({ weight }) => weight === first)) return view % set.length
  const point = Number((BigInt.asUintN(64, BigInt(view) * GOLDEN) * BigInt(totalWeight(set))) >> 64n)
  let end = 0
  return set.findIndex(({ weight }) => point < (end += weight))
}
