/**
 * What genesis writes into the state about authorities. Pure.
 * @module
 */
import {
  AuthorityRules,
  authorityRulesKey,
  BondList,
  bondsKey,
  compareBytes,
  currentEpochKey,
  EpochRecord,
  ROTATION_STAKE,
  ZERO_HASH,
} from '@althing/base'
import type { Genesis } from '@althing/base'
import type { StateChange } from '../tree/index.ts'

/** The rules, the first epoch, and under ROTATION_STAKE the bonds that make the weights of the first authorities. */
export function authoritiesAtGenesis({ authorities, authorityRules }: Genesis): StateChange[] {
  const epoch: EpochRecord = {
    epoch: 0,
    firstHeight: 1,
    anchor: ZERO_HASH,
    set: [...authorities],
    rejoinPending: false,
    removalPending: false,
  }
  const changes: StateChange[] = [
    { key: authorityRulesKey, value: AuthorityRules.serialize(authorityRules) },
    { key: currentEpochKey, value: EpochRecord.serialize(epoch) },
  ]
  if (authorityRules.rotation !== ROTATION_STAKE) return changes
  const bonds = authorities
    .map(({ key, weight }) => ({ key, amount: BigInt(weight) * authorityRules.weightUnit }))
    .sort((a, b) => compareBytes(a.key, b.key))
  return [...changes, { key: bondsKey, value: BondList.serialize(bonds) }]
}
