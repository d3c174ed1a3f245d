/**
 * Operations of the authorities' own keys, and of those who want to become one. Pure.
 * F1  what an authority or a candidate says with its own key needs no fee; then it must have an effect, and the bounds
 *     on each operation bound what such transactions can put into blocks
 * @module
 */
import {
  bytesToHex,
  decodeAuthorityOperation,
  equalBytes,
  MODULE_AUTHORITIES,
  ROTATION_STAKE,
} from '@althing/base'
import type { AuthorityOperation, AuthorityRules, Fault } from '@althing/base'
import type { Module, OperationContext } from '../module.ts'
import type { StateReader } from '../pending.ts'
import { bond, bondOf, unbond } from './bonds.ts'
import { punish } from './double-signing.ts'
import { isProposed, notAuthority, propose, rotateKey, vote } from './proposals.ts'
import { changeAuthority, memberOf, readAuthority, readEpoch, readRules, writeEpoch } from './records.ts'

/** Of `heartbeatBlocks`: so often a heartbeat has an effect. */
const HEARTBEATS_PER_WINDOW = 4

export const authoritiesModule: Module<AuthorityOperation> = {
  id: MODULE_AUTHORITIES,
  name: 'authorities',
  decode: decodeAuthorityOperation,

  /** F1 */
  isFree(operation, { state, sender }) {
    if (operation.kind === 'bond' || operation.kind === 'unbond') return false
    return operation.kind !== 'evidence' || memberOf(readEpoch(state).set, sender) !== undefined
  },

  apply(operation, context) {
    if (!context.isKey && operation.kind !== 'evidence') {
      const message = `${bytesToHex(context.sender)} is a multi-signature account; an authority is one key`
      return { code: 'KEY_NEEDED', message }
    }
    const rules = readRules(context.state)
    switch (operation.kind) {
      case 'propose':
        return propose(operation.change, operation.expires, rules, context)
      case 'vote':
        return vote(operation.proposal, context)
      case 'heartbeat':
        return heartbeat(rules, context)
      case 'rejoin':
        return rejoin(operation.nonce, context)
      case 'evidence':
        return punish(operation.evidence, rules, context)
      case 'rotateKey':
        return rotateKey(operation.newKey, operation.possession, rules, context)
      case 'bond':
        return bond(operation.amount, rules, context)
      case 'unbond':
        return unbond(operation.amount, rules, readEpoch(context.state), context)
    }
  },
}

function heartbeat(rules: AuthorityRules, { state, sender, height }: OperationContext): Fault | null {
  if (!isCandidate(state, sender, rules)) {
    const message = `${bytesToHex(sender)} is about to enter the set by no proposal, key change or bond`
    return { code: 'NOT_CANDIDATE', message }
  }
  const { heartbeatAt } = readAuthority(state, sender)
  const next = heartbeatAt + Math.max(1, Math.floor(rules.heartbeatBlocks / HEARTBEATS_PER_WINDOW))
  if (heartbeatAt > 0 && height < next) {
    const message = `the last heartbeat was at height ${heartbeatAt}; the next may be at ${next}`
    return { code: 'HEARTBEAT_TOO_SOON', message }
  }
  changeAuthority(state, sender, { heartbeatAt: height })
  return null
}

function isCandidate(state: StateReader, key: Uint8Array, rules: AuthorityRules): boolean {
  if (memberOf(readEpoch(state).set, key) !== undefined) return false
  if (isProposed(state, key)) return true
  return rules.rotation === ROTATION_STAKE && bondOf(state, key) >= rules.bondMin
}

/** R12: the epoch ends as soon as it may, and the next one's anchor commits to this nonce. */
function rejoin(nonce: Uint8Array, { state, sender, height }: OperationContext): Fault | null {
  const epoch = readEpoch(state)
  if (memberOf(epoch.set, sender) === undefined) return notAuthority(sender)
  const before = readAuthority(state, sender)
  if (before.rejoinedAt > 0 && before.rejoinEpoch === epoch.epoch) {
    const message = `${bytesToHex(sender)} rejoined in this epoch already, at height ${before.rejoinedAt}`
    return { code: 'REJOIN_EXISTS', message }
  }
  if (before.rejoinedAt > 0 && equalBytes(before.rejoinNonce, nonce)) {
    return { code: 'REJOIN_EXISTS', message: 'the nonce is that of the last rejoin; it must be fresh' }
  }
  changeAuthority(state, sender, { rejoinedAt: height, rejoinEpoch: epoch.epoch, rejoinNonce: nonce })
  writeEpoch(state, { ...epoch, rejoinPending: true })
  return null
}
