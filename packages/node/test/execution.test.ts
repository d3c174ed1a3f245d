/** Ledger, mempool and executor together, as a node wires them: real transactions, signatures and state tree. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  assembleMultisig,
  AUTHORITY_RULES_DEFAULT,
  bytesToHex,
  decodeKvEntry,
  equalBytes,
  genesisHeader,
  headerHash,
  kvEntryKey,
  kvPut,
  multisigAccountId,
  multisigPolicy,
  POLICY_MEMBERS,
  sha256,
  silentLog,
  signTransaction,
  transactionId,
  transactionSignBytes,
  transactionsRoot,
  transfer,
  utf8ToBytes,
  verifyTransaction,
  ZERO_HASH,
} from '@althing/base'
import type { Block, BlockHash, Genesis, Operation, Signer } from '@althing/base'
import { BlockExecutor, Mempool } from '@althing/chain'
import { ChainLedger, genesisState, StateTree } from '@althing/ledger'
import type { StateVersion, TreeStore } from '@althing/ledger'
import { nativeSigner, verifyNative } from '../src/crypto/ed25519.ts'
import { VerifiedTransactions } from '../src/transactions/verified.ts'
import { startVerifierPool } from '../src/verifier/index.ts'

const NETWORK = 'execution'
const signers = Array.from({ length: 5 }, (_, i) => nativeSigner(sha256(Uint8Array.of(i))))
const signerOf = (key: Uint8Array): Signer => signers.find(({ publicKey }) => equalBytes(publicKey, key))!
const genesis: Genesis = {
  version: 1,
  networkId: utf8ToBytes(NETWORK),
  timestamp: 0,
  authorities: [{ key: signers[0]!.publicKey, weight: 1 }],
  allocations: signers.map(({ publicKey }) => ({ account: publicKey, balance: 1_000n })),
  members: signers.map(({ publicKey }) => publicKey),
  policy: POLICY_MEMBERS,
  feeSink: ZERO_HASH,
  feeMin: 1n,
  intervalMs: 100,
  idleIntervalMs: 1000,
  blockBytesMax: 262_144,
  authorityRules: AUTHORITY_RULES_DEFAULT,
}

const emptyStore: TreeStore = { readPage: () => undefined, readValue: () => undefined }

/** What a node has of the chain, without consensus. */
class ChainNode {
  readonly tree = new StateTree(emptyStore, null)
  readonly mempool = new Mempool()
  readonly anchor: BlockHash
  readonly executor: BlockExecutor<StateVersion>
  readonly ledger: ChainLedger<StateVersion>

  constructor() {
    const state = genesisState(this.tree, this.tree.head, genesis)
    const header = genesisHeader(genesis, this.tree.root(state))
    this.anchor = headerHash(header)
    this.ledger = new ChainLedger({ tree: this.tree, genesis: this.anchor, verify: verifyNative })
    this.executor = new BlockExecutor(
      { blockBytesMax: genesis.blockBytesMax },
      {
        ledger: this.ledger,
        mempool: this.mempool,
        isVerified: ({ transaction }) => verifyTransaction(transaction, NETWORK, verifyNative),
      },
      { hash: this.anchor, header, state },
    )
  }

  sign(index: number, nonce: number, fee: bigint, ...operations: Operation[]): Uint8Array {
    const signer = signers[index]!
    const body = {
      version: 1,
      genesis: this.anchor,
      sender: signer.publicKey,
      nonce,
      validUntil: 100,
      fee,
      operations,
    }
    return signTransaction(body, NETWORK, signer)
  }

  submit(bytes: Uint8Array): string {
    const received = this.executor.receive(bytes)
    if (!received.ok) return received.fault.code
    const added = this.mempool.add(received.value, this.executor.admission, 0)
    return added.ok ? 'ok' : added.fault.code
  }

  get state(): StateVersion {
    return this.executor.final.state
  }

  /** Builds the next block and makes it final. */
  next(): Block {
    const { hash: parent, height, view } = this.executor.final
    const draft = {
      version: 1,
      epoch: 0,
      height: height + 1,
      parent,
      view: view + 1,
      proposer: 0,
      timestamp: height + 1,
    }
    const { block, hash } = this.executor.build(parent, draft, false)
    this.finalize(hash)
    return block
  }

  finalize(hash: BlockHash): void {
    const { transactions } = this.executor.finalize(hash)
    this.mempool.committed(transactions, this.executor.admission)
  }
}

const put = (key: string, value: string): Operation =>
  kvPut({ key: utf8ToBytes(key), value: utf8ToBytes(value) })

