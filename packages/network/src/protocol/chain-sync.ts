/**
 * Catching up with peers whose chain has blocks that we lack: whom to ask for which range, and when to give up. Pure, and generic over
 * what a block is.
 * S1  one session at a time, led by one peer that says its head is a block we do not have; whatever its height, so that neither a peer one
 *     block ahead nor a heavier branch of equal height is missed
 * S2  a claim only decides whom to ask: a peer that cannot show what it claims waits longer each time, and is charged a fault in the end
 * S3  ranges are asked of several peers at once and applied one by one in height order (PO-5)
 * S4  at most `rangeBlocksMax` blocks a request, `windowRanges` ranges at a time, `bufferBytesMax` of what waits or is under way;
 *     one range is always allowed
 * S5  each session first finds the last block that both chains have, which is never below what is final; nothing below it is fetched
 * S6  a peer that fails, lies or is slow is set aside: a helper for the session; a lead ends its session, and another peer leads the next.
 *     Nobody is blamed for being slow or gone
 * S7  a chain with nothing but its genesis begins at the trusted checkpoint, if it has one; when nobody can show that block, or the chain
 *     will not begin there, it says so and begins at the genesis
 * S8  what is claimed is given a moment to come by itself: who follows a fast chain by gossip is always a little behind someone, and not behind
 * @module
 */
import { assert } from '@althing/base'
import type { BlockRef } from './chain-messages.ts'
import type {
  ChainSyncLimits,
  CheckpointVerdict,
  Failure,
  SyncEffect,
  SyncInput,
  SyncStrategy,
} from './chain-sync-effect.ts'
import type { Offence } from './reputation.ts'

interface Peer {
  head: BlockRef
  lowestHeight: number
  known: boolean
  /** Since when it claims what is not here; it may have moved on meanwhile. */
  unknownSinceMs: number
  failures: number
  emptyClaims: number
  notBeforeMs: number
  ledAt: number
}

interface Range<Block> {
  readonly id: number
  readonly from: number
  readonly count: number
  /** Who was asked; null while nobody was. */
  peer: string | null
  askedMs: number
  received: { readonly blocks: readonly Block[]; readonly bytes: number } | null
}

interface Session<Block> {
  readonly id: number
  readonly lead: string
  readonly strategy: SyncStrategy
  /** In height order without gaps; the first is the next to apply. */
  readonly ranges: Range<Block>[]
  readonly setAside: Set<string>
  /** Nobody but the lead is asked. */
  alone: boolean
  /** Up to here there are blocks of our own: what differs is of the lead's branch, and only the lead is asked for it. */
  readonly ownHeight: number
  /** The first height that is in no range yet; null until the common ancestor is known. */
  next: number | null
  stored: number
  lastId: string | null
}

export class ChainSync<Block> {
  readonly #limits: ChainSyncLimits
  readonly #peerById = new Map<string, Peer>()
  #session: Session<Block> | null = null
  #localHeight = 0
  #floor = 0
  #lastRangeId = 0
  #sessions = 0
  #checkpoint: BlockRef | null
  #checkpointTries = 0
  #applyingId: number | null = null
  #effects: SyncEffect<Block>[] = []

  /** @param checkpoint trusted; null when there is none, or the chain is past its genesis. */
  constructor(limits: ChainSyncLimits, checkpoint: BlockRef | null) {
    assert(
      limits.bufferBytesMax >= limits.rangeBytesMax,
      `bufferBytesMax ${limits.bufferBytesMax} < rangeBytesMax ${limits.rangeBytesMax}`,
    )
    this.#limits = limits
    this.#checkpoint = checkpoint
  }

