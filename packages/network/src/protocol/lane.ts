/**
 * The four priorities of a message (PT-1).
 * `critical` security and consensus; `high` blocks and their validation; `normal` transactions; `low` discovery, keep-alive.
 * @module
 */
export type Lane = 'critical' | 'high' | 'normal' | 'low'

/** In order of priority; the index is the lane's number on the wire. */
export const LANES: readonly Lane[] = ['critical', 'high', 'normal', 'low']

export type PerLane<T> = Readonly<Record<Lane, T>>

export function perLane<T>(make: (lane: Lane) => T): PerLane<T> {
  return { critical: make('critical'), high: make('high'), normal: make('normal'), low: make('low') }
}
