/** Epochs through ledger, pool and executor together: what one node builds another checks (R11, P8, Versions). */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  AUTHORITY_RULES_DEFAULT,
  authorityHeartbeat,
  authorityProposalId,
  authorityPropose,
  authoritySetHash,
  authorityVote,
  genesisHeader,
  headerHash,
  POLICY_MEMBERS,
  sha256,
  signTransaction,
  utf8ToBytes,
  verifyTransaction,
  ZERO_HASH,
} from '@althing/base'
import type { AuthorityChange, Block, Genesis, Header, Operation } from '@althing/base'
import { BlockExecutor, Mempool } from '@althing/chain'
import { ChainLedger, genesisState, StateTree } from '@althing/ledger'
import type { StateVersion } from '@althing/ledger'
import { nativeSigner, verifyNative } from '../src/crypto/ed25519.ts'

const NETWORK = 'epochs'
const signers = Array.from({ length: 5 }, (_, i) => nativeSigner(sha256(Uint8Array.of(i))))
const [key0, , , , newcomer] = signers.map(({ publicKey }) => publicKey)
const genesis: Genesis = {
  version: 1,
  networkId: utf8ToBytes(NETWORK),
  timestamp: 0,
  authorities: signers.slice(0, 4).map(({ publicKey }) => ({ key: publicKey, weight: 1 })),
  allocations: [],
  members: [],
  policy: POLICY_MEMBERS,
  feeSink: ZERO_HASH,
  feeMin: 1n,
  intervalMs: 100,
  idleIntervalMs: 1000,
  blockBytesMax: 262_144,
  authorityRules: { ...AUTHORITY_RULES_DEFAULT, epochBlocksMin: 3 },
}

class ChainNode {
  readonly mempool = new Mempool()
  readonly ledger: ChainLedger<StateVersion>
  readonly executor: BlockExecutor<StateVersion>
  readonly genesis: Header
  readonly #nonces = signers.map(() => 0)

  constructor(blockVersionMax = 1) {
    const tree = new StateTree({ readPage: () => undefined, readValue: () => undefined }, null)
    const state = genesisState(tree, tree.head, genesis)
    this.genesis = genesisHeader(genesis, tree.root(state))
    const hash = headerHash(this.genesis)
    this.ledger = new ChainLedger({ tree, genesis: hash, verify: verifyNative })
    this.executor = new BlockExecutor(
      { blockBytesMax: genesis.blockBytesMax, blockVersionMax },
      {
        ledger: this.ledger,
        mempool: this.mempool,
        isVerified: ({ transaction }) => verifyTransaction(transaction, NETWORK, verifyNative),
      },
      { hash, header: this.genesis, state },
    )
  }

  /** From the authority's key, without a fee. @returns 'ok' or why the pool refuses it. */
  submit(index: number, operation: Operation): string {
    const signer = signers[index]!
    const body = {
      version: 1,
      genesis: headerHash(this.genesis),
      sender: signer.publicKey,
      nonce: this.#nonces[index]!,
      validUntil: 1_000,
      fee: 0n,
      operations: [operation],
    }
    const received = this.executor.receive(signTransaction(body, NETWORK, signer))
    assert.ok(received.ok)
    const added = this.mempool.add(received.value, this.executor.admission, 0)
    if (added.ok) this.#nonces[index]! += 1
    return added.ok ? 'ok' : added.fault.code
  }

  /** On the final block. @param over fields of the draft. */
  build(over: Partial<Header> = {}): Block {
    const { hash: parent, height, epoch, view, endsEpoch } = this.executor.final
    const draft = {
      version: this.executor.blockVersion(parent),
      epoch: endsEpoch ? epoch + 1 : epoch,
      height: height + 1,
      parent,
      view: endsEpoch ? 1 : view + 1,
      proposer: 0,
      timestamp: height + 1,
      ...over,
    }
    return this.executor.build(parent, draft, false).block
  }

  /** @returns 'ok' or the code of the fault. */
  execute(block: Block): string {
    const result = this.executor.execute(block, headerHash(block.header))
    return result.ok ? 'ok' : result.fault.code
  }

  finalize(block: Block): void {
    const { transactions } = this.executor.finalize(headerHash(block.header))
    this.mempool.committed(transactions, this.executor.admission)
  }
}

/** The next block, built by one and executed by all. */
function next(maker: ChainNode, ...others: ChainNode[]): Block {
  const block = maker.build()
  for (const node of others) assert.equal(node.execute(block), 'ok')
  for (const node of [maker, ...others]) node.finalize(block)
  return block
}

