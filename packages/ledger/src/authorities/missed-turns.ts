/**
 * Turns that leaders missed: those of the views between a block and its parent (R11). Pure.
 * @module
 */
import { leaderOf, MISSES_MAX } from '@althing/base'
import type { EpochRecord } from '@althing/base'
import type { StateWriter } from '../pending.ts'
import { changeAuthority, readAuthority } from './records.ts'

/** Of a longer gap, the last views count: then the chain stood still, and whose fault it was cannot be said. */
const VIEWS_COUNTED_MAX = 256

/** @param views of the block, and of its parent: 0 when the block is the first of its epoch. */
export function noteMissedTurns(
  state: StateWriter,
  { set }: EpochRecord,
  views: { readonly view: number; readonly parentView: number },
  height: number,
): void {
  const first = Math.max(views.parentView + 1, views.view - VIEWS_COUNTED_MAX)
  const missedByIndex = new Map<number, number>()
  for (let view = first; view < views.view; view++) {
    const leader = leaderOf(view, set)
    missedByIndex.set(leader, (missedByIndex.get(leader) ?? 0) + 1)
  }
  for (const [index, missed] of missedByIndex) {
    const { key } = set[index]!
    const record = readAuthority(state, key)
    const misses = [...record.misses, ...Array<number>(missed).fill(height)].slice(-MISSES_MAX)
    changeAuthority(state, key, { missedTotal: record.missedTotal + missed, misses })
  }
}
