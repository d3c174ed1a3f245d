/**
 * What genesis decides about the authorities: how long epochs are, what happens to who signs twice, and how the set
 * changes by itself (R11, P8). Everything else about them is voted.
 * @module
 */
import { ContainerType } from '@chainsafe/ssz'
import type { ValueOf } from '@chainsafe/ssz'
import { Amount, U16, U32, U8 } from './types.ts'

/** Double signatures are recorded, and nothing else happens. */
export const EVIDENCE_NONE = 0
/** Who signed twice leaves the set, and its key never comes back. */
export const EVIDENCE_REMOVAL = 1
/** It also loses a part of its bond. With ROTATION_STAKE only. */
export const EVIDENCE_SLASH = 2

/** The set changes by votes alone. */
export const ROTATION_FIXED = 0
/** Who misses too many turns leaves. */
export const ROTATION_PERFORMANCE = 1
/** Those with the largest bonds are the authorities, with weights in proportion. */
export const ROTATION_STAKE = 2

/** Misses that are remembered of one authority; `missedMax` is at most this. */
export const MISSES_MAX = 64

export const AuthorityRules = new ContainerType(
  {
    /** The least blocks of an epoch; at least 1. */
    epochBlocksMin: U32,
    /** An epoch ends after so many blocks, also when the set stays the same. */
    epochBlocksMax: U32,
    /** A key enters the set only with a heartbeat within so many blocks. */
    heartbeatBlocks: U32,
    /** Double signatures of so many past epochs are punished; a bond is held as long. */
    accountabilityEpochs: U16,
    /** EVIDENCE_NONE, EVIDENCE_REMOVAL or EVIDENCE_SLASH. */
    evidence: U8,
    /** Of the bond, 1 to 100; 0 unless EVIDENCE_SLASH. */
    slashPercent: U8,
    /** ROTATION_FIXED, ROTATION_PERFORMANCE or ROTATION_STAKE. */
    rotation: U8,
    /** Below so many authorities rotation lets nobody go; 0 when ROTATION_FIXED. */
    setMin: U16,
    /** Missed turns count within so many blocks; 0 unless ROTATION_PERFORMANCE. */
    windowBlocks: U32,
    /** So many missed turns are too many, 1 to MISSES_MAX; 0 unless ROTATION_PERFORMANCE. */
    missedMax: U16,
    /** The most authorities; 0 unless ROTATION_STAKE, as the next two. */
    setMax: U16,
    /** The least bond of an authority. */
    bondMin: Amount,
    /** So much money makes a weight of 1. */
    weightUnit: Amount,
  },
  { typeName: 'AuthorityRules' },
)
export type AuthorityRules = ValueOf<typeof AuthorityRules>

/** For a chain that its authorities run by votes, and whose double signers go. */
export const AUTHORITY_RULES_DEFAULT: AuthorityRules = {
  epochBlocksMin: 8,
  epochBlocksMax: 1_024,
  heartbeatBlocks: 256,
  accountabilityEpochs: 16,
  evidence: EVIDENCE_REMOVAL,
  slashPercent: 0,
  rotation: ROTATION_FIXED,
  setMin: 0,
  windowBlocks: 0,
  missedMax: 0,
  setMax: 0,
  bondMin: 0n,
  weightUnit: 0n,
}