  /** When `timePassed` is due at the latest; Infinity when only other inputs matter. */
  get nextDeadlineMs(): number {
    let earliestMs = Infinity
    if (this.#session !== null) {
      const { slowAnswerMs } = this.#limits
      for (const range of this.#session.ranges) {
        if (isOpen(range)) earliestMs = Math.min(earliestMs, range.askedMs + slowAnswerMs)
      }
      return earliestMs
    }
    for (const peer of this.#peerById.values()) {
      if (this.#isAhead(peer)) earliestMs = Math.min(earliestMs, this.#notBeforeMs(peer))
    }
    return earliestMs
  }

  handle(input: SyncInput<Block>, nowMs: number): readonly SyncEffect<Block>[] {
    this.#effects = []
    switch (input.kind) {
      case 'headClaimed':
        this.#headClaimed(input, nowMs)
        break
      case 'peerLost':
        this.#peerLost(input.peer, nowMs)
        break
      case 'blockStored':
        for (const peer of this.#peerById.values()) if (peer.head.id === input.id) peer.known = true
        break
      case 'localHeadChanged':
        this.#localHeight = input.height
        this.#floor = input.floor
        if (input.height > 0) this.#checkpoint = null
        break
      case 'ancestorFound':
        this.#ancestorFound(input.sessionId, input.height, nowMs)
        break
      case 'ancestorFailed':
        this.#ancestorFailed(input.sessionId, input, nowMs)
        break
      case 'checkpointTried':
        this.#checkpointTried(input.sessionId, input.verdict, input.problem, nowMs)
        break
      case 'rangeReceived':
        this.#rangeReceived(input.rangeId, input.blocks, input.bytes, nowMs)
        break
      case 'rangeFailed':
        this.#rangeFailed(input.rangeId, input, nowMs)
        break
      case 'rangeApplied':
        this.#rangeApplied(input, nowMs)
        break
      case 'timePassed':
        this.#replaceSlow(nowMs)
        break
    }
    this.#advance(nowMs)
    return this.#effects
  }

  #headClaimed(
    { peer: id, head, lowestHeight, known }: Extract<SyncInput<Block>, { kind: 'headClaimed' }>,
    nowMs: number,
  ): void {
    // It may have been on its way when others claimed it, and did not arrive.
    if (!known) for (const peer of this.#peerById.values()) if (peer.head.id === head.id) peer.known = false
    const peer = this.#peerById.get(id)
    if (peer === undefined) {
      const fresh = { failures: 0, emptyClaims: 0, notBeforeMs: -Infinity, ledAt: 0, unknownSinceMs: nowMs }
      this.#peerById.set(id, { ...fresh, head, lowestHeight: lowestHeight ?? 0, known })
      return
    }
    if (lowestHeight === null && (known || (!peer.known && head.height <= peer.head.height))) return
    if (peer.known && !known) peer.unknownSinceMs = nowMs
    Object.assign(peer, { head, known, lowestHeight: lowestHeight ?? peer.lowestHeight })
  }

  #peerLost(peerId: string, nowMs: number): void {
    this.#peerById.delete(peerId)
    if (this.#session === null) return
    if (this.#session.lead === peerId) return this.#end('its link ended', nowMs)
    this.#unask(this.#session, peerId)
  }

  // Answers

  #ancestorFound(sessionId: number, height: number, nowMs: number): void {
    const session = this.#session
    if (session === null || session.id !== sessionId) return
    const lowest = this.#peerById.get(session.lead)?.lowestHeight ?? 0
    if (height < this.#floor) {
      return this.#end(`its chain leaves ours below height ${this.#floor}, which is final`, nowMs)
    }
    if (height + 1 < lowest) return this.#end(`it has no blocks below height ${lowest}`, nowMs)
    session.next = height + 1
  }

  #ancestorFailed(sessionId: number, { isFault, problem }: Failure, nowMs: number): void {
    const session = this.#session
    if (session === null || session.id !== sessionId) return
    if (isFault) this.#penalise(session.lead, 'wrongAnswer', problem)
    this.#end(problem, nowMs)
  }

  /** S7 */
  #checkpointTried(sessionId: number, verdict: CheckpointVerdict, problem: string, nowMs: number): void {
    const session = this.#session
    if (session === null || session.id !== sessionId) return
    if (verdict === 'taken') {
      this.#checkpoint = null
      return this.#endWith({ ...session, stored: 1 }, null, nowMs)
    }
    this.#checkpointTries++
    if (verdict === 'refused' || this.#checkpointTries >= this.#limits.checkpointTriesMax) {
      this.#checkpoint = null
      this.#effects.push({ kind: 'checkpointGivenUp', problem })
      return this.#endWith(session, problem, nowMs)
    }
    this.#end(problem, nowMs)
  }

