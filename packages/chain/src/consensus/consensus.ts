/**
 * The consensus core: Simplex with explicit notarize, nullify and finalize votes (Chan and Pass, eprint 2023/463), one
 * instance for each epoch (R11). Facts in, effects out; mutable inside, deterministic from outside. R and P numbers cite the consensus
 * rules and their pitfalls. A step takes one input in, applies the rules until none applies, and returns the effects of
 * all of that together (P20).
 * @module
 */
import { assert, FINALIZE, hashToHex, NOTARIZE, NULLIFY, quorumWeight, unreachable } from '@althing/base'
import type { Epoch, EpochLink } from '@althing/base'
import { BlockTree } from './block-tree.ts'
import type { TreeBlock } from './block-tree.ts'
import { ChainRequests } from './catch-up.ts'
import { assertConfig } from './config.ts'
import { presentEpoch } from './epochs.ts'
import type { EpochStart } from './epochs.ts'
import { receive } from './intake.ts'
import { LogTail } from './log-tail.ts'
import { Outbox } from './outbox.ts'
import { Replica } from './replica.ts'
import type { Lasting } from './replica.ts'
import { applyRule } from './rules.ts'
import { retransmitAtMs } from './timers.ts'
import type {
  AuthorityKey,
  ConsensusConfig,
  ConsensusPorts,
  ConsensusView,
  Effect,
  Input,
  Now,
  UnfinalizedBlock,
} from './types.ts'
import { NEVER } from './view-clock.ts'
import type { RestoredLog } from './vote-log.ts'

/** Own finalize votes sent again, the newest first (R9). */
const FINALIZES_RESENT_MAX = 32

export class Consensus {
  #replica: Replica
  #retransmitAtMs = NEVER

  /**
   * @param log what `replayVoteLog` gave back; null exactly when there is no signer.
   * @param otherKeys of the same authority: the first key that is in an epoch's set votes in it, so an authority changes
   * its key without stopping.
   */
  constructor(
    config: ConsensusConfig,
    ports: ConsensusPorts,
    log: RestoredLog | null,
    otherKeys: readonly AuthorityKey[] = [],
  ) {
    assertConfig(config)
    const { signer } = ports
    assert((log === null) === (signer === undefined), 'a signer and a vote log belong together')
    const keys = signer === undefined || log === null ? [] : [{ signer, log }, ...otherKeys]
    const tails = keys.map((key, index) => new LogTail(index, config.segmentBytesMax, key.log))
    const tree = new BlockTree(ports.executor, ports.finalBlocks)
    const out = new Outbox(tails)
    const patienceMs = Math.min(config.intervalMs, config.timeoutBaseMs)
    const chain = new ChainRequests(config.chainReplyBytesMax, patienceMs)
    const lasting = { config, ports, keys, out, tree, chain, exposed: new Set<string>() }
    this.#replica = this.#replicaOf(lasting, presentEpoch(config.epoch, tree), null)
  }

  /** Enters the first view with what was restored. Called once, before anything else. */
  start(now: Now): readonly Effect[] {
    const replica = this.#replica
    replica.start(now)
    this.#retransmitAtMs = retransmitAtMs(replica.config, now, replica.ports.random())
    replica.out.broadcast({ kind: 'status', status: replica.status })
    replica.pursueRejoin()
    return this.#settle()
  }

  /** One step. The effects are performed in order. */
  handle(input: Input, now: Now): readonly Effect[] {
    const replica = this.#replica
    assert(replica.view > 0, 'the consensus core is not started')
    replica.now = now
    switch (input.kind) {
      case 'messageReceived':
        receive(replica, input.message, input.from, input.authority)
        break
      case 'peerConnected':
        replica.chain.claim(input.peer, input.height)
        replica.out.send(input.peer, { kind: 'status', status: replica.status })
        break
      case 'peerDisconnected':
        replica.chain.disconnected(input.peer)
        break
      case 'poolChanged':
        replica.notePool()
        break
      case 'committed':
        replica.committed(input.height)
        break
      case 'tick':
        break
      default:
        unreachable(input)
    }
    return this.#settle()
  }

