/**
 * A chain of one authority, without sockets: the author makes final blocks, and nodes take them in as they come from the network.
 * @module
 */
import assert from 'node:assert/strict'
import {
  AUTHORITY_RULES_DEFAULT,
  BLOCK_VERSION,
  FINALIZE,
  headerHash,
  hexToBytes,
  kvPut,
  makeCertificate,
  POLICY_OPEN,
  sha256,
  signTransaction,
  silentLog,
  utf8ToBytes,
  voteSignBytes,
  ZERO_HASH,
} from '@althing/base'
import type { Block, Certificate, Epoch, Genesis, Header, Signer } from '@althing/base'
import { BlockExecutor, Consensus, Mempool } from '@althing/chain'
import { ChainLedger, StateTree } from '@althing/ledger'
import type { StateVersion } from '@althing/ledger'
import type { BlockInfo } from '@althing/network'
import type { OwnTipChain } from '@althing/network/testing'
import { ConsensusDriver } from '../src/consensus/driver.ts'
import { nativeSigner, verifyNative } from '../src/crypto/ed25519.ts'
import { commitFinal } from '../src/final-chain.ts'
import { chainOf, writeGenesis } from '../src/genesis-state.ts'
import { chainParts, FEED_PEER, FinalFeed } from '../src/parts/index.ts'
import { infoOf, travellingBlock } from '../src/parts/travelling-block.ts'
import { Statistics } from '../src/statistics.ts'
import { openMemoryStore } from '../src/store/memory.ts'
import type { ChainStore } from '../src/store/types.ts'
import { TransactionIntake } from '../src/transactions/intake.ts'
import { VerifiedTransactions } from '../src/transactions/verified.ts'

const NETWORK = 'parts'
const ACCOUNTS = 64
const clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() }

const authority = nativeSigner(sha256(utf8ToBytes('authority')))
const senders = Array.from({ length: ACCOUNTS }, (_, i) => nativeSigner(sha256(Uint8Array.of(i))))
const genesis: Genesis = {
  version: 1,
  networkId: utf8ToBytes(NETWORK),
  timestamp: 0,
  authorities: [{ key: authority.publicKey, weight: 1 }],
  allocations: senders.map(({ publicKey }) => ({ account: publicKey, balance: 1_000n })),
  members: [],
  policy: POLICY_OPEN,
  feeSink: ZERO_HASH,
  feeMin: 1n,
  intervalMs: 10,
  idleIntervalMs: 60_000,
  blockBytesMax: 262_144,
  authorityRules: AUTHORITY_RULES_DEFAULT,
}
export const chain = chainOf(genesis)
const epoch: Epoch = { epoch: 0, anchor: chain.hash, set: genesis.authorities }
export const genesisInfo = infoOf(chain.block.header)

/** What a node has of the chain under its consensus. */
async function openChain() {
  const store = await openMemoryStore({ networkId: NETWORK, genesisHash: chain.hash, versionsKept: 8 })
  await writeGenesis(store, chain)
  const tree = new StateTree(store, store.latestState()!, { nextId: store.nextId })
  const mempool = new Mempool()
  const verified = new VerifiedTransactions({
    networkId: NETWORK,
    verify: verifyNative,
    verifyAll: async (checks) =>
      checks.map(({ publicKey, message, signature }) => verifyNative(publicKey, message, signature)),
    receive: (encoded) => executor.receive(encoded),
  })
  const executor = new BlockExecutor<StateVersion>(
    { blockBytesMax: genesis.blockBytesMax },
    {
      ledger: new ChainLedger({ tree, genesis: chain.hash, verify: verifyNative }),
      mempool,
      isVerified: (received) => verified.isVerified(received),
    },
    { hash: chain.hash, header: chain.block.header, state: tree.head },
  )
  return { store, tree, mempool, verified, executor }
}

/** The finalization of this header, by the only authority of an epoch. */
export function finalityOf(header: Header, signer: Signer = authority, by: Epoch = epoch): Certificate {
  const hash = headerHash(header)
  const { view } = header
  const signature = signer.sign(voteSignBytes(FINALIZE, by.anchor, by.epoch, view, hash))
  return makeCertificate({ kind: FINALIZE, epoch: by.epoch, view, hash }, 1, new Map([[0, signature]]))
}

