/**
 * The state of one node in one epoch, and the moves that keep its promises. Which move is due is said by the rules.
 * When the block that ends the epoch is final, the replica has done its part, and one of the next epoch follows (R11).
 * S1  the view and the floor never move back
 * S2  every own vote goes through `cast`, which appends it to the log before it is sent (R2, P14)
 * S3  after a halt nothing is signed and nothing becomes final (R7, P21)
 * @module
 */
import {
  assert,
  equalBytes,
  endsEpoch,
  FINALIZE,
  hashToHex,
  headerHash,
  leaderOf,
  makeEvidence,
  NOTARIZE,
  NULLIFY,
} from '@althing/base'
import type {
  Block,
  BlockHash,
  Certificate,
  EpochLink,
  Evidence,
  Hash,
  HashHex,
  Vote,
  VoteKind,
} from '@althing/base'
import { faultyCountMax, LastHeard } from './authorities.ts'
import type { BlockTree, Connection, TreeBlock } from './block-tree.ts'
import { Wanted } from './catch-up.ts'
import type { ChainRequests, Need } from './catch-up.ts'
import { CertificateStore } from './certificates.ts'
import { isBodyOf } from './chain-reply.ts'
import { epochStart, startOn } from './epochs.ts'
import type { EpochStart } from './epochs.ts'
import type { Outbox } from './outbox.ts'
import { findParent, proposalOf } from './proposal-rules.ts'
import type { Held, Missing } from './proposal-rules.ts'
import { restoredHalt, restoredState } from './restore.ts'
import { SigningGuard } from './signing-guard.ts'
import { silenceMs } from './timers.ts'
import type {
  AuthorityKey,
  ConsensusConfig,
  ConsensusMessage,
  ConsensusPorts,
  Now,
  PeerRef,
  Status,
} from './types.ts'
import { NEVER, ViewClock } from './view-clock.ts'
import { VoteTally } from './votes.ts'

/** Votes and proposals are taken for this many views ahead (R13). */
const VIEWS_AHEAD_MAX = 100

export interface HeldProposal {
  readonly hash: BlockHash
  readonly key: HashHex
  /** The block hash commits to a fault: no vote, whatever comes. */
  isRefused: boolean
}

/** What outlives an epoch. */
export interface Lasting {
  readonly config: ConsensusConfig
  readonly ports: ConsensusPorts
  readonly keys: readonly AuthorityKey[]
  readonly out: Outbox
  readonly tree: BlockTree
  readonly chain: ChainRequests
  /** Epoch and signer of the evidence that was told already. */
  readonly exposed: Set<string>
}

/** Culprits remembered, so that their evidence is told once. */
const EXPOSED_MAX = 1_024

export class Replica implements Lasting {
  readonly config: ConsensusConfig
  readonly ports: ConsensusPorts
  readonly keys: readonly AuthorityKey[]
  readonly exposed: Set<string>
  readonly epoch: EpochStart
  /** Own index in the authority set; -1 when not a member. */
  readonly self: number
  /** Null on a node that is not an authority. */
  readonly guard: SigningGuard | null
  readonly out: Outbox
  readonly tree: BlockTree
  readonly certificates = new CertificateStore()
  readonly votes: VoteTally
  /** The first proposal of each view (R4). */
  readonly proposalByView = new Map<number, HeldProposal>()
  readonly chain: ChainRequests
  readonly wanted: Wanted
  readonly clock: ViewClock
  readonly heard: LastHeard
  /** Of the present step. */
  now: Now = { monotonicMs: 0, wallMs: 0 }

  #view = 0
  #floor = 0
  #floorHash: BlockHash
  #head: { readonly block: TreeBlock; readonly view: number }
  #halted: { readonly reason: string; readonly proof: readonly Certificate[] } | null = null
  /** Unknown versions have been reported up to this height. */
  #versionReported = 0

  /** Which of the node's keys is in the set; −1 when none is. */
  readonly #seat: number

