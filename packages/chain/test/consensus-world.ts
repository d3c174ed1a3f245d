/**
 * A small deterministic world for the consensus core: authorities, one clock, delivery in seeded random order, disks
 * that lose what was not fsynced. Signatures are hashes, which only these tests may believe.
 */
import {
  authoritySetHash,
  BLOCK_VERSION,
  bytesToHex,
  concatBytes,
  equalBytes,
  hashOf,
  hashToHex,
  headerHash,
  leaderOf,
  NO_NEXT_SET,
  ok,
  fail,
  sha256,
  transactionId,
  transactionsRoot,
  utf8ToBytes,
  ZERO_HASH,
} from '@althing/base'
import type {
  AuthoritySet,
  Block,
  BlockHash,
  Certificate,
  Epoch,
  Hash,
  Result,
  Signer,
  Verify,
  Vote,
} from '@althing/base'
import {
  Consensus,
  createVoteLog,
  decodeMessage,
  encodeMessage,
  replayVoteLog,
} from '../src/consensus/index.ts'
import type {
  ConsensusConfig,
  ConsensusEvent,
  ConsensusMessage,
  ConsensusPorts,
  Effect,
  Input,
  Now,
  RestoredLog,
} from '../src/consensus/index.ts'
import type { Executor, FinalBlock, FinalBlocks, HeaderDraft, RejoinRecord } from '../src/ports.ts'

export const START_MS = 1_700_000_000_000

export function testSigner(name: string): Signer {
  const publicKey = sha256(utf8ToBytes(name))
  return { publicKey, sign: (message) => concatBytes(hashOf(publicKey, message), new Uint8Array(32)) }
}

export const testVerify: Verify = (key, message, signature) =>
  bytesToHex(signature) === bytesToHex(concatBytes(hashOf(key, message), new Uint8Array(32)))

export function genesisBlock(): FinalBlock {
  const header = {
    version: BLOCK_VERSION,
    epoch: 0,
    height: 0,
    parent: ZERO_HASH,
    view: 0,
    proposer: 0,
    timestamp: START_MS,
    txRoot: transactionsRoot([]),
    stateRoot: ZERO_HASH,
    nextSet: NO_NEXT_SET,
  }
  return { block: { header, transactions: [], nextSet: [] }, hash: headerHash(header) }
}

export function testSigners(count: number): Signer[] {
  return Array.from({ length: count }, (_, index) => testSigner(`authority ${index}`))
}

export function testEpoch(signers: readonly Signer[]): Epoch {
  return {
    epoch: 0,
    anchor: genesisBlock().hash,
    set: signers.map(({ publicKey }) => ({ key: publicKey, weight: 1 })),
  }
}

export function testConfig(epoch: Epoch, changes: Partial<ConsensusConfig> = {}): ConsensusConfig {
  return {
    epoch,
    intervalMs: 100,
    idleIntervalMs: 10_000,
    timeoutBaseMs: 1_000,
    timeoutMaxMs: 20_000,
    driftMs: 500,
    retransmitMs: 1_000,
    chainReplyBytesMax: 100_000,
    blockBytesMax: 1_000_000,
    segmentBytesMax: 20_000,
    ...changes,
  }
}

/** mulberry32: small, seeded, good enough to shuffle. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }
}

/** Durable final blocks, and those that are flushed later. */
export class TestStore implements FinalBlocks {
  readonly blocks: FinalBlock[] = [genesisBlock()]
  readonly finalizations = new Map<number, Certificate>()

  get height(): number {
    return this.blocks.length - 1
  }

  byHeight(height: number): FinalBlock | undefined {
    return this.blocks[height]
  }

  byHash(hash: BlockHash): FinalBlock | undefined {
    return this.blocks.find((block) => hashToHex(block.hash) === hashToHex(hash))
  }

  finalizationAt(height: number): Certificate | undefined {
    return this.finalizations.get(height)
  }

  commit(blocks: readonly FinalBlock[], finalization: Certificate | null): void {
    for (const block of blocks) {
      if (block.block.header.height !== this.blocks.length)
        throw new Error('a commit does not follow the store')
      this.blocks.push(block)
    }
    if (finalization !== null) this.finalizations.set(this.height, finalization)
  }
}

