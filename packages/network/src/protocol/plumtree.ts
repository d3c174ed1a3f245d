/**
 * Who gets which gossip message (PO-2), after Plumtree (Leitão, Pereira, Rodrigues: Epidemic Broadcast Trees, 2007). Pure.
 * G1  a message is judged once, by the first copy that comes; only an accepted one is relayed, offered or announced
 * G2  `tree`: pushed along the tree of its origin, announced to a few other peers. A duplicate takes a link off that tree, a message
 *     that does not come in time puts one on it, and so does a link that would have been much faster
 * G3  `flood`: what is made here is pushed to all; what came from a peer is pushed to all but those that were seen to get what is of
 *     that origin without us, and announced to some of these
 * G4  from `largeBytes` on, a message of the tree is offered and never pushed; a relayed one that floods is offered to those
 *     not known to need it. Each asks one peer at a time
 * G5  nothing is sent to a peer that said it has it, unless it asks
 * G6  the newest messages are announced again to one peer a second, and to a peer that connects or grafts: so one that was lost at
 *     the end of a burst is found too
 * G7  memory is bounded: ids by `RecentSet`, bodies by `KeptMessages`, waiting by `MissingMessages`, trees by `GossipPeers`
 * A peer that knows no notices gets everything pushed.
 * @module
 */
import type { Random } from '@althing/base'
import { BASE_PEERS_MIN, GossipPeers } from './gossip-peers.ts'
import type { GossipPeer } from './gossip-peers.ts'
import { KeptMessages } from './kept-messages.ts'
import type { GossipMessage, KeptLimits } from './kept-messages.ts'
import type { Spreading } from './kinds.ts'
import { MissingMessages } from './missing-messages.ts'
import type { Missing } from './missing-messages.ts'
import { NOTICE_IDS_MAX } from './notice.ts'
import type { GossipId, Notice, WantMode } from './notice.ts'
import { RecentSet } from './recent-set.ts'

export interface GossipLimits extends KeptLimits {
  /** Ids that are remembered so that a message is judged once: at least so many, or for so long. */
  readonly seenMax: number
  readonly seenMs: number
  /** From this size on a message is offered instead of pushed. */
  readonly largeBytes: number
}

/** What the core has to know of the kind of a message. */
export interface GossipKind {
  readonly spreading: Spreading
  readonly maxBytes: number
}

export interface Copy {
  readonly id: GossipId
  readonly spreading: Spreading
  /** As the sender said. */
  readonly origin: number
  readonly body: Uint8Array
}

export type GossipEffect =
  /** A first copy: answer with `judged`. */
  | { readonly kind: 'judge'; readonly message: GossipMessage }
  | { readonly kind: 'push'; readonly to: readonly GossipPeer[]; readonly message: GossipMessage }
  | { readonly kind: 'tell'; readonly to: GossipPeer; readonly notice: Notice }
  /** The peer announced a message and did not send it: no fault, since its link may be slow. */
  | { readonly kind: 'withheld'; readonly peer: GossipPeer }

interface Batch {
  readonly spreading: Spreading
  /** How long announcements wait for others, on average. */
  readonly delayMs: number
  /** With the peers that got no push then: a link that joins the tree meanwhile must not be left out. */
  waiting: { readonly message: GossipMessage; readonly peers: ReadonlySet<GossipPeer> }[]
  dueMs: number
}

const NONE: readonly GossipEffect[] = []
const REMIND_INTERVAL_MS = 1000
const REMIND_MS = 3000
const REMIND_MAX = 64
const HISTORY_MS = 10_000
const HISTORY_MAX = 128
const HISTORY_INTERVAL_MS = 1000
/** Beside the base peers, so many others are told of what does not reach them by a tree. */
const OTHERS_TOLD = { tree: 1, flood: 4, large: 6 }
/** Between two prunes to one peer: it has to get the first before it can stop. */
const PRUNE_INTERVAL_MS = 5
/** A link whose announcement came so long before the push of another is put on the tree, at most once in the interval. */
const LEAD_MS = 60
const LEAD_INTERVAL_MS = 200
/** Who asks again sooner has the message on its way. */
const SENT_AGAIN_MS = 1000

