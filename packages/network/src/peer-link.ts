/**
 * The shell of one session: moves bytes between link and core, and turns request ids into promises. It decides nothing.
 * @module
 */
import type { Clock } from '@althing/base'
import { NetworkError } from './errors.ts'
import type { Hello } from './protocol/hello.ts'
import type { Kind } from './protocol/kinds.ts'
import type { Lane } from './protocol/lane.ts'
import { placeOf } from './protocol/ip-block.ts'
import type { Place } from './protocol/ip-block.ts'
import { PeerCounts } from './protocol/peer-counts.ts'
import type { Direction, LinkRecord } from './protocol/peer-table.ts'
import { reasonText } from './protocol/reason.ts'
import type { Reason } from './protocol/reason.ts'
import { Session } from './protocol/session.ts'
import type { Outcome, SessionEffect } from './protocol/session-effect.ts'
import type { SessionConfig } from './protocol/session.ts'
import { PeerTraffic } from './protocol/traffic.ts'
import type { NodeTraffic } from './protocol/traffic.ts'
import { bodyReceived } from './received-bodies.ts'
import type { Link } from './transport.ts'

/** What a link tells the network that it is part of. */
export interface PeerLinkOwner {
  judgeHello(link: PeerLink, hello: Hello): void
  opened(link: PeerLink): void
  received(link: PeerLink, of: Kind, body: Uint8Array, origin: number): void
  requested(link: PeerLink, of: Kind, requestId: number, body: Uint8Array): void
  /** It sends more than it may, and slowing it did not help. */
  flooded(link: PeerLink): void
  /** A request of ours was, or was not, answered in time. */
  requestEnded(link: PeerLink, answered: boolean): void
  /** A request of ours came to nothing. */
  requestFailed(link: PeerLink, error: NetworkError): void
  statusChanged(link: PeerLink): void
  /** The session is over; the link may need some time still. */
  ended(link: PeerLink, by: 'local' | 'remote', reason: Reason, wasOpen: boolean): void
  /** The link is gone. */
  closed(link: PeerLink): void
  /** `tick` has to be called at that time. */
  wakeBy(atMs: number): void
}

/** A link whose session goes on elsewhere is closed after so long, whatever is left. */
const DRAIN_MS_MAX = 30_000

/** What a message costs here besides its body, so that empty ones are bounded too. */
const PENDING_MESSAGE_BYTES = 512

interface Waiting {
  readonly sinceMs: number
  readonly resolve: (body: Uint8Array) => void
  readonly reject: (error: NetworkError) => void
}

export class PeerLink implements LinkRecord {
  readonly peer: string
  readonly direction: Direction
  readonly remoteAddress: string
  readonly isSession: boolean
  /** The dial book's name for it; null when it was not the book that dialled. */
  readonly dialKey: string | null
  phase: LinkRecord['phase'] = 'handshaking'
  openedMs = 0
  reserved = false
  label: string | null = null
  readonly isRelayed: boolean
  readonly place: Place | null
  readonly session: Session
  readonly traffic: PeerTraffic<PeerLink>
  readonly counts = new PeerCounts()

  readonly #link: Link
  readonly #owner: PeerLinkOwner
  readonly #clock: Clock
  readonly #pendingBytesMax: number
  readonly #waitingById = new Map<number, Waiting>()
  readonly #answeringById = new Map<number, AbortController>()
  #readyWaiters: { lane: Lane; resolve: () => void }[] = []
  #pumpScheduled = false
  #pendingBytes = 0
  /** While it drains: until when, and who said that nothing follows. */
  #drainEndMs = Infinity
  #weDrained = false
  #theyDrained = false
  /** Why nothing is read: too much waits for our handlers, or the peer sent more than it may. */
  readonly #pauses = new Set<'pending' | 'rate'>()

  constructor(setup: {
    link: Link
    dialKey: string | null
    config: SessionConfig & { pendingBytesMax: number; clock: Clock }
    hello: Hello
    traffic: NodeTraffic<PeerLink>
    owner: PeerLinkOwner
  }) {
    const { link, config } = setup
    this.peer = link.remotePeer
    this.direction = link.direction
    this.remoteAddress = link.remoteAddress
    this.place = placeOf(link.remoteAddress)
    this.isRelayed = link.remoteAddress.includes('/p2p-circuit')
    this.isSession = link.isSession
    this.dialKey = setup.dialKey
    const nowMs = config.clock.monotonicMs()
    this.traffic = new PeerTraffic(this, this.peer, setup.traffic, nowMs)
    this.session = new Session(config, setup.hello, this.traffic, nowMs)
    this.#link = link
    this.#owner = setup.owner
    this.#clock = config.clock
    this.#pendingBytesMax = config.pendingBytesMax
  }

  /** False while what it sent before is too much: its silence is ours. */
  get isReading(): boolean {
    return this.#pauses.size === 0
  }

