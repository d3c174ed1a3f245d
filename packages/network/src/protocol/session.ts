/**
 * One session: the handshake, then messages, requests and keep-alive over one ordered byte stream. Pure.
 * S1  both sides say Hello, judge the other's, and accept or refuse; the session is open for a side once it accepted and was accepted
 * S2  before that nothing but the handshake is read or sent
 * S3  whoever ends a session says why as its last frame, then waits a bounded time for the other to close the link
 * S4  silence, a peer that stops reading, and every deadline are found by `tick` at the time that `nextDeadlineMs` names
 * S5  bytes that cannot be understood end the session with the reason `protocol-fault`
 * S6  a peer that sends more than it may is read more slowly first; see `inbound-limit.ts`
 * @module
 */
import { assert } from '@althing/base'
import type { Fault } from '@althing/base'
import {
  CONTROL,
  decodeCredit,
  decodeError,
  decodeHello,
  decodePing,
  decodeReason,
  decodeStatus,
  encodeCredit,
  encodeError,
  encodeHello,
  encodePing,
  encodeReason,
  encodeStatus,
} from './control.ts'
import type { ErrorAnswer } from './control.ts'
import { Compression, COMPRESSION_FEATURE } from './compression.ts'
import type { Codec } from './compression.ts'
import { FRAME_HEADER_BYTES, FrameDecoder } from './frame.ts'
import type { Frame, FramePart, Role } from './frame.ts'
import { agree } from './hello.ts'
import type { Hello, Status } from './hello.ts'
import type { Kind, KindTable } from './kinds.ts'
import type { Lane, PerLane } from './lane.ts'
import { Lanes } from './lanes.ts'
import type { LaneLimits, Outgoing } from './lanes.ts'
import { Intake } from './intake.ts'
import { Liveness } from './liveness.ts'
import type { LivenessLimits } from './liveness.ts'
import type { Reason } from './reason.ts'
import { Requests } from './requests.ts'
import type { Outcome, SessionEffect } from './session-effect.ts'
import type { StepCounts } from './steps.ts'
import type { PeerTraffic } from './traffic.ts'
import { ReadCredit, SendWindow, WINDOW_FEATURE } from './window.ts'

export interface SessionConfig extends LivenessLimits {
  readonly kinds: KindTable
  readonly lanes: PerLane<LaneLimits>
  readonly messageTtlMs: number
  readonly handshakeTimeoutMs: number
  /** How long the side that ends a session waits for the other to close the link. */
  readonly lingerMs: number
  /** Requests of the peer that may be open here, and ours there. */
  readonly requestsMax: number
  /** False: all messages of the application share the normal lane, in the order of sending. */
  readonly priorityEnforcement: boolean
  /** For messages to and from peers that can read it too; it goes with the feature in our hello. */
  readonly codec: Codec
}

export type SessionState = 'handshaking' | 'open' | 'closing' | 'closed'

const NONE: readonly SessionEffect[] = []
const NO_BYTES = new Uint8Array(0)

export class Session {
  readonly #config: SessionConfig
  readonly #localHello: Hello
  readonly #decoder = new FrameDecoder()
  readonly #intake: Intake
  readonly #requests = new Requests()
  readonly #liveness: Liveness
  readonly #traffic: PeerTraffic
  readonly #steps: StepCounts
  readonly lanes: Lanes

  #state: SessionState = 'handshaking'
  #remoteHello: Hello | null = null
  #version = 0
  #weAccepted = false
  #theyAccepted = false
  #status: Status = { height: 0, finalizedHeight: 0, lowestHeight: 0 }
  /** The peer owes for what it sent: until then nothing more is read. */
  #slowUntilMs: number | null = null
  readonly #readCredit = new ReadCredit()
  /** Null unless both sides offer it. */
  #compression: Compression | null = null
  /** End of the handshake's time, later of the linger time. */
  #phaseEndMs: number

