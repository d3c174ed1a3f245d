/**
 * Key-value entries with owners. Pure.
 * K1  default deny: under policy `members` only members change anything; under `open` any account may
 * K2  whoever writes a free key first owns it, until it is deleted
 * K3  the owner writes, deletes, grants and revokes; an account with a grant writes the value and nothing else
 * K4  grants go with the key: who owns it next starts with none
 * @module
 */
import {
  accountKey,
  AssertionError,
  bytesToHex,
  bytesToUtf8,
  decodeKvEntry,
  decodeKvGrants,
  decodeKvOperation,
  equalBytes,
  KvEntry,
  kvEntryKey,
  KV_GRANTS_MAX,
  KvGrants,
  kvGrantsKey,
  MODULE_KV,
} from '@althing/base'
import type { Fault, KvOperation } from '@althing/base'
import type { Module, OperationContext } from '../module.ts'
import type { StateReader } from '../pending.ts'
import { checkAccountId } from './accounts.ts'
import { cannotWrite } from './policy.ts'

export const kvModule: Module<KvOperation> = {
  id: MODULE_KV,
  name: 'kv',
  decode: decodeKvOperation,

  apply(operation, context) {
    const { sender, state } = context
    const denied = cannotWrite(context)
    if (denied !== null) return denied
    const entry = readEntry(state, operation.key)
    if (operation.kind === 'put') return put(operation.key, operation.value, entry, context)
    if (entry === null) {
      return { code: 'KEY_UNKNOWN', message: `nothing is stored under ${showKey(operation.key)}` }
    }
    if (!equalBytes(entry.owner, sender)) return notOwner(operation.key, entry, sender)
    switch (operation.kind) {
      case 'delete':
        state.delete(kvEntryKey(operation.key))
        state.delete(kvGrantsKey(operation.key))
        return null
      case 'grant':
        return grant(operation.key, operation.account, context)
      case 'revoke':
        return revoke(operation.key, operation.account, context)
    }
  },
}

function put(
  key: Uint8Array,
  value: Uint8Array,
  entry: KvEntry | null,
  context: OperationContext,
): Fault | null {
  const { sender, state, height } = context
  const owner = entry?.owner ?? sender
  if (entry !== null && !equalBytes(owner, sender) && !includes(readGrants(state, key), sender)) {
    return notOwner(key, entry, sender)
  }
  state.put(kvEntryKey(key), KvEntry.serialize({ owner, height, value }))
  return null
}

function grant(key: Uint8Array, account: Uint8Array, { sender, state }: OperationContext): Fault | null {
  const grants = readGrants(state, key)
  if (equalBytes(account, sender) || includes(grants, account)) {
    return {
      code: 'GRANT_EXISTS',
      message: `account ${bytesToHex(account)} may write ${showKey(key)} already`,
    }
  }
  if (grants.length === KV_GRANTS_MAX) {
    return {
      code: 'GRANTS_FULL',
      message: `${showKey(key)} has ${KV_GRANTS_MAX} grants, the most allowed; revoke one first`,
    }
  }
  if (state.get(accountKey(account)) === null) {
    const enters = checkAccountId(account)
    if (!enters.ok) return enters.fault
  }
  state.put(kvGrantsKey(key), KvGrants.serialize([...grants, account]))
  return null
}

function revoke(key: Uint8Array, account: Uint8Array, { state }: OperationContext): Fault | null {
  const grants = readGrants(state, key)
  const left = grants.filter((granted) => !equalBytes(granted, account))
  if (left.length === grants.length) {
    return {
      code: 'GRANT_UNKNOWN',
      message: `account ${bytesToHex(account)} has no grant for ${showKey(key)}`,
    }
  }
  if (left.length === 0) state.delete(kvGrantsKey(key))
  else state.put(kvGrantsKey(key), KvGrants.serialize(left))
  return null
}

function readEntry(state: StateReader, key: Uint8Array): KvEntry | null {
  const bytes = state.get(kvEntryKey(key))
  if (bytes === null) return null
  const entry = decodeKvEntry(bytes)
  if (entry.ok) return entry.value
  throw new AssertionError(`the state holds a malformed entry under ${showKey(key)}`)
}

function readGrants(state: StateReader, key: Uint8Array): KvGrants {
  const bytes = state.get(kvGrantsKey(key))
  if (bytes === null) return []
  const grants = decodeKvGrants(bytes)
  if (grants.ok) return grants.value
  throw new AssertionError(`the state holds malformed grants of ${showKey(key)}`)
}

function includes(grants: KvGrants, account: Uint8Array): boolean {
  return grants.some((granted) => equalBytes(granted, account))
}

function notOwner(key: Uint8Array, entry: KvEntry, sender: Uint8Array): Fault {
  const message = `${showKey(key)} belongs to ${bytesToHex(entry.owner)}; the sender is ${bytesToHex(sender)}`
  return { code: 'NOT_OWNER', message }
}

/** The key as people see it: in quotes when it is text, else in hexadecimal digits. */
function showKey(key: Uint8Array): string {
  const text = bytesToUtf8(key)
  return text === null ? `key 0x${bytesToHex(key)}` : `key ${JSON.stringify(text)}`
}
