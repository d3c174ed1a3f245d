/**
 * How the sender of a transaction is proved: by the signature of its key, or by those of k of n keys (PC-11).
 * The id of a multi-signature account is the hash of its policy, which each of its transactions shows.
 * @module
 */
import { ContainerType, ListCompositeType } from '@chainsafe/ssz'
import type { ValueOf } from '@chainsafe/ssz'
import { bytesToHex, compareBytes, concatBytes, equalBytes, utf8ToBytes } from '../bytes.ts'
import { isAcceptableKey, SIGNATURE_BYTES } from '../ed25519.ts'
import type { Verify } from '../ed25519.ts'
import { hashOf } from '../hash.ts'
import type { Hash } from '../hash.ts'
import { fail, ok } from '../result.ts'
import type { Fault, Result } from '../result.ts'
import { Transaction, transactionSignBytes, WITNESS_ED25519, WITNESS_MULTISIG } from './transaction.ts'
import type { TransactionBody } from './transaction.ts'
import { Bytes32, Bytes64, decode, U16, U8 } from './types.ts'

/** Keys of one multi-signature account. */
export const MULTISIG_KEYS_MAX = 16

export const MultisigPolicy = new ContainerType(
  {
    /** How many of the keys have to sign: 1 to their number. */
    threshold: U8,
    /** In strictly ascending order, so that a policy has one form and one id. */
    keys: new ListCompositeType(Bytes32, MULTISIG_KEYS_MAX),
  },
  { typeName: 'MultisigPolicy' },
)
export type MultisigPolicy = ValueOf<typeof MultisigPolicy>

export const MultisigWitness = new ContainerType(
  {
    policy: MultisigPolicy,
    /** Bit i, the least significant first: key i has signed. Exactly `threshold` are set. */
    signers: U16,
    /** One for each set bit, in the order of the keys. */
    signatures: new ListCompositeType(Bytes64, MULTISIG_KEYS_MAX),
  },
  { typeName: 'MultisigWitness' },
)
export type MultisigWitness = ValueOf<typeof MultisigWitness>

const ACCOUNT_TAG = utf8ToBytes('althing/multisig/1\0')

/** A policy with its keys in order. Fault: `POLICY_INVALID`. */
export function multisigPolicy(threshold: number, keys: readonly Uint8Array[]): Result<MultisigPolicy> {
  const policy = { threshold, keys: [...keys].sort(compareBytes) }
  const fault = policyFault(policy) ?? policyKeyFault(policy)
  return fault === null ? ok(policy) : { ok: false, fault }
}

/** The account id: nobody has a key for it, and who pays to it needs to know nothing else. */
export function multisigAccountId(policy: MultisigPolicy): Hash {
  return hashOf(ACCOUNT_TAG, MultisigPolicy.serialize(policy))
}

/**
 * Puts signatures that were made apart, of `transactionSignBytes`, together into an encoded transaction. More than are
 * needed are left out. Which are good is not looked at.
 * Faults: `POLICY_INVALID`, `SIGNATURES_MISSING`.
 */
export function assembleMultisig(
  body: TransactionBody,
  policy: MultisigPolicy,
  signatures: readonly { readonly key: Uint8Array; readonly signature: Uint8Array }[],
): Result<Uint8Array> {
  const fault = policyFault(policy)
  if (fault !== null) return { ok: false, fault }
  const witness: MultisigWitness = { policy, signers: 0, signatures: [] }
  for (const [index, key] of policy.keys.entries()) {
    const found = signatures.find((each) => equalBytes(each.key, key))
    if (found === undefined || witness.signatures.length === policy.threshold) continue
    witness.signers |= 1 << index
    witness.signatures.push(found.signature)
  }
  const { length } = witness.signatures
  if (length < policy.threshold)
    return fail('SIGNATURES_MISSING', `${length} of ${policy.threshold} signatures are there`)
  const encoded = concatBytes(Uint8Array.of(WITNESS_MULTISIG), MultisigWitness.serialize(witness))
  return ok(Transaction.serialize({ body, witness: encoded }))
}

/** Whether the sender is proved as one Ed25519 key. */
export function isKeyWitness(witness: Uint8Array): boolean {
  return witness[0] === WITNESS_ED25519
}

/** One signature to check, apart from where and when it is checked. */
export interface SignatureCheck {
  readonly publicKey: Uint8Array
  readonly message: Uint8Array
  readonly signature: Uint8Array
}

