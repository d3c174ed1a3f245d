/** What is used of sparqljs, which has no types of its own. Terms are those of RDF/JS. */
declare module 'sparqljs' {
  export interface Term {
    readonly termType: 'NamedNode' | 'Literal' | 'Variable' | 'BlankNode' | 'Quad' | 'Wildcard'
    readonly value: string
    readonly language?: string
    readonly datatype?: Term
  }
  export interface Path {
    readonly type: 'path'
    readonly pathType: '/' | '|' | '^' | '!' | '*' | '+' | '?'
    readonly items: readonly (Term | Path)[]
  }
  export interface Triple {
    readonly subject: Term
    readonly predicate: Term | Path
    readonly object: Term
  }
  /** Patterns, groups and expressions; which of the fields there are follows from `type`. */
  export interface Node {
    readonly type: string
    readonly [field: string]: unknown
  }
  export interface Query extends Node {
    readonly queryType: 'SELECT' | 'ASK' | 'CONSTRUCT' | 'DESCRIBE'
    readonly variables?: readonly (Term | Node)[]
    readonly from?: { readonly default: readonly Term[]; readonly named: readonly Term[] }
    readonly where?: readonly Node[]
  }
  export class Parser {
    constructor(options?: { readonly sparqlStar?: boolean; readonly skipValidation?: boolean })
    parse(text: string): Query | { readonly type: 'update' }
  }
}
