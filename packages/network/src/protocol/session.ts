/**
 * One session: the handshake, then messages, requests and keep-alive over one ordered byte stream. Pure.
 * S1  both sides say Hello, judge the other's, and accept or refuse; the session is open for a side once it accepted and was accepted
 * S2  before that nothing but the handshake is read or sent
 * S3  whoever ends a session says why as its last frame, then waits a bounded time for the other to close the link
 * S4  silence, a peer that stops reading, and every deadline are found by `tick` at the time that `nextDeadlineMs` names
 * S5  bytes that cannot be understood end the session with the reason `protocol-fault`
 * @module
 */
import { assert } from '@althing/base'
import type { Fault } from '@althing/base'
import {
  CONTROL,
  controlBytesMax,
  decodeError,
  decodeHello,
  decodePeers,
  decodePing,
  decodeReason,
  decodeStatus,
  encodeError,
  encodeHello,
  encodePeers,
  encodePing,
  encodeReason,
  encodeStatus,
} from './control.ts'
import type { ErrorAnswer, PeerAddresses } from './control.ts'
import { FrameDecoder } from './frame.ts'
import type { Frame, Role } from './frame.ts'
import { agree } from './hello.ts'
import type { Hello, Status } from './hello.ts'
import type { Kind, KindTable } from './kinds.ts'
import type { Lane, PerLane } from './lane.ts'
import { Lanes } from './lanes.ts'
import type { LaneLimits } from './lanes.ts'
import { Reassembler } from './reassembly.ts'
import type { Reason } from './reason.ts'
import { Requests } from './requests.ts'

export interface SessionConfig {
  readonly kinds: KindTable
  readonly lanes: PerLane<LaneLimits>
  readonly messageTtlMs: number
  readonly handshakeTimeoutMs: number
  readonly pingIntervalMs: number
  /** Without a byte from the peer, or with a link that takes none, for so long, the session ends. */
  readonly peerTimeoutMs: number
  /** How long the side that ends a session waits for the other to close the link. */
  readonly lingerMs: number
  /** Requests of the peer that may be open here, and ours there. */
  readonly requestsMax: number
}

export type SessionState = 'handshaking' | 'open' | 'closing' | 'closed'

export type Outcome =
  | { readonly kind: 'answered'; readonly body: Uint8Array }
  | { readonly kind: 'refused'; readonly error: ErrorAnswer }
  | { readonly kind: 'timedOut' }
  | { readonly kind: 'lost'; readonly by: 'local' | 'remote'; readonly reason: Reason }

export type SessionEffect =
  /** The hello fits ours: call `accept` or `refuse`. */
  | { readonly kind: 'judgeHello'; readonly hello: Hello }
  | { readonly kind: 'opened' }
  | { readonly kind: 'deliverMessage'; readonly of: Kind; readonly body: Uint8Array }
  | {
      readonly kind: 'deliverRequest'
      readonly of: Kind
      readonly requestId: number
      readonly body: Uint8Array
    }
  /** The peer, or the end of the session, withdrew a request: nobody waits for its answer. */
  | { readonly kind: 'abandonRequest'; readonly requestId: number }
  | { readonly kind: 'settleRequest'; readonly requestId: number; readonly outcome: Outcome }
  | { readonly kind: 'statusChanged' }
  | { readonly kind: 'sharePeers' }
  | { readonly kind: 'learnPeers'; readonly peers: readonly PeerAddresses[] }
  /** The session ended. Abort the link when `by` is the remote; else it stays until the remote, which has to be told why, does so. */
  | {
      readonly kind: 'ended'
      readonly by: 'local' | 'remote'
      readonly reason: Reason
      readonly wasOpen: boolean
    }
  | { readonly kind: 'abortLink' }

const NONE: readonly SessionEffect[] = []
const NO_BYTES = new Uint8Array(0)
const PEERS_ANSWER_INTERVAL_MS = 1000

export class Session {
  readonly #config: SessionConfig
  readonly #localHello: Hello
  readonly #decoder = new FrameDecoder()
  readonly #reassembler = new Reassembler()
  readonly #requests = new Requests()
  readonly lanes: Lanes

