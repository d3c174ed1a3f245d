/**
 * What a vote log means for the epoch that the node starts in (R12). Pure.
 * @module
 */
import { equalBytes } from '@althing/base'
import type { Block, Certificate, Epoch, Vote } from '@althing/base'
import type { RestoredLog, VoteLogRecord, VotePosition } from './vote-log.ts'

export interface RestoredState {
  readonly blocks: readonly Block[]
  readonly certificates: readonly Certificate[]
  readonly votes: readonly Vote[]
  /** No vote below this view can be given: a vote of it or of a later one may have left. */
  readonly votedView: number
  /** Why the node halted (R7); null when it did not. */
  readonly halted: string | null
}

/** Records of other epochs are left out (P5), but for a halt, which is for ever. */
export function restoredState(log: RestoredLog, epoch: Epoch): RestoredState {
  const blocks: Block[] = []
  const certificates: Certificate[] = []
  const votes: Vote[] = []
  let halted: string | null = null
  for (const record of log.segments.flatMap((segment) => segment.records)) {
    if (record.kind === 'halt') halted ??= record.reason
    else if (positionOf(record).epoch !== epoch.epoch) continue
    else if (record.kind === 'block') blocks.push(record.block)
    else if (record.kind === 'certificate') certificates.push(record.certificate)
    else if (equalBytes(record.vote.anchor, epoch.anchor)) votes.push(record.vote)
  }
  const forgottenView = log.forgotten.epoch === epoch.epoch ? log.forgotten.view : 0
  const votedView = votes.reduce((highest, vote) => Math.max(highest, vote.view), forgottenView + 1)
  return { blocks, certificates, votes, votedView, halted }
}

/** Where a record stands in the order of epochs and views. */
export function positionOf(record: Exclude<VoteLogRecord, { kind: 'halt' }>): VotePosition {
  switch (record.kind) {
    case 'block':
      return record.block.header
    case 'certificate':
      return record.certificate
    case 'vote':
      return record.vote
  }
}
