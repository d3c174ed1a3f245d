/**
 * Letters of this node, from `send` to their receipt. A shell around `Outbox`, which says when.
 * @module
 */
import { assert, bytesToHex } from '@althing/base'
import { NetworkError } from '../errors.ts'
import {
  DELIVERY_BODY_BYTES_MAX,
  DELIVERY_ID_BYTES,
  openReceipt,
  sealContext,
  signLetter,
} from '../protocol/delivery-wire.ts'
import type { DeliveryOutcome, Packet } from '../protocol/delivery-wire.ts'
import { INBOX_LIMITS } from '../protocol/inbox.ts'
import { Outbox, OUTBOX_LIMITS } from '../protocol/outbox.ts'
import { keyOfPeerId } from '../protocol/peer-id.ts'
import { HOPS_MAX } from '../protocol/relay.ts'
import type { DeliveryOptions, DeliveryReceipt } from './delivery-types.ts'
import type { Post } from './post.ts'
import { openReceiptSeal, seal } from './sealing.ts'
import type { Sealed } from './sealing.ts'

const DEADLINE_DEFAULT_MS = 30_000
/** So that a letter's whole life fits into the window of its recipient, whose clock may be another. */
const DEADLINE_MAX_MS = INBOX_LIMITS.windowMs - INBOX_LIMITS.skewMs
const HOPS_DEFAULT = 16
/** A longer letter is repeated, or sent to all, only when its recipient has just answered a question. */
const SHORT_LETTER_BYTES_MAX = 16 * 1024
/** A short one is sent so often before that. */
const SENT_UNASKED_MAX = 2
const NO_BYTES = new Uint8Array(0)

interface Waiting {
  readonly to: string
  readonly isSealed: boolean
  readonly hopsMax: number
  readonly startedMs: number
  /** Signed, not sealed. */
  readonly letter: Uint8Array
  readonly resolve: (receipt: DeliveryReceipt) => void
  readonly reject: (error: NetworkError) => void
  /** With the key that was sealed to; null before the recipient's key is known. */
  sealed: (Sealed & { readonly key: Uint8Array }) | null
  isSealing: boolean
  /** The recipient answered a question since the letter was sent last. */
  isThere: boolean
  /** It was asked, and did not answer yet. */
  isAsking: boolean
  /** How often the letter itself left. */
  timesSent: number
  attempts: number
}

export class SentLetters {
  readonly #post: Post
  readonly #outbox = new Outbox(OUTBOX_LIMITS)
  readonly #waitingById = new Map<string, Waiting>()
  #isStopped = false

  constructor(post: Post) {
    this.#post = post
  }

  get waiting(): { readonly count: number; readonly bytes: number } {
    return { count: this.#outbox.size, bytes: this.#outbox.bytes }
  }

  send(
    peer: string,
    kindName: string,
    body: Uint8Array,
    options: DeliveryOptions = {},
  ): Promise<DeliveryReceipt> {
    const { sealed = true, deadlineMs = DEADLINE_DEFAULT_MS, hopsMax = HOPS_DEFAULT, signal } = options
    assert(
      deadlineMs >= 1 && deadlineMs <= DEADLINE_MAX_MS,
      `deadlineMs ${deadlineMs} is not 1 to ${DEADLINE_MAX_MS}`,
    )
    assert(hopsMax >= 0 && hopsMax <= HOPS_MAX, `hopsMax ${hopsMax} is not 0 to ${HOPS_MAX}`)
    const problem = this.#problem(peer, kindName, body, signal)
    if (problem !== null) return Promise.reject(problem)
    const nowMs = this.#now()
    const id = bytesToHex(this.#post.host.config.random.bytes(DELIVERY_ID_BYTES))
    const letter = this.#sign(id, peer, kindName, body, deadlineMs)
    const entry = { id, to: peer, bytes: letter.length, deadlineMs: nowMs + deadlineMs }
    if (!this.#outbox.add(entry, nowMs)) {
      return Promise.reject(new NetworkError('QUEUE_FULL', 'too many messages wait to be delivered'))
    }
    const { promise, resolve, reject } = Promise.withResolvers<DeliveryReceipt>()
    this.#waitingById.set(id, {
      to: peer,
      isSealed: sealed,
      hopsMax,
      startedMs: nowMs,
      letter,
      resolve,
      reject,
      sealed: null,
      isSealing: false,
      isThere: false,
      isAsking: false,
      timesSent: 0,
      attempts: 0,
    })
    this.#sendDue(nowMs)
    this.#post.host.wakeBy(this.#outbox.nextDueMs())
    if (signal === undefined) return promise
    const onAbort = () => this.#end(id, cancelled())
    signal.addEventListener('abort', onAbort, { once: true })
    return promise.finally(() => signal.removeEventListener('abort', onAbort))
  }

