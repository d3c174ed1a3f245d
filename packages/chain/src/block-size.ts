/**
 * How large the blocks are that a leader proposes: as large as they may be, and smaller while large ones do not get through.
 * When views end without a block, the machines or their links are too slow for what is proposed, and proposing as much again
 * costs them the more. Each leader knows it from the chain alone. Pure.
 * @module
 */
import { assert, TRANSACTION_BYTES_MAX } from '@althing/base'

/** Any transaction still fits. */
const BYTES_MIN = TRANSACTION_BYTES_MAX + 4_096
/** A leader that is gone costs its own views only: nothing follows from one. */
const FORGIVEN_VIEWS = 1
/** By such a part of the most it grows again, with each block that followed at once. */
const GROWTH_SHARE = 1 / 8

export class BlockSize {
  readonly #bytesMax: number
  #bytes: number

  constructor(bytesMax: number) {
    assert(bytesMax > 0, `blocks of at most ${bytesMax} bytes`)
    this.#bytesMax = bytesMax
    this.#bytes = bytesMax
  }

  /** Of the block to be proposed. @param failedViews those between its view and its parent's, which have no block. */
  next(failedViews: number): number {
    const halvings = Math.max(0, failedViews - FORGIVEN_VIEWS)
    const least = Math.min(BYTES_MIN, this.#bytesMax)
    if (halvings > 0) this.#bytes = Math.max(least, Math.min(this.#bytes, this.#bytesMax / 2 ** halvings))
    else this.#bytes = Math.min(this.#bytesMax, this.#bytes + this.#bytesMax * GROWTH_SHARE)
    return Math.floor(this.#bytes)
  }
}