  #state: SessionState = 'handshaking'
  #remoteHello: Hello | null = null
  #version = 0
  #weAccepted = false
  #theyAccepted = false
  #status: Status = { height: 0, finalizedHeight: 0, lowestHeight: 0 }
  #latencyMs: number | null = null
  #pingNonce = 0
  #pingSentMs: number
  #pongAwaited = false
  #receivedMs: number
  #peersSharedMs = -Infinity
  #peersAsked = false
  #blockedSinceMs: number | null = null
  #readPaused = false
  /** End of the handshake's time, later of the linger time. */
  #phaseEndMs: number

  messagesIn = 0
  messagesOut = 0
  bytesIn = 0
  bytesOut = 0

  /** The first frame is our hello: `pull` at once. */
  constructor(config: SessionConfig, localHello: Hello, nowMs: number) {
    this.#config = config
    this.#localHello = localHello
    this.lanes = new Lanes(config.lanes)
    this.#receivedMs = nowMs
    this.#pingSentMs = nowMs
    this.#phaseEndMs = nowMs + config.handshakeTimeoutMs
    this.#sendControl(CONTROL.hello, encodeHello(localHello), 'critical')
  }

  get state(): SessionState {
    return this.#state
  }

  /** What the peer said of itself; null before. */
  get remoteHello(): Hello | null {
    return this.#remoteHello
  }

  /** The version of the protocol in use; 0 before the session is open. */
  get version(): number {
    return this.#version
  }

  /** The newest that the peer claims. */
  get remoteStatus(): Status {
    return this.#status
  }

  /** From ping to pong, queues of the low lane included; null before the first. */
  get latencyMs(): number | null {
    return this.#latencyMs
  }

  get receivedMs(): number {
    return this.#receivedMs
  }

  // Handshake

