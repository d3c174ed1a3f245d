/**
 * `GET /api/v1/consensus`: what the next block waits for, as a node sees it.
 * @module
 */
import type { AuthorityJson, Base64, ConsensusJson, Hex } from './types.ts'

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