  messagesIn = 0
  messagesOut = 0
  bytesIn = 0
  bytesOut = 0

  /** The first frame is our hello: `pull` at once. */
  constructor(config: SessionConfig, localHello: Hello, traffic: PeerTraffic, nowMs: number) {
    this.#config = config
    this.#localHello = localHello
    this.#traffic = traffic
    this.#steps = traffic.steps
    this.#intake = new Intake(config.kinds, config.codec, traffic)
    this.lanes = new Lanes(config.lanes, traffic)
    this.#liveness = new Liveness(config, nowMs)
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
    return this.#liveness.latencyMs
  }

  get receivedMs(): number {
    return this.#liveness.receivedMs
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
    this.#liveness.opened(nowMs)
    return [{ kind: 'opened' }]
  }

  // Sending

  /**
   * The session must be open.
   * @param origin of gossip: the number under which its origin sends. It travels in place of a request id.
   * @returns whether it was queued; false when the lane is full.
   */
  send(kind: Kind, body: Uint8Array, nowMs: number, origin = 0): boolean {
    return this.#push(kind, kind.lane, 'message', origin, body, nowMs)
  }

  /** @returns the request's id; null when the lane is full or too many are open. */
  request(kind: Kind, body: Uint8Array, lane: Lane, deadlineMs: number, nowMs: number): number | null {
    if (this.#requests.askedCount >= this.#config.requestsMax) return null
    const requestId = this.#requests.ask({ kindId: kind.id, deadlineMs })
    if (this.#push(kind, lane, 'request', requestId, body, nowMs)) return requestId
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
    if (kind === undefined || this.#push(kind, kind.lane, 'answer', requestId, body, nowMs)) return true
    this.#sendError(requestId, { code: 'BUSY', message: 'the queue to you is full' })
    return false
  }

  answerError(requestId: number, error: ErrorAnswer): void {
    if (this.#requests.close(requestId) !== undefined) this.#sendError(requestId, error)
  }

  sendStatus(status: Status): void {
    this.#sendControl(CONTROL.statusUpdate, encodeStatus(status), 'normal')
  }

  /** Says that nothing follows on this session: another one goes on. */
  sendDrained(): void {
    this.#sendControl(CONTROL.drained, NO_BYTES, 'low')
  }

  /** The next bytes to write, in parts that follow each other; null when nothing may leave now. */
  pull(nowMs: number): Uint8Array[] | null {
    const parts = this.lanes.pull(nowMs)
    for (const { length } of parts ?? []) this.bytesOut += length
    return parts
  }

  /** Whether the link takes bytes: how a peer that stops reading is found, and how much the link carries. */
  linkWritable(writable: boolean, nowMs: number): void {
    const takesBytes = writable && this.#traffic.window?.isFull !== true
    this.#traffic.measure(takesBytes, this.latencyMs, nowMs)
    this.#liveness.linkWritable(takesBytes, nowMs)
  }

  /** We read no further for now: the silence is ours. */
  pauseReading(): void {
    this.#liveness.pauseReading()
  }

  resumeReading(nowMs: number): void {
    this.#liveness.resumeReading(nowMs)
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
    this.#slowUntilMs = null
    this.lanes.clear()
    this.#intake.clear()
    this.#traffic.close()
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
    const { readyAtMs } = this.lanes
    if (this.#state !== 'open') return Math.min(this.#phaseEndMs, readyAtMs)
    return Math.min(
      readyAtMs,
      this.#slowUntilMs ?? Infinity,
      this.#liveness.nextDeadlineMs,
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
    const due = this.#liveness.tick(nowMs)
    if (due?.kind === 'giveUp') return this.close(due.reason, nowMs)
    if (due?.kind === 'ping') this.#sendControl(CONTROL.ping, encodePing(due.nonce), 'low')
    return [...this.#readOn(nowMs), ...this.#settleOverdue(nowMs)]
  }

  #readOn(nowMs: number): readonly SessionEffect[] {
    if (this.#slowUntilMs === null || nowMs < this.#slowUntilMs) return NONE
    this.#slowUntilMs = null
    return [{ kind: 'readOn' }]
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
    this.#liveness.received(nowMs)
    this.#traffic.read(chunk.length, nowMs)
    const { parts, fault } = this.#decoder.push(chunk)
    const effects: SessionEffect[] = []
    for (const part of parts) {
      if (part.lane !== 'critical') this.#readCredit.read(bytesOf(part))
      effects.push(...this.#receivePart(part, nowMs))
      if (!this.#isListening) return effects
    }
    this.#sendCredit()
    if (fault !== null) effects.push(...this.#faulty(fault, nowMs))
    else this.#limitReading(effects, nowMs)
    return effects
  }

  #sendCredit(): void {
    if (this.#traffic.window === null) return
    const read = this.#readCredit.due()
    if (read !== null) this.#sendControl(CONTROL.credit, encodeCredit(read), 'critical')
  }

  #limitReading(effects: SessionEffect[], nowMs: number): void {
    const readOnAtMs = this.#traffic.inbound.readOnAtMs(nowMs)
    if (readOnAtMs > nowMs && this.#state === 'open') {
      if (this.#slowUntilMs === null) effects.push({ kind: 'slowReading' })
      this.#slowUntilMs = readOnAtMs
    }
    if (this.#traffic.inbound.isFault(nowMs)) effects.push({ kind: 'flooded' })
  }

  /** When both sides end the session at once, neither has to wait for the other. */
  #receiveWhileClosing(chunk: Uint8Array): readonly SessionEffect[] {
    const { parts, fault } = this.#decoder.push(chunk)
    const theyEndToo = parts.some(isEnd)
    if (!theyEndToo && fault === null) return NONE
    this.#state = 'closed'
    this.#phaseEndMs = Infinity
    return [{ kind: 'abortLink' }]
  }

  get #isListening(): boolean {
    return this.#state === 'handshaking' || this.#state === 'open'
  }

  #receivePart(part: FramePart, nowMs: number): readonly SessionEffect[] {
    const taken = this.#intake.take(part, this.#state === 'open', nowMs)
    if (taken.kind === 'nothing') return NONE
    if (taken.kind === 'fault') return this.#fault(taken.message, nowMs)
    this.messagesIn++
    const { message } = taken
    if (taken.kind === 'tooMany') {
      const error = { code: 'BUSY', message: 'too many messages a second' }
      if (message.role === 'request') this.#sendError(message.requestId, error)
      return NONE
    }
    const effects = this.#receiveMessage(taken.of, message, nowMs)
    this.#intake.judged(taken, this.#isListening || isEnd(message))
    return effects
  }

  #receiveMessage(of: Kind | null, message: Frame, nowMs: number): readonly SessionEffect[] {
    if (this.#state === 'handshaking') return this.#receiveHandshake(message, nowMs)
    if (of !== null) return this.#receiveApplication(of, message, nowMs)
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
    if (this.#bothOffer(COMPRESSION_FEATURE)) {
      this.#compression = new Compression(this.#config.codec)
      this.#intake.mayUnpack = true
    }
    if (this.#bothOffer(WINDOW_FEATURE)) this.#traffic.window = new SendWindow()
    return [{ kind: 'judgeHello', hello: decoded.value }]
  }

  #bothOffer(feature: string): boolean {
    const theirs = this.#remoteHello?.features ?? []
    return this.#localHello.features.includes(feature) && theirs.includes(feature)
  }

  #receiveEnd(body: Uint8Array, nowMs: number): readonly SessionEffect[] {
    const decoded = decodeReason(body)
    if (!decoded.ok) return this.#faulty(decoded.fault, nowMs)
    return this.#end('closed', 'remote', decoded.value, this.#state === 'open')
  }

  #receiveApplication(of: Kind, { role, requestId, body }: Frame, nowMs: number): readonly SessionEffect[] {
    switch (role) {
      case 'message':
        return [{ kind: 'deliverMessage', of, body, origin: requestId }]
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
      case CONTROL.statusUpdate: {
        const status = decodeStatus(body)
        if (!status.ok) return this.#faulty(status.fault, nowMs)
        this.#status = status.value
        return [{ kind: 'statusChanged' }]
      }
      case CONTROL.cancel:
        return this.#requests.close(requestId) === undefined ? NONE : [{ kind: 'abandonRequest', requestId }]
      case CONTROL.credit:
        return this.#receiveCredit(body, nowMs)
      case CONTROL.drained:
        return [{ kind: 'peerDrained' }]
      case CONTROL.errorAnswer: {
        const error = decodeError(body)
        if (!error.ok) return this.#faulty(error.fault, nowMs)
        return this.#settle(requestId, { kind: 'refused', error: error.value })
      }
      default:
        return this.#fault(`kind ${kind} in an open session`, nowMs)
    }
  }

  #receiveCredit(body: Uint8Array, nowMs: number): readonly SessionEffect[] {
    const credit = decodeCredit(body)
    if (!credit.ok) return this.#faulty(credit.fault, nowMs)
    if (this.#traffic.window?.credit(credit.value.bytes, nowMs) !== true) {
      return this.#fault('credit for what was not sent', nowMs)
    }
    this.#liveness.linkWritable(true, nowMs)
    return NONE
  }

  #receivePong(body: Uint8Array, nowMs: number): readonly SessionEffect[] {
    const pong = decodePing(body)
    if (!pong.ok) return this.#faulty(pong.fault, nowMs)
    this.#liveness.pong(pong.value.nonce, nowMs)
    return NONE
  }

  #faulty(fault: Fault, nowMs: number): readonly SessionEffect[] {
    return this.#fault(faultText(fault), nowMs)
  }

  #fault(message: string, nowMs: number): readonly SessionEffect[] {
    return this.close({ code: 'protocol-fault', message }, nowMs)
  }

  #sendError(requestId: number, error: ErrorAnswer): void {
    this.#sendControl(CONTROL.errorAnswer, encodeError(error), 'high', requestId)
  }

  /** The session's own messages are few, small, and live as long as the session. */
  #sendControl(kind: number, body: Uint8Array, lane: Lane, requestId = 0): void {
    this.#queue({
      kind,
      lane,
      role: 'message',
      requestId,
      body,
      compressed: false,
      plainBytes: body.length,
      gossip: false,
      expiresAtMs: Infinity,
    })
  }

  #push(kind: Kind, lane: Lane, role: Role, requestId: number, body: Uint8Array, nowMs: number): boolean {
    const { priorityEnforcement, messageTtlMs } = this.#config
    const compressed = this.#compression?.compress(kind, lane, body) ?? null
    return this.#queue({
      kind: kind.id,
      lane: priorityEnforcement ? lane : 'normal',
      role,
      requestId,
      body: compressed ?? body,
      compressed: compressed !== null,
      plainBytes: body.length,
      gossip: kind.gossip && role === 'message',
      expiresAtMs: nowMs + messageTtlMs,
    })
  }

  #queue(message: Outgoing): boolean {
    this.#steps.pass('creation', message.lane)
    this.#steps.pass('priority', message.lane)
    const queued = this.lanes.push(message)
    if (queued) this.messagesOut++
    return queued
  }
}

/** With the header of its frame, if it is the first part. */
function bytesOf({ isFirst, body }: FramePart): number {
  return body.length + (isFirst ? FRAME_HEADER_BYTES : 0)
}

function isEnd({ kind }: Frame): boolean {
  return kind === CONTROL.disconnect || kind === CONTROL.helloRefused
}

function faultText({ code, message }: Fault): string {
  return `${code}: ${message}`
}