  #sign(id: string, to: string, kindName: string, body: Uint8Array, deadlineMs: number): Uint8Array {
    const { peerId, config } = this.#post.host
    const sentMs = Math.trunc(config.clock.wallMs())
    const expiresMs = sentMs + Math.ceil(deadlineMs)
    const kindId = config.kinds.byName.get(kindName)!.id
    const letter = { from: peerId, to, id, sentMs, expiresMs, kindId, body }
    return signLetter(letter, config.genesisHash, this.#post.signer)
  }

  #problem(
    peer: string,
    kindName: string,
    body: Uint8Array,
    signal: AbortSignal | undefined,
  ): NetworkError | null {
    const kind = this.#post.host.config.kinds.byName.get(kindName)
    assert(kind !== undefined, `there is no message kind ${kindName}`)
    const bytesMax = Math.min(kind.maxBytes, DELIVERY_BODY_BYTES_MAX)
    if (this.#isStopped) return stopped()
    if (signal?.aborted) return cancelled()
    if (peer === this.#post.host.peerId)
      return new NetworkError('PEER_UNREACHABLE', 'this is the node itself')
    if (keyOfPeerId(peer) === null) return new NetworkError('PEER_UNREACHABLE', `"${peer}" is no peer id`)
    if (body.length <= bytesMax) return null
    return new NetworkError(
      'MESSAGE_TOO_LARGE',
      `${body.length} bytes; ${kindName} delivers at most ${bytesMax}`,
    )
  }

  /** @param isFirst there was no neighbour before. */
  peerAppeared(peer: string, isFirst: boolean): void {
    this.#outbox.peerAppeared(peer, isFirst, this.#now())
    this.#post.host.wakeBy(this.#now())
  }

  tick(nowMs: number): number {
    this.#sendDue(nowMs)
    return this.#outbox.nextDueMs()
  }

  stop(): void {
    this.#isStopped = true
    for (const id of this.#waitingById.keys()) this.#end(id, stopped())
  }

  #sendDue(nowMs: number): void {
    for (const effect of this.#outbox.due(nowMs)) {
      const waiting = this.#waitingById.get(effect.id)
      if (waiting === undefined) continue
      waiting.attempts = effect.attempts
      if (effect.kind === 'giveUp') this.#end(effect.id, outOfTime(waiting))
      else this.#attempt(effect.id, waiting)
    }
  }

  #attempt(id: string, waiting: Waiting): void {
    if (!waiting.isThere && this.#mustAsk(waiting)) return this.#ask(id, waiting)
    if (!waiting.isSealed) return this.#sendLetter(id, waiting, 'letter', waiting.letter)
    const key = this.#post.host.records.get(waiting.to)?.sealKey
    if (key === undefined) return this.#ask(id, waiting)
    // A newer record may name another key.
    if (waiting.sealed !== null && bytesToHex(waiting.sealed.key) === bytesToHex(key)) {
      return this.#sendLetter(id, waiting, 'sealedLetter', waiting.sealed.payload)
    }
    if (!waiting.isSealing) void this.#sealAndSend(id, waiting, key)
  }

  /** A question costs the network far less than a letter; and its answer tells whether the recipient's key has changed. */
  #mustAsk({ letter, timesSent, to }: Waiting): boolean {
    const isLong = letter.length > SHORT_LETTER_BYTES_MAX
    return isLong ? timesSent > 0 || !this.#hasWay(to) : timesSent >= SENT_UNASKED_MAX
  }

  async #sealAndSend(id: string, waiting: Waiting, key: Uint8Array): Promise<void> {
    const { peerId, config } = this.#post.host
    waiting.isSealing = true
    try {
      const context = sealContext({ from: peerId, to: waiting.to, id }, config.genesisHash)
      waiting.sealed = { ...(await seal(key, context, waiting.letter)), key }
    } catch (error) {
      config.log.warn('a message cannot be sealed', { to: waiting.to, error })
      return
    } finally {
      waiting.isSealing = false
    }
    if (this.#waitingById.get(id) === waiting) {
      this.#sendLetter(id, waiting, 'sealedLetter', waiting.sealed.payload)
    }
  }

  /** The first time along the map, afterwards to all: who drops packets cannot stop it while there is another way. */
  #sendLetter(id: string, waiting: Waiting, content: 'letter' | 'sealedLetter', payload: Uint8Array): void {
    const flood = waiting.timesSent > 0
    waiting.timesSent++
    waiting.isThere = false
    waiting.isAsking = false
    this.#post.counts.add(flood ? 'letters repeated' : 'letters sent')
    this.#sendWaiting(id, waiting, { content, flood, payload })
  }

  #ask(id: string, waiting: Waiting): void {
    waiting.isAsking = true
    this.#post.counts.add('keys asked for')
    const flood = waiting.attempts > 1
    this.#sendWaiting(id, waiting, { content: 'keyQuestion', flood, payload: NO_BYTES })
  }

  #hasWay(peer: string): boolean {
    return this.#post.ways.neighbours.has(peer) || this.#post.host.nextHop(peer) !== null
  }

  #sendWaiting(id: string, waiting: Waiting, packet: Pick<Packet, 'content' | 'flood' | 'payload'>): void {
    if (waiting.hopsMax === 0 && !this.#post.ways.neighbours.has(waiting.to)) return
    const attempt = Math.min(waiting.attempts, 255)
    const from = this.#post.host.peerId
    this.#post.transmit({ ...packet, id, attempt, hopsLeft: waiting.hopsMax, from, to: waiting.to })
  }

  /** No effect when it was settled already. */
  #end(id: string, result: NetworkError | 'delivered'): void {
    const waiting = this.#waitingById.get(id)
    if (waiting === undefined) return
    this.#waitingById.delete(id)
    this.#outbox.remove(id)
    this.#post.host.wakeBy(this.#outbox.nextDueMs()) // another one may take its turn
    this.#post.counts.add(result === 'delivered' ? 'delivered' : `failed: ${result.code}`)
    if (result !== 'delivered') return waiting.reject(result)
    waiting.resolve({ id, elapsedMs: this.#now() - waiting.startedMs, attempts: waiting.attempts })
  }

  /** The recipient of one letter answered a question: it is there, for all letters that wait for that. */
  takeKeyAnswer({ id, from, payload }: Packet): void {
    const asker = this.#waitingById.get(id)
    if (asker === undefined || asker.to !== from || !asker.isAsking) return
    if (this.#post.host.records.take(payload, false) === 'invalid')
      return this.#post.counts.add('left: forged record')
    for (const [waitingId, waiting] of this.#waitingById) {
      if (waiting.to !== from || !waiting.isAsking) continue
      waiting.isAsking = false
      waiting.isThere = true
      this.#outbox.hurry(waitingId, this.#now())
    }
    this.#post.host.wakeBy(this.#now())
  }

  async takeSealedReceipt(packet: Packet): Promise<void> {
    const receiptKey = this.#waitingById.get(packet.id)?.sealed?.receiptKey
    if (receiptKey === undefined) return
    const receipt = await openReceiptSeal(receiptKey, packet.payload)
    if (receipt === null) this.#post.counts.add('left: cannot be opened')
    else this.takeReceipt(packet, receipt)
  }

  takeReceipt(packet: Packet, bytes: Uint8Array): void {
    const waiting = this.#waitingById.get(packet.id)
    if (waiting === undefined || waiting.to !== packet.from) return
    const { genesisHash, verify } = this.#post.host.config
    const about = { id: packet.id, sender: this.#post.host.peerId, recipient: waiting.to }
    const outcome = openReceipt(bytes, about, genesisHash, verify)
    if (!outcome.ok) return this.#post.counts.add('left: forged receipt')
    this.#end(packet.id, outcome.value === 'delivered' ? 'delivered' : refused(waiting.to, outcome.value))
  }

  #now(): number {
    return this.#post.host.config.clock.monotonicMs()
  }
}

function stopped(): NetworkError {
  return new NetworkError('STOPPED', 'the network stopped')
}

function cancelled(): NetworkError {
  return new NetworkError(
    'REQUEST_CANCELLED',
    'the delivery was cancelled; the message may arrive all the same',
  )
}

function outOfTime({ to, attempts, timesSent }: Waiting): NetworkError {
  const what =
    timesSent === 0
      ? `its key was asked for ${attempts} times; it is not on this network, or not reachable`
      : `sent ${timesSent} times; it may have arrived all the same`
  return new NetworkError('DELIVERY_TIMEOUT', `no receipt from ${to} in time: ${what}`)
}

function refused(to: string, outcome: Exclude<DeliveryOutcome, 'delivered'>): NetworkError {
  const why = {
    refused: 'its application refused the message; its log says why',
    unhandled: 'nothing there handles messages of this kind',
    stale: 'the message came too late, or the clocks of the two nodes are too far apart',
  }[outcome]
  return new NetworkError('DELIVERY_REFUSED', `${to}: ${why}`, { remoteCode: outcome })
}
