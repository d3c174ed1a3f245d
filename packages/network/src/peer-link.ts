/**
 * The shell of one session: moves bytes between link and core, and turns request ids into promises. It decides nothing.
 * @module
 */
import type { Clock } from '@althing/base'
import { NetworkError } from './errors.ts'
import type { PeerAddresses } from './protocol/control.ts'
import type { Hello } from './protocol/hello.ts'
import type { Kind } from './protocol/kinds.ts'
import type { Lane } from './protocol/lane.ts'
import type { Direction, LinkRecord } from './protocol/peer-table.ts'
import { reasonText } from './protocol/reason.ts'
import type { Reason } from './protocol/reason.ts'
import { Session } from './protocol/session.ts'
import type { Outcome, SessionConfig, SessionEffect } from './protocol/session.ts'
import type { Link } from './transport.ts'

/** What a link tells the network that it is part of. */
export interface PeerLinkOwner {
  judgeHello(link: PeerLink, hello: Hello): void
  opened(link: PeerLink): void
  received(link: PeerLink, of: Kind, body: Uint8Array): void
  requested(link: PeerLink, of: Kind, requestId: number, body: Uint8Array): void
  statusChanged(link: PeerLink): void
  sharePeers(link: PeerLink): void
  learnPeers(link: PeerLink, peers: readonly PeerAddresses[]): void
  /** The session is over; the link may need some time still. */
  ended(link: PeerLink, by: 'local' | 'remote', reason: Reason, wasOpen: boolean): void
  /** The link is gone. */
  closed(link: PeerLink): void
  /** `tick` has to be called at that time. */
  wakeBy(atMs: number): void
}

/** What a message costs here besides its body, so that empty ones are bounded too. */
const PENDING_MESSAGE_BYTES = 512

interface Waiting {
  readonly peer: string
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
  readonly session: Session

  readonly #link: Link
  readonly #owner: PeerLinkOwner
  readonly #clock: Clock
  readonly #pendingBytesMax: number
  readonly #waitingById = new Map<number, Waiting>()
  readonly #answeringById = new Map<number, AbortController>()
  #readyWaiters: { lane: Lane; resolve: () => void }[] = []
  #pumpScheduled = false
  #pendingBytes = 0
  #readPaused = false

  constructor(setup: {
    link: Link
    dialKey: string | null
    config: SessionConfig & { pendingBytesMax: number; clock: Clock }
    hello: Hello
    owner: PeerLinkOwner
  }) {
    const { link, config } = setup
    this.peer = link.remotePeer
    this.direction = link.direction
    this.remoteAddress = link.remoteAddress
    this.isSession = link.isSession
    this.dialKey = setup.dialKey
    this.session = new Session(config, setup.hello, config.clock.monotonicMs())
    this.#link = link
    this.#owner = setup.owner
    this.#clock = config.clock
    this.#pendingBytesMax = config.pendingBytesMax
  }

  /** Says hello. */
  start(): void {
    this.#link.open({
      onData: (chunk) => this.perform(this.session.receive(chunk, this.#now())),
      onWritable: () => this.#pump(),
      onClosed: () => {
        this.perform(this.session.linkClosed())
        this.#owner.closed(this)
      },
    })
    this.#pump()
  }

  /** Without a word: no session was begun. */
  drop(): void {
    this.#link.abort()
  }

  tick(): void {
    this.perform(this.session.tick(this.#now()))
  }

  accept(): void {
    this.phase = 'accepted'
    this.perform(this.session.accept(this.#now()))
  }

  close(reason: Reason): void {
    this.perform(this.session.close(reason, this.#now()))
  }

  send(kind: Kind, body: Uint8Array): boolean {
    const queued = this.session.send(kind, body, this.#now())
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
      return Promise.reject(new NetworkError('QUEUE_FULL', `no room for a request to ${this.peer}`))
    }
    this.schedulePump()
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>()
    this.#waitingById.set(requestId, { peer: this.peer, resolve, reject })
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
    waiting?.reject(new NetworkError('REQUEST_CANCELLED', 'the request was cancelled'))
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
    if (this.#readPaused || this.#pendingBytes <= this.#pendingBytesMax) return
    this.#readPaused = true
    this.session.pauseReading()
    this.#link.pause()
  }

  release(bytes: number): void {
    this.#pendingBytes -= bytes + PENDING_MESSAGE_BYTES
    if (!this.#readPaused || this.#pendingBytes * 2 > this.#pendingBytesMax) return
    this.#readPaused = false
    this.session.resumeReading(this.#now())
    this.#link.resume()
  }

  /** What is queued in this turn leaves in one write. */
  schedulePump(): void {
    if (this.#pumpScheduled) return
    this.#pumpScheduled = true
    queueMicrotask(() => this.#pump())
  }

  #pump(): void {
    this.#pumpScheduled = false
    const nowMs = this.#now()
    while (this.#link.isWritable) {
      const piece = this.session.pull(nowMs)
      if (piece === null) break
      this.#link.write(piece)
    }
    this.session.linkWritable(this.#link.isWritable, nowMs)
    this.#wakeReady()
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
        if (this.session.state === 'open') this.#owner.received(this, effect.of, effect.body)
        return
      case 'deliverRequest':
        if (this.session.state === 'open')
          this.#owner.requested(this, effect.of, effect.requestId, effect.body)
        return
      case 'abandonRequest':
        this.#answeringById.get(effect.requestId)?.abort()
        return
      case 'settleRequest':
        return this.#settle(effect.requestId, effect.outcome)
      case 'statusChanged':
        return this.#owner.statusChanged(this)
      case 'sharePeers':
        return this.#owner.sharePeers(this)
      case 'learnPeers':
        return this.#owner.learnPeers(this, effect.peers)
      case 'ended':
        this.#owner.ended(this, effect.by, effect.reason, effect.wasOpen)
        if (effect.by === 'remote') this.#link.abort()
        return
      case 'abortLink':
        return this.#link.abort()
    }
  }

  #settle(requestId: number, outcome: Outcome): void {
    const waiting = this.#waitingById.get(requestId)
    if (waiting === undefined) return
    this.#waitingById.delete(requestId)
    if (outcome.kind === 'answered') waiting.resolve(outcome.body)
    else waiting.reject(outcomeError(waiting.peer, outcome))
  }

  #now(): number {
    return this.#clock.monotonicMs()
  }
}

function outcomeError(peer: string, outcome: Exclude<Outcome, { kind: 'answered' }>): NetworkError {
  switch (outcome.kind) {
    case 'refused': {
      const { code, message } = outcome.error
      return new NetworkError('REQUEST_REFUSED', `${peer} answered ${code}: ${message}`, { remoteCode: code })
    }
    case 'timedOut':
      return new NetworkError('REQUEST_TIMEOUT', `${peer} did not answer in time`)
    case 'lost':
      return outcome.by === 'local' && outcome.reason.code === 'shutting-down'
        ? new NetworkError('STOPPED', 'the network stopped')
        : new NetworkError('PEER_GONE', `the session with ${peer} ended: ${reasonText(outcome.reason)}`)
  }
}
