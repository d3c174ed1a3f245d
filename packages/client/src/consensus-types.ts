/**
 * What the next block waits for, as a node sees it, and who the authorities are, as the chain says it.
 * @module
 */
import type { AuthorityJson, Base64, ConsensusJson, Hex } from './types.ts'

/** `GET /api/v1/consensus` */
export interface ConsensusReport extends Omit<ConsensusJson, 'authorities'> {
  readonly state: 'halted' | 'stopped' | 'catching-up' | 'idle' | 'working' | 'waiting'
  /** Why the next block is not final yet, in words. */
  readonly text: string
  /** What a person can do; empty when nothing needs to be done. */
  readonly advice: readonly string[]
  readonly finalized_height: number
  readonly finalized_hash: Hex
  readonly head_height: number
  /** Since the last block became final here; null before the first. */
  readonly since_final_ms: number | null
  /** What the authorities that are heard could vote together; a block needs `quorum_weight`. */
  readonly weight_heard: number
  /** Two finalizations that contradict each other, as far as there are such, in SSZ; empty unless it has halted. */
  readonly halt_proof: readonly Base64[]
  readonly authorities: readonly AuthorityReport[]
}

export interface AuthorityReport extends AuthorityJson {
  /** This node is it. */
  readonly self: boolean
  /** Not heard for longer than it may be silent. */
  readonly missing: boolean
  /** The session that leads to it; null when there is none. */
  readonly link: {
    readonly peer_id: string
    readonly address: string
    readonly relayed: boolean
    /** Round trip. */
    readonly latency_ms: number | null
  } | null
  /** How the last link ended; null when it did not. */
  readonly last_end: string | null
  /** What its clock shows more than this node's; null when that is not known. */
  readonly clock_offset_ms: number | null
  /** It differs by more than `consensus.clock_drift`. */
  readonly clock_wrong: boolean
}

/** `GET /api/v1/authorities`: from the latest final state. */
export interface AuthoritiesJson {
  /** Of the block whose state says all this. */
  readonly height: number
  readonly epoch: number
  readonly first_height: number
  /** Hash of the block that the epoch starts on; null until its first block is final. */
  readonly anchor: Hex | null
  readonly quorum_weight: number
  readonly authorities: readonly MemberJson[]
  readonly proposals: readonly ProposalJson[]
  /** Keys that may enter the set, and when they last showed that they are alive. */
  readonly candidates: readonly {
    readonly public_key: Hex
    readonly heartbeat_at: number | null
    /** From this height on it is too old to enter. */
    readonly stale_at: number | null
  }[]
  readonly bonds: readonly { readonly public_key: Hex; readonly amount: string }[]
  readonly unbondings: readonly {
    readonly public_key: Hex
    readonly amount: string
    readonly epoch: number
  }[]
  readonly next_boundary: {
    /** The first block that may end the epoch, and the last. */
    readonly earliest: number
    readonly latest: number
    /** An authority waits for it to vote again (R12). */
    readonly rejoin_pending: boolean
    /** An authority that signed twice has to leave. */
    readonly removal_pending: boolean
  }
  readonly protocol: {
    readonly version: number
    readonly next: { readonly version: number; readonly height: number } | null
  }
}

export interface MemberJson {
  readonly index: number
  readonly public_key: Hex
  readonly weight: number
  readonly missed_total: number
  /** Heights of the blocks after its last missed turns. */
  readonly misses: readonly number[]
  readonly bond: string
  /** It lost its votes, and votes again from the epoch after this one. */
  readonly rejoin: { readonly epoch: number; readonly height: number } | null
  /** The first double signature of it that was proved. */
  readonly offence: { readonly epoch: number; readonly view: number; readonly height: number } | null
}

export interface ProposalJson {
  readonly id: Hex
  readonly proposer: Hex
  readonly change: {
    readonly kind: 'add' | 'remove' | 'changeKey' | 'changeWeight' | 'activate'
    readonly public_key?: Hex
    readonly new_key?: Hex
    readonly weight?: number
    readonly version?: number
    readonly height?: number
  }
  readonly proposed_at: number
  /** The last height at which votes count. */
  readonly expires: number
  /** Null while it is voted on; then it waits for the end of an epoch. */
  readonly approved_at: number | null
  readonly voters: readonly Hex[]
  readonly weight: number
}

/** `GET /api/v1/evidence`: proofs of double signatures that a node knows of. */
export interface EvidenceListJson {
  readonly evidence: readonly {
    readonly epoch: number
    readonly view: number
    readonly authority: number
    /** SSZ, as `althing evidence verify` reads it. */
    readonly proof: Base64
  }[]
}
