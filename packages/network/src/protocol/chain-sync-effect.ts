/**
 * What goes into the synchronisation, and what comes out of it.
 * @module
 */
import type { BlockRef } from './chain-messages.ts'
import type { Offence } from './reputation.ts'

export interface ChainSyncLimits {
  /** Blocks of one request. */
  readonly rangeBlocksMax: number
  /** The largest answer, counted for each request under way. */
  readonly rangeBytesMax: number
  readonly windowRanges: number
  readonly bufferBytesMax: number
  readonly rangesPerPeerMax: number
  /** A head that is claimed and not here yet is given so long to come by itself before anything is asked for. */
  readonly headPatienceMs: number
  /** A range that is not answered for so long is asked of another peer, where there is one. */
  readonly slowAnswerMs: number
  /** A peer that failed leads no session for so long; doubles with each failure in a row. */
  readonly syncBackoffMinMs: number
  readonly syncBackoffMaxMs: number
  /** Sessions in a row for which a lead had nothing to show before it is charged a fault. */
  readonly emptyClaimsMax: number
  /** Peers that are asked for the checkpoint before the chain begins at its genesis. */
  readonly checkpointTriesMax: number
}

/** From a trusted checkpoint, from the genesis, or on from what is there (VC-6). */
export type SyncStrategy = 'fast' | 'full' | 'incremental'

/**
 * How a range was taken: all of it; not, since the parent of its first block is not here; it breaks the rules of the chain; or this
 * side would not or could not take it now.
 */
export type RangeVerdict = 'linked' | 'parentMissing' | 'invalid' | 'notTaken'

/**
 * How the block of the checkpoint was taken: the chain begins there now; this peer did not give it; or the chain will not begin there,
 * whoever gives it.
 */
export type CheckpointVerdict = 'taken' | 'notGiven' | 'refused'

/** A question without a useful answer. */
export interface Failure {
  /** No honest peer answers so; else it was only unable, or out of reach. */
  readonly isFault: boolean
  readonly problem: string
}

export type SyncInput<Block> =
  /**
   * @property lowestHeight of the blocks that the peer can give; null when it only showed that it has this one, be it its last or not.
   * @property known the block is here already.
   */
  | {
      readonly kind: 'headClaimed'
      readonly peer: string
      readonly head: BlockRef
      readonly lowestHeight: number | null
      readonly known: boolean
    }
  | { readonly kind: 'peerLost'; readonly peer: string }
  | { readonly kind: 'blockStored'; readonly id: string }
  /** @property floor what is final, which no other branch replaces; 0 where nothing is. */
  | { readonly kind: 'localHeadChanged'; readonly height: number; readonly floor: number }
  /** The highest block that both have. */
  | { readonly kind: 'ancestorFound'; readonly sessionId: number; readonly height: number }
  | ({ readonly kind: 'ancestorFailed'; readonly sessionId: number } & Failure)
  | {
      readonly kind: 'checkpointTried'
      readonly sessionId: number
      readonly verdict: CheckpointVerdict
      readonly problem: string
    }
  /** At most as many as were asked for, from the height asked for, each the parent of the next. */
  | {
      readonly kind: 'rangeReceived'
      readonly rangeId: number
      readonly blocks: readonly Block[]
      readonly bytes: number
    }
  | ({ readonly kind: 'rangeFailed'; readonly rangeId: number } & Failure)
  /** @property lastId of the last block of it that is here now. */
  | {
      readonly kind: 'rangeApplied'
      readonly rangeId: number
      readonly verdict: RangeVerdict
      readonly stored: number
      readonly lastId: string | null
    }
  | { readonly kind: 'timePassed' }

export type SyncEffect<Block> =
  /** Answered with `ancestorFound` or `ancestorFailed`. */
  | { readonly kind: 'askAncestor'; readonly sessionId: number; readonly peer: string }
  /** Ask for this block and begin there; answered with `checkpointTried`. */
  | {
      readonly kind: 'tryCheckpoint'
      readonly sessionId: number
      readonly peer: string
      readonly checkpoint: BlockRef
    }
  | {
      readonly kind: 'askRange'
      readonly rangeId: number
      readonly peer: string
      readonly from: number
      readonly count: number
    }
  /** Answered with `rangeApplied`. */
  | {
      readonly kind: 'applyRange'
      readonly rangeId: number
      readonly peer: string
      readonly blocks: readonly Block[]
    }
  | {
      readonly kind: 'penalise'
      readonly peer: string
      readonly offence: Offence
      readonly reason: string
    }
  | {
      readonly kind: 'syncStarted'
      readonly peer: string
      readonly strategy: SyncStrategy
      /** Why this strategy, for people. */
      readonly why: string
      readonly claimed: number
    }
  /** From now on the chain begins at its genesis. */
  | { readonly kind: 'checkpointGivenUp'; readonly problem: string }
  /** @property problem null when the head of the lead was reached. */
  | {
      readonly kind: 'syncEnded'
      readonly peer: string
      readonly strategy: SyncStrategy
      readonly stored: number
      readonly problem: string | null
    }
