/**
 * Figures over time, at three resolutions (PT-12). Memory is fixed when it is made: each figure has a ring for each resolution,
 * whose places are named by time, so that a pause of the node leaves a gap and nothing has to be moved.
 * H1  a point is the mean and the maximum of the samples in its time
 * H2  a sample whose time is before the latest point, as after a clock was set back, counts into nothing
 * @module
 */

export interface Resolution {
  readonly stepMs: number
  readonly points: number
}

/** 10 minutes, a day, a year. */
export const RESOLUTIONS = {
  '1s': { stepMs: 1_000, points: 600 },
  '1m': { stepMs: 60_000, points: 1_440 },
  '1h': { stepMs: 3_600_000, points: 8_760 },
} as const satisfies Record<string, Resolution>

export type ResolutionName = keyof typeof RESOLUTIONS

export interface Point {
  /** Wall clock; where its time begins. */
  readonly atMs: number
  readonly mean: number
  readonly max: number
}

/** One place each per point; at least seven digits, as Float32 has. */
export interface Series {
  readonly mean: Float32Array
  readonly max: Float32Array
  /** Samples in the point; without any there is none. */
  readonly counts: Uint32Array
}

export interface Ring {
  /** Time divided by the step, plus one; 0 where nothing was ever written. */
  readonly stamps: Float64Array
  readonly seriesByFigure: ReadonlyMap<string, Series>
}

export class History<Figure extends string> {
  readonly figures: readonly Figure[]
  readonly rings: Readonly<Record<ResolutionName, Ring>>

  constructor(figures: readonly Figure[]) {
    this.figures = figures
    const ring = ({ points }: Resolution): Ring => ({
      stamps: new Float64Array(points),
      seriesByFigure: new Map(figures.map((figure) => [figure, emptySeries(points)])),
    })
    this.rings = {
      '1s': ring(RESOLUTIONS['1s']),
      '1m': ring(RESOLUTIONS['1m']),
      '1h': ring(RESOLUTIONS['1h']),
    }
  }

  /** @param sample figures that are not known now are left out. */
  add(sample: Readonly<Partial<Record<Figure, number>>>, wallMs: number): void {
    for (const [name, { stepMs, points }] of Object.entries(RESOLUTIONS)) {
      const ring = this.rings[name as ResolutionName]
      const stamp = Math.floor(wallMs / stepMs) + 1
      const place = stamp % points
      const written = ring.stamps[place]!
      if (written > stamp) continue
      if (written < stamp) begin(ring, place, stamp)
      addTo(ring, place, sample)
    }
  }

  /** Oldest first; times of which nothing is known are left out. */
  series(figure: Figure, resolution: ResolutionName, nowMs: number): Point[] {
    const { stepMs, points } = RESOLUTIONS[resolution]
    const { stamps, seriesByFigure } = this.rings[resolution]
    const { mean, max, counts } = seriesByFigure.get(figure)!
    const last = Math.floor(nowMs / stepMs) + 1
    const found: Point[] = []
    for (let stamp = last - points + 1; stamp <= last; stamp++) {
      const place = ((stamp % points) + points) % points
      if (stamps[place] !== stamp || counts[place] === 0) continue
      found.push({ atMs: (stamp - 1) * stepMs, mean: mean[place]!, max: max[place]! })
    }
    return found
  }
}

function emptySeries(points: number): Series {
  return {
    mean: new Float32Array(points),
    max: new Float32Array(points),
    counts: new Uint32Array(points),
  }
}

function begin(ring: Ring, place: number, stamp: number): void {
  ring.stamps[place] = stamp
  for (const { counts } of ring.seriesByFigure.values()) counts[place] = 0
}

function addTo(ring: Ring, place: number, sample: Readonly<Partial<Record<string, number>>>): void {
  for (const [figure, { mean, max, counts }] of ring.seriesByFigure) {
    const value = sample[figure]
    if (value === undefined) continue
    const count = (counts[place]! += 1)
    mean[place] = count === 1 ? value : mean[place]! + (value - mean[place]!) / count
    max[place] = count === 1 ? value : Math.max(max[place]!, value)
  }
}
