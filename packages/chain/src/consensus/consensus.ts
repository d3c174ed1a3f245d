/**
 * The consensus core: Simplex with explicit notarize, nullify and finalize votes (Chan and Pass, eprint 2023/463), for
 * one epoch. Facts in, effects out; mutable inside, deterministic from outside. R and P numbers cite the consensus
 * rules and their pitfalls.
 * I1  views and the floor never move back; only certificates move them
 * I2  every own vote leaves through `#cast`, which appends it to the log first (R2, P14)
 * I3  after a halt nothing is signed and nothing becomes final; what is held is still served (R7, P21)
 * A step ends in `#settle`, which applies rules until none applies; nothing recurses, and effects of all rules of a step
 * leave together (P20).
 * @module
 */
import {
  assert,
  BLOCK_VERSION,
  equalBytes,
  FINALIZE,
  hashToHex,
  headerHash,
  isVoteKind,
  isZeroHash,
  NOTARIZE,
  NULLIFY,
  quorumWeight,
  unreachable,
  verifyCertificate,
  voteSignBytes,
  ZERO_HASH,
} from '@althing/base'
import type {
  Block,
  BlockHash,
  Certificate,
  Epoch,
  Hash,
  HashHex,
  Proposal,
  Vote,
  VoteKind,
} from '@althing/base'
import { faultyCountMax, LastHeard, leaderOf } from './authorities.ts'
import { BlockTree } from './block-tree.ts'
import type { Connection, TreeBlock } from './block-tree.ts'
import { ChainRequests, Wanted } from './catch-up.ts'
import { CertificateStore } from './certificates.ts'
import { checkChainReply, isBodyOf } from './chain-reply.ts'
import { assertConfig } from './config.ts'
import { LogTail } from './log-tail.ts'
import { findParent, judgeProposal, proposalOf } from './proposal-rules.ts'
import type { Held, Missing } from './proposal-rules.ts'
import { answersTo, isRequest } from './serving.ts'
import type { Request } from './serving.ts'
import { SigningGuard } from './signing-guard.ts'
import { restoredState } from './restore.ts'
import { atWall, retransmitAtMs, silenceMs } from './timers.ts'
import type {
  ChainReply,
  ConsensusConfig,
  ConsensusEvent,
  ConsensusMessage,
  ConsensusPorts,
  ConsensusView,
  Effect,
  Input,
  Now,
  PeerRef,
  Status,
} from './types.ts'
import { NEVER, ViewClock } from './view-clock.ts'
import { VoteTally } from './votes.ts'
import type { RestoredLog, VoteLogRecord } from './vote-log.ts'

/** Votes and proposals are taken for this many views ahead (R13). */
const VIEWS_AHEAD_MAX = 100
/** While more blocks are unfinalized, leaders propose without transactions (R10). */
const UNFINALIZED_FULL_MAX = 64
/** Own finalize votes sent again, the newest first (R9). */
const FINALIZES_RESENT_MAX = 32

interface HeldProposal {
  readonly hash: BlockHash
  readonly key: HashHex
  /** The block hash commits to a fault: no vote, whatever comes. */
  isRefused: boolean
}

export class Consensus {
  readonly #config: ConsensusConfig
  readonly #ports: ConsensusPorts
  readonly #epoch: Epoch
  /** Own index in the authority set; -1 on a full node. */
  readonly #self: number
  readonly #guard: SigningGuard | null
  readonly #restored: RestoredLog | null
  readonly #log: LogTail | null
  readonly #tree: BlockTree
  readonly #certificates = new CertificateStore()
  readonly #votes: VoteTally
  /** The first proposal of each view (R4). */
  readonly #proposalByView = new Map<number, HeldProposal>()
  readonly #chain: ChainRequests
  readonly #wanted: Wanted
  readonly #clock: ViewClock
  #heard: LastHeard

  #view = 0
  #floor = 0
  #floorHash: BlockHash
  #head: { readonly block: TreeBlock; readonly view: number }
  #halted: string | null = null
  /** Heights whose version is not known have been reported up to here. */
  #versionReported = 0

  #retransmitAtMs = NEVER

  #now: Now = { monotonicMs: 0, wallMs: 0 }
  #effects: Effect[] = []