export interface FinalBlockMade {
  readonly block: Block
  readonly finalization: Certificate
}

/** Makes blocks on any block that it made. */
export class Author {
  readonly #opened: Awaited<ReturnType<typeof openChain>>
  #sent = 0

  private constructor(opened: Awaited<ReturnType<typeof openChain>>) {
    this.#opened = opened
  }

  static async open(): Promise<Author> {
    return new Author(await openChain())
  }

  /** With one transaction of an account that has sent none before. */
  make({ id, height }: BlockInfo): FinalBlockMade {
    const { executor, mempool } = this.#opened
    const received = executor.receive(this.transaction())
    assert.ok(received.ok)
    assert.ok(mempool.add(received.value, executor.admission, 0).ok)
    const parent = hexToBytes(id)!
    const at = height + 1
    const draft = {
      version: BLOCK_VERSION,
      epoch: 0,
      height: at,
      parent,
      view: at,
      proposer: 0,
      timestamp: at * 10,
    }
    const { block } = executor.build(parent, draft, false)
    mempool.discard(received.value.idHex, { code: 'DUPLICATE', message: 'it is in a block' })
    return { block, finalization: finalityOf(block.header) }
  }

  transaction(): Uint8Array {
    const sender = senders[this.#sent++ % ACCOUNTS]!
    const put = kvPut({ key: utf8ToBytes(`key ${this.#sent}`), value: utf8ToBytes('value') })
    const body = {
      version: 1,
      genesis: chain.hash,
      sender: sender.publicKey,
      nonce: 0,
      validUntil: 1_000,
      fee: 1n,
      operations: [put],
    }
    return signTransaction(body, NETWORK, sender)
  }
}

/** @returns the block as the network carries it. */
export function carried({ block, finalization }: FinalBlockMade) {
  return travellingBlock(block, { path: [], finalization })
}

export interface FollowerOptions {
  readonly waitingBytesMax?: number
}

export interface Follower extends OwnTipChain {
  readonly store: ChainStore
  readonly feed: FinalFeed
}

/** A full node's chain, without a network. */
export async function openFollower({ waitingBytesMax = 1_000_000 }: FollowerOptions = {}): Promise<Follower> {
  const { store, tree, mempool, verified, executor } = await openChain()
  const intake = new TransactionIntake<StateVersion>({ mempool, executor, verified, clock })
  const statistics = new Statistics()
  const feed = new FinalFeed({ log: silentLog, runBytesMax: 100_000, waitingBytesMax })
  const core = new Consensus(
    {
      epoch,
      intervalMs: genesis.intervalMs,
      idleIntervalMs: genesis.idleIntervalMs,
      timeoutBaseMs: 1_000,
      timeoutMaxMs: 10_000,
      driftMs: 100,
      retransmitMs: 1_000,
      chainReplyBytesMax: 1_000_000,
      blockBytesMax: genesis.blockBytesMax,
      segmentBytesMax: 1_000_000,
    },
    { executor, finalBlocks: store, verify: verifyNative, random: () => 0.5 },
    null,
  )
  const driver = new ConsensusDriver({
    core,
    voteLogs: [],
    clock,
    log: silentLog,
    checkSignatures: (encoded) => verified.checkEncoded(encoded),
    broadcast() {},
    send(to, message) {
      if (to === FEED_PEER) feed.ask(message)
    },
    charge: (_peer, reason) => feed.refused(reason),
    commit: (order) =>
      commitFinal(
        {
          store,
          tree,
          executor,
          mempool,
          intake,
          statistics,
          clock,
          graphChanged() {},
          onFinal: (blocks) => feed.finalized(blocks.at(-1)!.block.header.height),
        },
        order,
      ),
    onEvent() {},
    submitRejoin() {},
    onFatal(error) {
      throw error
    },
  })
  feed.attach(driver, () => {})
  driver.start()
  const parts = chainParts({
    store,
    mempool,
    intake,
    executor,
    verified,
    verify: verifyNative,
    feed,
    epoch: () => core.epoch,
    headHeight: () => core.head.block.header.height,
  })
  return {
    parts,
    store,
    feed,
    async [Symbol.asyncDispose]() {
      feed.stop()
      await driver.stop()
      await store.close()
    },
  }
}