  /** Answers `judgeHello`. */
  accept(nowMs: number): readonly SessionEffect[] {
    if (this.#state !== 'handshaking') return NONE
    assert(this.#remoteHello !== null && !this.#weAccepted, 'a hello is accepted once, after it came')
    this.#weAccepted = true
    this.#sendControl(CONTROL.helloAccepted, NO_BYTES, 'critical')
    return this.#openIfAgreed(nowMs)
  }

  #openIfAgreed(nowMs: number): readonly SessionEffect[] {
    if (!this.#weAccepted || !this.#theyAccepted) return NONE
    this.#state = 'open'
    this.#phaseEndMs = Infinity
    this.#pingSentMs = nowMs - this.#config.pingIntervalMs
    return [{ kind: 'opened' }]
  }

  // Sending

  /** @returns whether it was queued; false when the lane is full. The session must be open. */
  send(kind: Kind, body: Uint8Array, nowMs: number): boolean {
    return this.#push(kind.id, kind.lane, 'message', 0, body, nowMs, kind.gossip)
  }

  /** @returns the request's id; null when the lane is full or too many are open. */
  request(kind: Kind, body: Uint8Array, lane: Lane, deadlineMs: number, nowMs: number): number | null {
    if (this.#requests.askedCount >= this.#config.requestsMax) return null
    const requestId = this.#requests.ask({ kindId: kind.id, deadlineMs })
    if (this.#push(kind.id, lane, 'request', requestId, body, nowMs)) return requestId
    this.#requests.settle(requestId)
    return null
  }

  /** Nobody waits for the answer any more. */
  cancel(requestId: number): void {
    if (this.#requests.settle(requestId)) this.#sendControl(CONTROL.cancel, NO_BYTES, 'high', requestId)
  }

  /** @returns false when the answer could not be queued; the peer is told so. No effect when it no longer waits. */
  answer(requestId: number, body: Uint8Array, nowMs: number): boolean {
    const kindId = this.#requests.close(requestId)
    const kind = kindId === undefined ? undefined : this.#config.kinds.byId.get(kindId)
    if (kind === undefined || this.#push(kind.id, kind.lane, 'answer', requestId, body, nowMs)) return true
    this.#sendError(requestId, { code: 'BUSY', message: 'the queue to you is full' })
    return false
  }

  answerError(requestId: number, error: ErrorAnswer): void {
    if (this.#requests.close(requestId) !== undefined) this.#sendError(requestId, error)
  }

  sendStatus(status: Status): void {
    this.#sendControl(CONTROL.statusUpdate, encodeStatus(status), 'normal')
  }

  askPeers(): void {
    this.#peersAsked = true
    this.#sendControl(CONTROL.peersRequest, NO_BYTES, 'low')
  }

  /** Answers `sharePeers`. */
  sharePeers(peers: readonly PeerAddresses[]): void {
    this.#sendControl(CONTROL.peersAnswer, encodePeers(peers), 'low')
  }

  /** The next bytes to write; null when nothing waits. */
  pull(nowMs: number): Uint8Array | null {
    const piece = this.lanes.pull(nowMs)
    if (piece !== null) this.bytesOut += piece.length
    return piece
  }

  /** Whether the link takes bytes: how a peer that stops reading is found. */
  linkWritable(writable: boolean, nowMs: number): void {
    if (writable) this.#blockedSinceMs = null
    else this.#blockedSinceMs ??= nowMs
  }

  /** We read no further for now: the silence is ours. */
  pauseReading(): void {
    this.#readPaused = true
  }

  resumeReading(nowMs: number): void {
    this.#readPaused = false
    this.#receivedMs = nowMs
  }

  // Ending

  /** Ends the session for our reason, which is told to the peer. What is queued is dropped. */
  close(reason: Reason, nowMs: number): readonly SessionEffect[] {
    if (this.#state === 'closing' || this.#state === 'closed') return NONE
    const kind = this.#state === 'open' ? CONTROL.disconnect : CONTROL.helloRefused
    const effects = this.#end('closing', 'local', reason, kind === CONTROL.disconnect)
    this.#phaseEndMs = nowMs + this.#config.lingerMs
    this.#sendControl(kind, encodeReason(reason), 'critical')
    return effects
  }

  linkClosed(): readonly SessionEffect[] {
    if (this.#state === 'closed') return NONE
    if (this.#state === 'closing') {
      this.#state = 'closed'
      this.#phaseEndMs = Infinity
      return NONE
    }
    return this.#end('closed', 'remote', { code: 'link-lost', message: '' }, this.#state === 'open')
  }

  #end(
    state: 'closing' | 'closed',
    by: 'local' | 'remote',
    reason: Reason,
    wasOpen: boolean,
  ): readonly SessionEffect[] {
    this.#state = state
    this.#phaseEndMs = Infinity
    this.lanes.clear()
    this.#reassembler.clear()
    const open = this.#requests.clear()
    return [
      ...open.asked.map(
        (requestId) => ({ kind: 'settleRequest', requestId, outcome: { kind: 'lost', by, reason } }) as const,
      ),
      ...open.received.map((requestId) => ({ kind: 'abandonRequest', requestId }) as const),
      { kind: 'ended', by, reason, wasOpen },
    ]
  }

  // Time

  /** When `tick` has to be called next. */
  get nextDeadlineMs(): number {
    if (this.#state !== 'open') return this.#phaseEndMs
    const { pingIntervalMs, peerTimeoutMs } = this.#config
    return Math.min(
      this.#pingSentMs + pingIntervalMs,
      this.#readPaused ? Infinity : this.#receivedMs + peerTimeoutMs,
      this.#blockedSinceMs === null ? Infinity : this.#blockedSinceMs + peerTimeoutMs,
      this.#requests.nextDeadlineMs,
    )
  }

  tick(nowMs: number): readonly SessionEffect[] {
    if (this.#state === 'closing' && nowMs >= this.#phaseEndMs) {
      this.#state = 'closed'
      this.#phaseEndMs = Infinity
      return [{ kind: 'abortLink' }]
    }
    if (this.#state === 'handshaking' && nowMs >= this.#phaseEndMs) {
      const message = `no handshake within ${this.#config.handshakeTimeoutMs} ms`
      return this.close({ code: 'handshake-timeout', message }, nowMs)
    }
    if (this.#state !== 'open') return NONE
    return this.#closeUnlessAlive(nowMs) ?? this.#settleOverdue(nowMs)
  }

  #closeUnlessAlive(nowMs: number): readonly SessionEffect[] | null {
    const { peerTimeoutMs, pingIntervalMs } = this.#config
    if (this.#blockedSinceMs !== null && nowMs - this.#blockedSinceMs >= peerTimeoutMs) {
      return this.close(
        { code: 'stopped-reading', message: `nothing was read for ${peerTimeoutMs} ms` },
        nowMs,
      )
    }
    if (!this.#readPaused && nowMs - this.#receivedMs >= peerTimeoutMs) {
      return this.close({ code: 'silent', message: `nothing was heard for ${peerTimeoutMs} ms` }, nowMs)
    }
    if (nowMs - this.#pingSentMs >= pingIntervalMs) {
      this.#pingSentMs = nowMs
      this.#pongAwaited = true
      this.#pingNonce = (this.#pingNonce + 1) >>> 0
      this.#sendControl(CONTROL.ping, encodePing(this.#pingNonce), 'low')
    }
    return null
  }

  #settleOverdue(nowMs: number): readonly SessionEffect[] {
    const overdue = this.#requests.overdue(nowMs)
    for (const requestId of overdue) this.cancel(requestId)
    return overdue.map((requestId) => ({ kind: 'settleRequest', requestId, outcome: { kind: 'timedOut' } }))
  }

  // Receiving

  receive(chunk: Uint8Array, nowMs: number): readonly SessionEffect[] {
    if (this.#state === 'closed') return NONE
    if (this.#state === 'closing') return this.#receiveWhileClosing(chunk)
    this.bytesIn += chunk.length
    this.#receivedMs = nowMs
    const { frames, fault } = this.#decoder.push(chunk)
    const effects: SessionEffect[] = []
    for (const frame of frames) {
      effects.push(...this.#receiveFrame(frame, nowMs))
      if (!this.#isListening) return effects
    }
    if (fault !== null) effects.push(...this.#faulty(fault, nowMs))
    return effects
  }

  /** When both sides end the session at once, neither has to wait for the other. */
  #receiveWhileClosing(chunk: Uint8Array): readonly SessionEffect[] {
    const { frames, fault } = this.#decoder.push(chunk)
    const theyEndToo = frames.some(({ kind }) => kind === CONTROL.disconnect || kind === CONTROL.helloRefused)
    if (!theyEndToo && fault === null) return NONE
    this.#state = 'closed'
    this.#phaseEndMs = Infinity
    return [{ kind: 'abortLink' }]
  }

  get #isListening(): boolean {
    return this.#state === 'handshaking' || this.#state === 'open'
  }

  #receiveFrame(frame: Frame, nowMs: number): readonly SessionEffect[] {
    const kind = this.#config.kinds.byId.get(frame.kind)
    const bytesMax = kind?.maxBytes ?? controlBytesMax(frame.kind)
    if (bytesMax === null) return this.#fault(`unknown kind ${frame.kind}`, nowMs)
    const whole = this.#reassembler.add(frame, bytesMax)
    if (whole.kind === 'incomplete') return NONE
    if (whole.kind === 'fault') return this.#faulty(whole.fault, nowMs)
    const { message } = whole
    this.messagesIn++
    if (this.#state === 'handshaking') return this.#receiveHandshake(message, nowMs)
    if (kind !== undefined) return this.#receiveApplication(kind, message, nowMs)
    return this.#receiveControl(message, nowMs)
  }

  #receiveHandshake({ kind, body }: Frame, nowMs: number): readonly SessionEffect[] {
    if (kind === CONTROL.helloRefused || kind === CONTROL.disconnect) return this.#receiveEnd(body, nowMs)
    if (kind === CONTROL.hello && this.#remoteHello === null) return this.#receiveHello(body, nowMs)
    if (kind === CONTROL.helloAccepted && this.#remoteHello !== null && !this.#theyAccepted) {
      this.#theyAccepted = true
      return this.#openIfAgreed(nowMs)
    }
    return this.#fault(`kind ${kind} during the handshake`, nowMs)
  }

  #receiveHello(body: Uint8Array, nowMs: number): readonly SessionEffect[] {
    const decoded = decodeHello(body)
    if (!decoded.ok) return this.#faulty(decoded.fault, nowMs)
    this.#remoteHello = decoded.value
    this.#status = decoded.value.status
    const agreement = agree(this.#localHello, decoded.value)
    if (!agreement.ok) return this.close(agreement.reason, nowMs)
    this.#version = agreement.version
    return [{ kind: 'judgeHello', hello: decoded.value }]
  }

  #receiveEnd(body: Uint8Array, nowMs: number): readonly SessionEffect[] {
    const decoded = decodeReason(body)
    if (!decoded.ok) return this.#faulty(decoded.fault, nowMs)
    return this.#end('closed', 'remote', decoded.value, this.#state === 'open')
  }

  #receiveApplication(of: Kind, { role, requestId, body }: Frame, nowMs: number): readonly SessionEffect[] {
    switch (role) {
      case 'message':
        return [{ kind: 'deliverMessage', of, body }]
      case 'request':
        return this.#receiveRequest(of, requestId, body, nowMs)
      case 'answer': {
        const asked = this.#requests.asked(requestId)
        if (asked === undefined) return NONE
        if (asked.kindId !== of.id)
          return this.#fault(`an answer of kind ${of.id} to kind ${asked.kindId}`, nowMs)
        return this.#settle(requestId, { kind: 'answered', body })
      }
    }
  }

  #receiveRequest(of: Kind, requestId: number, body: Uint8Array, nowMs: number): readonly SessionEffect[] {
    if (this.#requests.receivedCount >= this.#config.requestsMax) {
      this.#sendError(requestId, { code: 'BUSY', message: `${this.#config.requestsMax} requests are open` })
      return NONE
    }
    if (!this.#requests.receive(requestId, of.id))
      return this.#fault(`request id ${requestId} is in use`, nowMs)
    return [{ kind: 'deliverRequest', of, requestId, body }]
  }

  #settle(requestId: number, outcome: Outcome): readonly SessionEffect[] {
    return this.#requests.settle(requestId) ? [{ kind: 'settleRequest', requestId, outcome }] : NONE
  }

  #receiveControl(message: Frame, nowMs: number): readonly SessionEffect[] {
    const { kind, requestId, body } = message
    switch (kind) {
      case CONTROL.disconnect:
        return this.#receiveEnd(body, nowMs)
      case CONTROL.ping: {
        const ping = decodePing(body)
        if (!ping.ok) return this.#faulty(ping.fault, nowMs)
        this.#sendControl(CONTROL.pong, body, 'low')
        return NONE
      }
      case CONTROL.pong:
        return this.#receivePong(body, nowMs)
      case CONTROL.peersRequest:
        if (nowMs - this.#peersSharedMs < PEERS_ANSWER_INTERVAL_MS) return NONE
        this.#peersSharedMs = nowMs
        return [{ kind: 'sharePeers' }]
      case CONTROL.peersAnswer:
        return this.#receivePeers(body, nowMs)
      case CONTROL.statusUpdate: {
        const status = decodeStatus(body)
        if (!status.ok) return this.#faulty(status.fault, nowMs)
        this.#status = status.value
        return [{ kind: 'statusChanged' }]
      }
      case CONTROL.cancel:
        return this.#requests.close(requestId) === undefined ? NONE : [{ kind: 'abandonRequest', requestId }]
      case CONTROL.errorAnswer: {
        const error = decodeError(body)
        if (!error.ok) return this.#faulty(error.fault, nowMs)
        return this.#settle(requestId, { kind: 'refused', error: error.value })
      }
      default:
        return this.#fault(`kind ${kind} in an open session`, nowMs)
    }
  }

  #receivePong(body: Uint8Array, nowMs: number): readonly SessionEffect[] {
    const pong = decodePing(body)
    if (!pong.ok) return this.#faulty(pong.fault, nowMs)
    if (this.#pongAwaited && pong.value.nonce === this.#pingNonce) {
      this.#pongAwaited = false
      this.#latencyMs = nowMs - this.#pingSentMs
    }
    return NONE
  }

  /** What nobody asked for is not learned. */
  #receivePeers(body: Uint8Array, nowMs: number): readonly SessionEffect[] {
    const peers = decodePeers(body)
    if (!peers.ok) return this.#faulty(peers.fault, nowMs)
    if (!this.#peersAsked) return NONE
    this.#peersAsked = false
    return [{ kind: 'learnPeers', peers: peers.value }]
  }

  #faulty({ code, message }: Fault, nowMs: number): readonly SessionEffect[] {
    return this.#fault(`${code}: ${message}`, nowMs)
  }

  #fault(message: string, nowMs: number): readonly SessionEffect[] {
    return this.close({ code: 'protocol-fault', message }, nowMs)
  }

  #sendError(requestId: number, error: ErrorAnswer): void {
    this.#sendControl(CONTROL.errorAnswer, encodeError(error), 'high', requestId)
  }

  /** The session's own messages are few, small, and live as long as the session. */
  #sendControl(kind: number, body: Uint8Array, lane: Lane, requestId = 0): void {
    this.#push(kind, lane, 'message', requestId, body, Infinity)
  }

  #push(
    kind: number,
    lane: Lane,
    role: Role,
    requestId: number,
    body: Uint8Array,
    nowMs: number,
    gossip = false,
  ): boolean {
    const expiresAtMs = nowMs + this.#config.messageTtlMs
    const queued = this.lanes.push({ kind, lane, role, requestId, body, gossip, expiresAtMs })
    if (queued) this.messagesOut++
    return queued
  }
}