  /** @param log what `replayVoteLog` gave back; null exactly when there is no signer. */
  constructor(config: ConsensusConfig, ports: ConsensusPorts, log: RestoredLog | null) {
    assertConfig(config)
    assert((log === null) === (ports.signer === undefined), 'a signer and a vote log belong together')
    this.#config = config
    this.#ports = ports
    this.#epoch = config.epoch
    this.#clock = new ViewClock(config, faultyCountMax(config.epoch.set))
    this.#restored = log
    this.#log = log === null ? null : new LogTail(this.#epoch.epoch, config.segmentBytesMax, log)
    const key = ports.signer?.publicKey
    this.#self = key === undefined ? -1 : this.#epoch.set.findIndex((member) => equalBytes(member.key, key))
    this.#guard =
      ports.signer === undefined || this.#self < 0 ? null : new SigningGuard(ports.signer, this.#epoch, this.#self)
    this.#tree = new BlockTree(this.#epoch.epoch, ports.executor, ports.finalBlocks)
    this.#votes = new VoteTally(this.#epoch)
    this.#chain = new ChainRequests(config.chainReplyBytesMax, config.intervalMs)
    this.#wanted = new Wanted(config.timeoutBaseMs / 4)
    this.#heard = new LastHeard(this.#epoch.set, 0)
    this.#floorHash = this.#epoch.anchor
    this.#head = { block: this.#tree.tip, view: 0 }
  }

