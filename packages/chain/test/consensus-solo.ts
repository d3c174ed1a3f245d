/** One consensus core of four authorities, and a test that speaks for the other three. */
import {
  authoritySetHash,
  FINALIZE,
  hashToHex,
  headerHash,
  makeCertificate,
  NULLIFY,
  voteSignBytes,
  ZERO_HASH,
} from '@althing/base'
import type { AuthoritySet, Block, Certificate, Epoch, Hash, Proposal, Vote, VoteKind } from '@althing/base'
import {
  Consensus,
  createVoteLog,
  encodeMessage,
  decodeMessage,
  replayVoteLog,
} from '../src/consensus/index.ts'
import type {
  ConsensusConfig,
  ConsensusMessage,
  Effect,
  Input,
  Now,
  RestoredLog,
} from '../src/consensus/index.ts'
import {
  buildBlock,
  genesisBlock,
  START_MS,
  TestDisk,
  testConfig,
  testEpoch,
  TestExecutor,
  testSigners,
  TestStore,
  testVerify,
} from './consensus-world.ts'
import type { Rotation } from './consensus-world.ts'

export const genesis = genesisBlock()
export const signers = testSigners(4)
export const epoch = testEpoch(signers)

export function hashOfBlock(block: Block): Hash {
  return headerHash(block.header)
}

/** @param of the same four authorities, in another epoch. */
export function voteOf(
  signer: number,
  kind: VoteKind,
  view: number,
  hash: Hash = ZERO_HASH,
  of: Epoch = epoch,
): Vote {
  const signature = signers[signer]!.sign(voteSignBytes(kind, of.anchor, of.epoch, view, hash))
  return { kind, epoch: of.epoch, anchor: of.anchor, view, hash, signer, signature }
}

/** By three of the four, without authority 0. */
export function certificateOf(
  kind: VoteKind,
  view: number,
  hash: Hash = ZERO_HASH,
  by = [1, 2, 3],
  of: Epoch = epoch,
): Certificate {
  const signatures = new Map(by.map((signer) => [signer, voteOf(signer, kind, view, hash, of).signature]))
  return makeCertificate({ kind, epoch: of.epoch, view, hash }, 4, signatures)
}

/** A block as the leader of `view` makes it, one interval after its parent. */
export function blockOn(
  parent: Block,
  view: number,
  change: Partial<Block['header']> = {},
  transaction?: string | Uint8Array,
): Block {
  const draft = {
    version: parent.header.version,
    epoch: 0,
    height: parent.header.height + 1,
    parent: headerHash(parent.header),
    view,
    proposer: view % 4,
    timestamp: parent.header.timestamp + 100,
  }
  const bytes = typeof transaction === 'string' ? new TextEncoder().encode(transaction) : transaction
  const block = buildBlock(parent, draft, bytes === undefined ? [] : [bytes])
  return { ...block, header: { ...block.header, ...change } }
}

export function proposalOf(view: number, block: Block, ...certificates: Certificate[]): ConsensusMessage {
  const proposal: Proposal = {
    epoch: 0,
    view,
    block,
    parentCertificate: certificates.filter(({ kind }) => kind !== NULLIFY),
    nullCertificates: certificates.filter(({ kind }) => kind === NULLIFY),
    signature: voteOf(view % 4, 0, view, headerHash(block.header)).signature,
  }
  return { kind: 'proposal', proposal }
}

/** Authority 0 unless said otherwise. It leads views 4, 8, 12 … */
export class Solo {
  readonly store = new TestStore()
  readonly disk = new TestDisk()
  readonly config: ConsensusConfig
  readonly index: number
  readonly refuses: (block: Block) => boolean
  readonly rotation: Rotation | undefined
  executor: TestExecutor
  core: Consensus
  /** Everything since the last `clear`. */
  effects: Effect[] = []
  timeMs = 1_000

  constructor(
    options: {
      config?: Partial<ConsensusConfig>
      index?: number
      refuses?: (block: Block) => boolean
      rotation?: Rotation
    } = {},
  ) {
    this.config = testConfig(epoch, options.config)
    this.index = options.index ?? 0
    this.refuses = options.refuses ?? (() => false)
    this.rotation = options.rotation
    const { publicKey: key } = signers[this.index]!
    this.disk.create(1, createVoteLog({ genesis: genesis.hash, key }))
    this.executor = new TestExecutor(this.store, this.refuses, this.rotation)
    this.core = this.#make()
  }

  start(): this {
    this.#note(this.core.start(this.now()))
    return this
  }

