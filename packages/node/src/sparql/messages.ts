/**
 * What goes between the node and a process that holds a copy of the graphs.
 * @module
 */

/** Of a query and its protocol parameters, already checked. */
export interface WorkerQuery {
  readonly query: string
  /** Of the answer. */
  readonly mediaType: string
  /** IRIs; what is absent is as the query says, or all graphs together when it says nothing. */
  readonly defaultGraphs: readonly string[] | null
  readonly namedGraphs: readonly string[] | null
  readonly unionDefault: boolean
  /** More rows than this in an answer are counted, and refused. */
  readonly rowsMax: number
  readonly bytesMax: number
}

export type WorkerOrder =
  /** Statements of the height that is being loaded, as lines of N-Quads. Answered by `done`. */
  | { readonly kind: 'load'; readonly id: number; readonly text: string }
  /** Graphs that are there, even without statements. */
  | { readonly kind: 'name'; readonly graphs: readonly string[] }
  /** Everything of `height` is loaded. */
  | { readonly kind: 'loaded'; readonly height: number }
  /** What a block changed, as lines of N-Quads. */
  | { readonly kind: 'apply'; readonly height: number; readonly deleted: string; readonly inserted: string }
  | { readonly kind: 'query'; readonly id: number; readonly query: WorkerQuery }

export type WorkerAnswer =
  | { readonly kind: 'done'; readonly id: number }
  | {
      readonly kind: 'result'
      readonly id: number
      readonly text: string
      readonly height: number
      readonly rows: number
    }
  | { readonly kind: 'failed'; readonly id: number; readonly failure: WorkerFailure }

export type WorkerFailure =
  | { readonly reason: 'syntax'; readonly message: string }
  | { readonly reason: 'evaluation'; readonly message: string }
  | { readonly reason: 'rows'; readonly rows: number }
  | { readonly reason: 'bytes'; readonly bytes: number }
  /** The store is broken by it, and answers nothing any more: the process has to be ended. */
  | { readonly reason: 'broken'; readonly message: string }