/** What the chain decides at the end of a block: the next set, or that the epoch goes on. A pure function. */
export type Rotation = (block: { readonly epoch: number; readonly height: number }) => AuthoritySet | null

const NO_ROTATION: Rotation = () => null

/** Transactions are bytes; the state root is a hash chain over the transaction roots. */
export class TestExecutor implements Executor {
  readonly store: FinalBlocks
  readonly pool: Uint8Array[] = []
  readonly executed = new Map<string, Block>()
  /** Blocks that this executor calls invalid. */
  readonly refuses: (block: Block) => boolean
  readonly rotation: Rotation
  /** What the chain state asks of blocks. */
  version = BLOCK_VERSION

  constructor(
    store: FinalBlocks,
    refuses: (block: Block) => boolean = () => false,
    rotation: Rotation = NO_ROTATION,
  ) {
    this.store = store
    this.refuses = refuses
    this.rotation = rotation
  }

  execute(block: Block, hash: BlockHash): Result<void> {
    const parent = this.#block(block.header.parent)
    if (parent === undefined) throw new Error('a block is executed before its parent')
    if (this.executed.has(hashToHex(hash))) throw new Error('a block is executed twice')
    if (this.refuses(block)) return fail('REFUSED', 'refused by the test')
    const root = hashOf(parent.header.stateRoot, block.header.txRoot)
    if (hashToHex(root) !== hashToHex(block.header.stateRoot))
      return fail('STATE_ROOT', 'the state root differs')
    const nextSet = nextSetHash(this.rotation(block.header))
    if (hashToHex(nextSet) !== hashToHex(block.header.nextSet))
      return fail('NEXT_SET', 'the next set differs')
    this.executed.set(hashToHex(hash), block)
    return ok(undefined)
  }

  blockVersion(): number {
    return this.version
  }

  /** A transaction `rejoin ‖ key ‖ nonce` is one. */
  lastRejoin(at: BlockHash, key: Uint8Array): RejoinRecord | null {
    for (let block = this.#block(at); block !== undefined; block = this.#block(block.header.parent)) {
      for (const transaction of block.transactions) {
        if (equalBytes(transaction.subarray(0, 32 + REJOIN.length), concatBytes(REJOIN, key)))
          return { nonce: transaction.subarray(32 + REJOIN.length), height: block.header.height }
      }
    }
    return null
  }

  build(parent: BlockHash, draft: HeaderDraft, empty: boolean): { block: Block; hash: BlockHash } {
    const transactions = empty ? [] : this.#pending(parent)
    const block = buildBlock(this.#block(parent)!, draft, transactions, this.rotation(draft))
    const hash = headerHash(block.header)
    this.executed.set(hashToHex(hash), block)
    return { block, hash }
  }

  hasExecutable(parent: BlockHash): boolean {
    return this.#pending(parent).length > 0
  }

  drop(hashes: readonly BlockHash[]): void {
    for (const hash of hashes) {
      if (!this.executed.delete(hashToHex(hash))) throw new Error('a block is dropped that was not executed')
    }
  }

  #pending(parent: BlockHash): Uint8Array[] {
    const used = new Set<string>()
    for (
      let block = this.#block(parent);
      block && block.header.height > 0;
      block = this.#block(block.header.parent)
    ) {
      for (const transaction of block.transactions) used.add(bytesToHex(transaction))
    }
    return this.pool.filter((transaction) => !used.has(bytesToHex(transaction)))
  }

  #block(hash: BlockHash): Block | undefined {
    return this.executed.get(hashToHex(hash)) ?? this.store.byHash(hash)?.block
  }
}

const REJOIN = utf8ToBytes('rejoin ')

export function rejoinTransaction(key: Uint8Array, nonce: Uint8Array): Uint8Array {
  return concatBytes(REJOIN, key, nonce)
}

export function buildBlock(
  parent: Block,
  draft: HeaderDraft,
  transactions: Uint8Array[],
  nextSet: AuthoritySet | null = null,
): Block {
  const txRoot = transactionsRoot(transactions.map(transactionId))
  const stateRoot = hashOf(parent.header.stateRoot, txRoot)
  const header = { ...draft, txRoot, stateRoot, nextSet: nextSetHash(nextSet) }
  return { header, transactions, nextSet: [...(nextSet ?? [])] }
}

