/**
 * The door of the consensus core: facts in, orders out. Pure; the shell performs the effects in order and decides
 * nothing.
 * @module
 */
import type {
  Block,
  BlockHash,
  Certificate,
  Epoch,
  Evidence,
  Header,
  Proposal,
  Verify,
  Vote,
  VoteSigner,
} from '@althing/base'
import type { Executor, FinalBlock, FinalBlocks } from '../ports.ts'
import type { RestoredLog } from './vote-log.ts'

/** A peer as the network names it. */
export type PeerRef = string

export interface Status {
  readonly epoch: number
  readonly view: number
  /** Of the sender's finalized tip. */
  readonly height: number
  /** The sender signs no votes (R12). */
  readonly observer: boolean
}

/** A run of final blocks of one epoch, in height order, ending (R10) at one with a direct finalization where the size allows. */
export interface ChainReply {
  readonly blocks: readonly Block[]
  /** Headers from the last block on to a later one that the finalization is of; empty when it is of the last block. */
  readonly path: readonly Header[]
  readonly finalization: Certificate
}

export type ConsensusMessage =
  | { readonly kind: 'proposal'; readonly proposal: Proposal }
  | { readonly kind: 'vote'; readonly vote: Vote }
  | { readonly kind: 'certificate'; readonly certificate: Certificate }
  | { readonly kind: 'status'; readonly status: Status }
  | { readonly kind: 'getCertificate'; readonly epoch: number; readonly view: number }
  | { readonly kind: 'getBlock'; readonly hash: BlockHash }
  | { readonly kind: 'block'; readonly block: Block }
  | { readonly kind: 'getChain'; readonly fromHeight: number }
  | { readonly kind: 'chain'; readonly reply: ChainReply }
  | { readonly kind: 'evidence'; readonly evidence: Evidence }

export type Input =
  /** @param authority index in the present set of the authority that the link's other end proved to be, or null. */
  | {
      readonly kind: 'messageReceived'
      readonly from: PeerRef
      readonly authority: number | null
      readonly message: ConsensusMessage
    }
  | { readonly kind: 'peerConnected'; readonly peer: PeerRef; readonly height: number }
  | { readonly kind: 'peerDisconnected'; readonly peer: PeerRef }
  /** The pool took a transaction: may end an idle wait (R14). */
  | { readonly kind: 'poolChanged' }
  /** Blocks up to `height` are durable: the log before them may go (P16). */
  | { readonly kind: 'committed'; readonly height: number }
  | { readonly kind: 'tick' }

export type Effect =
  /**
   * Append to the last segment of a vote log, in order. Before any later effect of this step leaves the process it
   * is fsynced (R2). A node without a signer is given none. `log` says whose: 0 is that of the first key.
   */
  | { readonly kind: 'append'; readonly log: number; readonly record: Uint8Array }
  /**
   * The last segment is complete: fsync it, then create segment `sequence` with these bytes, durable before the next
   * effect; later appends go there.
   */
  | {
      readonly kind: 'startSegment'
      readonly log: number
      readonly sequence: number
      readonly bytes: Uint8Array
    }
  /** Segments of the vote log with a lower sequence are no longer needed; they may go at any time from now on (P16). */
  | { readonly kind: 'forget'; readonly log: number; readonly belowSequence: number }
  | { readonly kind: 'broadcast'; readonly message: ConsensusMessage }
  | { readonly kind: 'send'; readonly to: PeerRef; readonly message: ConsensusMessage }
  /**
   * These blocks are final, in height order. Commit them in one atomic step, then feed `committed`.
   * `finalization` is of the last of them; null when they are final by a later block that is not here yet (R10).
   * A block that ends an epoch is always the last of a commit, with its own finalization.
   */
  | {
      readonly kind: 'commit'
      readonly blocks: readonly FinalBlock[]
      readonly finalization: Certificate | null
    }
  /** The peer must have known better; the reason is for its record. */
  | { readonly kind: 'charge'; readonly peer: PeerRef; readonly reason: string }
  | { readonly kind: 'event'; readonly event: ConsensusEvent }
  /**
   * R12: bring the operation rejoin(key, nonce) into a block. Ordered again now and then until it is final; when it is
   * under way already there is nothing to do.
   */
  | { readonly kind: 'submitRejoin'; readonly key: Uint8Array; readonly nonce: Uint8Array }