  /** @param before of the epoch before. */
  constructor(lasting: Lasting, epoch: EpochStart, before: Replica | null) {
    this.config = lasting.config
    this.ports = lasting.ports
    this.keys = lasting.keys
    this.exposed = lasting.exposed
    this.epoch = epoch
    this.out = lasting.out
    this.tree = lasting.tree
    this.chain = lasting.chain
    const indexOf = ({ signer }: AuthorityKey): number =>
      epoch.set.findIndex((member) => equalBytes(member.key, signer.publicKey))
    this.#seat = this.keys.findIndex((key) => indexOf(key) >= 0)
    const key = this.keys[this.#seat]
    this.self = key === undefined ? -1 : indexOf(key)
    this.guard = key === undefined ? null : new SigningGuard(key.signer, epoch, this.self)
    this.votes = new VoteTally(epoch)
    this.wanted = new Wanted(this.config.timeoutBaseMs / 4)
    this.clock = new ViewClock(this.config, faultyCountMax(epoch.set))
    this.heard = new LastHeard(epoch.set, before?.heard)
    this.#floorHash = epoch.anchor
    this.#head = { block: this.tree.tip, view: 0 }
  }

  /** 0 before the start. */
  get view(): number {
    return this.#view
  }

  /** The highest finalized view of the epoch; 0 is the anchor's. */
  get floor(): number {
    return this.#floor
  }

  /** The connected notarized block of the highest view; the finalized tip when there is none above it. */
  get head(): TreeBlock {
    return this.#head.block
  }

  /** The view in which the head was notarized. */
  get headView(): number {
    return this.#head.view
  }

  /** Why nothing is signed or made final any more (R7); null while all is well. */
  get halted(): string | null {
    return this.#halted?.reason ?? null
  }

  /** R7: two finalizations that contradict each other, as far as there are such. */
  get haltProof(): readonly Certificate[] {
    return this.#halted?.proof ?? []
  }

  /** The next epoch, once the block that ends this one is final (R11). */
  get successor(): EpochStart | undefined {
    const { tip } = this.tree
    return tip.block.header.height > this.epoch.anchorHeight ? startOn(tip) : undefined
  }

  get leader(): number {
    return leaderOf(this.#view, this.epoch.set)
  }

  /** Takes the restored state of this epoch in and enters the first view (R12). */
  start(now: Now): void {
    assert(this.#view === 0, 'a replica is started twice')
    this.now = now
    this.heard.begin(now.monotonicMs)
    this.out.select(this.#seat)
    this.#settleRejoin()
    this.#restoreFloor()
    this.#restoreLog()
    this.#head = { block: this.tree.tip, view: this.#floor }
    this.enterView(Math.max(this.#view, this.#floor + 1))
  }

  /** Records the first proposal of a view (R4). @returns the hash of the one that is recorded. */
  holdProposal(view: number, hash: BlockHash): HashHex {
    let held = this.proposalByView.get(view)
    if (held === undefined) {
      held = { hash, key: hashToHex(hash), isRefused: false }
      this.proposalByView.set(view, held)
      if (view === this.#view) this.endIdle()
    }
    return held.key
  }

  /** Takes a block whose hash is authentic. Its body may not be: then it is asked of others (R4). */
  learn(block: Block, hash: BlockHash, view: number, from: PeerRef): void {
    const key = hashToHex(hash)
    if (this.tree.get(key) !== undefined) return
    if (!isBodyOf(block)) {
      this.out.charge(from, 'a block whose body is not of its header')
      this.want({ views: [], blocks: [hash] }, { view, by: 'vote' })
      return
    }
    this.wanted.got(key)
    this.tree.add(block, hash)
  }

  /** The pool took a transaction: if a block would carry it, an idle wait is over (R14). */
  notePool(): void {
    if (this.clock.isIdle && this.ports.executor.hasExecutable(this.parent.hash)) this.endIdle()
  }

  /** Blocks up to this height are durable. */
  committed(height: number): void {
    this.tree.committed(height)
    const durable = this.ports.finalBlocks.finalizationAt(height)
    if (durable !== undefined) this.out.forgetLog(durable)
  }

  /** Tallies a verified vote. The certificate that it completes is broadcast, unless somebody else sent it before. */
  count(vote: Vote): void {
    const evidence = this.votes.evidence(vote)
    if (evidence !== null) this.expose(makeEvidence(evidence.first, evidence.second))
    const certificate = this.votes.count(vote)
    if (
      certificate !== null &&
      this.certificates.get(certificate.kind as VoteKind, vote.view) === undefined
    ) {
      this.hold(certificate)
      if (this.guard !== null) this.out.broadcast({ kind: 'certificate', certificate })
    }
    if (vote.kind === NULLIFY && vote.view === this.#view) this.endIdle()
  }

  /** Tells verified evidence, once for each signer and epoch. */
  expose(evidence: Evidence): void {
    if (this.isExposed(evidence)) return
    this.exposed.add(culpritOf(evidence))
    if (this.exposed.size > EXPOSED_MAX) this.exposed.delete(this.exposed.values().next().value!)
    this.out.event({ kind: 'evidenceFound', ...evidence })
    this.out.broadcast({ kind: 'evidence', evidence })
  }

  isExposed(evidence: Evidence): boolean {
    return this.exposed.has(culpritOf(evidence))
  }

  /** Takes a verified certificate in (P11). */
  hold(certificate: Certificate): void {
    const { kind, view } = certificate
    if (this.certificates.conflictOf(certificate) !== null || this.#contradictsFinalChain(certificate)) {
      return this.haltOnConflict(certificate)
    }
    if (view <= this.#floor || this.certificates.get(kind as VoteKind, view) !== undefined) return
    this.out.append({ kind: 'certificate', certificate })
    this.certificates.add(certificate, this.#view + VIEWS_AHEAD_MAX)
    this.wanted.got(wantedView(view))
  }

  /**
   * R7 at or below the floor: there, whatever is finalized is on the finalized chain. Only who holds every final block
   * of the epoch can tell.
   */
  #contradictsFinalChain(certificate: Certificate): boolean {
    if (certificate.kind !== FINALIZE || certificate.view > this.#floor) return false
    const first = this.epoch.anchorHeight + 1
    return this.tree.finalByHeight(first) !== undefined && !this.tree.isFinal(certificate.hash)
  }

  /** Signs if R1 allows, logs, sends, tallies: in this order (R2, P14). */
  cast(kind: VoteKind, hash: Hash): boolean {
    const notarizedAndConnected = (of: Hash): boolean => {
      const notarization = this.certificates.notarization(this.#view)
      if (notarization === undefined || !equalBytes(notarization.hash, of)) return false
      return this.tree.isConnected(hashToHex(of))
    }
    const vote = this.guard?.sign(kind, this.#view, hash, { view: this.#view, notarizedAndConnected }) ?? null
    if (vote === null) return false
    this.out.append({ kind: 'vote', vote })
    this.out.broadcast(this.messageOf(vote))
    this.count(vote)
    return true
  }

  /** The leader's notarize vote travels as its proposal. */
  messageOf(vote: Vote): ConsensusMessage {
    const isLeaders = vote.kind === NOTARIZE && leaderOf(vote.view, this.epoch.set) === this.self
    const proposed = isLeaders ? this.tree.get(hashToHex(vote.hash)) : undefined
    if (proposed === undefined) return { kind: 'vote', vote }
    return { kind: 'proposal', proposal: proposalOf(proposed.block, vote, this.held) }
  }

  /** Makes a connected block and its ancestors final. @param finalization null when it is of a later block (R10). */
  commit(key: HashHex, finalization: Certificate | null): void {
    const blocks = this.tree.pathFromTip(key)
    const isHeadAbove = this.tree.pathFromTip(this.#head.block.key).some((block) => block.key === key)
    const target = blocks.at(-1)!
    if (!isHeadAbove) this.moveHead(target, finalization?.view ?? this.#head.view)
    this.tree.finalize(key, finalization)
    this.chain.progressed(this.now, null)
    this.out.commit({ blocks, finalization })
  }

  /** R7: the floor and the view never move back. */
  raiseFloor(finalization: Certificate): void {
    this.#floor = finalization.view
    this.#floorHash = finalization.hash
    this.certificates.forgetBelow(this.#floor)
    this.votes.forgetUpTo(this.#floor)
    this.guard?.forgetUpTo(this.#floor)
    this.wanted.forget(this.#floor, this.#view)
    for (const view of this.proposalByView.keys()) if (view <= this.#floor) this.proposalByView.delete(view)
    if (this.#view <= this.#floor) this.enterView(this.#floor + 1)
  }

  /** Who follows the head hears what is undone, and then of the new head; a finalization counts as a notarization. */
  moveHead(block: TreeBlock, view: number): void {
    const from = this.#head.block
    this.#head = { block, view }
    if (from.key === block.key) return // a block proposed again is notarized again (R11)
    const ancestor = this.tree.commonAncestor(from.key, block.key)
    const { hash } = block
    if (from.key !== ancestor.key)
      this.out.event({ kind: 'reorg', from: from.hash, to: hash, ancestor: ancestor.hash })
    this.out.event({ kind: 'blockNotarized', height: block.block.header.height, hash, view })
  }

  /** Stands in a view only to vote in it; the next move leaves it. */
  jumpTo(view: number): void {
    assert(view >= this.#view, `view ${view} is behind view ${this.#view}`)
    this.#view = view
  }

  /** Enters a view and arms its timers (R8, R14). After a restart, too (P4). */
  enterView(view: number): void {
    this.#view = view
    this.out.event({ kind: 'viewEntered', epoch: this.epoch.epoch, view })
    this.wanted.forget(this.#floor, view)
    const parent = this.parent
    let failures = 0
    while (view - 1 - failures > this.#floor && !this.certificates.notarization(view - 1 - failures))
      failures++
    const start = { parentTimestampMs: parent.block.header.timestamp, failures, idle: this.#isQuiet(parent) }
    const leader = leaderOf(view, this.epoch.set)
    const isVoter = this.guard !== null && this.guard.lockedBecause === null
    this.clock.enter(this.now, start, !isVoter ? 'follower' : leader === this.self ? 'leader' : 'voter')
    const silence = silenceMs(this.config)
    const isSilent = this.heard.isSilent(leader, this.self, this.now.monotonicMs, silence)
    if (isSilent) this.clock.expireNow(this.now)
    if (this.epoch.set.some((_, index) => this.votes.hasVoted(NULLIFY, view, index))) this.endIdle()
  }

  /** R14: nothing to do and nothing under way. */
  #isQuiet(parent: TreeBlock): boolean {
    if (this.proposalByView.has(this.#view) || this.ports.executor.hasExecutable(parent.hash)) return false
    return this.tree
      .pathFromTip(parent.key)
      .every(({ block }) => block.transactions.length === 0 && !endsEpoch(block.header))
  }

  /** R14: nobody can be blamed for having been quiet in an idle wait. */
  endIdle(): void {
    if (this.clock.endIdle(this.now)) this.heard.excuseAll(this.now.monotonicMs)
  }

  /** What a proposal of the present view would build on; the tip while that is not known. */
  get parent(): TreeBlock {
    const found = findParent(this.#view, this.held)
    return ('hash' in found ? this.tree.get(hashToHex(found.hash)) : undefined) ?? this.tree.tip
  }

  get held(): Held {
    return {
      tree: this.tree,
      certificates: this.certificates,
      floor: this.#floor,
      floorHash: this.#floorHash,
    }
  }

  connect(hash: BlockHash): Connection {
    const connection = this.tree.connect(hash, (block) =>
      this.out.append({ kind: 'block', block: block.block }),
    )
    if (connection.state === 'versionUnknown') this.reportVersion(connection.height, connection.version)
    return connection
  }

  reportVersion(height: number, version: number): void {
    if (height <= this.#versionReported) return
    this.#versionReported = height
    this.out.event({ kind: 'versionUnknown', height, version })
  }

  want(missing: Missing, need: Need): void {
    const { epoch } = this.epoch
    for (const hash of missing.blocks) this.wanted.want(hashToHex(hash), { kind: 'getBlock', hash }, need)
    for (const view of missing.views) {
      this.wanted.want(wantedView(view), { kind: 'getCertificate', epoch, view }, need)
    }
  }

  /** A block far ahead comes with the chain (R10). */
  wantForCertificate(hash: BlockHash, view: number): void {
    if (view <= this.#view + VIEWS_AHEAD_MAX)
      this.want({ views: [], blocks: [hash] }, { view, by: 'certificate' })
  }

  isInWindow(view: number): boolean {
    return view > this.#floor && view <= this.#view + VIEWS_AHEAD_MAX
  }

  get status(): Status {
    const height = this.tree.tip.block.header.height
    return { epoch: this.epoch.epoch, view: this.#view, height, observer: this.observerReason !== null }
  }

  /** Its votes wait: the signer is outside this process, and out of reach. */
  get isSignerAway(): boolean {
    return (this.guard?.waitsBecause ?? null) !== null
  }

  get observerReason(): string | null {
    if (this.guard === null) {
      return this.keys.length === 0
        ? 'it has no key'
        : `its key is not in the set of epoch ${this.epoch.epoch}`
    }
    return this.guard.lockedBecause ?? this.guard.waitsBecause
  }

  // Halt (R7, P21)

  /** @param own what is final here instead; looked for when absent. */
  haltOnConflict(
    certificate: Certificate,
    own = this.certificates.conflictOf(certificate) ?? this.certificates.get(FINALIZE, this.#floor),
  ): void {
    const { epoch, view, hash } = certificate
    const reason = `conflicting finalizations: view ${view} of epoch ${epoch} finalizes ${hashToHex(hash)}`
    this.#halt(reason, own === undefined ? [certificate] : [own, certificate])
  }

  haltOnDivergence(reason: string): void {
    this.#halt(`a finalized block is not valid here: ${reason}`, [])
  }

  /** Terminal: the proof is on disk before anybody hears of it. */
  #halt(reason: string, proof: readonly Certificate[]): void {
    this.out.appendToAll({ kind: 'halt', reason, proof })
    this.#lockHalted(reason, proof)
    this.out.event({ kind: 'halted', reason, proof })
    for (const certificate of proof) this.out.broadcast({ kind: 'certificate', certificate })
  }

  #lockHalted(reason: string, proof: readonly Certificate[]): void {
    this.#halted = { reason, proof }
    this.guard?.lock(reason)
  }

  // Start (R12)

  /** The block store is authoritative: the floor is the view of its last direct finalization (P15). */
  #restoreFloor(): void {
    for (let height = this.tree.tip.block.header.height; height > this.epoch.anchorHeight; height--) {
      const finalization = this.ports.finalBlocks.finalizationAt(height)
      if (finalization === undefined) continue
      this.#floor = finalization.view
      this.#floorHash = finalization.hash
      this.certificates.add(finalization, NEVER)
      return
    }
  }

  /** Blocks and certificates first, then own votes, each in the order in which they were learned (R12). */
  #restoreLog(): void {
    const halt = this.keys.map(({ log }) => restoredHalt(log)).find((found) => found !== undefined)
    if (halt !== undefined) this.#lockHalted(halt.reason, halt.proof)
    const log = this.keys[this.#seat]?.log
    if (log === undefined) return
    const { blocks, certificates, votes, votedView, isOutvoted } = restoredState(log, this.epoch)
    if (isOutvoted) this.guard?.lock(`it has voted in an epoch after ${this.epoch.epoch}`)
    this.#view = votedView
    for (const block of blocks) this.tree.add(block, headerHash(block.header), 'logged')
    for (const certificate of certificates) {
      if (certificate.view >= this.#floor) this.certificates.add(certificate, NEVER)
    }
    for (const vote of votes) {
      if (vote.view <= this.#floor) continue
      this.guard?.restore(vote)
      if (vote.kind === NOTARIZE) this.holdProposal(vote.view, vote.hash)
      this.count(vote) // P3
    }
  }

  /** R12: signs nothing while the marker is there; it goes when this epoch's anchor commits to the marker's nonce. */
  #settleRejoin(): void {
    const { rejoin } = this.out
    if (rejoin === null) return
    const recorded = this.#recordedRejoin()
    if (recorded !== null && recorded <= this.epoch.anchorHeight) this.out.rejoined(this.epoch.epoch)
    else this.guard?.lock(`its vote log was lost (${rejoin.reason}); it has to rejoin`)
  }

  /** Asks for the transaction that ends the abstention, until it is final. */
  pursueRejoin(): void {
    const { rejoin } = this.out
    if (rejoin === null || this.#halted !== null || this.#recordedRejoin() !== null) return
    this.out.submitRejoin(this.keys[this.#seat]!.signer.publicKey, rejoin.nonce)
  }

  /** The height of the block that carried the rejoin of the present marker; null when there is none yet. */
  #recordedRejoin(): number | null {
    const { rejoin } = this.out
    const { publicKey } = this.keys[this.#seat]!.signer
    const recorded = this.ports.executor.lastRejoin(this.tree.tip.hash, publicKey)
    return rejoin !== null && recorded !== null && equalBytes(recorded.nonce, rejoin.nonce)
      ? recorded.height
      : null
  }

  /** An epoch from the first to the present one; undefined when it is not held. */
  startOf(epoch: number): EpochStart | undefined {
    if (epoch >= this.epoch.epoch) return epoch === this.epoch.epoch ? this.epoch : undefined
    return epochStart(epoch, this.config.epoch, this.tree)
  }

  /** What ended an earlier epoch (R11: served for ever). */
  endOf(epoch: number): EpochLink | undefined {
    const height = this.startOf(epoch + 1)?.anchorHeight ?? 0
    const finalization = height > 0 ? this.tree.finalizationAt(height) : undefined
    const block = this.tree.finalByHeight(height)?.block
    if (finalization === undefined || block === undefined) return undefined
    return { header: block.header, nextSet: block.nextSet, finalization }
  }
}

function culpritOf({ first }: Evidence): string {
  return `${first.epoch} ${first.signer}`
}

/** The key under which certificates of a view are wanted. */
function wantedView(view: number): string {
  return `view ${view}`
}
