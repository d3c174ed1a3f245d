/** The value that the given part of the samples does not exceed. @param part 0 to 1. @returns NaN without samples. */
export function percentile(samples: readonly number[], part: number): number {
  const sorted = samples.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? Number.NaN
}

export interface Spread {
  readonly samples: number
  readonly p50: number
  readonly p99: number
}

export function spreadOf(samples: readonly number[]): Spread {
  return { samples: samples.length, p50: percentile(samples, 0.5), p99: percentile(samples, 0.99) }
}