  /**
   * When to call with `tick` at the latest, by the monotonic clock. A timer that has passed waits for something else
   * than time, and is left out.
   */
  nextDeadlineMs(): number {
    const { halted, clock, chain, wanted, tree, now } = this.#replica
    let nextMs = NEVER
    const consider = (timerMs: number): void => {
      if (timerMs > now.monotonicMs && timerMs < nextMs) nextMs = timerMs
    }
    consider(this.#retransmitAtMs)
    if (halted !== null) return nextMs
    clock.timersMs.forEach(consider)
    consider(chain.nextDeadlineMs(tree.tip.block.header.height))
    consider(wanted.nextDeadlineMs())
    return nextMs
  }

  /** The connected notarized block of the highest view; the finalized tip when there is none above it. */
  get head(): TreeBlock {
    return this.#replica.head
  }

  /** Whether the present view waits for something to do (R14). */
  get isIdle(): boolean {
    return this.#replica.clock.isIdle
  }

  /** Whose votes count now. */
  get epoch(): Epoch {
    return this.#replica.epoch
  }

  /** What ended an epoch before the present one (R11); undefined when it is not held, or has not ended. */
  endOf(epoch: number): EpochLink | undefined {
    return this.#replica.endOf(epoch)
  }

  /** The connected blocks above the finalized tip, in height order; more than one of a height while they compete. */
  get unfinalized(): readonly UnfinalizedBlock[] {
    const { tree, certificates, floor } = this.#replica
    const notarized = certificates.notarizedAbove(floor).map((view) => certificates.notarization(view)!.hash)
    const keys = new Set(notarized.map(hashToHex))
    return tree.connected.map(({ block: { header }, hash, key }) => {
      const { height, parent, view } = header
      return { height, hash, parent, view, label: keys.has(key) ? 'notarized' : 'proposed' }
    })
  }

  /** The finalized tip: durable, or about to be. */
  get finalized(): TreeBlock {
    return this.#replica.tree.tip
  }

  view(now: Now): ConsensusView {
    const {
      epoch,
      view,
      floor,
      tree,
      head,
      leader,
      clock,
      halted,
      haltProof,
      observerReason,
      votes,
      heard,
      self,
    } = this.#replica
    return {
      epoch: epoch.epoch,
      view,
      floor,
      finalizedHeight: tree.tip.block.header.height,
      finalizedHash: tree.tip.hash,
      headHeight: head.block.header.height,
      headHash: head.hash,
      leader,
      idle: clock.isIdle,
      halted,
      haltProof,
      observer: observerReason,
      quorumWeight: quorumWeight(epoch.set),
      authorities: epoch.set.map(({ key, weight }, index) => ({
        index,
        key,
        weight,
        silentMs: index === self ? 0 : heard.silentMs(index, now.monotonicMs),
        votedNotarize: votes.hasVoted(NOTARIZE, view, index),
        votedNullify: votes.hasVoted(NULLIFY, view, index),
        votedFinalize: votes.hasVoted(FINALIZE, view, index),
      })),
    }
  }

  #settle(): readonly Effect[] {
    while (this.#replica.halted === null && (this.#enterEpoch() || applyRule(this.#replica)));
    const replica = this.#replica
    if (replica.now.monotonicMs >= this.#retransmitAtMs) this.#retransmit()
    if (replica.halted === null) this.#request()
    return replica.out.take()
  }

  /** R11: when the block that ends the epoch is final, its instance votes no more, and the next starts at view 1. */
  #enterEpoch(): boolean {
    const before = this.#replica
    const next = before.successor
    if (next === undefined) return false
    this.#replica = this.#replicaOf(before, next, before)
    const { anchorHeight, epoch, anchor, set } = next
    before.out.event({ kind: 'epochEntered', anchorHeight, epoch, anchor, set })
    this.#replica.start(before.now)
    return true
  }

  #replicaOf(lasting: Lasting, epoch: EpochStart, before: Replica | null): Replica {
    lasting.tree.enterEpoch(epoch.epoch)
    return new Replica(lasting, epoch, before)
  }

  /** R9: as a function of state; nothing is signed anew (P1). */
  #retransmit(): void {
    const replica = this.#replica
    const { guard, out, view, floor } = replica
    this.#retransmitAtMs = retransmitAtMs(replica.config, replica.now, replica.ports.random())
    out.broadcast({ kind: 'status', status: replica.status })
    replica.pursueRejoin()
    if (replica.halted !== null || guard === null) return
    const { notarize, nullify } = guard.votesOf(view)
    for (const vote of [notarize, nullify, ...guard.finalizesAbove(floor, FINALIZES_RESENT_MAX)]) {
      if (vote !== undefined) out.broadcast(replica.messageOf(vote))
    }
    const end = view === 1 ? replica.endOf(replica.epoch.epoch - 1)?.finalization : undefined
    for (const certificate of end === undefined ? replica.certificates.at(view - 1) : [end])
      out.broadcast({ kind: 'certificate', certificate })
  }

  /** R10: what is missing, each of one peer. */
  #request(): void {
    const { chain, wanted, tree, now, out } = this.#replica
    const next = chain.next(now, tree.tip.block.header.height)
    if (next !== null) out.send(next.to, { kind: 'getChain', fromHeight: next.fromHeight })
    for (const { to, message } of wanted.due(now, chain.peers)) out.send(to, message)
  }
}
