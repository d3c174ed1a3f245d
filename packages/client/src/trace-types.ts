/**
 * What the API says of traces and of entities (PC-6).
 * @module
 */
import type { Hex } from './types.ts'

/** A statement with who signed it and when. */
export interface SignedStatementJson {
  /** IRI. */
  readonly graph: string
  readonly subject: string
  readonly predicate: string
  /** An IRI, or a literal as canonical N-Quads writes it. */
  readonly object: string
  /** Of the block that inserted it; null when it has gone meanwhile. */
  readonly height: number | null
  /** Of that block, ISO 8601. */
  readonly time: string | null
  /** Account that signed it. */
  readonly signer: Hex | null
}

export interface TraceThingJson {
  readonly iri: string
  /** Steps from the thing that was asked for. */
  readonly depth: number
  readonly label: string | null
  /** Its type or business step, and when; null when nothing says. */
  readonly what: string | null
  /** IRIs of who did it, or whom it is attributed to. */
  readonly agents: readonly string[]
  /** IRIs of events that observed it and made nothing of it. */
  readonly seen_by: readonly string[]
  /** Types, times, places, business steps. */
  readonly facts: readonly SignedStatementJson[]
}

export interface TraceStepJson {
  readonly from: string
  readonly to: string
  readonly predicate: string
  readonly graph: string
  readonly height: number | null
  readonly time: string | null
  readonly signer: Hex | null
  /** `to` was reached on another way before: a join, or a cycle. */
  readonly again: boolean
}

export interface TraceJson {
  readonly root: string
  /** `back`: where it comes from. `forth`: what became of it. */
  readonly direction: 'back' | 'forth'
  readonly height: number
  readonly things: readonly TraceThingJson[]
  readonly steps: readonly TraceStepJson[]
  /** Things that were not followed further, since the limits were reached. */
  readonly cut: readonly string[]
}

export interface EntityJson {
  /** As it was asked for. */
  readonly iri: string
  /** All IRIs of the same thing, sorted; the first stands for them. */
  readonly same: readonly string[]
  /** Why: the statements that connect them. */
  readonly links: readonly SignedStatementJson[]
  /** What is said of any of them. */
  readonly statements: readonly SignedStatementJson[]
  /** Properties that have one value, and are said to have several. */
  readonly conflicts: readonly {
    readonly predicate: string
    readonly values: readonly SignedStatementJson[]
  }[]
  /** More is said of it, or more IRIs are the same, than is shown. */
  readonly truncated: boolean
  readonly height: number
}
