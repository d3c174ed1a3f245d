/**
 * What a block does to the graph, told to whoever keeps an index of it (SPARQL, events).
 *
 * A node that follows: after each final block it takes `ChainLedger.graphChanges(executed.state)` and applies the changes
 * in their order, which gives what the state holds then. A node that starts, or has lost its index, reads all statements
 * of the state once (`GraphView.statements`) and follows from there.
 * @module
 */
import type { Statement } from '@althing/base'

export interface GraphChange {
  /** `inserted`: it was not there before. `deleted`: it was. */
  readonly kind: 'inserted' | 'deleted'
  /** IRI. */
  readonly graph: string
  readonly statement: Statement
  /** Account id of who signed the transaction. */
  readonly sender: Uint8Array
}
