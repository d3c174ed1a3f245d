/** What is used of rdf-canonize, which has no types of its own. */
declare module 'rdf-canonize' {
  interface CanonizeOptions {
    readonly algorithm: 'RDFC-1.0'
    readonly inputFormat: 'application/n-quads'
    readonly format: 'application/n-quads'
    /** How often the comparison of alike nodes may go deeper, in all. */
    readonly maxDeepIterations?: number
    readonly signal?: AbortSignal
    readonly messageDigestAlgorithm?: 'sha256' | 'sha384'
    /** Filled with the canonical label of each label, both with `_:`. */
    readonly canonicalIdMap?: Map<string, string>
  }
  export function canonize(nquads: string, options: CanonizeOptions): Promise<string>
}
