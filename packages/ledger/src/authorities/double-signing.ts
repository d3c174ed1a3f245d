/**
 * What becomes of an authority that signed twice (accountable safety). Pure.
 * E1  nobody is punished but for two votes that its key signed in one view of an epoch that is remembered
 * E2  a new key is no way out: the offence follows from key to key
 * @module
 */
import { bytesToHex, EVIDENCE_SLASH, isZeroHash, verifyEvidence } from '@althing/base'
import type { AuthorityRules, Evidence, Fault } from '@althing/base'
import type { OperationContext } from '../module.ts'
import type { StateReader } from '../pending.ts'
import { slash } from './bonds.ts'
import { changeAuthority, findEpoch, memberOf, readAuthority, readEpoch, writeEpoch } from './records.ts'
import { isRemoving } from './rules.ts'

export function punish(evidence: Evidence, rules: AuthorityRules, context: OperationContext): Fault | null {
  const { state, height, parameters, verify } = context
  const { epoch: claimed, view } = evidence.first
  const epoch = findEpoch(state, claimed)
  if (epoch === null) {
    const message = `epoch ${claimed} is not remembered; those since ${readEpoch(state).epoch - rules.accountabilityEpochs} are`
    return { code: 'EVIDENCE_EPOCH', message }
  }
  const verified = verifyEvidence(evidence, epoch, verify)
  if (!verified.ok) return verified.fault
  const { key } = epoch.set[verified.value]!
  const { offendedAt } = readAuthority(state, key)
  if (offendedAt > 0) {
    const message = `${bytesToHex(key)} was found to sign twice at height ${offendedAt} already`
    return { code: 'EVIDENCE_KNOWN', message }
  }
  const current = readEpoch(state)
  for (const one of successorsOf(state, key)) {
    changeAuthority(state, one, { offendedAt: height, offenceEpoch: claimed, offenceView: view })
    if (rules.evidence === EVIDENCE_SLASH) slash(state, one, rules.slashPercent, parameters.feeSink)
    if (isRemoving(rules) && memberOf(current.set, one) !== undefined) {
      writeEpoch(state, { ...current, removalPending: true })
    }
  }
  return null
}

/** The key and those that took its place since (E2). */
function successorsOf(state: StateReader, key: Uint8Array): Uint8Array[] {
  const keys = [key]
  const seen = new Set([bytesToHex(key)])
  for (;;) {
    const { successor } = readAuthority(state, keys.at(-1)!)
    if (isZeroHash(successor) || seen.has(bytesToHex(successor))) return keys
    seen.add(bytesToHex(successor))
    keys.push(successor)
  }
}