export class Plumtree {
  readonly #limits: GossipLimits
  readonly #kindOf: (id: GossipId) => GossipKind | null
  readonly #random: Pick<Random, 'next'>
  /** What is made here is of this origin. */
  readonly #origin: number
  readonly #peers = new GossipPeers()
  readonly #seen: RecentSet
  readonly #kept: KeptMessages
  readonly #missing = new MissingMessages()
  readonly #batches: readonly Batch[] = [
    { spreading: 'flood', delayMs: 5, waiting: [], dueMs: Infinity },
    { spreading: 'tree', delayMs: 100, waiting: [], dueMs: Infinity },
  ]
  #remindMs = Infinity
  #leadMs = -Infinity

  /** @param kindOf of the message with this id; null when it is no gossip that is known here. */
  constructor(
    setup: {
      readonly limits: GossipLimits
      readonly kindOf: (id: GossipId) => GossipKind | null
      readonly random: Pick<Random, 'next'>
    },
    nowMs: number,
  ) {
    this.#limits = setup.limits
    this.#kindOf = setup.kindOf
    this.#random = setup.random
    this.#origin = 1 + Math.floor(setup.random.next() * 0xffff_ffff)
    this.#seen = new RecentSet({ countMax: setup.limits.seenMax, ageMs: setup.limits.seenMs }, nowMs)
    this.#kept = new KeptMessages(setup.limits)
  }

  /** What is held, all of it bounded. */
  get memory(): { readonly kept: number; readonly keptBytes: number; readonly missing: number } {
    return { kept: this.#kept.size, keptBytes: this.#kept.bytes, missing: this.#missing.size }
  }

  // Peers

  /** @param understands whether it offers `GOSSIP_FEATURE`. */
  peerOpened(id: string, understands: boolean, nowMs: number): readonly GossipEffect[] {
    const effects = this.peerClosed(id, nowMs)
    const peer = this.#peers.open(id, understands)
    if (!understands) return effects
    return [...effects, ...this.#drawBase(peer), ...this.#tellHistory(peer, nowMs)]
  }

  /** Each peer of those that are here is as likely to have a base link as any other (reservoir sampling). */
  #drawBase(peer: GossipPeer): readonly GossipEffect[] {
    const { all, base } = this.#peers
    if (base.length < BASE_PEERS_MIN) return this.#graftAll(peer)
    if (this.#random.next() * all.length >= BASE_PEERS_MIN) return NONE
    const former = base[Math.floor(this.#random.next() * base.length)]!
    if (!former.understands) return NONE
    this.#peers.setBase(former, false)
    return [...this.#graftAll(peer), { kind: 'tell', to: former, notice: { kind: 'prune', ids: [] } }]
  }

  /** Trees that a lost link may have cut fall back to the base links, which are kept at their number. */
  peerClosed(id: string, nowMs: number): readonly GossipEffect[] {
    const peer = this.#peers.close(id)
    if (peer === undefined) return NONE
    this.#missing.peerClosed(peer, nowMs)
    const effects: GossipEffect[] = []
    const { base } = this.#peers
    if (peer.isParent) for (const other of base) effects.push(...this.#graftAll(other))
    const candidates = this.#peers.all.filter(({ isBase, withheld }) => !isBase && withheld < 1)
    const another = candidates[Math.floor(this.#random.next() * candidates.length)]
    if (base.length < BASE_PEERS_MIN && another !== undefined) effects.push(...this.#graftAll(another))
    return effects
  }

  /** The peer drew another base link in place of ours. Who has too few, such as a leaf of a star, insists on it. */
  #releaseBase(peer: GossipPeer): readonly GossipEffect[] {
    if (this.#peers.base.length <= BASE_PEERS_MIN) return this.#graftAll(peer)
    this.#peers.setBase(peer, false)
    return NONE
  }

  #graftAll(to: GossipPeer): readonly GossipEffect[] {
    if (!to.understands) return NONE
    this.#peers.setBase(to, true)
    return [{ kind: 'tell', to, notice: { kind: 'want', mode: 'graftAll', ids: [] } }]
  }

  // Messages

  /** Made here. No effect when it is known. */
  published(id: GossipId, spreading: Spreading, body: Uint8Array, nowMs: number): readonly GossipEffect[] {
    if (!this.#seen.add(id, nowMs)) return NONE
    this.#missing.arrived(id)
    const message = this.#keep({ id, spreading, origin: this.#origin, body }, null, nowMs, nowMs)
    return this.#spread(message, nowMs)
  }

  isKnown(id: GossipId): boolean {
    return this.#seen.has(id)
  }

  /** A copy came. */
  received(from: string, copy: Copy, nowMs: number): readonly GossipEffect[] {
    const peer = this.#peers.get(from)
    if (peer === undefined) return NONE
    if (!this.#seen.add(copy.id, nowMs)) return this.#duplicate(peer, copy.id, nowMs)
    peer.isParent = true
    const missing = this.#missing.get(copy.id)
    const message = this.#keep(copy, peer, missing?.announcedMs ?? nowMs, nowMs)
    const judge: GossipEffect = { kind: 'judge', message }
    if (missing === undefined) return [judge]
    message.holders.push(...missing.announcers)
    if (missing.asked !== null) message.holders.push(missing.asked)
    const wasPushed = missing.asked !== peer && copy.spreading === 'tree' && !this.#isLarge(copy.body)
    const effects = wasPushed ? [judge, ...this.#preferFaster(peer, missing, nowMs)] : [judge]
    this.#missing.arrived(copy.id)
    return effects
  }

  /** The verdict on a message. Only an accepted one goes on. */
  judged(message: GossipMessage, isAccepted: boolean, nowMs: number): readonly GossipEffect[] {
    if (isAccepted) return this.#spread(message, nowMs)
    this.#kept.drop(message.id)
    return NONE
  }

  #keep(copy: Copy, from: GossipPeer | null, heardMs: number, nowMs: number): GossipMessage {
    const { id, spreading, origin, body } = copy
    const message: GossipMessage = {
      id,
      spreading,
      origin,
      body,
      from,
      atMs: nowMs,
      heardMs,
      holders: [],
      sentMs: null,
      accepted: false,
    }
    this.#kept.add(message, nowMs)
    if (this.#remindMs === Infinity) this.#remindMs = nowMs + REMIND_INTERVAL_MS
    return message
  }

  #spread(message: GossipMessage, nowMs: number): readonly GossipEffect[] {
    this.#kept.accepted(message)
    const { spreading, origin, from } = message
    if (spreading === 'flood' && from === null) return push(message, this.#peers.all)
    if (this.#isLarge(message.body)) return this.#spreadLarge(message)
    const routes = this.#peers.routes(origin, spreading)
    if (routes.announce.size > 0) this.#announceSoon(message, routes.announce, nowMs)
    return push(message, routes.push)
  }

  #spreadLarge(message: GossipMessage): readonly GossipEffect[] {
    const { spreading, origin } = message
    const pushed = this.#peers.all.filter((peer) => {
      const needs = spreading === 'flood' && this.#peers.isPushed(origin, 'flood', peer) === true
      return needs || !peer.understands
    })
    const offered = this.#toBeTold(OTHERS_TOLD.large).filter((peer) => !pushed.includes(peer))
    return [...push(message, pushed), ...offer(message, offered)]
  }

  /** The link is off the tree of this origin, both ways. */
  #duplicate(peer: GossipPeer, id: GossipId, nowMs: number): readonly GossipEffect[] {
    const message = this.#kept.get(id)
    if (message === undefined || message.from === peer || message.holders.includes(peer)) return NONE
    message.holders.push(peer)
    const { spreading, origin, from, atMs, heardMs } = message
    if (from === null || !peer.understands) return NONE
    if (spreading === 'tree') {
      if (this.#isLarge(message.body)) return NONE
      // If it was heard of before it came, it was asked for too early.
      if (heardMs < atMs) this.#missing.lagged(nowMs - heardMs)
    }
    this.#peers.setPushed(origin, spreading, peer, false)
    if (nowMs - peer.prunedMs < PRUNE_INTERVAL_MS) return NONE
    peer.prunedMs = nowMs
    return [{ kind: 'tell', to: peer, notice: { kind: 'prune', ids: [id] } }]
  }

  /** Had the peer that announced it first been on the tree, the message would have come that much earlier. */
  #preferFaster(slow: GossipPeer, missing: Missing, nowMs: number): readonly GossipEffect[] {
    const { id, first, asked, announcedMs } = missing
    this.#missing.lagged(nowMs - announcedMs)
    if (first === slow || asked !== null || first.withheld >= 1 || this.#peers.get(first.id) !== first) {
      return NONE
    }
    if (nowMs - announcedMs < LEAD_MS || nowMs - this.#leadMs < LEAD_INTERVAL_MS) return NONE
    this.#leadMs = nowMs
    return [{ kind: 'tell', to: first, notice: { kind: 'want', mode: 'graft', ids: [id] } }]
  }

  // Notices

  noticed(from: string, notice: Notice, nowMs: number): readonly GossipEffect[] {
    const peer = this.#peers.get(from)
    if (peer === undefined) return NONE
    switch (notice.kind) {
      case 'announce':
        for (const id of notice.ids) this.#announced(peer, id, 0, nowMs)
        return NONE
      case 'offer':
        for (const { id, bytes } of notice.offers) this.#announced(peer, id, bytes, nowMs)
        return this.#askDue(nowMs)
      case 'want':
        return this.#wanted(peer, notice.mode, notice.ids, nowMs)
      case 'prune':
        for (const id of notice.ids) this.#route(peer, id, false)
        return notice.ids.length === 0 ? this.#releaseBase(peer) : NONE
      case 'gone':
        for (const id of notice.ids) this.#missing.gone(peer, id, nowMs)
        return this.#askDue(nowMs)
    }
  }

  #announced(peer: GossipPeer, id: GossipId, bytes: number, nowMs: number): void {
    const kept = this.#kept.get(id)
    if (kept !== undefined) {
      if (!kept.holders.includes(peer)) kept.holders.push(peer)
      return
    }
    if (this.#seen.has(id)) return
    const kind = this.#kindOf(id)
    if (kind === null || bytes > kind.maxBytes) return
    this.#missing.announced(peer, id, kind.spreading, bytes, nowMs)
  }

  #wanted(
    peer: GossipPeer,
    mode: WantMode,
    ids: readonly GossipId[],
    nowMs: number,
  ): readonly GossipEffect[] {
    if (mode === 'graftAll') {
      if (peer.understands) this.#peers.setBase(peer, true)
      return this.#tellHistory(peer, nowMs)
    }
    if (mode !== 'send') for (const id of ids) this.#route(peer, id, true)
    if (mode === 'graft') return NONE
    const effects: GossipEffect[] = []
    const gone: GossipId[] = []
    for (const id of ids) {
      const message = this.#kept.get(id)
      if (message?.accepted !== true) gone.push(id)
      else if (nowMs - (message.sentMs?.get(peer) ?? -Infinity) >= SENT_AGAIN_MS) {
        message.sentMs ??= new Map()
        message.sentMs.set(peer, nowMs)
        effects.push({ kind: 'push', to: [peer], message })
      }
    }
    if (gone.length > 0) effects.push({ kind: 'tell', to: peer, notice: { kind: 'gone', ids: gone } })
    return mode === 'send' ? effects : [...effects, ...this.#tellHistory(peer, nowMs)]
  }

  /** On or off the tree of the message's origin. */
  #route(peer: GossipPeer, id: GossipId, isPushed: boolean): void {
    const message = this.#kept.get(id)
    if (message !== undefined) this.#peers.setPushed(message.origin, message.spreading, peer, isPushed)
  }

  // Time

  /** When `tick` has to be called next. */
  get nextDeadlineMs(): number {
    let nextMs = Math.min(this.#remindMs, this.#missing.nextMs)
    for (const { dueMs } of this.#batches) nextMs = Math.min(nextMs, dueMs)
    return nextMs
  }

  tick(nowMs: number): readonly GossipEffect[] {
    const effects: GossipEffect[] = []
    for (const batch of this.#batches) if (batch.dueMs <= nowMs) this.#announceBatch(batch, effects)
    effects.push(...this.#askDue(nowMs))
    if (this.#remindMs <= nowMs) this.#remind(nowMs, effects)
    return effects
  }

  #announceSoon(message: GossipMessage, peers: ReadonlySet<GossipPeer>, nowMs: number): void {
    for (const batch of this.#batches) {
      if (batch.spreading !== message.spreading) continue
      batch.waiting.push({ message, peers })
      // Not at the same time as the peers: who hears of it first need not tell.
      if (batch.dueMs === Infinity) batch.dueMs = nowMs + batch.delayMs * (0.5 + this.#random.next())
    }
  }

  /** To all base peers, so that what reaches one end of a base link reaches the other; and to a few others, the same for all. */
  #announceBatch(batch: Batch, effects: GossipEffect[]): void {
    const { spreading, waiting } = batch
    batch.waiting = []
    batch.dueMs = Infinity
    for (const to of this.#toBeTold(OTHERS_TOLD[spreading])) {
      const ids: GossipId[] = []
      for (const { message, peers } of waiting) {
        if (!peers.has(to) || message.from === to || message.holders.includes(to)) continue
        ids.push(message.id)
      }
      tellIds(to, ids, (part) => ({ kind: 'announce', spreading, ids: part }), effects)
    }
  }

  #toBeTold(othersMax: number): GossipPeer[] {
    const others = this.#peers.all.filter(({ isBase }) => !isBase)
    const start = Math.floor(this.#random.next() * others.length)
    const told = this.#peers.base.filter(({ understands }) => understands)
    for (let i = 0; i < Math.min(othersMax, others.length); i++)
      told.push(others[(start + i) % others.length]!)
    return told
  }

  #askDue(nowMs: number): readonly GossipEffect[] {
    if (nowMs < this.#missing.nextMs) return NONE
    const { ask, withheld } = this.#missing.due(nowMs)
    const effects: GossipEffect[] = []
    for (const peer of withheld) effects.push({ kind: 'withheld', peer })
    const grafts = new Map<GossipPeer, GossipId[]>()
    const fetches = new Map<GossipPeer, GossipId[]>()
    for (const { peer, missing } of ask) {
      const isFetch = missing.spreading === 'tree' && missing.bytes > 0
      const idsByPeer = isFetch ? fetches : grafts
      const ids = idsByPeer.get(peer)
      if (ids === undefined) idsByPeer.set(peer, [missing.id])
      else ids.push(missing.id)
    }
    for (const [to, ids] of grafts) {
      tellIds(to, ids, (part) => ({ kind: 'want', mode: 'graftAndSend', ids: part }), effects)
    }
    for (const [to, ids] of fetches) {
      tellIds(to, ids, (part) => ({ kind: 'want', mode: 'send', ids: part }), effects)
    }
    return effects
  }

  /** Also to a peer that they were pushed to: they may have been lost in a full queue. */
  #remind(nowMs: number, effects: GossipEffect[]): void {
    this.#kept.expire(nowMs)
    this.#peers.fade()
    this.#remindMs = this.#kept.size > 0 ? nowMs + REMIND_INTERVAL_MS : Infinity
    const { all } = this.#peers
    const to = all[Math.floor(this.#random.next() * all.length)]
    if (to?.understands === true) {
      effects.push(...this.#recall(to, this.#kept.newestFor(to, nowMs - REMIND_MS, REMIND_MAX)))
    }
  }

  #tellHistory(to: GossipPeer, nowMs: number): readonly GossipEffect[] {
    if (nowMs - to.historyToldMs < HISTORY_INTERVAL_MS) return NONE
    to.historyToldMs = nowMs
    return this.#recall(to, this.#kept.newestFor(to, nowMs - HISTORY_MS, HISTORY_MAX))
  }

  #recall(to: GossipPeer, messages: readonly GossipMessage[]): readonly GossipEffect[] {
    const effects: GossipEffect[] = []
    const ids: GossipId[] = []
    for (const message of messages) {
      if (this.#isLarge(message.body)) effects.push(...offer(message, [to]))
      else ids.push(message.id)
    }
    tellIds(to, ids, (part) => ({ kind: 'announce', spreading: 'tree', ids: part }), effects)
    return effects
  }

  #isLarge(body: Uint8Array): boolean {
    return body.length >= this.#limits.largeBytes
  }
}

function push(message: GossipMessage, peers: readonly GossipPeer[]): readonly GossipEffect[] {
  const to = peers.filter((peer) => peer !== message.from && !message.holders.includes(peer))
  return to.length > 0 ? [{ kind: 'push', to, message }] : NONE
}

function offer(message: GossipMessage, peers: readonly GossipPeer[]): GossipEffect[] {
  const offers = [{ id: message.id, bytes: message.body.length }]
  return peers
    .filter((peer) => peer !== message.from && !message.holders.includes(peer))
    .map((to) => ({ kind: 'tell', to, notice: { kind: 'offer', offers } }))
}

function tellIds(
  to: GossipPeer,
  ids: readonly GossipId[],
  notice: (ids: readonly GossipId[]) => Notice,
  effects: GossipEffect[],
): void {
  for (let at = 0; at < ids.length; at += NOTICE_IDS_MAX) {
    effects.push({ kind: 'tell', to, notice: notice(ids.slice(at, at + NOTICE_IDS_MAX)) })
  }
}
