/**
 * Many seeds on several workers, with what is done kept in a file, so that a long campaign can be stopped and gone on
 * with.
 * @module
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { addReports, EMPTY_REPORT } from './campaign.ts'
import type { Campaign, CampaignReport } from './campaign.ts'
import type { PlanChoice } from './plan.ts'

/** Seeds that are handed to a worker at once. */
const BATCH = 25

/** A campaign and how far it is. */
export interface CampaignState {
  readonly from: number
  readonly seeds: number
  readonly choice: PlanChoice
  /** The first seed that has not been handed out. */
  readonly next: number
  /** Handed out, and not done: they are run again. */
  readonly unfinished: readonly Campaign[]
  readonly total: CampaignReport
}

export function newCampaign(from: number, seeds: number, choice: PlanChoice): CampaignState {
  return { from, seeds, choice, next: from, unfinished: [], total: EMPTY_REPORT }
}

/**
 * Takes a campaign up where its file says it was; without a file it begins.
 * @throws when the file is of other seeds or another choice.
 */
export function resumeCampaign(file: string, begun: CampaignState): CampaignState {
  if (!existsSync(file)) return begun
  const state = JSON.parse(readFileSync(file, 'utf8')) as CampaignState
  const isSame = state.from === begun.from && JSON.stringify(state.choice) === JSON.stringify(begun.choice)
  if (!isSame) throw new Error(`${file} is of another campaign: remove it, or name another file`)
  // A longer campaign goes on from a shorter one.
  return { ...state, seeds: begun.seeds }
}

/**
 * Runs what is left of a campaign.
 * @param file that keeps the state after each batch; null for none.
 * @param onBatch hears of the state after each batch.
 */
export async function runFleet(
  begun: CampaignState,
  jobs: number,
  file: string | null,
  onBatch: (state: CampaignState) => void,
): Promise<CampaignState> {
  let state = begun
  const redone = [...begun.unfinished]
  const end = state.from + state.seeds
  const takeBatch = (): Campaign | null => {
    const again = redone.shift()
    if (again !== undefined) return again
    const seeds = Math.min(BATCH, end - state.next)
    if (seeds <= 0) return null
    const batch: Campaign = { from: state.next, seeds, choice: state.choice }
    state = { ...state, next: state.next + seeds, unfinished: [...state.unfinished, batch] }
    return batch
  }
  const work = (): Promise<void> => {
    const worker = new Worker(new URL('worker.ts', import.meta.url))
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    let batch = takeBatch()
    const give = (): void => {
      if (batch === null) worker.terminate().then(() => resolve(), reject)
      else worker.postMessage(batch)
    }
    worker.on('error', reject)
    worker.on('message', (report: CampaignReport) => {
      const { from } = batch!
      const unfinished = state.unfinished.filter((other) => other.from !== from)
      state = { ...state, unfinished, total: addReports(state.total, report) }
      batch = takeBatch()
      if (file !== null) keep(file, state)
      onBatch(state)
      give()
    })
    give()
    return promise
  }
  await Promise.all(Array.from({ length: jobs }, work))
  return state
}

function keep(file: string, state: CampaignState): void {
  writeFileSync(`${file}.new`, JSON.stringify(state))
  renameSync(`${file}.new`, file)
}
