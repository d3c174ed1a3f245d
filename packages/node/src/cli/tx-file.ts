/**
 * A transaction on its way to its signatures, as a file that is carried from key to key (PC-11). JSON: `network_id`, `body`
 * (SSZ of the transaction body, base64), `policy` (of a multi-signature account, else null), `signatures`.
 * @module
 */
import { readFile, writeFile } from 'node:fs/promises'
import {
  assembleMultisig,
  bytesToHex,
  concatBytes,
  decode,
  equalBytes,
  fail,
  hexToBytes,
  multisigAccountId,
  multisigPolicy,
  ok,
  Transaction,
  TRANSACTION_BYTES_MAX,
  TransactionBody,
  transactionSignBytes,
  WITNESS_ED25519,
} from '@althing/base'
import type { MultisigPolicy, Result } from '@althing/base'
import { base64ToBytes, bytesToBase64 } from '@althing/client'
import { verifyNative } from '../crypto/ed25519.ts'
import { CliError } from './failure.ts'

export interface UnsentTransaction {
  readonly networkId: string
  readonly body: TransactionBody
  /** Null for an account of one key. */
  readonly policy: MultisigPolicy | null
  readonly signatures: readonly PartialSignature[]
}

export interface PartialSignature {
  readonly key: Uint8Array
  readonly signature: Uint8Array
}

/** As in a file of `althing multisig new`. */
export function policyToFile(policy: MultisigPolicy): object {
  return {
    account: bytesToHex(multisigAccountId(policy)),
    threshold: policy.threshold,
    keys: policy.keys.map(bytesToHex),
  }
}

/** @throws {CliError} `FILE_UNREADABLE`, `INPUT_INVALID`. */
export async function readPolicy(file: string): Promise<MultisigPolicy> {
  const policy = policyFromFile(await readJson(file))
  if (policy.ok) return policy.value
  throw new CliError('INPUT_INVALID', `${file} is no multi-signature account: ${policy.fault.message}`)
}

function policyFromFile(value: unknown): Result<MultisigPolicy> {
  const { account, threshold, keys } = Object(value) as Record<string, unknown>
  if (!Array.isArray(keys) || !Number.isSafeInteger(threshold))
    return fail('POLICY_INVALID', 'it needs "threshold" and "keys"')
  const bytes = keys.map((key) => (typeof key === 'string' ? hexToBytes(key) : null))
  if (!bytes.every((key) => key !== null)) return fail('POLICY_INVALID', 'a key is not hexadecimal')
  const policy = multisigPolicy(threshold as number, bytes)
  if (!policy.ok || account === bytesToHex(multisigAccountId(policy.value))) return policy
  return fail('POLICY_INVALID', '"account" is not that of its keys and threshold')
}

/** @throws {CliError} `FILE_UNREADABLE`, `INPUT_INVALID`. */
export async function readTransactionFile(file: string): Promise<UnsentTransaction> {
  const invalid = (why: string): CliError =>
    new CliError('INPUT_INVALID', `${file} is no transaction of "althing tx build": ${why}`)
  const content = Object(await readJson(file)) as Record<string, unknown>
  const bytes = typeof content.body === 'string' ? base64ToBytes(content.body) : null
  if (typeof content.network_id !== 'string' || bytes === null || !Array.isArray(content.signatures))
    throw invalid('it needs "network_id", "body" and "signatures"')
  const body = decode(TransactionBody, bytes, TRANSACTION_BYTES_MAX)
  if (!body.ok) throw invalid(body.fault.message)
  const policy = content.policy === null ? ok(null) : policyFromFile(content.policy)
  if (!policy.ok) throw invalid(policy.fault.message)
  const account = policy.value === null ? null : multisigAccountId(policy.value)
  if (account !== null && !equalBytes(account, body.value.sender))
    throw invalid('its "policy" is of another account than its sender')
  const signatures = content.signatures.map((one: unknown) => {
    const { key, signature } = Object(one) as Record<string, unknown>
    const [keyBytes, signatureBytes] = [key, signature].map((text) =>
      typeof text === 'string' ? hexToBytes(text) : null,
    )
    if (!keyBytes || !signatureBytes) throw invalid('a signature is not hexadecimal')
    return { key: keyBytes, signature: signatureBytes }
  })
  const transaction = { networkId: content.network_id, body: body.value, policy: policy.value, signatures }
  const wrong = signatures.find((one) => !isGood(one, transaction))
  if (wrong === undefined) return transaction
  throw invalid(`the signature of ${bytesToHex(wrong.key)} does not hold, or it has no say`)
}

/** @param isNew refuses to overwrite. @throws {CliError} `FILE_EXISTS`, `FILE_UNREADABLE`. */
export async function writeTransactionFile(
  file: string,
  { networkId, body, policy, signatures }: UnsentTransaction,
  isNew: boolean,
): Promise<void> {
  const content = {
    network_id: networkId,
    body: bytesToBase64(TransactionBody.serialize(body)),
    policy: policy && policyToFile(policy),
    signatures: signatures.map(({ key, signature }) => ({
      key: bytesToHex(key),
      signature: bytesToHex(signature),
    })),
  }
  await writeJson(file, content, isNew)
}

/** @throws {CliError} `FILE_EXISTS`, `FILE_UNREADABLE`. */
export async function writeJson(file: string, content: object, isNew: boolean): Promise<void> {
  const text = `${JSON.stringify(content, null, 2)}\n`
  await writeFile(file, text, { flag: isNew ? 'wx' : 'w' }).catch((cause: NodeJS.ErrnoException) => {
    const code = cause.code === 'EEXIST' ? 'FILE_EXISTS' : 'FILE_UNREADABLE'
    throw new CliError(code, `${file} cannot be written: ${cause.message}`, '', { cause })
  })
}

/** Who may sign: the sender's key, or those of its policy. */
export function keysOf({ policy, body }: Pick<UnsentTransaction, 'policy' | 'body'>): readonly Uint8Array[] {
  return policy === null ? [body.sender] : policy.keys
}

/** Faults: `SIGNATURES_MISSING`. */
export function assemble({ body, policy, signatures }: UnsentTransaction): Result<Uint8Array> {
  if (policy !== null) return assembleMultisig(body, policy, signatures)
  const [own] = signatures
  if (own === undefined) return fail('SIGNATURES_MISSING', 'the signature of its sender is not there')
  return ok(
    Transaction.serialize({ body, witness: concatBytes(Uint8Array.of(WITNESS_ED25519), own.signature) }),
  )
}

function isGood(
  { key, signature }: PartialSignature,
  transaction: Omit<UnsentTransaction, 'signatures'>,
): boolean {
  const { body, networkId } = transaction
  const mayThis = keysOf(transaction).some((one) => equalBytes(one, key))
  return mayThis && verifyNative(key, transactionSignBytes(body, networkId), signature)
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as unknown
  } catch (cause) {
    if (cause instanceof SyntaxError)
      throw new CliError('INPUT_INVALID', `${file} is not JSON`, '', { cause })
    throw new CliError('FILE_UNREADABLE', `${file} cannot be read: ${(cause as Error).message}`, '', {
      cause,
    })
  }
}