export type ConsensusEvent =
  | { readonly kind: 'viewEntered'; readonly epoch: number; readonly view: number }
  /** The block that ended the epoch before is final; `set` decides from here on (R11). */
  | ({ readonly kind: 'epochEntered'; readonly anchorHeight: number } & Epoch)
  /** The head is this block now; those between it and the head before, or the `ancestor` of a reorg, with it. */
  | {
      readonly kind: 'blockNotarized'
      readonly height: number
      readonly hash: BlockHash
      readonly view: number
    }
  /** The head left blocks that were notarized: back to `ancestor`, then on to `to`. Never below what is final. */
  | { readonly kind: 'reorg'; readonly from: BlockHash; readonly to: BlockHash; readonly ancestor: BlockHash }
  | { readonly kind: 'proposalRefused'; readonly view: number; readonly reason: string }
  /** An authority signed twice: found here, or told by a peer and verified. Once for each signer and epoch. */
  | ({ readonly kind: 'evidenceFound' } & Evidence)
  | { readonly kind: 'halted'; readonly reason: string; readonly proof: readonly Certificate[] }
  /** The chain needs a newer release. */
  | { readonly kind: 'versionUnknown'; readonly height: number; readonly version: number }

export interface ConsensusConfig {
  /** The first epoch, as genesis gives it. The present one is read from the final blocks (R11). */
  readonly epoch: Epoch
  readonly intervalMs: number
  readonly idleIntervalMs: number
  /** T0 of R8. */
  readonly timeoutBaseMs: number
  readonly timeoutMaxMs: number
  readonly driftMs: number
  /** State is retransmitted every 1 to 2 times this (R9). */
  readonly retransmitMs: number
  /** Bytes of a `chain` reply, at most, unless its first block alone is larger. */
  readonly chainReplyBytesMax: number
  readonly blockBytesMax: number
  /** A segment of the vote log that has become larger is followed by a new one. */
  readonly segmentBytesMax: number
}

export interface ConsensusPorts {
  readonly executor: Executor
  readonly finalBlocks: FinalBlocks
  readonly verify: Verify
  /** Absent on a full node. It votes in the epochs whose set has its key. */
  readonly signer?: VoteSigner
  /** A float in [0, 1); for jitter only. */
  readonly random: () => number
}

/** A key of this node's authority and the log of its votes. */
export interface AuthorityKey {
  readonly signer: VoteSigner
  /** What `replayVoteLog` gave back. */
  readonly log: RestoredLog
}

/** Two clocks (R8): durations are monotonic, timestamps are wall time. */
export interface Now {
  readonly monotonicMs: number
  readonly wallMs: number
}

/** A block above the finalized tip: executed here and valid. */
export interface UnfinalizedBlock {
  readonly height: number
  readonly hash: BlockHash
  readonly parent: BlockHash
  /** In which it was proposed first. */
  readonly view: number
  /** `notarized` can only be undone by a nullification of its view; `proposed` by any other block. */
  readonly label: 'proposed' | 'notarized'
}

/** What people ask: why is the next block not final? */
export interface ConsensusView {
  readonly epoch: number
  readonly view: number
  readonly floor: number
  readonly finalizedHeight: number
  readonly finalizedHash: BlockHash
  readonly headHeight: number
  readonly headHash: BlockHash
  readonly leader: number
  readonly idle: boolean
  readonly halted: string | null
  /** Two finalizations that contradict each other (R7), as far as there are such; empty while it is not halted. */
  readonly haltProof: readonly Certificate[]
  /** Why this node signs no votes; null when it does. */
  readonly observer: string | null
  readonly quorumWeight: number
  readonly authorities: readonly {
    readonly index: number
    readonly key: Uint8Array
    readonly weight: number
    /** Milliseconds since it was heard, by the monotonic clock; null when never. */
    readonly silentMs: number | null
    readonly votedNotarize: boolean
    readonly votedNullify: boolean
    readonly votedFinalize: boolean
  }[]
}
