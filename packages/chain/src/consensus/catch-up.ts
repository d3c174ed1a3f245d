/**
 * R10: what is asked of whom. A node behind asks one peer at a time for a run of the chain; single blocks and
 * certificates that are known to be missing are asked for by name. Pure.
 * I1  at most one GetChain is outstanding, to one peer; only progress or its timeout clears it
 * I2  what peers claim costs a timeout at most: peers are asked in turn, the least recently asked first (P17)
 * @module
 */
import type { ConsensusMessage, Now, PeerRef } from './types.ts'

const PEERS_MAX = 256
/** A chain reply is given this long, and the time that its bytes take at 8 Mbit/s. */
const CHAIN_TIMEOUT_BASE_MS = 2_000
const CHAIN_BYTES_PER_MS = 1_000

interface Peer {
  height: number
  /** Ordinal of the last request to it; 0 when never asked. */
  asked: number
}

/** Who is ahead, and the one request for a run of blocks. */
export class ChainRequests {
  readonly #peers = new Map<PeerRef, Peer>()
  readonly #timeoutMs: number
  /** A peer one block ahead is asked only when the tip has not moved for this long: its finalization is on the way. */
  readonly #patienceMs: number
  #asked = 0
  #outstanding: { readonly peer: PeerRef; readonly fromHeight: number; readonly deadlineMs: number } | null =
    null
  #lastGood: PeerRef | null = null
  #progressAtMs = Number.NEGATIVE_INFINITY

  constructor(chainReplyBytesMax: number, patienceMs: number) {
    this.#timeoutMs = CHAIN_TIMEOUT_BASE_MS + chainReplyBytesMax / CHAIN_BYTES_PER_MS
    this.#patienceMs = patienceMs
  }

  get peers(): PeerRef[] {
    return [...this.#peers.keys()]
  }

  /** A peer's claim; believed only so far as to ask it. */
  claim(ref: PeerRef, height: number): void {
    const peer = this.#peers.get(ref)
    if (peer !== undefined) peer.height = height
    else if (this.#peers.size < PEERS_MAX) this.#peers.set(ref, { height, asked: 0 })
  }

  disconnected(ref: PeerRef): void {
    this.#peers.delete(ref)
    if (this.#outstanding?.peer === ref) this.#outstanding = null
    if (this.#lastGood === ref) this.#lastGood = null
  }

  isOutstanding(ref: PeerRef): boolean {
    return this.#outstanding?.peer === ref
  }

  /** The finalized tip moved; `by` a reply of this peer, or by itself. */
  progressed(now: Now, by: PeerRef | null): void {
    this.#progressAtMs = now.monotonicMs
    if (by === null) return
    this.#lastGood = by
    this.#outstanding = null
  }

  /** The next request, when it is time for one. */
  next(now: Now, tipHeight: number): { to: PeerRef; fromHeight: number } | null {
    if (this.#outstanding !== null) {
      if (tipHeight < this.#outstanding.fromHeight && now.monotonicMs < this.#outstanding.deadlineMs)
        return null
      if (tipHeight < this.#outstanding.fromHeight) this.#timedOut(this.#outstanding.peer)
      this.#outstanding = null
    }
    const to = this.#choose(now, tipHeight)
    if (to === null) return null
    const fromHeight = tipHeight + 1
    this.#asked += 1
    this.#peers.get(to)!.asked = this.#asked
    this.#outstanding = { peer: to, fromHeight, deadlineMs: now.monotonicMs + this.#timeoutMs }
    return { to, fromHeight }
  }

  nextDeadlineMs(tipHeight: number): number {
    if (this.#outstanding !== null) return this.#outstanding.deadlineMs
    for (const peer of this.#peers.values()) {
      if (peer.height > tipHeight) return this.#progressAtMs + this.#patienceMs
    }
    return Number.POSITIVE_INFINITY
  }

  /** Its claim is worth nothing until it is made again. */
  #timedOut(ref: PeerRef): void {
    const peer = this.#peers.get(ref)
    if (peer !== undefined) peer.height = 0
    if (this.#lastGood === ref) this.#lastGood = null
  }

  #choose(now: Now, tipHeight: number): PeerRef | null {
    const isPatient = now.monotonicMs < this.#progressAtMs + this.#patienceMs
    const enough = isPatient ? tipHeight + 2 : tipHeight + 1
    let chosen: [PeerRef, Peer] | null = null
    for (const [ref, peer] of this.#peers) {
      if (peer.height < enough) continue
      if (ref === this.#lastGood) return ref
      if (chosen === null || peer.asked < chosen[1].asked) chosen = [ref, peer]
    }
    return chosen?.[0] ?? null
  }
}

const WANTED_MAX = 64

/** What needs a thing: a certificate of this view, until the floor passes it, or the vote in it, while it lasts. */
export interface Need {
  readonly view: number
  readonly by: 'certificate' | 'vote'
}

interface Want {
  readonly message: ConsensusMessage
  need: Need
  turn: number
  nextAtMs: number
}

/** Single things that are known to exist and are not held: asked of one peer after the other until they come. */
export class Wanted {
  readonly #wants = new Map<string, Want>()
  readonly #retryMs: number

  constructor(retryMs: number) {
    this.#retryMs = retryMs
  }

  has(key: string): boolean {
    return this.#wants.has(key)
  }

  /** Asking for what is wanted already changes nothing, but that a certificate's need outlives a vote's. */
  want(key: string, message: ConsensusMessage, need: Need): void {
    const wanted = this.#wants.get(key)
    if (wanted !== undefined && need.by === 'certificate') wanted.need = need
    if (wanted !== undefined || this.#wants.size >= WANTED_MAX) return
    this.#wants.set(key, { message, need, turn: this.#wants.size, nextAtMs: Number.NEGATIVE_INFINITY })
  }

  got(key: string): void {
    this.#wants.delete(key)
  }

  /** Drops what nobody needs any more. */
  forget(floor: number, view: number): void {
    for (const [key, { need }] of this.#wants) {
      if (need.view <= floor || (need.by === 'vote' && need.view < view)) this.#wants.delete(key)
    }
  }

  /** What to ask now, of whom. */
  due(now: Now, peers: readonly PeerRef[]): { to: PeerRef; message: ConsensusMessage }[] {
    const requests: { to: PeerRef; message: ConsensusMessage }[] = []
    if (peers.length === 0) return requests
    for (const want of this.#wants.values()) {
      if (want.nextAtMs > now.monotonicMs) continue
      const to = peers[want.turn++ % peers.length]!
      want.nextAtMs = now.monotonicMs + this.#retryMs
      requests.push({ to, message: want.message })
    }
    return requests
  }

  nextDeadlineMs(): number {
    let next = Number.POSITIVE_INFINITY
    for (const want of this.#wants.values()) next = Math.min(next, want.nextAtMs)
    return next
  }
}
