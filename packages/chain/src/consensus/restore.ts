/**
 * What a vote log means for one epoch (R12). Pure.
 * @module
 */
import { equalBytes } from '@althing/base'
import type { Block, Certificate, Epoch, Vote } from '@althing/base'
import { comparePositions, positionOf } from './vote-log.ts'
import type { RestoredLog, VotePosition } from './vote-log.ts'

export interface RestoredState {
  readonly blocks: readonly Block[]
  readonly certificates: readonly Certificate[]
  readonly votes: readonly Vote[]
  /** No vote below this view can be given: a vote of it or of a later one may have left. */
  readonly votedView: number
  /** Votes were given in a later epoch: whatever the block store says, this one is over. */
  readonly isOutvoted: boolean
}

/** Records of other epochs are left out (P5). */
export function restoredState(log: RestoredLog, epoch: Epoch): RestoredState {
  const blocks: Block[] = []
  const certificates: Certificate[] = []
  const votes: Vote[] = []
  for (const record of log.segments.flatMap((segment) => segment.records)) {
    if (positionOf(record).epoch !== epoch.epoch) continue
    if (record.kind === 'block') blocks.push(record.block)
    else if (record.kind === 'certificate') certificates.push(record.certificate)
    else if (record.kind === 'vote' && equalBytes(record.vote.anchor, epoch.anchor)) votes.push(record.vote)
  }
  const voted = votedIn(log)
  const votedView = voted.epoch === epoch.epoch ? Math.max(1, voted.view) : 1
  const forgotView = log.forgotten.epoch === epoch.epoch ? log.forgotten.view + 1 : 1
  return {
    blocks,
    certificates,
    votes,
    votedView: Math.max(votedView, forgotView),
    isOutvoted: voted.epoch > epoch.epoch,
  }
}

/** The highest vote that the log knows to have been given. */
function votedIn({ forgotten, segments }: RestoredLog): VotePosition {
  let highest = forgotten
  for (const record of segments.flatMap(({ records }) => records)) {
    if (record.kind === 'vote' && comparePositions(record.vote, highest) > 0) highest = record.vote
  }
  return highest
}

/** The reason and the proof of a halt, which is for ever (R7); undefined when there was none. */
export function restoredHalt(
  log: RestoredLog,
): { reason: string; proof: readonly Certificate[] } | undefined {
  return log.segments.flatMap(({ records }) => records).find((record) => record.kind === 'halt')
}
