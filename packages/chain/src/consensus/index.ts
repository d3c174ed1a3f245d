export { leaderOf } from '@althing/base'
export { isBodyOf } from './chain-reply.ts'
export { Consensus } from './consensus.ts'
export { decodeMessage, encodeMessage, MESSAGE_BYTES_MAX } from './message-codec.ts'
export * from './types.ts'
export { createVoteLog, encodeRecord, encodeSynced, replayVoteLog } from './vote-log.ts'
export type {
  RejoinMarker,
  RestoredLog,
  RestoredSegment,
  VoteLogIdentity,
  VoteLogRecord,
  VoteLogReplay,
  VotePosition,
} from './vote-log.ts'