function decide(maker: ChainNode, other: ChainNode, change: AuthorityChange, expires: number): void {
  assert.equal(maker.submit(0, authorityPropose({ change, expires })), 'ok')
  next(maker, other)
  const proposal = authorityProposalId(key0!, change, expires)
  for (const voter of [1, 2]) assert.equal(maker.submit(voter, authorityVote({ proposal })), 'ok')
}

/** Nodes whose next block ends the epoch with a newcomer. */
function atBoundary(): [maker: ChainNode, other: ChainNode] {
  const [maker, other] = [new ChainNode(), new ChainNode()]
  decide(maker, other, { kind: 'add', key: newcomer!, weight: 2 }, 100)
  next(maker, other)
  assert.equal(maker.submit(4, authorityHeartbeat()), 'ok')
  return [maker, other]
}

suite('the block that ends an epoch', () => {
  test('names the next set in header and body; the next block is of the next epoch', () => {
    const [maker, other] = atBoundary()
    const block = next(maker, other)
    const expected = [...genesis.authorities, { key: newcomer!, weight: 2 }]
    assert.deepEqual(block.nextSet, expected)
    assert.deepEqual(block.header.nextSet, authoritySetHash(expected))
    const first = next(maker, other)
    assert.deepEqual([first.header.epoch, first.header.view, first.nextSet], [1, 1, []])
    const { anchor, set } = other.ledger.authorities(other.executor.final.state)
    assert.deepEqual([anchor, set], [headerHash(block.header), expected])
  })

  const forged: readonly [name: string, change: (block: Block) => Block, code: string][] = [
    [
      'without a next set',
      (block) => ({ ...block, header: { ...block.header, nextSet: ZERO_HASH }, nextSet: [] }),
      'NEXT_SET_MISMATCH',
    ],
    ['with the set in the header alone', (block) => ({ ...block, nextSet: [] }), 'NEXT_SET_MISMATCH'],
    [
      'with another set than the state gives',
      (block) => {
        const nextSet = block.nextSet.slice(1)
        return { ...block, header: { ...block.header, nextSet: authoritySetHash(nextSet) }, nextSet }
      },
      'NEXT_SET_MISMATCH',
    ],
    ['of another epoch', (block) => ({ ...block, header: { ...block.header, epoch: 1 } }), 'EPOCH_WRONG'],
    [
      'of another version',
      (block) => ({ ...block, header: { ...block.header, version: 2 } }),
      'BLOCK_VERSION_WRONG',
    ],
  ]
  for (const [name, change, code] of forged) {
    test(`${name} is refused: ${code}`, () => {
      const [maker, other] = atBoundary()
      assert.equal(other.execute(change(maker.build())), code)
    })
  }

  test('a block before its time names no set', () => {
    const [maker, other] = [new ChainNode(), new ChainNode()]
    const block = maker.build()
    const nextSet = [...genesis.authorities]
    const header = { ...block.header, nextSet: authoritySetHash(nextSet) }
    assert.equal(other.execute({ ...block, header, nextSet }), 'NEXT_SET_MISMATCH')
  })

  test('the same views make the same missed turns on every node', () => {
    const [maker, other] = [new ChainNode(), new ChainNode()]
    const block = maker.build({ view: 7 })
    assert.equal(other.execute(block), 'ok')
    other.finalize(block)
    const missed = other.ledger
      .authorities(other.executor.final.state)
      .members.map((each) => each.missedTotal)
    assert.deepEqual(missed, [1, 2, 2, 1])
  })
})

test('from the voted height on blocks have the new version; an old node says that it does not know it (Versions)', () => {
  const [maker, other, old] = [new ChainNode(2), new ChainNode(2), new ChainNode(1)]
  const blocks: Block[] = []
  assert.equal(
    maker.submit(0, authorityPropose({ change: { kind: 'activate', version: 2, height: 6 }, expires: 5 })),
    'ok',
  )
  blocks.push(next(maker, other))
  const proposal = authorityProposalId(key0!, { kind: 'activate', version: 2, height: 6 }, 5)
  for (const voter of [1, 2]) assert.equal(maker.submit(voter, authorityVote({ proposal })), 'ok')
  while (blocks.length < 7) blocks.push(next(maker, other))
  assert.deepEqual(
    blocks.map(({ header }) => header.version),
    [1, 1, 1, 1, 1, 2, 2],
  )
  for (const block of blocks.slice(0, 5)) {
    assert.equal(old.execute(block), 'ok')
    old.finalize(block)
  }
  assert.equal(old.execute(blocks[5]!), 'BLOCK_VERSION_UNKNOWN')
  assert.equal(old.executor.blockVersion(old.executor.final.hash), 2)
})