function nextSetHash(nextSet: AuthoritySet | null): Hash {
  return nextSet === null ? NO_NEXT_SET : authoritySetHash(nextSet)
}

/** The vote log's files, with what is durable told apart from what was only written. */
export class TestDisk {
  readonly segments = new Map<number, { bytes: Uint8Array; durable: number }>()

  create(sequence: number, bytes: Uint8Array): void {
    this.segments.set(sequence, { bytes, durable: 0 })
  }

  append(bytes: Uint8Array): void {
    const last = this.segments.get(Math.max(...this.segments.keys()))!
    last.bytes = concatBytes(last.bytes, bytes)
  }

  sync(): void {
    for (const segment of this.segments.values()) segment.durable = segment.bytes.length
  }

  forget(belowSequence: number): void {
    for (const sequence of this.segments.keys()) if (sequence < belowSequence) this.segments.delete(sequence)
  }

  /** Power loss: a random prefix of what was not synced stays. */
  crash(random: () => number): void {
    for (const segment of this.segments.values()) {
      const kept = segment.durable + Math.floor(random() * (segment.bytes.length - segment.durable + 1))
      segment.bytes = segment.bytes.slice(0, kept)
    }
  }

  read(): { sequence: number; bytes: Uint8Array }[] {
    return [...this.segments].map(([sequence, { bytes }]) => ({ sequence, bytes }))
  }

  /** Cuts the torn tail off, as the shell does before it appends. */
  truncate(tornBytes: number): void {
    const sequence = Math.max(...this.segments.keys())
    const segment = this.segments.get(sequence)!
    segment.bytes = segment.bytes.slice(0, segment.bytes.length - tornBytes)
    if (segment.bytes.length === 0) this.segments.delete(sequence)
  }
}

export class TestNode {
  readonly name: string
  readonly world: World
  readonly signer: Signer | undefined
  /** Of the same authority (R11): its votes are in a log of their own. */
  readonly otherSigners: readonly Signer[]
  readonly store = new TestStore()
  /** One for each key. */
  readonly disks: readonly TestDisk[]
  readonly events: ConsensusEvent[] = []
  readonly charges: string[] = []
  executor: TestExecutor
  core!: Consensus
  isUp = false
  /** Every vote that ever left, also before a crash. */
  readonly sentVotes: Vote[] = []

  constructor(name: string, world: World, ...signers: readonly Signer[]) {
    this.name = name
    this.world = world
    this.signer = signers[0]
    this.otherSigners = signers.slice(1)
    this.executor = new TestExecutor(this.store)
    this.disks = signers.map(({ publicKey: key }) => {
      const disk = new TestDisk()
      disk.create(1, createVoteLog({ genesis: genesisBlock().hash, key }))
      disk.sync()
      return disk
    })
  }

  /** Of the first key. */
  get disk(): TestDisk {
    return this.disks[0]!
  }

  /** R12: the log of the first key is gone, and a new one says so. */
  loseVoteLog(nonce: Uint8Array): void {
    this.disk.segments.clear()
    const identity = { genesis: genesisBlock().hash, key: this.signer!.publicKey }
    this.disk.create(9, createVoteLog(identity, { nonce, reason: 'disk replaced' }, 9))
    this.disk.sync()
  }

  ports(): ConsensusPorts {
    const { executor, store: finalBlocks, signer } = this
    const ports = { executor, finalBlocks, verify: testVerify, random: this.world.random }
    return signer === undefined ? ports : { ...ports, signer }
  }

  restoreLog({ publicKey: key }: Signer, disk: TestDisk): RestoredLog {
    const replay = replayVoteLog({ genesis: genesisBlock().hash, key }, disk.read())
    if (!replay.intact) throw new Error(replay.reason)
    disk.truncate(replay.tornBytes)
    return replay.log
  }

  start(): void {
    const { pool } = this.executor
    this.executor = new TestExecutor(this.store, () => false, this.world.rotation)
    this.executor.pool.push(...pool)
    const log = this.signer === undefined ? null : this.restoreLog(this.signer, this.disk)
    const others = this.otherSigners.map((signer, index) => ({
      signer,
      log: this.restoreLog(signer, this.disks[index + 1]!),
    }))
    this.core = new Consensus(this.world.config, this.ports(), log, others)
    this.isUp = true
    this.perform(this.core.start(this.world.now()))
    for (const peer of this.world.nodes) if (peer !== this && peer.isUp) this.world.link(this, peer)
  }