/**
 * What must all hold for the witness to prove the sender: 1 to MULTISIG_KEYS_MAX signatures.
 * Faults: `WITNESS_UNKNOWN`, `WITNESS_MALFORMED`, `POLICY_INVALID`.
 */
export function transactionSignatureChecks(
  transaction: Transaction,
  networkId: string,
): Result<readonly SignatureCheck[]> {
  const { witness, body } = transaction
  if (witness[0] === WITNESS_MULTISIG) return multisigChecks(transaction, networkId)
  if (witness[0] !== WITNESS_ED25519) {
    const message = `witness scheme ${witness[0] ?? 'missing'}; known: 0 (Ed25519), 1 (multi-signature)`
    return fail('WITNESS_UNKNOWN', message)
  }
  if (witness.length !== 1 + SIGNATURE_BYTES) {
    return malformed(`witness of ${witness.length} bytes; Ed25519 needs ${1 + SIGNATURE_BYTES}`)
  }
  const message = transactionSignBytes(body, networkId)
  return ok([{ publicKey: body.sender, message, signature: witness.subarray(1) }])
}

export function verifyTransaction(transaction: Transaction, networkId: string, verify: Verify): boolean {
  const checks = transactionSignatureChecks(transaction, networkId)
  return (
    checks.ok &&
    checks.value.every(({ publicKey, message, signature }) => verify(publicKey, message, signature))
  )
}

/**
 * Whether the keys behind a multi-signature account are acceptable (P22): asked when it first sends. 0.1 ms a key.
 * @param witness of a transaction whose signatures were checked.
 */
export function checkWitnessKeys(witness: Uint8Array): Result<void> {
  if (witness[0] !== WITNESS_MULTISIG) return ok(undefined)
  const read = readMultisig(witness)
  if (!read.ok) return read
  const fault = policyKeyFault(read.value.policy)
  return fault === null ? ok(undefined) : { ok: false, fault }
}

function multisigChecks(
  { witness, body }: Transaction,
  networkId: string,
): Result<readonly SignatureCheck[]> {
  const read = readMultisig(witness)
  if (!read.ok) return read
  const { policy, signers, signatures } = read.value
  const fault = policyFault(policy)
  if (fault !== null) return { ok: false, fault }
  if (!equalBytes(multisigAccountId(policy), body.sender))
    return malformed(`the policy is not that of account ${bytesToHex(body.sender)}`)
  const keys = policy.keys.filter((_, index) => ((signers >> index) & 1) === 1)
  if (signers >> policy.keys.length !== 0) return malformed('a signer that the policy does not have')
  if (keys.length !== policy.threshold || signatures.length !== policy.threshold) {
    const message = `${keys.length} signers and ${signatures.length} signatures; expected exactly ${policy.threshold}`
    return malformed(message)
  }
  const message = transactionSignBytes(body, networkId)
  return ok(keys.map((publicKey, i) => ({ publicKey, message, signature: signatures[i]! })))
}

function readMultisig(witness: Uint8Array): Result<MultisigWitness> {
  const read = decode(MultisigWitness, witness.subarray(1), MultisigWitness.maxSize)
  return read.ok ? read : malformed(read.fault.message)
}

function policyFault({ threshold, keys }: MultisigPolicy): Fault | null {
  if (keys.length < 1 || keys.length > MULTISIG_KEYS_MAX)
    return invalid(`${keys.length} keys; expected 1 to ${MULTISIG_KEYS_MAX}`)
  if (threshold < 1 || threshold > keys.length)
    return invalid(`${threshold} of ${keys.length} signatures; expected 1 to ${keys.length}`)
  const isAscending = keys.every((key, i) => i === 0 || compareBytes(keys[i - 1]!, key) < 0)
  return isAscending ? null : invalid('keys in strictly ascending order expected, each once')
}

/** P22 */
function policyKeyFault({ keys }: MultisigPolicy): Fault | null {
  const bad = keys.find((key) => !isAcceptableKey(key))
  return bad === undefined ? null : invalid(`${bytesToHex(bad)} is no acceptable Ed25519 key`)
}

function invalid(message: string): Fault {
  return { code: 'POLICY_INVALID', message }
}

function malformed(message: string): Result<never> {
  return fail('WITNESS_MALFORMED', message)
}
