/**
 * The messages in which nodes tell and ask each other of graphs.
 * @module
 */
import type { KindSpec } from '@althing/network'

const ANSWER_BYTES_MAX = 8_388_608

export const GRAPH_KINDS = {
  /** To each peer when the session opens, and now and then: `HeldGraphs`. The newest one counts. */
  'graph.held': { id: 8, lane: 'normal', maxBytes: 32_768 },
  /** `MatchQuestion`; the answer is statements without graph and full stop, each on a line. */
  'graph.match': { id: 9, lane: 'normal', maxBytes: ANSWER_BYTES_MAX },
  /** `CheckQuestion`; the answer is an `AnswerReceipt`. */
  'graph.check': { id: 10, lane: 'normal', maxBytes: 655_360 },
} as const satisfies Record<string, KindSpec>
