/**
 * The nine steps of a message (PT-10), counted by lane. Pure, and cheap: an addition on entering and one on leaving.
 * Out: created by its user, given its priority (the lane), queued, passed by the rate check, granted its bandwidth, transmitted.
 * In: received, found valid, processed by whom it is for.
 * The check of the rate comes after the queue, because an empty bucket delays a message and does not drop it.
 * C1  entered = left + dropped + what is in the step now, for every step and lane
 * @module
 */
import { LANES, perLane } from './lane.ts'
import type { Lane, PerLane } from './lane.ts'

/** As PT-10 orders them; the index is the step's number. */
const STEPS = [
  'creation',
  'priority',
  'rateCheck',
  'queue',
  'bandwidth',
  'transmission',
  'reception',
  'validation',
  'processing',
] as const
export type Step = (typeof STEPS)[number]

/** Messages since the start. */
export interface StepView {
  readonly entered: PerLane<number>
  readonly left: PerLane<number>
  readonly droppedByReason: Readonly<Record<string, PerLane<number>>>
}

const LANE_COUNT = LANES.length
const FIRST_CELL = Object.fromEntries(STEPS.map((step, index) => [step, index * LANE_COUNT])) as Readonly<
  Record<Step, number>
>
const LANE_NUMBER: PerLane<number> = { critical: 0, high: 1, normal: 2, low: 3 }

export class StepCounts {
  /** By step, then lane. Doubles: exact up to 2^53. */
  readonly #entered = new Float64Array(STEPS.length * LANE_COUNT)
  readonly #left = new Float64Array(STEPS.length * LANE_COUNT)
  readonly #dropped = new Map<
    string,
    { readonly step: Step; readonly reason: string; byLane: Float64Array }
  >()

  enter(step: Step, lane: Lane): void {
    this.#entered[FIRST_CELL[step] + LANE_NUMBER[lane]]! += 1
  }

  leave(step: Step, lane: Lane): void {
    this.#left[FIRST_CELL[step] + LANE_NUMBER[lane]]! += 1
  }

  /** A step that holds nothing up. */
  pass(step: Step, lane: Lane): void {
    this.enter(step, lane)
    this.leave(step, lane)
  }

  /** @param reason one of few: it becomes a label of a metric. */
  drop(step: Step, lane: Lane, reason: string, times = 1): void {
    if (times === 0) return
    const key = `${step} ${reason}`
    let dropped = this.#dropped.get(key)
    if (dropped === undefined) {
      dropped = { step, reason, byLane: new Float64Array(LANE_COUNT) }
      this.#dropped.set(key, dropped)
    }
    dropped.byLane[LANE_NUMBER[lane]]! += times
  }

  view(): Readonly<Record<Step, StepView>> {
    const of = (step: Step): StepView => ({
      entered: cells(this.#entered, FIRST_CELL[step]),
      left: cells(this.#left, FIRST_CELL[step]),
      droppedByReason: Object.fromEntries(
        [...this.#dropped.values()]
          .filter((dropped) => dropped.step === step)
          .map(({ reason, byLane }) => [reason, cells(byLane, 0)]),
      ),
    })
    return Object.fromEntries(STEPS.map((step) => [step, of(step)])) as Record<Step, StepView>
  }

  /** Of all steps and lanes. */
  droppedByReason(): Record<string, number> {
    const total: Record<string, number> = {}
    for (const { reason, byLane } of this.#dropped.values()) {
      total[reason] = byLane.reduce((sum, times) => sum + times, total[reason] ?? 0)
    }
    return total
  }
}

function cells(counts: Float64Array, first: number): PerLane<number> {
  return perLane((lane) => counts[first + LANE_NUMBER[lane]]!)
}
