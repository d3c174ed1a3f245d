/**
 * RDF that cannot be taken in. Nothing of it was sent.
 * - `RDF_FORMAT_UNKNOWN`: neither media type nor file name says one of the known formats;
 * - `RDF_SYNTAX`: the text is not of its format; where, is in the message and in `position`;
 * - `RDF_UNSUPPORTED`: well formed, but nothing that the chain holds (RDF 1.2: triple terms, base directions);
 * - `RDF_INVALID`: a statement that the chain takes in no form, such as `"x"^^xsd:integer`;
 * - `RDF_GRAPH_MISSING`: statements without a graph, and no graph named for them;
 * - `RDF_TOO_LARGE`: more quads than the caller allows;
 * - `RDF_TOO_COMPLEX`: blank nodes so alike that naming them would take too long, or a text so deeply nested that reading
 *   it breaks the parser: nothing more can be read in this process then.
 */
export class RdfError extends Error {
  override readonly name = 'RdfError'
  readonly code:
    | 'RDF_FORMAT_UNKNOWN'
    | 'RDF_SYNTAX'
    | 'RDF_UNSUPPORTED'
    | 'RDF_INVALID'
    | 'RDF_GRAPH_MISSING'
    | 'RDF_TOO_LARGE'
    | 'RDF_TOO_COMPLEX'
  readonly position: RdfPosition | null

  constructor(
    code: RdfError['code'],
    message: string,
    options: ErrorOptions & { position?: RdfPosition | null } = {},
  ) {
    super(message, options)
    this.code = code
    this.position = options.position ?? null
  }
}

/** In the text that was read; both from 1. */
export interface RdfPosition {
  readonly line: number
  readonly column: number
}
