/**
 * The canonical form of a dataset (RDFC-1.0), within a bound on the work.
 * @module
 */
import { canonize } from 'rdf-canonize'

/** Of the 86 published cases all but the one made to be too hard need fewer than 1,000 steps. */
export const STEPS_MAX = 4_096

export interface CanonicalOptions {
  /** How often the comparison of alike nodes may go deeper, in all; default 4,096, about a third of a second. */
  readonly stepsMax?: number
  readonly signal?: AbortSignal
  /** Default `sha256`. */
  readonly hash?: 'sha256' | 'sha384'
  /** Filled with the canonical label of each label, both with `_:`. */
  readonly labels?: Map<string, string>
}

/** @returns canonical N-Quads, blank nodes labelled `_:c14n0` and on. @throws when the work is more than is allowed. */
export function canonicalDataset(nquads: string, options: CanonicalOptions = {}): Promise<string> {
  const { stepsMax = STEPS_MAX, signal, hash = 'sha256', labels } = options
  return canonize(nquads, {
    algorithm: 'RDFC-1.0',
    inputFormat: 'application/n-quads',
    format: 'application/n-quads',
    maxDeepIterations: stepsMax,
    messageDigestAlgorithm: hash,
    ...(signal !== undefined && { signal }),
    ...(labels !== undefined && { canonicalIdMap: labels }),
  })
}