  crash(): void {
    this.isUp = false
    for (const disk of this.disks) disk.crash(this.world.random)
    for (const peer of this.world.nodes) {
      if (peer !== this && peer.isUp) peer.step({ kind: 'peerDisconnected', peer: this.name })
    }
  }

  step(input: Input): void {
    if (this.isUp) this.perform(this.core.handle(input, this.world.now()))
  }

  perform(effects: readonly Effect[]): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case 'append':
          this.disks[effect.log]!.append(effect.record)
          break
        case 'startSegment':
          this.#sync()
          this.disks[effect.log]!.create(effect.sequence, effect.bytes)
          this.#sync()
          break
        case 'forget':
          this.disks[effect.log]!.forget(effect.belowSequence)
          break
        case 'broadcast':
          this.#sync()
          this.#note(effect.message)
          for (const peer of this.world.nodes)
            if (peer !== this) this.world.deliver(this, peer, effect.message)
          break
        case 'send': {
          this.#sync()
          const peer = this.world.nodes.find((node) => node.name === effect.to)
          if (peer !== undefined) this.world.deliver(this, peer, effect.message)
          break
        }
        case 'submitRejoin':
          this.world.submitBytes(rejoinTransaction(effect.key, effect.nonce))
          break
        case 'commit': {
          const { core } = this
          const { blocks, finalization } = effect
          this.world.after(5, () => {
            if (!this.isUp || this.core !== core) return
            this.store.commit(blocks, finalization)
            this.step({ kind: 'committed', height: this.store.height })
          })
          break
        }
        case 'charge':
          this.charges.push(`${effect.peer}: ${effect.reason}`)
          break
        case 'event':
          this.events.push(effect.event)
          break
      }
    }
  }

  get height(): number {
    return this.store.height
  }

  /** Null when it is not a member. */
  indexIn(set: AuthoritySet): number | null {
    const keys = [this.signer, ...this.otherSigners].flatMap((signer) => signer?.publicKey ?? [])
    const index = set.findIndex((member) => keys.some((key) => equalBytes(key, member.key)))
    return index < 0 ? null : index
  }

  #sync(): void {
    for (const disk of this.disks) disk.sync()
  }

  #note(message: ConsensusMessage): void {
    if (message.kind === 'vote') this.sentVotes.push(message.vote)
    if (message.kind !== 'proposal') return
    const { epoch, view, block, signature } = message.proposal
    const { anchor, set } = this.core.epoch
    const signer = leaderOf(view, set)
    this.sentVotes.push({ kind: 0, epoch, anchor, view, hash: headerHash(block.header), signer, signature })
  }
}

export class World {
  config: ConsensusConfig
  readonly random: () => number
  readonly nodes: TestNode[] = []
  /** Whether a message is lost. */
  isLost: (from: TestNode, to: TestNode, message: ConsensusMessage) => boolean = () => false
  delayMaxMs = 20
  /** Of the authorities, set before the start. */
  rotation: Rotation = NO_ROTATION
  timeMs = 0
  readonly sentByKind = new Map<string, number>()
  readonly #queue: { atMs: number; order: number; run: () => void }[] = []
  #order = 0

  constructor(authorities: number, seed: number, changes: Partial<ConsensusConfig> = {}, fullNodes = 0) {
    this.random = seededRandom(seed)
    const signers = testSigners(authorities)
    this.config = testConfig(testEpoch(signers), changes)
    for (const [index, signer] of signers.entries())
      this.nodes.push(new TestNode(String(index), this, signer))
    for (let i = 0; i < fullNodes; i++) this.nodes.push(new TestNode(`full ${i}`, this))
  }

  /** Nodes with these keys, none of them for a full node. @param set of the first epoch. */
  with(keys: readonly (readonly Signer[])[], set: AuthoritySet, rotation: Rotation): this {
    this.config = { ...this.config, epoch: { ...this.config.epoch, set } }
    this.rotation = rotation
    for (const [index, own] of keys.entries()) this.nodes.push(new TestNode(String(index), this, ...own))
    return this
  }

