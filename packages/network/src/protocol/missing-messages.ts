/**
 * Messages that peers announced and that have not come. Pure.
 * M1  one peer at a time is asked; when it does not send in time, the next that announced the message is, with twice the patience
 * M2  of those that announced it, the one that withheld the least is asked first
 * M3  a peer can make us wait for at most `MISSING_PER_PEER_MAX` messages
 * M4  how long a push may lag behind its announcement is learned from those that did
 * M5  at most `FETCHING_BYTES_MAX` of large messages are asked of one peer at a time: a liar is waited for alone
 * @module
 */
import type { GossipPeer } from './gossip-peers.ts'
import type { Spreading } from './kinds.ts'
import type { GossipId } from './notice.ts'

export interface Missing {
  readonly id: GossipId
  readonly spreading: Spreading
  /** 0 for what is small. */
  readonly bytes: number
  /** Who announced it first. */
  readonly first: GossipPeer
  readonly announcedMs: number
  /** Who announced it and is not asked now. */
  readonly announcers: GossipPeer[]
  asked: GossipPeer | null
  askedTimes: number
  dueMs: number
}

export interface Asked {
  readonly peer: GossipPeer
  readonly missing: Missing
}

/** How long a push may lag behind an announcement before it is asked for; the tree's is learned. */
const PATIENCE_MS = { flood: 20, treeMin: 50, treeMax: 5000, treeAtFirst: 150 }
/** The estimate follows a longer lag at once, and a shorter one slowly. */
const LAG_FALL = 0.01
const LAG_ROOM = 1.5
const FLOOD_BYTES_PER_MS = 50_000
const ANSWER_MS = 300
const ANSWER_BYTES_PER_MS = 1000
const ANSWER_MS_MAX = 10_000
const ASKED_TIMES_MAX = 8
const RETRY_ROOM_MS = 50
const MISSING_PER_PEER_MAX = 1024
const FETCHING_BYTES_MAX = 16 * 1024 * 1024

export class MissingMessages {
  readonly #byId = new Map<GossipId, Missing>()
  /** No message is due earlier. */
  #nextMs = Infinity
  #lagMs = PATIENCE_MS.treeAtFirst / LAG_ROOM

  get size(): number {
    return this.#byId.size
  }

  get nextMs(): number {
    return this.#nextMs
  }

  /** @param bytes 0 for what is small, and will be pushed by someone. */
  announced(peer: GossipPeer, id: GossipId, spreading: Spreading, bytes: number, nowMs: number): void {
    const known = this.#byId.get(id)
    if (known !== undefined) {
      if (known.asked !== peer && !known.announcers.includes(peer)) known.announcers.push(peer)
      return
    }
    if (peer.missing >= MISSING_PER_PEER_MAX) return
    const dueMs = nowMs + this.#patienceMs(spreading, bytes)
    const missing = {
      id,
      spreading,
      bytes,
      first: peer,
      announcedMs: nowMs,
      announcers: [peer],
      asked: null,
      askedTimes: 0,
      dueMs,
    }
    peer.missing++
    this.#byId.set(id, missing)
    this.#nextMs = Math.min(this.#nextMs, dueMs)
  }

  get(id: GossipId): Missing | undefined {
    return this.#byId.get(id)
  }

  arrived(id: GossipId): void {
    const missing = this.#byId.get(id)
    if (missing !== undefined) this.#remove(missing)
  }

  /** A message of the tree was pushed so long after it was announced. */
  lagged(lagMs: number): void {
    this.#lagMs = lagMs > this.#lagMs ? lagMs : this.#lagMs + (lagMs - this.#lagMs) * LAG_FALL
  }

  /** A large message of the tree is never pushed, and asked for at once. */
  #patienceMs(spreading: Spreading, bytes: number): number {
    const { flood, treeMin, treeMax } = PATIENCE_MS
    if (spreading === 'flood') return flood + bytes / FLOOD_BYTES_PER_MS
    return bytes > 0 ? 0 : Math.min(treeMax, Math.max(treeMin, this.#lagMs * LAG_ROOM))
  }

  /** The peer does not have it any more. */
  gone(peer: GossipPeer, id: GossipId, nowMs: number): void {
    const missing = this.#byId.get(id)
    if (missing?.asked !== peer) return
    this.#unask(missing)
    missing.dueMs = nowMs
    this.#nextMs = nowMs
  }

  peerClosed(peer: GossipPeer, nowMs: number): void {
    for (const missing of this.#byId.values()) {
      const index = missing.announcers.indexOf(peer)
      if (index !== -1) missing.announcers.splice(index, 1)
      this.gone(peer, missing.id, nowMs)
    }
  }

  /** @returns whom to ask for what now, and who did not send in time. */
  due(nowMs: number): { readonly ask: readonly Asked[]; readonly withheld: readonly GossipPeer[] } {
    const ask: Asked[] = []
    const withheld: GossipPeer[] = []
    if (nowMs < this.#nextMs) return { ask, withheld }
    this.#nextMs = Infinity
    for (const missing of this.#byId.values()) {
      if (missing.dueMs <= nowMs) {
        const { asked } = missing
        this.#unask(missing)
        if (asked !== null) {
          asked.withheld++
          withheld.push(asked)
          missing.announcers.push(asked)
        }
        const peer = this.#askNext(missing, nowMs)
        if (peer !== null) ask.push({ peer, missing })
      }
      this.#nextMs = Math.min(this.#nextMs, missing.dueMs)
    }
    return { ask, withheld }
  }

  #askNext(missing: Missing, nowMs: number): GossipPeer | null {
    const { announcers, bytes } = missing
    if (announcers.length === 0 || missing.askedTimes === ASKED_TIMES_MAX) {
      missing.dueMs = Infinity
      this.#remove(missing)
      return null
    }
    let best: GossipPeer | null = null
    for (const peer of announcers) {
      const hasRoom = peer.fetchingBytes + bytes <= FETCHING_BYTES_MAX
      if (hasRoom && (best === null || peer.withheld < best.withheld)) best = peer
    }
    if (best === null) {
      missing.dueMs = nowMs + RETRY_ROOM_MS
      return null
    }
    announcers.splice(announcers.indexOf(best), 1)
    missing.asked = best
    const answerMs = (ANSWER_MS + this.#lagMs + bytes / ANSWER_BYTES_PER_MS) * 2 ** missing.askedTimes++
    missing.dueMs = nowMs + Math.min(answerMs, ANSWER_MS_MAX)
    best.fetchingBytes += bytes
    return best
  }

  #unask(missing: Missing): void {
    if (missing.asked === null) return
    missing.asked.fetchingBytes -= missing.bytes
    missing.asked = null
  }

  #remove(missing: Missing): void {
    this.#unask(missing)
    missing.first.missing--
    this.#byId.delete(missing.id)
  }
}