  /** Takes the restored state in (R12) and enters the first view. Called once, before anything else. */
  start(now: Now): readonly Effect[] {
    assert(this.#view === 0, 'the consensus core is started twice')
    this.#now = now
    this.#heard = new LastHeard(this.#epoch.set, now.monotonicMs)
    this.#restoreFloor()
    if (this.#restored !== null) this.#restoreLog(this.#restored)
    this.#head = { block: this.#tree.tip, view: this.#floor }
    this.#retransmitAtMs = retransmitAtMs(this.#config, now, this.#ports.random())
    this.#enterView(Math.max(this.#view, this.#floor + 1))
    this.#broadcast({ kind: 'status', status: this.#status() })
    return this.#settle()
  }

  /** One step. The effects are performed in order. */
  handle(input: Input, now: Now): readonly Effect[] {
    assert(this.#view > 0, 'the consensus core is not started')
    this.#now = now
    switch (input.kind) {
      case 'messageReceived':
        this.#onMessage(input.message, input.from, input.authority)
        break
      case 'peerConnected':
        this.#chain.claim(input.peer, input.height)
        this.#send(input.peer, { kind: 'status', status: this.#status() })
        break
      case 'peerDisconnected':
        this.#chain.disconnected(input.peer)
        break
      case 'poolChanged':
        if (this.#clock.isIdle && this.#ports.executor.hasExecutable(this.#parent().hash)) this.#endIdle()
        break
      case 'committed':
        this.#onCommitted(input.height)
        break
      case 'tick':
        break
      default:
        unreachable(input)
    }
    return this.#settle()
  }

  /** When to call with `tick` at the latest, by the monotonic clock. Timers that wait for something else are left out. */
  nextDeadlineMs(): number {
    const timers = [this.#retransmitAtMs]
    if (this.#halted === null) {
      timers.push(...this.#clock.timersMs)
      timers.push(this.#chain.nextDeadlineMs(this.#tree.tip.block.header.height), this.#wanted.nextDeadlineMs())
    }
    return Math.min(...timers.filter((timer) => timer > this.#now.monotonicMs))
  }

  /** The connected notarized block of the highest view; the finalized tip when there is none above it. */
  get head(): TreeBlock {
    return this.#head.block
  }

  /** The finalized tip: durable, or about to be. */
  get finalized(): TreeBlock {
    return this.#tree.tip
  }

  view(now: Now): ConsensusView {
    const view = this.#view
    return {
      epoch: this.#epoch.epoch,
      view,
      floor: this.#floor,
      finalizedHeight: this.#tree.tip.block.header.height,
      finalizedHash: this.#tree.tip.hash,
      headHeight: this.#head.block.block.header.height,
      headHash: this.#head.block.hash,
      leader: leaderOf(view, this.#epoch.set),
      idle: this.#clock.isIdle,
      halted: this.#halted,
      observer: this.#observerReason(),
      quorumWeight: quorumWeight(this.#epoch.set),
      authorities: this.#epoch.set.map(({ key, weight }, index) => ({
        index,
        key,
        weight,
        silentMs: index === this.#self ? 0 : this.#heard.silentMs(index, now.monotonicMs),
        votedNotarize: this.#votes.hasVoted(NOTARIZE, view, index),
        votedNullify: this.#votes.hasVoted(NULLIFY, view, index),
        votedFinalize: this.#votes.hasVoted(FINALIZE, view, index),
      })),
    }
  }

  // Start (R12)

  /** The block store is authoritative: the floor is the view of its last direct finalization (P15). */
  #restoreFloor(): void {
    for (let height = this.#tree.tip.block.header.height; height > this.#config.anchorHeight; height--) {
      const finalization = this.#ports.finalBlocks.finalizationAt(height)
      if (finalization === undefined) continue
      this.#floor = finalization.view
      this.#floorHash = finalization.hash
      this.#certificates.add(finalization, NEVER)
      return
    }
  }

  /** Blocks and certificates first, then own votes, each in the order in which they were learned (R12). */
  #restoreLog(log: RestoredLog): void {
    const { blocks, certificates, votes, votedView, halted } = restoredState(log, this.#epoch)
    if (halted !== null) this.#lockHalted(halted)
    if (log.rejoin !== null) this.#guard?.lock(`its vote log was lost (${log.rejoin.reason}); it has to rejoin`)
    this.#view = votedView
    for (const block of blocks) this.#tree.add(block, headerHash(block.header), 'logged')
    for (const certificate of certificates) {
      if (certificate.view >= this.#floor) this.#certificates.add(certificate, NEVER)
    }
    for (const vote of votes) {
      if (vote.view <= this.#floor) continue
      this.#guard?.restore(vote)
      this.#count(vote) // P3
    }
  }

  // Messages

  #onMessage(message: ConsensusMessage, from: PeerRef, authority: number | null): void {
    if (this.#halted !== null && !isRequest(message)) return
    switch (message.kind) {
      case 'proposal':
        return this.#onProposal(message.proposal, from)
      case 'vote':
        return void this.#onVote(message.vote, from, authority)
      case 'certificate':
        return this.#onCertificate(message.certificate, from)
      case 'status':
        return this.#onStatus(message.status, from, authority)
      case 'block':
        return this.#onBlock(message.block, from)
      case 'chain':
        return this.#onChain(message.reply, from)
      case 'getBlock':
      case 'getCertificate':
      case 'getChain':
        return this.#serve(from, message)
      default:
        return unreachable(message)
    }
  }

  /** R4. The leader's signature covers the block hash only; everything else in the message is a hint. */
  #onProposal(proposal: Proposal, from: PeerRef): void {
    const { epoch, view, block, signature } = proposal
    if (epoch !== this.#epoch.epoch || !this.#isInWindow(view)) return
    const hash = headerHash(block.header)
    const signer = leaderOf(view, this.#epoch.set)
    const vote: Vote = { kind: NOTARIZE, epoch, anchor: this.#epoch.anchor, view, hash, signer, signature }
    if (!this.#onVote(vote, from, null)) return
    for (const certificate of [...proposal.parentCertificate, ...proposal.nullCertificates]) {
      this.#onCertificate(certificate, from)
    }
    if (!this.#isInWindow(view)) return
    const key = hashToHex(hash)
    if (!this.#proposalByView.has(view)) {
      this.#proposalByView.set(view, { hash, key, isRefused: false })
      if (view === this.#view) this.#endIdle()
    }
    if (this.#proposalByView.get(view)!.key === key || this.#wanted.has(key)) this.#learn(block, hash, view, from)
  }

  /**
   * Bounds and membership before the signature, the signature before anything is stored (R13).
   * @returns false when the vote is not of its signer.
   */
  #onVote(vote: Vote, from: PeerRef, authority: number | null): boolean {
    const { kind, view, hash, signer } = vote
    if (vote.epoch !== this.#epoch.epoch || !this.#isInWindow(view)) return true
    const member = this.#epoch.set[signer]
    if (!isVoteKind(kind) || member === undefined || !equalBytes(vote.anchor, this.#epoch.anchor)) {
      return this.#charge(from, 'a vote that no authority of this epoch makes')
    }
    if ((kind === NULLIFY) !== isZeroHash(hash)) return this.#charge(from, 'a vote whose hash does not fit its kind')
    if (authority === signer) this.#heard.heard(signer, this.#now.monotonicMs)
    if (this.#votes.check(vote) === 'held') return true
    if (!this.#ports.verify(member.key, voteSignBytes(kind, vote.anchor, vote.epoch, view, hash), vote.signature)) {
      return this.#charge(from, `a vote that authority ${signer} did not sign`)
    }
    this.#heard.heard(signer, this.#now.monotonicMs)
    this.#count(vote)
    return true
  }

  #onCertificate(certificate: Certificate, from: PeerRef): void {
    const { kind, view } = certificate
    if (certificate.epoch !== this.#epoch.epoch || !isVoteKind(kind)) return
    if (view <= this.#floor && kind !== FINALIZE) return
    const held = this.#certificates.get(kind, view)
    if (held !== undefined && (kind !== FINALIZE || equalBytes(held.hash, certificate.hash))) return
    if (view <= this.#floor && this.#tree.isFinal(certificate.hash)) return
    const verified = verifyCertificate(certificate, this.#epoch, this.#ports.verify)
    if (!verified.ok) return void this.#charge(from, verified.fault.message)
    this.#hold(certificate)
  }

  #onStatus(status: Status, from: PeerRef, authority: number | null): void {
    if (authority !== null && !status.observer) this.#heard.heard(authority, this.#now.monotonicMs)
    this.#chain.claim(from, status.height)
    if (status.epoch !== this.#epoch.epoch) return
    // It asks for what it lacks once it knows that it is behind (R10).
    if (status.height < this.#tree.tip.block.header.height) {
      this.#send(from, { kind: 'status', status: this.#status() })
    } else if (status.view < this.#view) {
      this.#serve(from, { kind: 'getCertificate', epoch: this.#epoch.epoch, view: this.#view - 1 })
    }
  }

  #onBlock(block: Block, from: PeerRef): void {
    const hash = headerHash(block.header)
    if (this.#wanted.has(hashToHex(hash))) this.#learn(block, hash, block.header.view, from)
  }

  #onChain(reply: ChainReply, from: PeerRef): void {
    if (!this.#chain.isOutstanding(from)) return
    const checked = checkChainReply(reply, this.#epoch, this.#ports.verify)
    if (!checked.ok) return void this.#charge(from, checked.fault.message)
    const { blocks, finalization, isDirect } = checked.value
    const tipHeight = this.#tree.tip.block.header.height
    for (const { block, hash } of blocks) {
      const own = this.#tree.finalByHeight(block.header.height)
      if (own !== undefined && block.header.height <= tipHeight && !equalBytes(own.hash, hash)) {
        return this.#haltOnConflict(finalization)
      }
      this.#tree.add(block, hash)
    }
    const last = blocks.at(-1)!
    const connection = this.#connect(last.hash)
    if (connection.state === 'forked') return this.#haltOnConflict(finalization)
    if (connection.state === 'invalid') return this.#haltOnDivergence(connection.reason)
    this.#hold(finalization)
    if (connection.state !== 'connected' || this.#halted !== null) return
    if (isDirect) this.#applyFinalization()
    else this.#commit(hashToHex(last.hash), null)
    this.#chain.progressed(this.#now, from)
  }

  #onCommitted(height: number): void {
    this.#tree.committed(height)
    const durable = this.#ports.finalBlocks.finalizationAt(height)
    if (durable?.epoch !== this.#epoch.epoch) return
    for (const effect of this.#log?.forget(durable.view) ?? []) this.#effects.push(effect)
  }

  /** Answers as far as the answer is held; after a halt, too. */
  #serve(to: PeerRef, request: Request): void {
    const held = { config: this.#config, tree: this.#tree, certificates: this.#certificates }
    for (const message of answersTo(request, held)) this.#send(to, message)
  }

  // What is learned

  /** Takes a block whose hash is authentic. Its body may not be: then it is asked of others (R4). */
  #learn(block: Block, hash: BlockHash, view: number, from: PeerRef): void {
    const key = hashToHex(hash)
    if (this.#tree.get(key) !== undefined) return
    if (!isBodyOf(block)) {
      this.#charge(from, 'a block whose body is not of its header')
      this.#want({ views: [], blocks: [hash] }, view, null)
      return
    }
    this.#wanted.got(key)
    this.#tree.add(block, hash)
  }

  /** Tallies a verified vote. The certificate that it completes is broadcast, unless somebody else sent it before. */
  #count(vote: Vote): void {
    const evidence = this.#votes.evidence(vote)
    if (evidence !== null) this.#event({ kind: 'evidenceFound', ...evidence })
    const certificate = this.#votes.count(vote)
    if (certificate !== null && this.#certificates.get(certificate.kind as VoteKind, vote.view) === undefined) {
      this.#hold(certificate)
      if (this.#guard !== null) this.#broadcast({ kind: 'certificate', certificate })
    }
    if (vote.kind === NULLIFY && vote.view === this.#view) this.#endIdle()
  }

  /** Takes a verified certificate in (P11). */
  #hold(certificate: Certificate): void {
    const { kind, view } = certificate
    if (this.#certificates.conflictOf(certificate) !== null || this.#contradictsFinalChain(certificate)) {
      return this.#haltOnConflict(certificate)
    }
    if (view <= this.#floor || this.#certificates.get(kind as VoteKind, view) !== undefined) return
    this.#append({ kind: 'certificate', certificate })
    this.#certificates.add(certificate, this.#view + VIEWS_AHEAD_MAX)
    this.#wanted.got(wantedView(view))
  }

  /**
   * R7 at or below the floor: there, whatever is finalized is on the finalized chain. Only who holds every final block
   * of the epoch can tell.
   */
  #contradictsFinalChain(certificate: Certificate): boolean {
    if (certificate.kind !== FINALIZE || certificate.view > this.#floor) return false
    const first = this.#config.anchorHeight + 1
    return this.#tree.finalByHeight(first) !== undefined && !this.#tree.isFinal(certificate.hash)
  }

  // Rules, applied until none applies

  #settle(): readonly Effect[] {
    while (this.#halted === null && this.#applyRule());
    if (this.#now.monotonicMs >= this.#retransmitAtMs) this.#retransmit()
    if (this.#halted === null) this.#request()
    const effects = this.#effects
    this.#effects = []
    return effects
  }

  /** @returns whether a rule applied. Each raises the view or the floor, casts a vote, or uses up a timer or a block. */
  #applyRule(): boolean {
    return (
      this.#applyFinalization() ||
      this.#advanceView() ||
      this.#followHead() ||
      this.#voteOnProposal() ||
      this.#propose() ||
      this.#expire()
    )
  }

  /** R7. */
  #applyFinalization(): boolean {
    for (const certificate of this.#certificates.finalizationsAbove(this.#floor)) {
      const connection = this.#connect(certificate.hash)
      switch (connection.state) {
        case 'final':
          this.#raiseFloor(certificate)
          return true
        case 'connected':
          this.#commit(hashToHex(certificate.hash), certificate)
          this.#raiseFloor(certificate)
          return true
        case 'forked':
          this.#haltOnConflict(certificate)
          return true
        case 'invalid':
          this.#haltOnDivergence(connection.reason)
          return true
        case 'missing':
          this.#wantForCertificate(connection.hash, certificate.view)
      }
    }
    return false
  }

  /** R5, R6: only certificates move views, whatever this node voted (P2). */
  #advanceView(): boolean {
    for (const view of this.#certificates.viewsFrom(this.#view)) {
      const notarization = this.#certificates.notarization(view)
      if (notarization !== undefined) {
        const connection = this.#connect(notarization.hash)
        if (connection.state === 'connected' || connection.state === 'final') {
          this.#view = view
          this.#cast(FINALIZE, notarization.hash)
          this.#enterView(view + 1)
          return true
        }
        if (connection.state === 'missing') this.#wantForCertificate(connection.hash, view)
      }
      if (this.#certificates.isNullified(view)) {
        this.#enterView(view + 1)
        return true
      }
    }
    return false
  }

  /** Fork choice: the connected notarized block of the highest view. */
  #followHead(): boolean {
    for (const view of this.#certificates.notarizedAbove(this.#head.view)) {
      const notarization = this.#certificates.notarization(view)!
      const connection = this.#connect(notarization.hash)
      if (connection.state === 'missing') this.#wantForCertificate(connection.hash, view)
      if (connection.state !== 'connected') continue
      const block = this.#tree.get(hashToHex(notarization.hash))!
      this.#event({ kind: 'blockNotarized', height: block.block.header.height, hash: block.hash, view })
      this.#moveHead(block, view)
      return true
    }
    return false
  }

  /** R4 for the present view's proposal. */
  #voteOnProposal(): boolean {
    this.#clock.waitForProposal(NEVER)
    const proposal = this.#proposalByView.get(this.#view)
    const guard = this.#guard
    if (proposal === undefined || proposal.isRefused || guard === null || guard.lockedBecause !== null) return false
    const own = guard.votesOf(this.#view)
    if (own.notarize !== undefined || own.nullify !== undefined) return false
    const block = this.#tree.get(proposal.key)?.block
    if (block === undefined) {
      this.#want({ views: [], blocks: [proposal.hash] }, this.#view, null)
      return false
    }
    const at = { view: this.#view, leader: leaderOf(this.#view, this.#epoch.set), now: this.#now }
    const connect = (hash: BlockHash): Connection => this.#connect(hash)
    const verdict = judgeProposal(block, proposal.hash, at, this.#config, this.#held(), connect)
    switch (verdict.kind) {
      case 'notarize':
        return this.#cast(NOTARIZE, proposal.hash)
      case 'missing':
        this.#want(verdict.missing, this.#view, null)
        return false
      case 'early':
        this.#clock.waitForProposal(atWall(this.#now, verdict.wallMs))
        return false
      case 'versionUnknown':
        this.#reportVersion(verdict.height, verdict.version)
        proposal.isRefused = true
        return false
      case 'fault':
        this.#event({ kind: 'proposalRefused', view: this.#view, reason: verdict.reason })
        proposal.isRefused = true
        this.#clock.expireNow(this.#now)
        return true
    }
  }

  /** R3. */
  #propose(): boolean {
    const view = this.#view
    const guard = this.#guard
    if (guard === null || !this.#clock.mayPropose(this.#now)) return false
    const own = guard.votesOf(view)
    if (own.notarize !== undefined || own.nullify !== undefined) {
      this.#clock.proposed()
      return false
    }
    const found = findParent(view, this.#held())
    if (!('hash' in found)) {
      this.#want(found, view, null)
      return false
    }
    this.#clock.proposed()
    const parent = this.#tree.get(hashToHex(found.hash))!
    const { timestamp, height } = parent.block.header
    const draft = {
      version: BLOCK_VERSION,
      epoch: this.#epoch.epoch,
      height: height + 1,
      parent: parent.hash,
      view,
      proposer: this.#self,
      timestamp: Math.max(Math.floor(this.#now.wallMs), timestamp + this.#config.intervalMs),
    }
    const isEmpty = this.#tree.pathFromTip(parent.key).length > UNFINALIZED_FULL_MAX
    const { block, hash } = this.#ports.executor.build(parent.hash, draft, isEmpty)
    this.#tree.add(block, hash, 'executed')
    this.#append({ kind: 'block', block })
    this.#proposalByView.set(view, { hash, key: hashToHex(hash), isRefused: false })
    return this.#cast(NOTARIZE, hash)
  }

  /** R8. */
  #expire(): boolean {
    if (!this.#clock.takeExpiry(this.#now)) return false
    this.#cast(NULLIFY, ZERO_HASH)
    return true
  }

  // Parts of the rules

  /** Signs if R1 allows, logs, sends, tallies: in this order (R2, P14). */
  #cast(kind: VoteKind, hash: Hash): boolean {
    const notarizedAndConnected = (of: Hash): boolean => {
      const notarization = this.#certificates.notarization(this.#view)
      if (notarization === undefined || !equalBytes(notarization.hash, of)) return false
      return this.#tree.isConnected(hashToHex(of))
    }
    const vote = this.#guard?.sign(kind, this.#view, hash, { view: this.#view, notarizedAndConnected }) ?? null
    if (vote === null) return false
    this.#append({ kind: 'vote', vote })
    this.#broadcast(this.#messageOf(vote))
    this.#count(vote)
    return true
  }

  /** The leader's notarize vote travels as its proposal. */
  #messageOf(vote: Vote): ConsensusMessage {
    const isLeaders = vote.kind === NOTARIZE && leaderOf(vote.view, this.#epoch.set) === this.#self
    const proposed = isLeaders ? this.#tree.get(hashToHex(vote.hash)) : undefined
    if (proposed === undefined) return { kind: 'vote', vote }
    return { kind: 'proposal', proposal: proposalOf(proposed.block, vote, this.#held()) }
  }

  /** Makes a connected block and its ancestors final. @param finalization null when it is of a later block (R10). */
  #commit(key: HashHex, finalization: Certificate | null): void {
    const blocks = this.#tree.pathFromTip(key)
    const isHeadAbove = this.#tree.pathFromTip(this.#head.block.key).some((block) => block.key === key)
    const target = blocks.at(-1)!
    if (!isHeadAbove) this.#moveHead(target, finalization?.view ?? this.#head.view)
    this.#tree.finalize(key, finalization)
    this.#chain.progressed(this.#now, null)
    this.#effects.push({ kind: 'commit', blocks, finalization })
  }

  /** R7: the floor and the view never move back. */
  #raiseFloor(finalization: Certificate): void {
    this.#floor = finalization.view
    this.#floorHash = finalization.hash
    this.#certificates.forgetBelow(this.#floor)
    this.#votes.forgetUpTo(this.#floor)
    this.#guard?.forgetUpTo(this.#floor)
    this.#wanted.forgetUpTo(this.#floor)
    for (const view of this.#proposalByView.keys()) if (view <= this.#floor) this.#proposalByView.delete(view)
    if (this.#view <= this.#floor) this.#enterView(this.#floor + 1)
  }

  #moveHead(block: TreeBlock, view: number): void {
    const from = this.#head.block
    this.#head = { block, view }
    const ancestor = this.#tree.commonAncestor(from.key, block.key)
    if (from.key !== ancestor.key) {
      this.#event({ kind: 'reorg', from: from.hash, to: block.hash, ancestor: ancestor.hash })
    }
  }

  /** Enters a view and arms its timers (R8, R14). After a restart, too (P4). */
  #enterView(view: number): void {
    this.#view = view
    this.#event({ kind: 'viewEntered', view })
    const parent = this.#parent()
    let failures = 0
    while (view - 1 - failures > this.#floor && !this.#certificates.notarization(view - 1 - failures)) failures++
    const start = { parentTimestampMs: parent.block.header.timestamp, failures, idle: this.#isQuiet(parent) }
    const leader = leaderOf(view, this.#epoch.set)
    const isVoter = this.#guard !== null && this.#guard.lockedBecause === null
    this.#clock.enter(this.#now, start, !isVoter ? 'follower' : leader === this.#self ? 'leader' : 'voter')
    const silence = silenceMs(this.#config)
    const isSilent = this.#heard.isSilent(leader, this.#self, this.#now.monotonicMs, silence)
    if (isSilent) this.#clock.expireNow(this.#now)
    if (this.#epoch.set.some((_, index) => this.#votes.hasVoted(NULLIFY, view, index))) this.#endIdle()
  }

  /** R14: nothing to do and nothing under way. */
  #isQuiet(parent: TreeBlock): boolean {
    if (this.#proposalByView.has(this.#view) || this.#ports.executor.hasExecutable(parent.hash)) return false
    return this.#tree
      .pathFromTip(parent.key)
      .every(({ block }) => block.transactions.length === 0 && isZeroHash(block.header.nextSet))
  }

  /** R14: nobody can be blamed for having been quiet in an idle wait. */
  #endIdle(): void {
    if (this.#clock.endIdle(this.#now)) this.#heard.heardAll(this.#now.monotonicMs)
  }

  /** What a proposal of the present view would build on; the tip while that is not known. */
  #parent(): TreeBlock {
    const found = findParent(this.#view, this.#held())
    return ('hash' in found ? this.#tree.get(hashToHex(found.hash)) : undefined) ?? this.#tree.tip
  }

  #held(): Held {
    return { tree: this.#tree, certificates: this.#certificates, floor: this.#floor, floorHash: this.#floorHash }
  }

  #connect(hash: BlockHash): Connection {
    const connection = this.#tree.connect(hash, (block) => this.#append({ kind: 'block', block: block.block }))
    if (connection.state === 'versionUnknown') this.#reportVersion(connection.height, connection.version)
    return connection
  }

  #reportVersion(height: number, version: number): void {
    if (height <= this.#versionReported) return
    this.#versionReported = height
    this.#event({ kind: 'versionUnknown', height, version })
  }

  // Halt (R7, P21)

  #haltOnConflict(certificate: Certificate): void {
    const same = this.#certificates.get(FINALIZE, certificate.view)
    const own = same ?? this.#certificates.get(FINALIZE, this.#floor)
    const reason = `conflicting finalizations: view ${certificate.view} finalizes ${hashToHex(certificate.hash)}`
    this.#halt(reason, own === undefined ? [certificate] : [own, certificate])
  }

  #haltOnDivergence(reason: string): void {
    this.#halt(`a finalized block is not valid here: ${reason}`, [])
  }

  /** Terminal: the proof is on disk before anybody hears of it. */
  #halt(reason: string, proof: readonly Certificate[]): void {
    this.#append({ kind: 'halt', reason, proof })
    this.#lockHalted(reason)
    this.#event({ kind: 'halted', reason })
    for (const certificate of proof) this.#broadcast({ kind: 'certificate', certificate })
  }

  #lockHalted(reason: string): void {
    this.#halted = reason
    this.#guard?.lock(reason)
  }

  // Sending

  /** R9: as a function of state; nothing is signed anew (P1). */
  #retransmit(): void {
    this.#retransmitAtMs = retransmitAtMs(this.#config, this.#now, this.#ports.random())
    this.#broadcast({ kind: 'status', status: this.#status() })
    if (this.#halted !== null || this.#guard === null) return
    const { notarize, nullify, finalize } = this.#guard.votesOf(this.#view)
    const votes = [notarize, nullify, finalize].filter((vote) => vote !== undefined)
    const finalizes = this.#guard.finalizesAbove(this.#floor, FINALIZES_RESENT_MAX)
    for (const vote of [...votes, ...finalizes.filter((vote) => vote !== finalize)]) {
      this.#broadcast(this.#messageOf(vote))
    }
    for (const certificate of this.#certificates.at(this.#view - 1)) this.#broadcast({ kind: 'certificate', certificate })
  }

  /** R10: what is missing, each of one peer. */
  #request(): void {
    const next = this.#chain.next(this.#now, this.#tree.tip.block.header.height)
    if (next !== null) this.#send(next.to, { kind: 'getChain', fromHeight: next.fromHeight })
    for (const { to, message } of this.#wanted.due(this.#now, this.#chain.peers)) this.#send(to, message)
  }

  #want(missing: Missing, view: number, hint: PeerRef | null): void {
    for (const hash of missing.blocks) {
      this.#wanted.want(hashToHex(hash), { kind: 'getBlock', hash }, view, hint)
    }
    for (const of of missing.views) {
      this.#wanted.want(wantedView(of), { kind: 'getCertificate', epoch: this.#epoch.epoch, view: of }, view, hint)
    }
  }

  /** A block far ahead comes with the chain (R10). */
  #wantForCertificate(hash: BlockHash, view: number): void {
    if (view <= this.#view + VIEWS_AHEAD_MAX) this.#want({ views: [], blocks: [hash] }, view, null)
  }

  #isInWindow(view: number): boolean {
    return view > this.#floor && view <= this.#view + VIEWS_AHEAD_MAX
  }

  #status(): Status {
    const height = this.#tree.tip.block.header.height
    return { epoch: this.#epoch.epoch, view: this.#view, height, observer: this.#observerReason() !== null }
  }

  #observerReason(): string | null {
    if (this.#guard === null) return this.#ports.signer === undefined ? 'it has no key' : 'its key is not an authority'
    return this.#guard.lockedBecause
  }

  #append(record: VoteLogRecord): void {
    if (this.#log !== null) this.#effects.push(...this.#log.append(record))
  }

  #broadcast(message: ConsensusMessage): void {
    this.#effects.push({ kind: 'broadcast', message })
  }

  #send(to: PeerRef, message: ConsensusMessage): void {
    this.#effects.push({ kind: 'send', to, message })
  }

  #event(event: ConsensusEvent): void {
    this.#effects.push({ kind: 'event', event })
  }

  #charge(peer: PeerRef, reason: string): false {
    this.#effects.push({ kind: 'charge', peer, reason })
    return false
  }
}

function wantedView(view: number): string {
  return `view ${view}`
}
