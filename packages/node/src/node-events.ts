/**
 * What happens in a node, for who embeds it (VC-7).
 * @module
 */
import type { BlockHash } from '@althing/base'
import type { ConsensusEvent } from '@althing/chain'
import type { NetworkEvent } from '@althing/network'

/** A block was found valid when a quorum of authorities voted for it: `blockNotarized`, of the consensus. */
export type NodeEvent =
  | NetworkEvent
  | ConsensusEvent
  /** From a peer, signed by the authority whose turn it was, or asked for; not executed yet. */
  | {
      readonly kind: 'blockReceived'
      readonly peer: string
      readonly height: number
      readonly hash: BlockHash
    }
  /** The block at this height, and all before it, are final and on disk. */
  | { readonly kind: 'blockFinal'; readonly height: number }
  /** A batch of transactions from a peer; nothing is checked yet. */
  | { readonly kind: 'transactionsReceived'; readonly peer: string; readonly bytes: number }
  /** Some of the batch are new, signed and in the pool now. */
  | { readonly kind: 'transactionsValidated'; readonly peer: string; readonly bytes: number }
  /** This node is behind, and asked a peer for the blocks from this height on. */
  | { readonly kind: 'syncRequested'; readonly peer: string; readonly fromHeight: number }
  /** It has what any of its peers says to have as final. */
  | { readonly kind: 'syncCompleted'; readonly height: number }

/** When a node that fell behind has caught up. */
export class SyncWatch {
  #isBehind = false

  requested(): void {
    this.#isBehind = true
  }

  /** @param claimed asks the highest final height that a peer claims. @returns whether that was the end of catching up. */
  reached(height: number, claimed: () => number): boolean {
    if (!this.#isBehind || height < claimed()) return false
    this.#isBehind = false
    return true
  }
}