  #rangeReceived(rangeId: number, blocks: readonly Block[], bytes: number, nowMs: number): void {
    const session = this.#session
    const index = session?.ranges.findIndex(({ id }) => id === rangeId) ?? -1
    const range = session?.ranges[index]
    if (session === null || range === undefined || range.peer === null || range.received !== null) return
    assert(blocks.length <= range.count, `${blocks.length} blocks for a range of ${range.count}`)
    if (blocks.length === 0) return this.#nothingThere(session, range, nowMs)
    const got = this.#range(range.from, blocks.length, range.peer)
    got.received = { blocks, bytes }
    const rest = range.count - blocks.length
    const parts = rest === 0 ? [got] : [got, this.#range(range.from + blocks.length, rest)]
    session.ranges.splice(index, 1, ...parts)
  }

  #nothingThere(session: Session<Block>, range: Range<Block>, nowMs: number): void {
    if (range.peer !== session.lead) return this.#setAside(session, range.peer)
    const claimed = this.#peerById.get(session.lead)?.head.height ?? range.from
    this.#endShort(session, `it has no block ${range.from}, though it claims ${claimed}`, nowMs)
  }

  /** The lead has not what it claims (S2). */
  #endShort(session: Session<Block>, problem: string, nowMs: number): void {
    const peer = this.#peerById.get(session.lead)
    if (peer !== undefined && session.stored === 0 && ++peer.emptyClaims >= this.#limits.emptyClaimsMax) {
      peer.emptyClaims = 0
      this.#penalise(session.lead, 'wrongAnswer', `claims what it cannot show: ${problem}`)
    }
    this.#end(problem, nowMs)
  }

  #rangeFailed(rangeId: number, { isFault, problem }: Failure, nowMs: number): void {
    const session = this.#session
    const range = session?.ranges.find(({ id }) => id === rangeId)
    if (session === null || range === undefined || range.peer === null) return
    if (isFault) this.#penalise(range.peer, 'wrongAnswer', problem)
    if (range.peer === session.lead) this.#end(problem, nowMs)
    else this.#setAside(session, range.peer)
  }

  /** A helper helps no more in this session; what was asked of it is asked elsewhere. */
  #setAside(session: Session<Block>, helper: string | null): void {
    if (helper === null) return
    session.setAside.add(helper)
    this.#unask(session, helper)
  }

  /** What it has not answered yet is free for others, under new ids: what it answers later must not be taken for theirs. */
  #unask(session: Session<Block>, peer: string): void {
    for (const [index, range] of session.ranges.entries()) {
      if (range.peer === peer && isOpen(range)) session.ranges[index] = this.#range(range.from, range.count)
    }
  }

  #rangeApplied(input: Extract<SyncInput<Block>, { kind: 'rangeApplied' }>, nowMs: number): void {
    if (input.rangeId === this.#applyingId) this.#applyingId = null
    const session = this.#session
    const range = session?.ranges[0]
    if (session === null || range === undefined || range.id !== input.rangeId) return
    session.stored += input.stored
    session.lastId = input.lastId ?? session.lastId
    switch (input.verdict) {
      case 'linked':
        session.ranges.shift()
        return
      case 'parentMissing':
        if (range.peer !== session.lead) return this.#askElsewhere(session, range)
        return this.#alone(session, nowMs)
      case 'invalid':
        this.#penalise(range.peer!, 'invalidBlock', `gave an invalid block at or after height ${range.from}`)
        if (range.peer === session.lead) return this.#end('it gave an invalid block', nowMs)
        return this.#askElsewhere(session, range)
      case 'notTaken':
        return this.#end('a block of it could not be taken now', nowMs)
    }
  }

  /** The lead's chain changed meanwhile, or helpers led onto another branch: once more, without them. */
  #alone(session: Session<Block>, nowMs: number): void {
    if (session.alone) return this.#endShort(session, 'its chain is not the one that it claims', nowMs)
    session.alone = true
    session.next = null
    session.ranges.length = 0
    this.#effects.push({ kind: 'askAncestor', sessionId: session.id, peer: session.lead })
  }

  /** A helper on another branch, or one that lies. */
  #askElsewhere(session: Session<Block>, range: Range<Block>): void {
    session.ranges[0] = this.#range(range.from, range.count)
    this.#setAside(session, range.peer)
  }

  /** S6: what a slow peer answers later is not looked at any more. */
  #replaceSlow(nowMs: number): void {
    const session = this.#session
    if (session === null) return
    for (const range of session.ranges) {
      if (!isOpen(range) || range.askedMs + this.#limits.slowAnswerMs > nowMs) continue
      range.askedMs = nowMs
      const isOther = ([id, peer]: [string, Peer]) => id !== range.peer && canHelp(session, id, peer, range)
      if (![...this.#peerById].some(isOther)) continue
      this.#setAside(session, range.peer)
    }
  }

  // Sessions

  #advance(nowMs: number): void {
    while (this.#session === null) {
      const lead = this.#nextLead(nowMs)
      if (lead === null) return
      this.#begin(...lead)
    }
    const session = this.#session
    if (session.next === null) return
    this.#widen(session, session.next)
    this.#assign(session, nowMs)
    const [first] = session.ranges
    if (first === undefined) return this.#finish(session, nowMs)
    if (first.received === null || this.#applyingId !== null) return
    this.#applyingId = first.id
    const { id: rangeId, received } = first
    this.#effects.push({ kind: 'applyRange', rangeId, peer: first.peer!, blocks: received.blocks })
  }

  /** Whoever failed least, then whoever has not led for longest. The height claimed is no merit. */
  #nextLead(nowMs: number): [string, Peer] | null {
    let best: [string, Peer] | null = null
    for (const [id, peer] of this.#peerById) {
      if (!this.#isAhead(peer) || this.#notBeforeMs(peer) > nowMs) continue
      const order = best === null ? -1 : peer.failures - best[1].failures || peer.ledAt - best[1].ledAt
      if (order < 0) best = [id, peer]
    }
    return best
  }

  /** When it may lead (S6, S8). */
  #notBeforeMs({ notBeforeMs, unknownSinceMs }: Peer): number {
    return Math.max(notBeforeMs, unknownSinceMs + this.#limits.headPatienceMs)
  }

  #isAhead(peer: Peer): boolean {
    return !peer.known && peer.head.height > this.#floor
  }

  #begin(lead: string, peer: Peer): void {
    peer.ledAt = ++this.#sessions
    const [strategy, why] = this.#strategy()
    const session = {
      id: this.#sessions,
      lead,
      strategy,
      ranges: [],
      setAside: new Set<string>(),
      alone: false,
      ownHeight: this.#localHeight,
      next: null,
      stored: 0,
      lastId: null,
    }
    this.#session = session
    const claimed = peer.head.height
    this.#effects.push({ kind: 'syncStarted', peer: lead, strategy, why, claimed })
    const { id: sessionId } = session
    const checkpoint = this.#checkpoint
    if (checkpoint === null) this.#effects.push({ kind: 'askAncestor', sessionId, peer: lead })
    else this.#effects.push({ kind: 'tryCheckpoint', sessionId, peer: lead, checkpoint })
  }

  #strategy(): [SyncStrategy, string] {
    if (this.#checkpoint !== null) {
      return ['fast', `a checkpoint at height ${this.#checkpoint.height} is trusted`]
    }
    if (this.#localHeight === 0) return ['full', 'the chain has its genesis only']
    return ['incremental', `the chain is here up to height ${this.#localHeight}`]
  }

  #widen(session: Session<Block>, from: number): void {
    const claimed = this.#peerById.get(session.lead)?.head.height ?? 0
    let next = from
    while (session.ranges.length < this.#limits.windowRanges && next <= claimed) {
      const count = Math.min(this.#limits.rangeBlocksMax, claimed - next + 1)
      session.ranges.push(this.#range(next, count))
      next += count
    }
    session.next = next
  }

  #assign(session: Session<Block>, nowMs: number): void {
    const loadByPeer = new Map<string, number>()
    let bytes = 0
    for (const { peer, received } of session.ranges) {
      if (peer !== null) bytes += received?.bytes ?? this.#limits.rangeBytesMax
      if (peer !== null && received === null) loadByPeer.set(peer, (loadByPeer.get(peer) ?? 0) + 1)
    }
    for (const range of session.ranges) {
      if (range.peer !== null) continue
      const isFirst = range === session.ranges[0]
      if (!isFirst && bytes + this.#limits.rangeBytesMax > this.#limits.bufferBytesMax) return
      const peer = this.#leastLoaded(session, range, loadByPeer)
      if (peer === null) return
      range.peer = peer
      range.askedMs = nowMs
      loadByPeer.set(peer, (loadByPeer.get(peer) ?? 0) + 1)
      bytes += this.#limits.rangeBytesMax
      const { id: rangeId, from, count } = range
      this.#effects.push({ kind: 'askRange', rangeId, peer, from, count })
    }
  }

  #leastLoaded(
    session: Session<Block>,
    range: Range<Block>,
    loadByPeer: ReadonlyMap<string, number>,
  ): string | null {
    let best: string | null = null
    let bestLoad = this.#limits.rangesPerPeerMax
    const able = [...this.#peerById].filter(([id, peer]) => canHelp(session, id, peer, range))
    // Where nobody else can, the lead is asked, however slow.
    for (const id of able.length > 0 ? able.map(([id]) => id) : [session.lead]) {
      const load = loadByPeer.get(id) ?? 0
      if (load >= bestLoad) continue
      best = id
      bestLoad = load
    }
    return best
  }

  #finish(session: Session<Block>, nowMs: number): void {
    const peer = this.#peerById.get(session.lead)
    const isReached = peer !== undefined && (peer.known || session.lastId === peer.head.id)
    if (!isReached) return this.#alone(session, nowMs)
    peer.known = true
    peer.failures = 0
    peer.emptyClaims = 0
    this.#endWith(session, null, nowMs)
  }

  #end(problem: string, nowMs: number): void {
    const session = this.#session
    assert(session !== null, 'a session ends once')
    const peer = this.#peerById.get(session.lead)
    if (peer !== undefined) {
      const { syncBackoffMinMs, syncBackoffMaxMs } = this.#limits
      peer.notBeforeMs = nowMs + Math.min(syncBackoffMaxMs, syncBackoffMinMs * 2 ** peer.failures)
      peer.failures++
    }
    this.#endWith(session, problem, nowMs)
  }

  #endWith({ lead, strategy, stored }: Session<Block>, problem: string | null, nowMs: number): void {
    this.#session = null
    this.#effects.push({ kind: 'syncEnded', peer: lead, strategy, stored, problem })
    this.#advance(nowMs)
  }

  #penalise(peer: string, offence: Offence, reason: string): void {
    this.#effects.push({ kind: 'penalise', peer, offence, reason })
  }

  #range(from: number, count: number, peer: string | null = null): Range<Block> {
    return { id: ++this.#lastRangeId, from, count, peer, askedMs: Infinity, received: null }
  }
}

/** Asked, and not answered. */
function isOpen<Block>({ peer, received }: Range<Block>): boolean {
  return peer !== null && received === null
}

function canHelp<Block>(
  session: Session<Block>,
  id: string,
  peer: Peer,
  { from, count }: Range<Block>,
): boolean {
  const isAble = !session.setAside.has(id) && peer.failures === 0
  const isOfLead = session.alone || from <= session.ownHeight
  if (!isAble || (isOfLead && id !== session.lead)) return false
  return peer.lowestHeight <= from && peer.head.height >= from + count - 1
}
