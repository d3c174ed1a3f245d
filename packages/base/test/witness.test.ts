import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  assembleMultisig,
  bytesToHex,
  checkWitnessKeys,
  concatBytes,
  decodeTransaction,
  isAcceptableAccount,
  multisigAccountId,
  multisigPolicy,
  MultisigPolicy,
  MultisigWitness,
  portableSigner,
  sha256,
  transactionSignatureChecks,
  transactionSignBytes,
  transfer,
  verifyPortable,
  verifyTransaction,
} from '../src/index.ts'
import type { Result, Transaction, TransactionBody } from '../src/index.ts'

const NETWORK = 'witness'
const signers = [1, 2, 3].map((byte) => portableSigner(new Uint8Array(32).fill(byte)))
const keys = signers.map(({ publicKey }) => publicKey)
const identity = new Uint8Array(32)
identity[0] = 1

function valueOf<T>(result: Result<T>): T {
  assert.ok(result.ok, result.ok ? '' : result.fault.message)
  return result.value
}

const policy = valueOf(multisigPolicy(2, keys))
const body: TransactionBody = {
  version: 1,
  genesis: new Uint8Array(32).fill(7),
  sender: multisigAccountId(policy),
  nonce: 0,
  validUntil: 9,
  fee: 1n,
  operations: [transfer({ to: keys[0]!, amount: 1n })],
}

/** As people do it apart, each with the bytes alone. @param by indices into `signers`. */
function signedBy(...by: number[]): Result<Uint8Array> {
  const message = transactionSignBytes(body, NETWORK)
  const signatures = by.map((i) => ({ key: keys[i]!, signature: signers[i]!.sign(message) }))
  return assembleMultisig(body, policy, signatures)
}

const signed = valueOf(decodeTransaction(valueOf(signedBy(0, 2))))

/** The transaction with a witness in which something is different. */
function changed(change: (witness: MultisigWitness) => Partial<MultisigWitness>): Transaction {
  const witness = MultisigWitness.deserialize(signed.witness.subarray(1))
  const other = MultisigWitness.serialize({ ...witness, ...change(witness) })
  return { body, witness: concatBytes(Uint8Array.of(1), other) }
}

suite('multi-signature accounts (PC-11)', () => {
  test('any k of the n keys prove the sender, and the order of the signatures does not matter', () => {
    for (const by of [
      [0, 1],
      [2, 0],
      [1, 2],
      [0, 1, 2],
    ]) {
      const transaction = valueOf(decodeTransaction(valueOf(signedBy(...by))))
      assert.equal(valueOf(transactionSignatureChecks(transaction, NETWORK)).length, 2)
      assert.ok(verifyTransaction(transaction, NETWORK, verifyPortable), by.join())
      assert.ok(!verifyTransaction(transaction, 'another', verifyPortable))
    }
    assert.deepEqual(signedBy(1, 2), signedBy(2, 1))
  })

  test('fewer are told, not sent', () => {
    const result = signedBy(1)
    assert.equal(result.ok ? 'ok' : result.fault.code, 'SIGNATURES_MISSING')
  })

  test('one signature of the wrong key is enough to refuse it', () => {
    const forged = changed(({ signatures }) => ({ signatures: [signatures[1]!, signatures[0]!] }))
    assert.ok(transactionSignatureChecks(forged, NETWORK).ok)
    assert.ok(!verifyTransaction(forged, NETWORK, verifyPortable))
  })

  const refused: readonly [name: string, transaction: Transaction, code: string][] = [
    [
      'keys out of order',
      changed(() => ({ policy: { threshold: 2, keys: policy.keys.toReversed() } })),
      'POLICY_INVALID',
    ],
    [
      'another threshold than the account has',
      changed(() => ({ policy: { ...policy, threshold: 1 } })),
      'WITNESS_MALFORMED',
    ],
    ['a threshold of 0', changed(() => ({ policy: { ...policy, threshold: 0 } })), 'POLICY_INVALID'],
    [
      'a threshold above the keys',
      changed(() => ({ policy: { ...policy, threshold: 4 } })),
      'POLICY_INVALID',
    ],
    ['no key', changed(() => ({ policy: { threshold: 1, keys: [] } })), 'POLICY_INVALID'],
    [
      'a key twice',
      changed(() => ({ policy: { threshold: 2, keys: [keys[0]!, keys[0]!] } })),
      'POLICY_INVALID',
    ],
    ['more signers than signatures', changed(() => ({ signers: 0b111 })), 'WITNESS_MALFORMED'],
    ['a signer beyond the keys', changed(() => ({ signers: 0b1001 })), 'WITNESS_MALFORMED'],
    [
      'more signatures than the threshold',
      changed(({ signatures }) => ({ signers: 0b111, signatures: [...signatures, signatures[0]!] })),
      'WITNESS_MALFORMED',
    ],
    ['no signatures', changed(() => ({ signers: 0, signatures: [] })), 'WITNESS_MALFORMED'],
    ['bytes that are none', { body, witness: Uint8Array.of(1, 2, 3) }, 'WITNESS_MALFORMED'],
    ['an unknown scheme', { body, witness: Uint8Array.of(2) }, 'WITNESS_UNKNOWN'],
  ]
  for (const [name, transaction, code] of refused) {
    test(`${name}: ${code}`, () => {
      const checks = transactionSignatureChecks(transaction, NETWORK)
      assert.equal(checks.ok ? 'ok' : checks.fault.code, code)
    })
  }

  test('the keys of a policy are acceptable ones (P22)', () => {
    const bad = multisigPolicy(1, [keys[0]!, identity])
    assert.equal(bad.ok ? 'ok' : bad.fault.code, 'POLICY_INVALID')
    assert.ok(checkWitnessKeys(signed.witness).ok)
    const hidden = changed(() => ({ policy: { threshold: 2, keys: [identity, ...policy.keys] } }))
    assert.ok(!checkWitnessKeys(hidden.witness).ok)
  })

  test('an account may be a key or a hash, and no key of small order', () => {
    assert.ok(isAcceptableAccount(keys[0]!))
    for (let i = 1; i <= 20; i++) {
      const three = valueOf(multisigPolicy(i % 3 || 1, keys))
      assert.ok(isAcceptableAccount(multisigAccountId({ ...three, threshold: i })))
    }
    assert.ok(!isAcceptableAccount(identity))
    assert.ok(!isAcceptableAccount(new Uint8Array(32).fill(255)))
    assert.ok(!isAcceptableAccount(new Uint8Array(31)))
  })

  test('bytes and ids are as ever', () => {
    assert.equal(
      bytesToHex(MultisigPolicy.serialize({ threshold: 1, keys: [new Uint8Array(32).fill(5)] })),
      '0105000000' + '05'.repeat(32),
    )
    assert.equal(
      bytesToHex(multisigAccountId(policy)),
      '714c3519d928ba417768c2e0ff899647ca3f003fa45885da26b019ad0e93171e',
    )
    assert.equal(signed.witness.length, 1 + 10 + 5 + 96 + 128)
    assert.equal(
      bytesToHex(sha256(signed.witness)),
      '1345d7a844e7035a5f1fbe68f2d7d65d776146dd0a73d3e74ca67032d8681081',
    )
  })
})
