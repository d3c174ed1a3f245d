/**
 * What the API says of the graphs (PC-5, PC-6).
 * @module
 */
import type { Base64, Hex, StateProofJson } from './types.ts'

export interface GraphJson {
  /** IRI. */
  readonly name: string
  /** Account that made it. */
  readonly owner: Hex
  /** Of the block that made it. */
  readonly created_at: number
  /** How many statements are in it. */
  readonly statements: number
  /** Whether shapes gate it. */
  readonly gated: boolean
}

export interface GraphsJson {
  readonly graphs: readonly GraphJson[]
  /** IRI to give as `after` for those that follow; null when these are the last. */
  readonly next: string | null
  /** Of the finalized block whose state this is. */
  readonly height: number
}

export interface GraphDetailsJson extends GraphJson {
  /** Accounts that may write besides the owner; at most 256 are told. */
  readonly grants: readonly { readonly account: Hex; readonly since: number }[]
  /** One hash over all its statements, with who inserted each and when; zeros for a graph without any. */
  readonly root: Hex
  readonly height: number
  /** Of the root. */
  readonly proof: StateProofJson
}

export interface StatementJson {
  /** Canonical N-Quads without graph and full stop. */
  readonly text: string
  /** Of the block that inserted it. */
  readonly height: number
  /** Account that signed that. */
  readonly sender: Hex
}

export interface StatementsJson {
  readonly graph: string
  /** Null: all subjects. */
  readonly subject: string | null
  readonly statements: readonly StatementJson[]
  /** What to give as `after` for those that follow; null when these are the last. */
  readonly next: Hex | null
  readonly height: number
  /** That these are all up to `next`; null with `?proof=false`. */
  readonly proof: StateProofJson | null
}

/** What final blocks changed in a graph. */
export interface GraphChangesJson {
  /** IRI. */
  readonly graph: string
  /** As asked. */
  readonly from: number
  /** All that fits, of the blocks after `from` up to this one, is here; ask again from it. */
  readonly height: number
  /** In the order of heights. Statements are canonical N-Quads without graph and full stop. */
  readonly changes: readonly {
    readonly height: number
    readonly inserted: readonly string[]
    readonly deleted: readonly string[]
  }[]
}

/** IRIs of graphs, or all there are. Of a graph that the chain does not have (any more) the id: `urn:sha256:…`. */
export type HeldGraphsJson = 'all' | readonly string[]

/** Which graphs are kept for queries, and by whom. */
export interface GraphHoldersJson {
  /** By the node itself. */
  readonly held: HeldGraphsJson
  /** By its peers, as they say. */
  readonly peers: readonly { readonly peer_id: string; readonly held: HeldGraphsJson }[]
}

/** Whether one statement is in a graph. */
export interface StatementProofJson {
  readonly graph: string
  readonly exists: boolean
  /** Null when it does not exist. */
  readonly statement: StatementJson | null
  readonly height: number
  readonly proof: StateProofJson
}

/** RDF in the form that the chain takes, not sent anywhere. */
export interface CanonicalRdfJson {
  /** Statements of a group shared a blank node, and stay together. */
  readonly groups: readonly (readonly {
    /** IRI. */
    readonly graph: string
    /** Canonical N-Quads without graph and full stop. */
    readonly statement: string
  }[])[]
  readonly quads: number
  /** Blank nodes that were given IRIs. */
  readonly blank_nodes: number
  /** The same, ready to be signed: one list for each transaction, of the bodies of its operations of module `graph`. */
  readonly transactions: readonly (readonly Base64[])[]
}
