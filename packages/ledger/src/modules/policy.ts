/**
 * Who may write at all. Pure.
 * @module
 */
import { bytesToHex, memberKey, POLICY_OPEN } from '@althing/base'
import type { Fault } from '@althing/base'
import type { OperationContext } from '../module.ts'

/** Default deny: under policy `members` only members write, under `open` any account. @returns `NOT_MEMBER`, or null. */
export function cannotWrite({ parameters, sender, state }: OperationContext): Fault | null {
  if (parameters.policy === POLICY_OPEN || state.get(memberKey(sender)) !== null) return null
  const message = `account ${bytesToHex(sender)} is not a member; only members may write here`
  return { code: 'NOT_MEMBER', message }
}