  /** Says hello. */
  start(): void {
    this.#link.open({
      onData: (chunk) => this.perform(this.session.receive(chunk, this.#now())),
      onWritable: () => this.pump(),
      onClosed: () => {
        this.perform(this.session.linkClosed())
        this.#owner.closed(this)
      },
    })
    this.pump()
  }

  /** Without a word: no session was begun. */
  drop(): void {
    this.#link.abort()
  }

  tick(): void {
    this.perform(this.session.tick(this.#now()))
    this.#endDrained()
  }

  accept(): void {
    this.phase = 'accepted'
    this.perform(this.session.accept(this.#now()))
  }

  close(reason: Reason): void {
    this.perform(this.session.close(reason, this.#now()))
  }

  /** The session goes on over another link: this one sends what it holds, takes what the peer still sends, and closes. */
  drain(): void {
    this.phase = 'draining'
    this.#drainEndMs = this.#now() + DRAIN_MS_MAX
    this.#owner.wakeBy(this.#drainEndMs)
    this.#endDrained()
  }

  #endDrained(): void {
    if (this.phase !== 'draining' || this.session.state !== 'open') return
    const isIdle = this.session.lanes.isIdle && this.#waitingById.size === 0 && this.#answeringById.size === 0
    if (isIdle && !this.#weDrained) {
      this.#weDrained = true
      this.session.sendDrained()
      this.schedulePump()
    } else if ((isIdle && this.#theyDrained) || this.#now() >= this.#drainEndMs) {
      this.close({ code: 'replaced', message: 'another link to this peer is kept' })
    }
  }

  send(kind: Kind, body: Uint8Array, origin = 0): boolean {
    const queued = this.session.send(kind, body, this.#now(), origin)
    if (queued) this.counts.sent(kind.name, body.length)
    this.schedulePump()
    return queued
  }

  /** Resolves when less than half of the lane is used, or the session is over. */
  ready(lane: Lane): Promise<void> {
    if (this.session.state !== 'open' || this.session.lanes.isReady(lane)) return Promise.resolve()
    return new Promise((resolve) => this.#readyWaiters.push({ lane, resolve }))
  }

  request(
    kind: Kind,
    body: Uint8Array,
    options: { lane: Lane; timeoutMs: number; signal: AbortSignal | undefined },
  ): Promise<Uint8Array> {
    const nowMs = this.#now()
    const requestId = this.session.request(kind, body, options.lane, nowMs + options.timeoutMs, nowMs)
    if (requestId === null) {
      return Promise.reject(
        new NetworkError('QUEUE_FULL', `no room for a request to ${this.peer}`, { peer: this.peer }),
      )
    }
    this.counts.sent(kind.name, body.length)
    this.schedulePump()
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>()
    this.#waitingById.set(requestId, { sinceMs: nowMs, resolve, reject })
    if (options.signal === undefined) return promise
    const onAbort = () => this.#cancel(requestId)
    options.signal.addEventListener('abort', onAbort, { once: true })
    return promise.finally(() => options.signal?.removeEventListener('abort', onAbort))
  }

  #cancel(requestId: number): void {
    const waiting = this.#waitingById.get(requestId)
    this.#waitingById.delete(requestId)
    this.session.cancel(requestId)
    this.schedulePump()
    waiting?.reject(new NetworkError('REQUEST_CANCELLED', 'the request was cancelled', { peer: this.peer }))
  }

  /** @returns the signal that tells when nobody waits for the answer any more. */
  beginAnswer(requestId: number): AbortSignal {
    const controller = new AbortController()
    this.#answeringById.set(requestId, controller)
    return controller.signal
  }

  endAnswer(requestId: number, answer: Uint8Array | { code: string; message: string }): void {
    this.#answeringById.delete(requestId)
    if (answer instanceof Uint8Array) this.session.answer(requestId, answer, this.#now())
    else this.session.answerError(requestId, answer)
    this.schedulePump()
  }

  /** Bytes of this peer wait for a verdict or an answer: with too many, no more is read from it. */
  hold(bytes: number): void {
    this.#pendingBytes += bytes + PENDING_MESSAGE_BYTES
    if (this.#pendingBytes > this.#pendingBytesMax) this.#pauseReading('pending')
  }

  release(bytes: number): void {
    this.#pendingBytes -= bytes + PENDING_MESSAGE_BYTES
    if (this.#pendingBytes * 2 <= this.#pendingBytesMax) this.#readOn('pending')
  }

  #pauseReading(cause: 'pending' | 'rate'): void {
    this.#pauses.add(cause)
    if (this.#pauses.size > 1) return
    this.session.pauseReading()
    this.#link.pause()
  }

  #readOn(cause: 'pending' | 'rate'): void {
    if (!this.#pauses.delete(cause) || this.#pauses.size > 0) return
    this.session.resumeReading(this.#now())
    this.#link.resume()
  }

  /** What is queued in this turn leaves in one write. */
  schedulePump(): void {
    if (this.#pumpScheduled) return
    this.#pumpScheduled = true
    queueMicrotask(() => this.pump())
  }

  /** Its turn with the node's budget, or at the end of a microtask. */
  pump(): void {
    this.#pumpScheduled = false
    const nowMs = this.#now()
    while (this.#link.isWritable) {
      const parts = this.session.pull(nowMs)
      if (parts === null) break
      this.#link.write(...parts)
    }
    this.session.linkWritable(this.#link.isWritable, nowMs)
    this.#wakeReady()
    this.#endDrained()
    this.#owner.wakeBy(this.session.nextDeadlineMs)
  }

  #wakeReady(): void {
    if (this.#readyWaiters.length === 0) return
    const { state, lanes } = this.session
    const isReady = ({ lane }: { lane: Lane }) => state !== 'open' || lanes.isReady(lane)
    const ready = this.#readyWaiters.filter(isReady)
    this.#readyWaiters = this.#readyWaiters.filter((waiter) => !isReady(waiter))
    for (const { resolve } of ready) resolve()
  }

  perform(effects: readonly SessionEffect[]): void {
    for (const effect of effects) this.#performOne(effect)
    this.schedulePump()
  }

  #performOne(effect: SessionEffect): void {
    switch (effect.kind) {
      case 'judgeHello':
        return this.#owner.judgeHello(this, effect.hello)
      case 'opened':
        return this.#owner.opened(this)
      case 'deliverMessage':
        this.#countReceived(effect)
        return this.#process(effect.of, () =>
          this.#owner.received(this, effect.of, effect.body, effect.origin),
        )
      case 'deliverRequest':
        this.#countReceived(effect)
        return this.#process(effect.of, () =>
          this.#owner.requested(this, effect.of, effect.requestId, effect.body),
        )
      case 'abandonRequest':
        this.#answeringById.get(effect.requestId)?.abort()
        return
      case 'settleRequest':
        return this.#settle(effect.requestId, effect.outcome)
      case 'statusChanged':
        return this.#owner.statusChanged(this)
      case 'peerDrained':
        this.#theyDrained = true
        return this.#endDrained()
      case 'slowReading':
        return this.#pauseReading('rate')
      case 'readOn':
        return this.#readOn('rate')
      case 'flooded':
        return this.#owner.flooded(this)
      case 'ended':
        this.#owner.ended(this, effect.by, effect.reason, effect.wasOpen)
        if (effect.by === 'remote') this.#link.abort()
        return
      case 'abortLink':
        return this.#link.abort()
    }
  }

  #countReceived({ of, body }: { of: Kind; body: Uint8Array }): void {
    this.counts.received(of.name, body.length)
    bodyReceived(body)
  }

  #process({ lane }: Kind, handle: () => void): void {
    const { steps } = this.traffic
    steps.enter('processing', lane)
    if (this.session.state !== 'open') return steps.drop('processing', lane, 'closed')
    handle()
    steps.leave('processing', lane)
  }

  #settle(requestId: number, outcome: Outcome): void {
    const waiting = this.#waitingById.get(requestId)
    if (waiting === undefined) return
    this.#waitingById.delete(requestId)
    this.#count(outcome, this.#now() - waiting.sinceMs)
    if (outcome.kind === 'answered') {
      bodyReceived(outcome.body)
      return waiting.resolve(outcome.body)
    }
    const error = outcomeError(this.peer, outcome)
    this.#owner.requestFailed(this, error)
    waiting.reject(error)
  }

  #count({ kind }: Outcome, afterMs: number): void {
    if (kind === 'lost') return this.counts.lost()
    if (kind === 'timedOut') this.counts.timedOut()
    else this.counts.answered(afterMs)
    this.#owner.requestEnded(this, kind !== 'timedOut')
  }

  #now(): number {
    return this.#clock.monotonicMs()
  }
}

function outcomeError(peer: string, outcome: Exclude<Outcome, { kind: 'answered' }>): NetworkError {
  switch (outcome.kind) {
    case 'refused': {
      const { code, message } = outcome.error
      return new NetworkError('REQUEST_REFUSED', `${peer} answered ${code}: ${message}`, {
        peer,
        remoteCode: code,
      })
    }
    case 'timedOut':
      return new NetworkError('REQUEST_TIMEOUT', `${peer} did not answer in time`, { peer })
    case 'lost':
      return outcome.by === 'local' && outcome.reason.code === 'shutting-down'
        ? new NetworkError('STOPPED', 'the network stopped')
        : new NetworkError('PEER_GONE', `the session with ${peer} ended: ${reasonText(outcome.reason)}`, {
            peer,
          })
  }
}