test('blocks built on each other before they are final give the same state on a node that only executes (PO-12)', () => {
  const [maker, other] = [new ChainNode(), new ChainNode()]
  assert.deepEqual(maker.anchor, other.anchor)
  let parent = maker.anchor
  const hashes: BlockHash[] = []
  for (let height = 1; height <= 4; height++) {
    for (const index of signers.keys()) {
      const to = signers[(index + 1) % signers.length]!.publicKey
      const operations = [put(`key ${index}`, `value ${height}`), transfer({ to, amount: BigInt(index + 1) })]
      assert.equal(maker.submit(maker.sign(index, height - 1, BigInt(index + 1), ...operations)), 'ok')
    }
    const draft = { version: 1, epoch: 0, height, parent, view: height, proposer: 0, timestamp: height }
    const { block, hash } = maker.executor.build(parent, draft, false)
    assert.equal(block.transactions.length, signers.length)
    const executed = other.executor.execute(block, hash)
    assert.ok(executed.ok, executed.ok ? '' : executed.fault.message)
    hashes.push(hash)
    parent = hash
  }
  for (const hash of hashes) for (const node of [maker, other]) node.finalize(hash)
  assert.equal(maker.mempool.count, 0)
  const { state } = other.executor.final
  assert.deepEqual(other.tree.root(state), maker.tree.root(maker.executor.final.state))
  const entry = decodeKvEntry(other.tree.get(state, kvEntryKey(utf8ToBytes('key 3')))!)
  assert.ok(entry.ok)
  assert.equal(new TextDecoder().decode(entry.value.value), 'value 4')
  assert.equal(entry.value.height, 4)
  assert.equal(bytesToHex(entry.value.owner), bytesToHex(signers[3]!.publicKey))
})

test('a block with a transaction that somebody else signed is refused (PO-4)', () => {
  const [maker, other] = [new ChainNode(), new ChainNode()]
  const forged = maker.sign(0, 0, 1n, put('k', 'v'))
  forged[forged.length - 1]! ^= 1
  assert.equal(maker.submit(forged), 'ok', 'the pool trusts its caller to have checked')
  const draft = { version: 1, epoch: 0, height: 1, parent: maker.anchor, view: 1, proposer: 0, timestamp: 1 }
  const built = maker.executor.build(maker.anchor, draft, false)
  assert.equal(built.block.transactions.length, 0)
  const txRoot = transactionsRoot([transactionId(forged)])
  const block = { ...built.block, header: { ...built.block.header, txRoot }, transactions: [forged] }
  const executed = other.executor.execute(block, headerHash(block.header))
  assert.equal(executed.ok ? 'ok' : executed.fault.code, 'SIGNATURE_INVALID')
})

test('a multi-signature account is paid, pays, and uses its nonces in order, on a real verifier (PC-11)', async () => {
  const node = new ChainNode()
  const policy = multisigPolicy(
    2,
    signers.slice(0, 3).map(({ publicKey }) => publicKey),
  )
  assert.ok(policy.ok)
  const account = multisigAccountId(policy.value)
  const to = signers[4]!.publicKey
  const pool = await startVerifierPool({ log: silentLog, workers: 1 })
  const verified = new VerifiedTransactions({
    networkId: NETWORK,
    verify: verifyNative,
    verifyAll: (checks) => pool.verifyAll(checks),
    receive: (encoded) => node.executor.receive(encoded),
  })
  const spend = (nonce: number, by: readonly number[]): Uint8Array => {
    const operations = [transfer({ to, amount: 10n })]
    const body = {
      version: 1,
      genesis: node.anchor,
      sender: account,
      nonce,
      validUntil: 100,
      fee: 1n,
      operations,
    }
    const message = transactionSignBytes(body, NETWORK)
    const signatures = by.map((i) => ({
      key: policy.value.keys[i]!,
      signature: signerOf(policy.value.keys[i]!).sign(message),
    }))
    const encoded = assembleMultisig(body, policy.value, signatures)
    assert.ok(encoded.ok)
    return encoded.value
  }
  assert.equal(node.submit(node.sign(0, 0, 1n, transfer({ to: account, amount: 100n }))), 'ok')
  const first = node.next()
  assert.equal(first.transactions.length, 1)

  const forged = spend(0, [0, 2])
  forged[forged.length - 1]! ^= 1
  const [one, two] = [spend(0, [0, 2]), spend(1, [1, 2])]
  const received = [forged, one, two].map((bytes) => node.executor.receive(bytes))
  const answers = await verified.check(
    received.map((each) => (each.ok ? each.value : assert.fail('decodes'))),
  )
  assert.deepEqual(answers, [false, true, true])
  await pool.stop()

  assert.equal(node.submit(two), 'ok')
  assert.equal(node.next().transactions.length, 0, 'nonce 1 waits for nonce 0')
  assert.equal(node.submit(one), 'ok')
  assert.equal(node.next().transactions.length, 2)
  const { ledger, state } = node
  assert.deepEqual(ledger.account(state, account), { nonce: 2, balance: 78n })
  assert.equal(ledger.account(state, to).balance, 1_020n)
})
