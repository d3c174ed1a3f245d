/** Ledger, mempool and executor together, as a node wires them: real transactions, signatures and state tree. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  AUTHORITY_RULES_DEFAULT,
  bytesToHex,
  decodeKvEntry,
  genesisHeader,
  headerHash,
  kvEntryKey,
  kvPut,
  POLICY_MEMBERS,
  sha256,
  signTransaction,
  transactionId,
  transactionsRoot,
  transfer,
  utf8ToBytes,
  verifyTransaction,
  ZERO_HASH,
} from '@althing/base'
import type { BlockHash, Genesis, Operation } from '@althing/base'
import { BlockExecutor, Mempool } from '@althing/chain'
import { ChainLedger, genesisState, StateTree } from '@althing/ledger'
import type { StateVersion, TreeStore } from '@althing/ledger'
import { nativeSigner, verifyNative } from '../src/crypto/ed25519.ts'

const NETWORK = 'execution'
const signers = Array.from({ length: 5 }, (_, i) => nativeSigner(sha256(Uint8Array.of(i))))
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

  constructor() {
    const state = genesisState(this.tree, this.tree.head, genesis)
    const header = genesisHeader(genesis, this.tree.root(state))
    this.anchor = headerHash(header)
    this.executor = new BlockExecutor(
      { blockBytesMax: genesis.blockBytesMax },
      {
        ledger: new ChainLedger({ tree: this.tree, genesis: this.anchor, verify: verifyNative }),
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
