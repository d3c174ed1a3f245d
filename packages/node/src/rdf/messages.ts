/**
 * What goes between the node and the process that reads RDF.
 * @module
 */

export interface RdfText {
  readonly text: string
  /** One that is read; parameters are left aside. */
  readonly mediaType: string
  /** For statements that name none. */
  readonly graph: string | null
  readonly base: string | null
}

export type RdfAnswer =
  /** `CanonicalRdfJson` as JSON: written where it is made, so that the node need not. */
  | { readonly kind: 'read'; readonly json: string }
  | {
      readonly kind: 'refused'
      readonly code: string
      readonly message: string
      readonly position: { readonly line: number; readonly column: number } | null
      /** What was read broke the reader; the process has to be ended. */
      readonly isBroken: boolean
    }
