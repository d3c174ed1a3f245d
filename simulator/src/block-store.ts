/**
 * Final blocks of one machine. The real store commits a batch atomically, and so does this one.
 * @module
 */
import { hashToHex } from '@althing/base'
import type { BlockHash, Certificate } from '@althing/base'
import type { FinalBlock, FinalBlocks } from '@althing/chain'

interface FinalEntry extends FinalBlock {
  finalization: Certificate | undefined
}

/** Final blocks; a batch is durable as a whole or not at all. */
export class SimulatedBlockStore implements FinalBlocks {
  readonly #entries: FinalEntry[]
  readonly #heightByHash = new Map<string, number>()

  /** @param genesis block 0; final from the start. */
  constructor(genesis: FinalBlock) {
    this.#entries = [{ ...genesis, finalization: undefined }]
    this.#heightByHash.set(hashToHex(genesis.hash), 0)
  }

  get height(): number {
    return this.#entries.length - 1
  }

  byHeight(height: number): FinalBlock | undefined {
    return this.#entries[height]
  }

  byHash(hash: BlockHash): FinalBlock | undefined {
    const height = this.#heightByHash.get(hashToHex(hash))
    return height === undefined ? undefined : this.#entries[height]
  }

  finalizationAt(height: number): Certificate | undefined {
    return this.#entries[height]?.finalization
  }

  /** @param blocks the next heights, in order. @param finalization of the last of them. */
  commit(blocks: readonly FinalBlock[], finalization: Certificate | null): void {
    for (const { block, hash } of blocks) {
      if (block.header.height !== this.height + 1) {
        throw new RangeError(`commit of height ${block.header.height} on height ${this.height}`)
      }
      this.#entries.push({ block, hash, finalization: undefined })
      this.#heightByHash.set(hashToHex(hash), block.header.height)
    }
    this.#entries[this.height]!.finalization = finalization ?? undefined
  }
}