  now(): Now {
    return { monotonicMs: this.timeMs, wallMs: START_MS + this.timeMs }
  }

  after(delayMs: number, run: () => void): void {
    this.#queue.push({ atMs: this.timeMs + delayMs, order: this.#order++, run })
  }

  link(a: TestNode, b: TestNode): void {
    a.step({ kind: 'peerConnected', peer: b.name, height: b.height })
    b.step({ kind: 'peerConnected', peer: a.name, height: a.height })
  }

  deliver(from: TestNode, to: TestNode, message: ConsensusMessage): void {
    this.sentByKind.set(message.kind, (this.sentByKind.get(message.kind) ?? 0) + 1)
    if (this.isLost(from, to, message)) return
    const bytes = encodeMessage(message)
    const core = to.core
    this.after(this.random() * this.delayMaxMs, () => {
      if (to.core !== core) return
      const decoded = decodeMessage(bytes)
      if (!decoded.ok) throw new Error(decoded.fault.message)
      const authority = to.isUp ? from.indexIn(to.core.epoch.set) : null
      to.step({ kind: 'messageReceived', from: from.name, authority, message: decoded.value })
    })
  }

  startAll(): this {
    for (const node of this.nodes) node.start()
    return this
  }

  /** A transaction in every pool. */
  submit(text: string): void {
    this.submitBytes(utf8ToBytes(text))
  }

  /** Once, whoever brings it. */
  submitBytes(transaction: Uint8Array): void {
    for (const node of this.nodes) {
      const { pool } = node.executor
      if (pool.some((known) => equalBytes(known, transaction))) continue
      pool.push(transaction)
      this.after(0, () => node.step({ kind: 'poolChanged' }))
    }
  }

  /** @returns whether the condition came true within `forMs` of the world's time. */
  runUntil(condition: () => boolean, forMs: number): boolean {
    const endMs = this.timeMs + forMs
    while (!condition()) {
      const next = this.#queue.reduce((first, event, index) => {
        const best = this.#queue[first]
        if (best === undefined) return index
        return event.atMs < best.atMs || (event.atMs === best.atMs && event.order < best.order)
          ? index
          : first
      }, -1)
      const timers = this.nodes.filter((node) => node.isUp).map((node) => node.core.nextDeadlineMs())
      const timerMs = Math.min(...timers, Number.POSITIVE_INFINITY)
      const eventMs = this.#queue[next]?.atMs ?? Number.POSITIVE_INFINITY
      const atMs = Math.min(timerMs, eventMs)
      if (atMs > endMs) {
        this.timeMs = endMs
        return condition()
      }
      this.timeMs = Math.max(this.timeMs, atMs)
      if (eventMs <= timerMs) this.#queue.splice(next, 1)[0]!.run()
      else
        for (const node of this.nodes)
          if (node.isUp && node.core.nextDeadlineMs() <= this.timeMs) node.step({ kind: 'tick' })
    }
    return true
  }

  /** Throws when two nodes hold different final blocks at one height, or an authority signed what R1 forbids. */
  assertSafe(): void {
    const longest = this.nodes.reduce((best, node) => (node.height > best.height ? node : best))
    for (const node of this.nodes) {
      for (const { block, hash } of node.store.blocks) {
        const other = longest.store.byHeight(block.header.height)!
        if (hashToHex(other.hash) !== hashToHex(hash))
          throw new Error(`two blocks ${block.header.height} are final`)
      }
      assertVotesLegal(node.sentVotes)
    }
  }
}

/** R1 over everything that ever left a node, whatever crashed in between. */
export function assertVotesLegal(votes: readonly Vote[]): void {
  const seen = new Map<string, Hash>()
  for (const vote of votes) {
    const at = `${vote.kind} ${vote.epoch} ${vote.view}`
    const before = seen.get(at)
    if (before !== undefined && hashToHex(before) !== hashToHex(vote.hash)) throw new Error(`two votes ${at}`)
    seen.set(at, vote.hash)
    const other = vote.kind === 1 ? 2 : 1
    if (vote.kind > 0 && seen.has(`${other} ${vote.epoch} ${vote.view}`))
      throw new Error(`nullify and finalize in view ${vote.view}`)
  }
}