  restart(log?: RestoredLog): this {
    this.executor = new TestExecutor(this.store, this.refuses, this.rotation)
    this.core = this.#make(log)
    this.effects = []
    return this.start()
  }

  now(): Now {
    return { monotonicMs: this.timeMs, wallMs: START_MS + this.timeMs }
  }

  input(input: Input): this {
    this.#note(this.core.handle(input, this.now()))
    return this
  }

  /** What peer `from` sends; over the wire's codec. */
  hear(message: ConsensusMessage, from = 'peer'): this {
    const decoded = decodeMessage(encodeMessage(message))
    if (!decoded.ok) throw new Error(decoded.fault.message)
    return this.input({ kind: 'messageReceived', from, authority: null, message: decoded.value })
  }

  hearVote(vote: Vote): this {
    return this.hear({ kind: 'vote', vote })
  }

  hearCertificate(certificate: Certificate, from?: string): this {
    return this.hear({ kind: 'certificate', certificate }, from)
  }

  /** Lets time go by, with a tick at each deadline. */
  wait(ms: number): this {
    const endMs = this.timeMs + ms
    while (this.core.nextDeadlineMs() <= endMs) {
      this.timeMs = this.core.nextDeadlineMs()
      this.input({ kind: 'tick' })
    }
    this.timeMs = endMs
    return this.input({ kind: 'tick' })
  }

  /** Commits what is final, as the shell does. */
  flush(): this {
    for (const effect of this.take('commit')) this.store.commit(effect.blocks, effect.finalization)
    return this.input({ kind: 'committed', height: this.store.height })
  }

  clear(): this {
    this.effects = []
    return this
  }

  take<K extends Effect['kind']>(kind: K): Extract<Effect, { kind: K }>[] {
    return this.effects.filter((effect): effect is Extract<Effect, { kind: K }> => effect.kind === kind)
  }

  /** Messages that left, whoever they are for. */
  sent<K extends ConsensusMessage['kind']>(kind: K): Extract<ConsensusMessage, { kind: K }>[] {
    const messages = this.effects.flatMap((effect) => ('message' in effect ? [effect.message] : []))
    return messages.filter(
      (message): message is Extract<ConsensusMessage, { kind: K }> => message.kind === kind,
    )
  }

  /** Own votes that left, as `kind view`; a proposal is a notarize vote. Each once. */
  votes(): string[] {
    const names = ['N', 'U', 'F']
    const votes = this.sent('vote').map(({ vote }) => `${names[vote.kind]} ${vote.view}`)
    const proposals = this.sent('proposal').map(({ proposal }) => `N ${proposal.view}`)
    return [...new Set([...votes, ...proposals])]
  }

  eventKinds(): string[] {
    return this.take('event').map(({ event }) => event.kind)
  }

  get view(): number {
    return this.core.view(this.now()).view
  }

  get floor(): number {
    return this.core.view(this.now()).floor
  }

  get finalized(): string {
    return hashToHex(this.core.finalized.hash)
  }

  restoredLog(): RestoredLog {
    const key = signers[this.index]!.publicKey
    const replay = replayVoteLog({ genesis: genesis.hash, key }, this.disk.read())
    if (!replay.intact) throw new Error(replay.reason)
    return replay.log
  }

  #make(log = this.restoredLog()): Consensus {
    const { executor, store: finalBlocks } = this
    const signer = signers[this.index]!
    return new Consensus(
      this.config,
      { executor, finalBlocks, verify: testVerify, signer, random: () => 0 },
      log,
    )
  }

  #note(effects: readonly Effect[]): void {
    this.effects.push(...effects)
    for (const effect of effects) {
      if (effect.kind === 'append') this.disk.append(effect.record)
      if (effect.kind === 'startSegment') this.disk.create(effect.sequence, effect.bytes)
      if (effect.kind === 'forget') this.disk.forget(effect.belowSequence)
    }
  }
}

/** The same block as the last of its epoch; the set stays unless said otherwise. */
export function ending(block: Block, nextSet: AuthoritySet = epoch.set): Block {
  const header = { ...block.header, nextSet: authoritySetHash(nextSet) }
  return { ...block, header, nextSet: [...nextSet] }
}

/** Block 1 proposed, notarized and finalized in view 1 by the others. */
export function finalizeFirst(solo: Solo): Block {
  const block = blockOn(genesis.block, 1)
  solo.hear(proposalOf(1, block)).hearCertificate(certificateOf(FINALIZE, 1, hashOfBlock(block)))
  return block
}
